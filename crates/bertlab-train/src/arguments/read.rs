//! `TrainingArguments` out of a file: TOML, JSON, or HuggingFace's own JSON.

use super::{GivenSettings, TrainingArguments};
use crate::error::TrainError;
use std::path::Path;

/// What a file of settings says.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadArguments {
    /// The settings; what the file does not say has its default.
    pub arguments: TrainingArguments,
    /// What a person should know: old names, and settings of HuggingFace's that were passed over.
    pub notes: Vec<String>,
}

impl TrainingArguments {
    /// Reads a .toml or .json file, also one that HuggingFace's `TrainingArguments.to_json_string()` gave.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), bertlab_train::TrainError> {
    /// let read = bertlab_train::TrainingArguments::from_file("run.toml".as_ref())?;
    /// println!("{} epochs", read.arguments.num_train_epochs);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read; names that neither these arguments nor HuggingFace's have; values of another
    /// kind or out of their range; settings of HuggingFace's that would change the result and are not known here.
    pub fn from_file(file: &Path) -> Result<ReadArguments, TrainError> {
        Self::from_given(GivenSettings::read(file)?)
    }

    /// The same of a JSON text.
    ///
    /// # Errors
    /// As [`TrainingArguments::from_file`].
    pub fn from_json(text: &str) -> Result<ReadArguments, TrainError> {
        Self::from_given(GivenSettings::from_json(text, "the settings".to_owned())?)
    }

    fn from_given(mut given: GivenSettings) -> Result<ReadArguments, TrainError> {
        let arguments: Self = given.take()?;
        let notes = given.finish()?;
        arguments.check()?;
        Ok(ReadArguments { arguments, notes })
    }
}
