//! Text to token ids and back, exactly as HuggingFace's fast tokenizers do it, based on the `tokenizers`
//! crate.
//!
//! ```
//! use bertlab_text::{EncodeOptions, TextInput, Tokenizer};
//!
//! # fn main() -> Result<(), bertlab_text::Error> {
//! # let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/bertlab-tiny");
//! let tokenizer = Tokenizer::open(folder.as_ref())?;
//! let encoding = tokenizer.encode(&TextInput::from("I have a new film!"), &EncodeOptions::default())?;
//! assert_eq!(encoding.tokens, ["[CLS]", "i", "have", "a", "new", "film", "!", "[SEP]"]);
//! assert_eq!(tokenizer.decode(&encoding.input_ids, true)?, "i have a new film!");
//! # Ok(())
//! # }
//! ```
//!
//! Terms: a *token* is an entry of the vocabulary; a *special token* marks structure (`[CLS]`, `[SEP]`); an
//! *added token* extends the vocabulary and is matched in the text before tokenization; a *span* is a range
//! of characters.

mod config;
mod decode;
mod encode;
mod error;
mod files;
mod keep;
mod open;
mod options;
mod save;
mod span;
mod special;
mod template;
mod vocabulary;
mod word_piece;
mod words;

use std::fmt;

use tokenizers::Tokenizer as Backend;
use tokenizers::processors::PostProcessorWrapper;

pub use encode::Encoding;
pub use error::Error;
pub use keep::Keep;
pub use options::{EncodeOptions, Padding, TextInput, Truncation};
pub use span::find_word;
pub use word_piece::{VocabularyOptions, train_word_piece};
pub use words::split_into_words;

use config::{Class, Settings};
use special::{Role, SpecialToken};

/// A tokenizer, opened from a folder with [`Tokenizer::open`]. It can be shared between threads.
pub struct Tokenizer {
    // Invariant: no truncation, padding or post-processor is set here; each call applies its own options.
    backend: Backend,
    post_processor: Option<PostProcessorWrapper>,
    special_tokens: Vec<SpecialToken>,
    last_id: u32,
    /// Whether decoding applies HuggingFace's clean-up of spaces.
    cleans_up: bool,
    class: Class,
    keep: Keep,
    max_length: Option<usize>,
    settings: Settings,
    source_files: Vec<(String, Vec<u8>)>,
    /// Whether the folder's tokenizer.json describes this tokenizer, so that saving can copy it.
    json_is_current: bool,
}

impl Tokenizer {
    /// The highest id + 1, added tokens included: the number of rows that an embedding table needs.
    pub fn vocab_size(&self) -> usize {
        self.last_id as usize + 1
    }

    /// The maximum input length in tokens, special tokens included, from tokenizer_config.json or
    /// [`Tokenizer::set_model_max_length`]; `None` if there is no limit.
    pub fn model_max_length(&self) -> Option<usize> {
        self.max_length
    }

    /// Sets the maximum input length in tokens, special tokens included. It is saved with the tokenizer.
    pub fn set_model_max_length(&mut self, max_length: usize) {
        self.max_length = Some(max_length);
    }

    /// The part of a text that truncation keeps, from the folder or [`Tokenizer::set_keep`].
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// Sets the part of a text that truncation keeps. It is saved with the tokenizer: as HuggingFace's
    /// `truncation_side` where possible, else under a key of our own.
    pub fn set_keep(&mut self, keep: Keep) {
        self.keep = keep;
    }

    /// The id of the padding token (`[PAD]`, `<pad>`), if there is one.
    pub fn pad_token_id(&self) -> Option<u32> {
        self.id_of(Role::Padding)
    }

    /// The id of the mask token (`[MASK]`, `<mask>`), if there is one.
    pub fn mask_token_id(&self) -> Option<u32> {
        self.id_of(Role::Mask)
    }

    /// The id of the classification token (`[CLS]`, `<s>`), which precedes the text, if there is one.
    pub fn cls_token_id(&self) -> Option<u32> {
        self.id_of(Role::Class)
    }

    /// The id of the separator token (`[SEP]`, `</s>`), which follows each text, if there is one.
    pub fn sep_token_id(&self) -> Option<u32> {
        self.id_of(Role::Separator)
    }

    /// The id of the unknown token (`[UNK]`, `<unk>`), if there is one.
    pub fn unk_token_id(&self) -> Option<u32> {
        self.id_of(Role::Unknown)
    }

    /// The ids of all special tokens, ascending: those with a role, and those that decoding can skip.
    pub fn special_token_ids(&self) -> Vec<u32> {
        let added = self.backend.get_added_vocabulary().get_added_tokens_decoder();
        let skipped = added.iter().filter(|(_, token)| token.special).map(|(id, _)| *id);
        let mut ids: Vec<u32> = self.special_tokens.iter().map(|token| token.id).chain(skipped).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    fn special_token(&self, role: Role) -> Option<&SpecialToken> {
        self.special_tokens.iter().find(|token| token.role == role)
    }

    fn id_of(&self, role: Role) -> Option<u32> {
        self.special_token(role).map(|token| token.id)
    }
}

impl fmt::Debug for Tokenizer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Tokenizer")
            .field("class", &self.class)
            .field("vocab_size", &self.vocab_size())
            .field("special_tokens", &self.special_tokens)
            .finish_non_exhaustive()
    }
}
