//! Checkpoint files to named arrays and back; the model hub; atomic writing.
//!
//! What a layer is, this crate does not know: it opens a folder, gives its arrays by name and its config by key, and
//! writes them back whole. Nothing that is found in a file is executed.

pub mod atomic;
pub mod hub;

mod array;
mod bytes;
mod config;
mod error;
mod pickle;
mod pytorch;
mod pytorch_legacy;
mod pytorch_optimizer;
mod pytorch_zip;
mod safetensors;
mod shards;
mod weights;

pub use array::{ArrayView, Dtype, NamedArray};
pub use bytes::Bytes;
pub use config::{Config, open_config};
pub use error::Error;
pub use pytorch_optimizer::{AdamGroup, AdamMoments, AdamState, read_adam_state};
pub use safetensors::{read_safetensors, write_safetensors, write_views};
pub use weights::{Weights, WeightsFormat, has_weights, open_weights};
