//! `TrainingArguments` from a file: TOML, JSON, or HuggingFace's own JSON.

use super::TrainingArguments;
use super::foreign::foreign;
use crate::error::TrainError;
use bertlab_settings::{Given, SettingsFile};
use std::path::Path;

/// The contents of a file of settings.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadArguments {
    /// The settings; those that the file does not contain have their defaults.
    pub arguments: TrainingArguments,
    /// What a person should know: old names, and settings of HuggingFace's that were ignored.
    pub notes: Vec<String>,
}

impl TrainingArguments {
    /// Reads a .toml or .json file, including what HuggingFace's `TrainingArguments.to_json_string()` writes.
    ///
    /// ```
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let file = std::env::temp_dir().join("bertlab-doc-run.toml");
    /// std::fs::write(&file, "num_train_epochs = 2")?;
    /// let read = bertlab_train::TrainingArguments::from_file(&file)?;
    /// assert_eq!(read.arguments.num_train_epochs, 2.0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// A file that cannot be read; names that neither these arguments nor HuggingFace's have; values of
    /// another kind or out of their range; settings of HuggingFace's that would change the result and are not
    /// supported.
    pub fn from_file(file: &Path) -> Result<ReadArguments, TrainError> {
        Self::from_settings(SettingsFile::read(file)?)
    }

    /// Reads a JSON object.
    ///
    /// # Errors
    /// As [`TrainingArguments::from_file`].
    pub fn from_json(text: &str) -> Result<ReadArguments, TrainError> {
        Self::from_settings(SettingsFile::from_json(text, "the settings".to_owned())?)
    }

    fn from_settings(mut file: SettingsFile) -> Result<ReadArguments, TrainError> {
        let arguments = file.take(Given::none())?.over(Self::default());
        let notes = file.finish(foreign)?;
        arguments.check()?;
        Ok(ReadArguments { arguments, notes })
    }
}
