//! Arguments that say how texts become rows of tokens.

use bertlab::TextOptions;
use bertlab::train::MaskingOptions;

/// How long rows are.
#[derive(Clone, Debug, clap::Args)]
pub struct LengthArguments {
    /// Cut texts to so many tokens; masked-lm: the length of a block [default: what the model takes]
    #[arg(long, value_name = "N")]
    pub max_length: Option<usize>,
    /// masked-lm: a text stays a row, instead of texts end to end, cut into blocks
    #[arg(long)]
    pub line_by_line: bool,
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
    pub fn options(self, masking: Option<MaskingArguments>) -> TextOptions {
        TextOptions {
            max_length: self.max_length,
            line_by_line: self.line_by_line,
            masking: masking.map(MaskingOptions::from).unwrap_or_default(),
        }
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
