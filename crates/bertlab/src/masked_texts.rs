//! Plain texts for a masked language model: made into rows of which some tokens will be hidden.

use bertlab_data::preflight::{Split, SplitRows};
use bertlab_data::{Dataset, Tokenization, Truncated};
use bertlab_feedback::Progress;
use bertlab_train::Masking;

use crate::labelled::{LabelledRows, TextCounts, tokenized_rows};
use crate::{Error, OpenedModel, TextOptions};

impl OpenedModel {
    /// Tokenizes texts for a masked language model: end to end in blocks, or each as a row; beside that, the texts as a
    /// preflight looks at them. Texts without a word are left out; the others are taken in the order of their files, so
    /// that texts which belong together stay together.
    ///
    /// # Errors
    /// A tokenizer that is missing; a length that the model does not take.
    pub(crate) fn masked_rows(
        &self,
        split: Split,
        mut dataset: Dataset,
        options: &TextOptions,
        progress: &dyn Progress,
    ) -> Result<(SplitRows, LabelledRows), Error> {
        let length = self.masked_row_length(options)?;
        dataset.records.sort_by_key(|record| (record.source, record.row));
        let max_length = options.line_by_line.then_some(length);
        let cache = Some(&options.cache);
        let tokenization = Tokenization { tokenizer: Some(self.tokenizer()?), max_length, cache };
        let rows = tokenization.rows(&dataset, &tokenized_rows(progress, split, &dataset))?;
        let lengths = rows.row_lengths(tokenization.unknown_id());
        let mut rows = rows.with_words();
        let (n_texts, n_all) = (rows.len(), dataset.records.len());
        let blocks = (!options.line_by_line).then(|| rows.block_counts(length));
        if blocks.is_some() {
            rows = rows.into_blocks(length);
        }
        let labelled = LabelledRows {
            examples: rows.iter().map(|row| row.example_to_mask()).collect(),
            texts: Vec::new(),
            counts: None,
            truncated: Truncated::of(&lengths, length),
            of_texts: Some(TextCounts {
                n_texts,
                n_blank: n_all - n_texts,
                block_length: blocks.map(|blocks| blocks.length),
            }),
            of_words: None,
        };
        Ok((SplitRows { split, dataset, targets: None, lengths, blocks }, labelled))
    }

    /// Tokens of a block, or of the longest row: more than the special tokens alone.
    fn masked_row_length(&self, options: &TextOptions) -> Result<usize, Error> {
        let max_length = self.row_length(options.max_length, true)?;
        let n_special_tokens = self.tokenizer()?.n_special_tokens(false);
        if max_length <= n_special_tokens {
            return Err(bertlab_text::Error::MaxLengthTooSmall { max_length, n_special_tokens }.into());
        }
        Ok(max_length)
    }

    /// What hides tokens of this model's rows.
    ///
    /// # Errors
    /// A tokenizer without a mask token; a share that is none.
    pub(crate) fn masking(&self, options: &TextOptions, seed: u64) -> Result<Masking, Error> {
        Ok(Masking::new(self.tokenizer()?, options.masking, seed)?)
    }
}
