//! BERT-family encoders and their heads, forward and backward.
//!
//! Axes, everywhere in this crate: T packed tokens, B rows, s tokens of a row, D width, H heads,
//! F inner width, L layers, V vocabulary, C outputs of a head.

mod batch;
mod block;
mod cost;
mod dtype;
mod encoder;
mod error;
mod families;
mod finite;
mod frozen;
mod gradients;
mod heads;
mod initialise;
mod linear;
mod model;
mod modules;
mod open;
mod packed;
mod params;
mod report;
mod save;
mod spec;
mod weight_order;

pub use batch::{Batch, Row};
pub use cost::{Back, BatchSize};
pub use dtype::ComputeDtype;
pub use encoder::EncoderOutput;
pub use error::Error;
pub use families::{Family, family_names, max_tokens, vocab_size};
pub use finite::NonFiniteWeight;
pub use frozen::{Frozen, Place};
pub use gradients::{Gradients, Sum};
pub use heads::{HeadGradient, HeadOutput};
pub use model::{Kept, Model, Output, Request, Training};
pub use modules::Module;
pub use open::{HeadChoice, OpenOptions, configured_labels, open};
pub use params::{Embeddings, Layer, Linear, Norm, Params, Predictions};
pub use report::LoadReport;
pub use save::{save_pretrained, write_pretrained, write_pretrained_as};
pub use spec::{
    EncoderSpec, HeadKind, HeadSpec, PoolerSpec, Positions, ProblemType, Spec, UnknownProblemType,
};
