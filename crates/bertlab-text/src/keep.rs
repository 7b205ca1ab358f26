//! Which part of a text stays when it is cut: its beginning, its end, or both.

use std::fmt;
use std::str::FromStr;

use serde_json::{Map, Value, json};
use tokenizers::Encoding as PieceEncoding;
use tokenizers::utils::truncation::{
    TruncationDirection, TruncationParams, TruncationStrategy, truncate_encodings,
};

use crate::Error;
use crate::config::Settings;

/// HuggingFace's key in tokenizer_config.json, which knows two sides.
const SIDE_KEY: &str = "truncation_side";
/// Our keys beside it: HuggingFace leaves keys that it does not know as they are.
pub(crate) const KEEP_KEY: &str = "bertlab_truncation";
pub(crate) const HEAD_KEY: &str = "bertlab_truncation_head";

/// Which part of a text stays when it is cut. Of a pair, each text that must be cut is cut so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Keep {
    /// Its beginning; HuggingFace's `truncation_side` "right".
    #[default]
    Head,
    /// Its end; HuggingFace's `truncation_side` "left".
    Tail,
    /// Its beginning and its end, as Sun et al. 2019 ("How to fine-tune BERT for text classification") do it.
    HeadAndTail {
        /// Tokens of the beginning, special tokens not counted; a quarter of what stays when none (128 of 510, as there).
        head: Option<usize>,
    },
}

impl Keep {
    /// The words that [`FromStr`] reads.
    pub const WORDS: [&'static str; 3] = ["head", "tail", "head+tail"];

    /// What the settings files say.
    pub(crate) fn of(settings: &Settings) -> Keep {
        match (&settings.keep, settings.truncation_side) {
            (Some(keep), _) => *keep,
            (None, Some(TruncationDirection::Left)) => Keep::Tail,
            (None, _) => Keep::Head,
        }
    }

    /// Writes it where [`Keep::of`] finds it. A side that is the default stays unsaid.
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

    /// Of `n_kept` tokens of a text, those from its beginning.
    pub fn n_head(self, n_kept: usize) -> usize {
        match self {
            Keep::Head => n_kept,
            Keep::Tail => 0,
            Keep::HeadAndTail { head: Some(head) } => head.min(n_kept),
            // To the nearest, as 128 of 510 is.
            Keep::HeadAndTail { head: None } => (n_kept + 2) / 4,
        }
    }

    /// Cuts texts that are together longer than `room` tokens. How much each loses is the crate's own rule.
    pub(crate) fn cut(
        self,
        first: PieceEncoding,
        second: Option<PieceEncoding>,
        room: usize,
        strategy: TruncationStrategy,
    ) -> Result<(PieceEncoding, Option<PieceEncoding>), tokenizers::Error> {
        let direction = match self {
            Keep::Tail => TruncationDirection::Left,
            _ => TruncationDirection::Right,
        };
        let params = TruncationParams { direction, max_length: room, strategy, stride: 0 };
        if matches!(self, Keep::Head | Keep::Tail) {
            return truncate_encodings(first, second, &params);
        }
        let (short_first, short_second) = truncate_encodings(first.clone(), second.clone(), &params)?;
        let second = second.zip(short_second).map(|(second, short)| self.keep_ends(second, short.len()));
        Ok((self.keep_ends(first, short_first.len()), second))
    }

    fn keep_ends(self, mut text: PieceEncoding, n_kept: usize) -> PieceEncoding {
        if text.len() <= n_kept {
            return text;
        }
        let n_head = self.n_head(n_kept);
        let mut head = text.clone();
        head.truncate(n_head, 0, TruncationDirection::Right);
        text.truncate(n_kept - n_head, 0, TruncationDirection::Left);
        // What was cut off would be merged along.
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
