//! Inspects models: summary, tensor statistics, embeddings of texts and words, similarity, fill-mask.
//!
//! All functions take `&Model` and return plain structs.
//!
//! ```
//! use bertlab_explore::{fill_mask, summary};
//! use bertlab_model::{OpenOptions, open};
//! use bertlab_text::Tokenizer;
//! # use std::path::Path;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/bertlab-tiny"));
//! let (model, _) = open(folder, &OpenOptions::default())?;
//! assert_eq!(summary(&model).n_layers, 4);
//! let tokenizer = Tokenizer::open(folder)?;
//! let predictions = fill_mask(&model, &tokenizer, "a very [MASK] film", 5)?;
//! assert_eq!((predictions.len(), predictions[0].candidates.len()), (1, 5));
//! # Ok(())
//! # }
//! ```
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
