//! Text to token ids and back, on the `tokenizers` crate, exactly as HuggingFace's fast tokenizers do it.
//!
//! ```no_run
//! use bertlab_text::{EncodeOptions, TextInput, Tokenizer};
//!
//! # fn main() -> Result<(), bertlab_text::Error> {
//! let tokenizer = Tokenizer::open("models/all-MiniLM-L6-v2".as_ref())?;
//! let encoding = tokenizer.encode(&TextInput::from("I have a new CPU!"), &EncodeOptions::default())?;
//! assert_eq!(encoding.tokens, ["[CLS]", "i", "have", "a", "new", "cpu", "!", "[SEP]"]);
//! assert_eq!(tokenizer.decode(&encoding.input_ids, true)?, "i have a new cpu!");
//! # Ok(())
//! # }
//! ```
//!
//! Words: a *token* is an entry of the vocabulary; a *special token* plays a part of its own (`[CLS]`); an *added
//! token* lies beside the vocabulary and is found in the text before anything else; a *span* is a range of characters.

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

use tokenizers::Tokenizer as Pieces;
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

/// A tokenizer, opened from a folder with [`Tokenizer::open`]. Nothing in it changes afterwards, but for
/// [`Tokenizer::set_keep`] and [`Tokenizer::set_model_max_length`]: it may be shared between threads.
pub struct Tokenizer {
    // Invariant: no truncation, no padding, no post-processor. Those come from each call's options.
    pieces: Pieces,
    post_processor: Option<PostProcessorWrapper>,
    special_tokens: Vec<SpecialToken>,
    last_id: u32,
    /// Whether decoding ends with HuggingFace's clean-up of spaces.
    cleans_up: bool,
    class: Class,
    keep: Keep,
    max_length: Option<usize>,
    settings: Settings,
    source_files: Vec<(String, Vec<u8>)>,
    /// The source's tokenizer.json describes this tokenizer and may be passed on.
    json_is_current: bool,
}

impl Tokenizer {
    /// The highest id + 1, added tokens included: the rows that an embedding needs.
    pub fn vocab_size(&self) -> usize {
        self.last_id as usize + 1
    }

    /// The longest input of the model, in tokens with special tokens, by tokenizer_config.json; `None` where it
    /// says nothing, or "no limit", or by [`Tokenizer::set_model_max_length`].
    pub fn model_max_length(&self) -> Option<usize> {
        self.max_length
    }

    /// Longer inputs shall be cut to so many tokens from now on. It is saved with the tokenizer.
    pub fn set_model_max_length(&mut self, max_length: usize) {
        self.max_length = Some(max_length);
    }

    /// Which part of a text stays when it is cut: what the folder says, or [`Tokenizer::set_keep`].
    pub fn keep(&self) -> Keep {
        self.keep
    }

    /// Another part shall stay. It is saved with the tokenizer: in HuggingFace's word `truncation_side` where that can
    /// say it, beside that where not.
    pub fn set_keep(&mut self, keep: Keep) {
        self.keep = keep;
    }

    /// The id of the padding token.
    pub fn pad_token_id(&self) -> Option<u32> {
        self.id_of(Role::Padding)
    }

    /// The id of the mask token; `None` for a vocabulary without one.
    pub fn mask_token_id(&self) -> Option<u32> {
        self.id_of(Role::Mask)
    }

    /// The id of the token that stands before the text, whose vector is the whole text's.
    pub fn cls_token_id(&self) -> Option<u32> {
        self.id_of(Role::Class)
    }

    /// The id of the token that ends each text.
    pub fn sep_token_id(&self) -> Option<u32> {
        self.id_of(Role::Separator)
    }

    /// The id that unknown words get.
    pub fn unk_token_id(&self) -> Option<u32> {
        self.id_of(Role::Unknown)
    }

    /// All special tokens' ids, ascending: those with a role, and those that decoding can skip.
    pub fn special_token_ids(&self) -> Vec<u32> {
        let added = self.pieces.get_added_vocabulary().get_added_tokens_decoder();
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
