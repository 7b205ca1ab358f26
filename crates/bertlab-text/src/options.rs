//! What a caller may ask of an encoding: special tokens, truncation, padding, in HuggingFace's words.

use std::fmt;
use std::str::FromStr;

use crate::Error;

/// A text, alone or with a second one (question and context, premise and hypothesis).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TextInput {
    /// The first or only text, sequence 0.
    pub text: String,
    /// The second text, sequence 1. An empty one counts as none.
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

/// How texts become encodings. The default adds special tokens and neither cuts nor pads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodeOptions {
    /// Put `[CLS]`, `[SEP]` or their like around the texts.
    pub add_special_tokens: bool,
    /// Which text may be cut. Only this turns truncation on: a `max_length` alone does not.
    pub truncation: Truncation,
    /// The length in tokens, special tokens included, for truncation and for [`Padding::MaxLength`].
    /// Where it is needed and `None`, tokenizer_config.json's `model_max_length` counts.
    pub max_length: Option<usize>,
    /// How far the encodings are filled up.
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

/// Which text is cut when an input is longer than `max_length`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Truncation {
    /// `do_not_truncate`: inputs stay as long as they are.
    #[default]
    DoNotTruncate,
    /// `longest_first`: the longer text of a pair first, then both.
    LongestFirst,
    /// `only_first`: the first text; an error if that is not enough.
    OnlyFirst,
    /// `only_second`: the second text; an error if that is not enough, or if something must be cut and there is none.
    OnlySecond,
}

/// How far encodings are filled up with the padding token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Padding {
    /// `do_not_pad`.
    #[default]
    None,
    /// `longest`: to the longest encoding of the batch at hand.
    Longest,
    /// `max_length`: to `max_length` tokens. Longer encodings stay as they are.
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
