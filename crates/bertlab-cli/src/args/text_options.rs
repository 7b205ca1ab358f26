//! Arguments that say how texts become rows of tokens.

use anyhow::bail;
use bertlab::train::MaskingOptions;
use bertlab::{Keep, TextOptions, TokenCache};
use serde::{Deserialize, Serialize};

use super::{one_of, word};
use crate::words::yes_or_no;

/// How long rows are.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
pub struct LengthArguments {
    /// Cut texts to so many tokens; masked-lm: the length of a block [default: as the model was trained,
    /// else what it takes]
    #[arg(long, value_name = "N", alias = "max-seq-length")]
    pub max_length: Option<usize>,
    #[command(flatten)]
    #[serde(flatten)]
    pub truncation: TruncationArguments,
    /// masked-lm: a text stays a row, instead of texts end to end, cut into blocks
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    pub line_by_line: Option<bool>,
    /// Tokenize anew, and keep nothing for the next time ($BERTLAB_CACHE, else the user's cache folder)
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    pub no_cache: Option<bool>,
}

/// Which part of a text stays when it is cut.
#[derive(Clone, Copy, Debug, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
pub struct TruncationArguments {
    /// Which part of a longer text stays: head, tail, head+tail [default: as the model was trained, else head]
    #[arg(long, value_name = "PART", value_parser = one_of::<Keep>(&Keep::WORDS))]
    #[serde(with = "word")]
    pub truncation: Option<Keep>,
    /// head+tail: so many tokens of the beginning [default: a quarter]
    #[arg(long, value_name = "N")]
    pub truncation_head: Option<usize>,
}

impl TruncationArguments {
    /// The part; none where nothing is said.
    pub fn keep(self) -> anyhow::Result<Option<Keep>> {
        match (self.truncation, self.truncation_head) {
            (None | Some(Keep::HeadAndTail { .. }), head @ Some(_)) => Ok(Some(Keep::HeadAndTail { head })),
            (keep, None) => Ok(keep),
            (Some(keep), Some(_)) => {
                bail!("--truncation-head belongs to --truncation head+tail, not to --truncation {keep}")
            }
        }
    }
}

/// What is hidden from a masked language model.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
pub struct MaskingArguments {
    /// masked-lm: the share of tokens that is hidden [default: 0.15]
    #[arg(long, value_name = "P")]
    pub mlm_probability: Option<f64>,
    /// masked-lm: hide whole words instead of tokens, on average as many
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    pub whole_word_mask: Option<bool>,
}

impl LengthArguments {
    /// With what is hidden.
    pub fn options(self, masking: Option<MaskingArguments>) -> anyhow::Result<TextOptions> {
        Ok(TextOptions {
            max_length: self.max_length,
            keep: self.truncation.keep()?,
            line_by_line: self.line_by_line.unwrap_or_default(),
            cache: match self.no_cache {
                Some(true) => TokenCache::off(),
                _ => TokenCache::of_user(),
            },
            masking: masking.map(MaskingOptions::from).unwrap_or_default(),
        })
    }
}

impl From<MaskingArguments> for MaskingOptions {
    fn from(arguments: MaskingArguments) -> Self {
        let default = MaskingOptions::default();
        MaskingOptions {
            mlm_probability: arguments.mlm_probability.unwrap_or(default.mlm_probability),
            whole_word_mask: arguments.whole_word_mask.unwrap_or(default.whole_word_mask),
        }
    }
}
