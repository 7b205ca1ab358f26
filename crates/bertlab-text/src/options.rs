//! Options of encoding: special tokens, truncation and padding, named as in HuggingFace.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A text or a pair of texts (question and context, premise and hypothesis).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextInput {
    /// The only or first text, sequence 0.
    pub text: String,
    /// The second text, sequence 1. [`Tokenizer::encode`](crate::Tokenizer::encode) treats an empty text as
    /// `None`.
    pub pair: Option<String>,
}

impl From<&str> for TextInput {
    fn from(text: &str) -> Self {
        TextInput { text: text.to_owned(), pair: None }
    }
}

impl From<String> for TextInput {
    fn from(text: String) -> Self {
        TextInput { text, pair: None }
    }
}

/// How texts are encoded. The default adds special tokens and neither truncates nor pads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Whether to add `[CLS]` and `[SEP]` or their equivalents.
    pub add_special_tokens: bool,
    /// The truncation strategy. Setting `max_length` alone does not enable truncation.
    pub truncation: Truncation,
    /// The length for truncation and for [`Padding::MaxLength`], in tokens, special tokens included.
    /// `None` means `model_max_length` of tokenizer_config.json.
    pub max_length: Option<usize>,
    /// The padding strategy.
    pub padding: Padding,
}

impl Default for EncodeOptions {
    fn default() -> Self {
        EncodeOptions {
            add_special_tokens: true,
            truncation: Truncation::DoNotTruncate,
            max_length: None,
            padding: Padding::None,
        }
    }
}

/// Which text loses tokens when an input is longer than `max_length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Truncation {
    /// `do_not_truncate`: no truncation.
    #[default]
    DoNotTruncate,
    /// `longest_first`: the longer text of a pair, until both have the same length; then both.
    LongestFirst,
    /// `only_first`: the first text; an error if that is not sufficient.
    OnlyFirst,
    /// `only_second`: the second text; an error if that is not sufficient, or if a single text is too long.
    OnlySecond,
}

/// To which length encodings are padded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Padding {
    /// `do_not_pad`: no padding.
    #[default]
    None,
    /// `longest`: the longest encoding of the batch.
    Longest,
    /// `max_length`: `max_length` tokens. Longer encodings are not changed.
    MaxLength,
}

impl Truncation {
    /// HuggingFace's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Truncation::DoNotTruncate => "do_not_truncate",
            Truncation::LongestFirst => "longest_first",
            Truncation::OnlyFirst => "only_first",
            Truncation::OnlySecond => "only_second",
        }
    }
}

impl Padding {
    /// HuggingFace's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Padding::None => "do_not_pad",
            Padding::Longest => "longest",
            Padding::MaxLength => "max_length",
        }
    }
}

impl fmt::Display for Truncation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl fmt::Display for Padding {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl FromStr for Truncation {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        [Truncation::DoNotTruncate, Truncation::LongestFirst, Truncation::OnlyFirst, Truncation::OnlySecond]
            .into_iter()
            .find(|truncation| truncation.as_str() == word)
            .ok_or_else(|| Error::UnknownWord {
                option: "truncation",
                found: word.to_owned(),
                choices: "longest_first, only_first, only_second, do_not_truncate",
            })
    }
}

impl FromStr for Padding {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        [Padding::None, Padding::Longest, Padding::MaxLength]
            .into_iter()
            .find(|padding| padding.as_str() == word)
            .ok_or_else(|| Error::UnknownWord {
                option: "padding",
                found: word.to_owned(),
                choices: "longest, max_length, do_not_pad",
            })
    }
}
