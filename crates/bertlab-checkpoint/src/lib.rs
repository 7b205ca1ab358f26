//! Reads and writes checkpoint files, downloads from the model hub, and writes files atomically.
//!
//! This crate knows nothing of layers: it opens a folder, returns its arrays by name and its configuration by
//! key, and writes them back. It never executes anything found in a file.
//!
//! ```
//! use bertlab_checkpoint::{NamedArray, open_weights, write_safetensors};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let folder = folder.path();
//! let bias = NamedArray::from_f32("classifier.bias", [2], vec![0.5, -0.5]);
//! write_safetensors(&folder.join("model.safetensors"), &[bias], &[])?;
//! let weights = open_weights(folder)?;
//! assert_eq!(weights.arrays["classifier.bias"].to_f32()?, [0.5, -0.5]);
//! # Ok(())
//! # }
//! ```

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
