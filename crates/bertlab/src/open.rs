//! From a folder or a hub name to a model and its tokenizer.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use bertlab_checkpoint::hub::{self, HubOptions};
use bertlab_checkpoint::open_config;
use bertlab_model::{LoadReport, Model, OpenOptions};
use bertlab_text::{Keep, Tokenizer};

use crate::{Error, SentenceSettings, bundled};

/// How a model is found and opened.
#[derive(Clone, Debug, Default)]
pub struct ModelOptions {
    /// Head, labels, seed, and what the model will be used for.
    pub open: OpenOptions,
    /// Never ask the network: a hub name must be in the cache.
    pub offline: bool,
}

/// A model with all that its folder says about it.
pub struct OpenedModel {
    /// The encoder with its head.
    pub model: Model,
    /// Which weights came from where.
    pub report: LoadReport,
    /// Where it was opened: of a hub name, its place in the cache.
    pub folder: PathBuf,
    tokenizer: OnceLock<Tokenizer>,
}

impl OpenedModel {
    /// The folder's tokenizer, opened at the first call.
    ///
    /// # Errors
    /// No tokenizer, a damaged one, or one with more ids than the model has embeddings.
    pub fn tokenizer(&self) -> Result<&Tokenizer, Error> {
        if let Some(tokenizer) = self.tokenizer.get() {
            return Ok(tokenizer);
        }
        let tokenizer = Tokenizer::open(&self.folder)?;
        let vocab_size = self.model.spec.encoder.vocab_size;
        if tokenizer.vocab_size() > vocab_size {
            let highest = tokenizer.vocab_size() - 1;
            let folder = self.folder.clone();
            return Err(bertlab_model::Error::TokenizerSize { folder, highest, vocab_size }.into());
        }
        Ok(self.tokenizer.get_or_init(|| tokenizer))
    }

    /// Which part of texts that are too long stays from now on, and in what is saved; what the folder says when none.
    ///
    /// # Errors
    /// As [`OpenedModel::tokenizer`].
    pub fn set_keep(&mut self, keep: Option<Keep>) -> Result<(), Error> {
        let Some(keep) = keep else { return Ok(()) };
        self.tokenizer()?;
        self.tokenizer.get_mut().expect("it was just opened").set_keep(keep);
        Ok(())
    }

    /// The length that texts were cut to in training, for all that is done and saved from now on; as it was when none,
    /// or where there is no tokenizer.
    pub(crate) fn set_max_length(&mut self, max_length: Option<usize>) {
        if let Some(length) = max_length.filter(|_| self.tokenizer().is_ok()) {
            self.tokenizer.get_mut().expect("it was just opened").set_model_max_length(length);
        }
    }

    /// Makes the tokenizer one for rows of words ([`Tokenizer::for_words`]), where there is one: rows of ids need none.
    pub(crate) fn read_words(&mut self) {
        if self.tokenizer().is_ok()
            && let Some(tokenizer) = self.tokenizer.take()
        {
            self.tokenizer = OnceLock::from(tokenizer.for_words());
        }
    }

    /// The model to be changed, and the tokenizer to be saved with it, where the folder has one of use.
    pub(crate) fn model_and_tokenizer(&mut self) -> (&mut Model, Option<&Tokenizer>) {
        // Where there is none, and rows need one, they were refused.
        let _ = self.tokenizer();
        (&mut self.model, self.tokenizer.get())
    }

    /// What the folder's sentence-transformers files say; nothing where there are none.
    ///
    /// # Errors
    /// As [`SentenceSettings::read`].
    pub fn sentence_settings(&self) -> Result<SentenceSettings, Error> {
        SentenceSettings::read(&self.folder)
    }

    /// The longest row in tokens: the smaller of what model and tokenizer say.
    ///
    /// # Errors
    /// As [`OpenedModel::tokenizer`].
    pub fn max_tokens(&self) -> Result<usize, Error> {
        let by_model = self.model.spec.encoder.max_tokens();
        Ok(self.tokenizer()?.model_max_length().map_or(by_model, |by_tokenizer| by_tokenizer.min(by_model)))
    }
}

/// Gives the folder of a model: itself if it is one, that of a model which the program brings (`tiny`), else its place
/// in HuggingFace's cache, downloaded if need be.
///
/// # Errors
/// No such folder or hub model; a network that is off or fails.
pub fn resolve(name_or_folder: &str, offline: bool) -> Result<PathBuf, Error> {
    if let Some(folder) = bundled::folder_of(name_or_folder) {
        return folder;
    }
    Ok(hub::resolve(name_or_folder, &HubOptions { offline, ..HubOptions::default() })?)
}

/// Opens a model by its folder or its hub name.
///
/// # Errors
/// No such folder or hub model; a config, weights or head that cannot be used, each in words.
pub fn open_model(name_or_folder: &str, options: &ModelOptions) -> Result<OpenedModel, Error> {
    let folder = resolve(name_or_folder, options.offline)?;
    let (model, report) = bertlab_model::open(&folder, &options.open)?;
    Ok(OpenedModel { model, report, folder, tokenizer: OnceLock::new() })
}

/// A tokenizer alone, with the longest row that goes with it.
#[derive(Debug)]
pub struct OpenedTokenizer {
    /// Text to ids and back.
    pub tokenizer: Tokenizer,
    /// The longest row in tokens: the smaller of what tokenizer_config.json and config.json say.
    pub max_tokens: Option<usize>,
    /// Where it was opened.
    pub folder: PathBuf,
}

/// Opens a tokenizer by its folder or its hub name. The folder needs no weights, and not even a config.json.
///
/// # Errors
/// No such folder or hub model; no tokenizer in it, or a damaged one.
pub fn open_tokenizer(name_or_folder: &str, offline: bool) -> Result<OpenedTokenizer, Error> {
    let folder = resolve(name_or_folder, offline)?;
    let tokenizer = Tokenizer::open(&folder)?;
    let limits = [tokenizer.model_max_length(), max_tokens_of_config(&folder)];
    let max_tokens = limits.into_iter().flatten().min();
    Ok(OpenedTokenizer { tokenizer, max_tokens, folder })
}

/// What config.json says of the longest row. A config that is absent or of no use here limits nothing: a tokenizer
/// works without it.
fn max_tokens_of_config(folder: &Path) -> Option<usize> {
    bertlab_model::max_tokens(&open_config(folder).ok()?).ok()
}
