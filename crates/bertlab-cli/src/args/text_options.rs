//! Arguments that say how texts become rows of tokens.

use anyhow::bail;
use bertlab::train::MaskingOptions;
use bertlab::{Keep, TextOptions};

use super::one_of;

/// How long rows are.
#[derive(Clone, Debug, clap::Args)]
pub struct LengthArguments {
    /// Cut texts to so many tokens; masked-lm: the length of a block [default: what the model takes]
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    #[command(flatten)]
    pub truncation: TruncationArguments,
    /// masked-lm: a text stays a row, instead of texts end to end, cut into blocks
    #[arg(long)]
    pub line_by_line: bool,
}

/// Which part of a text stays when it is cut.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct TruncationArguments {
    /// Which part of a longer text stays: head, tail, head+tail [default: as the model was trained, else head]
    #[arg(long, value_name = "PART", value_parser = one_of::<Keep>(&Keep::WORDS))]
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
#[derive(Clone, Debug, clap::Args)]
pub struct MaskingArguments {
    /// masked-lm: the share of tokens that is hidden
    #[arg(long, value_name = "P", default_value = "0.15")]
    pub mlm_probability: f64,
    /// masked-lm: hide whole words instead of tokens, on average as many
    #[arg(long)]
    pub whole_word_mask: bool,
}

impl LengthArguments {
    /// With what is hidden.
    pub fn options(self, masking: Option<MaskingArguments>) -> anyhow::Result<TextOptions> {
        Ok(TextOptions {
            max_length: self.max_length,
            keep: self.truncation.keep()?,
            line_by_line: self.line_by_line,
            masking: masking.map(MaskingOptions::from).unwrap_or_default(),
        })
    }
}

impl From<MaskingArguments> for MaskingOptions {
    fn from(arguments: MaskingArguments) -> Self {
        MaskingOptions {
            mlm_probability: arguments.mlm_probability,
            whole_word_mask: arguments.whole_word_mask,
        }
    }
}
