//! Which part of a text truncation keeps: its head, its tail, or both.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value, json};
use tokenizers::Encoding as BackendEncoding;
use tokenizers::utils::truncation::{
    TruncationDirection, TruncationParams, TruncationStrategy, truncate_encodings,
};

use crate::Error;
use crate::config::Settings;

/// HuggingFace's key in tokenizer_config.json; its values are "left" and "right".
const SIDE_KEY: &str = "truncation_side";
/// Our own keys in the same file; HuggingFace ignores and preserves unknown keys.
pub(crate) const KEEP_KEY: &str = "bertlab_truncation";
pub(crate) const HEAD_KEY: &str = "bertlab_truncation_head";

/// Which part of a text truncation keeps. In a pair it applies to each text that is truncated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// The beginning; `truncation_side` "right" in HuggingFace's files.
    #[default]
    Head,
    /// The end; `truncation_side` "left" in HuggingFace's files.
    Tail,
    /// The beginning and the end, as in Sun et al. 2019, "How to fine-tune BERT for text classification".
    HeadAndTail {
        /// Number of tokens kept from the beginning, without special tokens. `None` means a quarter of the
        /// kept tokens, which gives the paper's 128 of 510.
        head: Option<usize>,
    },
}

impl Keep {
    /// The values that [`FromStr`] accepts.
    pub const WORDS: [&'static str; 3] = ["head", "tail", "head+tail"];

    /// The value in the settings files.
    pub(crate) fn of(settings: &Settings) -> Keep {
        match (&settings.keep, settings.truncation_side) {
            (Some(keep), _) => *keep,
            (None, Some(TruncationDirection::Left)) => Keep::Tail,
            (None, _) => Keep::Head,
        }
    }

    /// Writes the value to tokenizer_config.json. The default side is not written unless the key is already
    /// there.
    pub(crate) fn write(self, config: &mut Map<String, Value>) {
        config.remove(KEEP_KEY);
        config.remove(HEAD_KEY);
        let is_left = self == Keep::Tail;
        if is_left || config.contains_key(SIDE_KEY) {
            config.insert(SIDE_KEY.to_owned(), json!(if is_left { "left" } else { "right" }));
        }
        if let Keep::HeadAndTail { head } = self {
            config.insert(KEEP_KEY.to_owned(), json!(self.to_string()));
            config.extend(head.map(|head| (HEAD_KEY.to_owned(), json!(head))));
        }
    }

    /// How many of `n_tokens` kept tokens come from the beginning of the text.
    pub fn n_head(self, n_tokens: usize) -> usize {
        match self {
            Keep::Head => n_tokens,
            Keep::Tail => 0,
            Keep::HeadAndTail { head: Some(head) } => head.min(n_tokens),
            // Rounded to nearest: 128 of 510.
            Keep::HeadAndTail { head: None } => (n_tokens + 2) / 4,
        }
    }

    /// Truncates texts that have more than `n_tokens_max` tokens in total. The `tokenizers` crate decides how
    /// many tokens each text loses.
    pub(crate) fn truncate(
        self,
        first: BackendEncoding,
        second: Option<BackendEncoding>,
        n_tokens_max: usize,
        strategy: TruncationStrategy,
    ) -> Result<(BackendEncoding, Option<BackendEncoding>), tokenizers::Error> {
        let direction = match self {
            Keep::Tail => TruncationDirection::Left,
            _ => TruncationDirection::Right,
        };
        let params = TruncationParams { direction, max_length: n_tokens_max, strategy, stride: 0 };
        if matches!(self, Keep::Head | Keep::Tail) {
            return truncate_encodings(first, second, &params);
        }
        let (short_first, short_second) = truncate_encodings(first.clone(), second.clone(), &params)?;
        let second = second.zip(short_second).map(|(second, short)| self.keep_ends(second, short.len()));
        Ok((self.keep_ends(first, short_first.len()), second))
    }

    fn keep_ends(self, mut text: BackendEncoding, n_tokens: usize) -> BackendEncoding {
        if text.len() <= n_tokens {
            return text;
        }
        let n_head = self.n_head(n_tokens);
        let mut head = text.clone();
        head.truncate(n_head, 0, TruncationDirection::Right);
        text.truncate(n_tokens - n_head, 0, TruncationDirection::Left);
        // Otherwise merging would also merge the removed tokens.
        head.take_overflowing();
        text.take_overflowing();
        head.merge_with(text, false);
        head
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Keep::Head => Keep::WORDS[0],
            Keep::Tail => Keep::WORDS[1],
            Keep::HeadAndTail { .. } => Keep::WORDS[2],
        })
    }
}

impl FromStr for Keep {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self, Error> {
        [Keep::Head, Keep::Tail, Keep::HeadAndTail { head: None }]
            .into_iter()
            .find(|keep| keep.to_string() == word)
            .ok_or_else(|| Error::UnknownWord {
                option: "truncation",
                found: word.to_owned(),
                choices: "head, tail, head+tail",
            })
    }
}
