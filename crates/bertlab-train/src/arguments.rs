//! `TrainingArguments`: the settings of a run, by HuggingFace's names and, unless said otherwise, with its
//! defaults.
//!
//! Each setting stands once, as a row of [`table`]; checks, files and flags follow from it.

mod choice;
mod class_weights;
mod foreign;
mod read;
mod table;

pub use choice::{IntervalStrategy, ReportTo, SamplingStrategy, SaveStrategy};
pub use class_weights::ClassWeights;
pub use foreign::foreign;
pub use read::ReadArguments;
pub use table::TrainingArguments;
