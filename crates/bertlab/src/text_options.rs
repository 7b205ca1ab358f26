//! How texts become rows of tokens.

use bertlab_data::TokenCache;
use bertlab_text::Keep;
use bertlab_train::MaskingOptions;

/// How texts become rows of tokens; HuggingFace's names where it has them.
#[derive(Clone, Debug, Default)]
pub struct TextOptions {
    /// Longer texts are cut to so many tokens; texts for a masked language model become blocks of so many. What model
    /// and tokenizer take when none.
    pub max_length: Option<usize>,
    /// Which part of longer texts stays; what the model's folder says when none.
    pub keep: Option<Keep>,
    /// Masked language models: a text stays a row, instead of texts end to end, cut into blocks.
    pub line_by_line: bool,
    /// Masked language models: what is hidden.
    pub masking: MaskingOptions,
    /// Where tokenized rows are kept for the next time; nowhere by default.
    pub cache: TokenCache,
}
