//! A new vocabulary from plain texts.

use std::path::Path;

use bertlab_checkpoint::atomic;
use bertlab_data::TextFiles;
use bertlab_feedback::{Meter, Progress, Stage, Status, Unit};
use bertlab_text::{Tokenizer, VocabularyOptions, train_word_piece};

use crate::Error;

/// Texts, and how a vocabulary is trained on them.
#[derive(Clone, Debug, Default)]
pub struct VocabularyJob {
    /// The texts; they are read as a stream.
    pub texts: TextFiles,
    /// How.
    pub options: VocabularyOptions,
}

impl VocabularyJob {
    /// Trains; gives the tokenizer's files as (file name, contents).
    ///
    /// # Errors
    /// Texts that cannot be read or hold no word; a size that leaves no room for the alphabet.
    pub fn train(&self, progress: &dyn Progress) -> Result<Vec<(String, Vec<u8>)>, Error> {
        let start = Status::new(Stage::TrainVocabulary, "texts", self.texts.n_bytes()?, Unit::Bytes);
        let meter = Meter::new(progress, start);
        Ok(self.texts.iterate(&meter, |texts| train_word_piece(texts, &self.options))??)
    }
}

/// Writes a tokenizer's files as a folder, in one step, and opens it. What HuggingFace wants beside them
/// (tokenizer.json, special_tokens_map.json) is added.
///
/// # Errors
/// A folder that cannot be written, or that holds something else.
pub fn write_vocabulary(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<Tokenizer, Error> {
    atomic::write_folder(folder, |staging| write_files(staging, files))?;
    Ok(Tokenizer::open(folder)?)
}

pub(super) fn write_files(folder: &Path, files: &[(String, Vec<u8>)]) -> Result<(), Error> {
    for (name, contents) in files {
        atomic::write_file(&folder.join(name), contents)?;
    }
    for (name, contents) in Tokenizer::open(folder)?.files() {
        atomic::write_file(&folder.join(name), &contents)?;
    }
    Ok(())
}
