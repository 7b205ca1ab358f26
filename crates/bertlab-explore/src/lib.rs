//! Looking into a model: summary, tensors, vectors of texts and words, similarity, masked words.
//!
//! Pure functions of `&Model` that give plain structs: nothing here changes a weight or draws anything.
//!
//! Axes, everywhere in this crate: T packed tokens, B rows, s tokens of a row, D width, L layers,
//! V vocabulary.

mod cosine;
mod embed;
mod error;
mod layers;
mod mask;
mod nearest;
mod stats;
mod summary;
#[cfg(test)]
mod testing;
mod tree;
mod words;

pub use cosine::{cosine, cosine_matrix};
pub use embed::{EmbedOptions, Embedding, Pooling, embed};
pub use error::Error;
pub use layers::Layers;
pub use mask::{Candidate, MaskPrediction, fill_mask};
pub use stats::{Histogram, TensorStats, tensor_stats};
pub use summary::{Summary, summary};
pub use tree::{TreeLine, tree_lines};
pub use words::{Occurrences, Pieces, Place, WordOptions, WordQuery, WordVector, word_vectors};
