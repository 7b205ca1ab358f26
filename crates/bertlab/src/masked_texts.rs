//! Plain texts for a masked language model: made into rows of which some tokens will be hidden.

use bertlab_train::data::Dataset;
use bertlab_train::{Masking, Tokenization, TrainError, Truncated};

use crate::labelled::{LabelledRows, TextCounts};
use crate::{Error, OpenedModel, TextOptions};

impl OpenedModel {
    /// Tokenizes texts for a masked language model: end to end in blocks, or each as a row. Blank texts are left out;
    /// the others are taken in the order of their files, so that texts which belong together stay together. `progress`
    /// is told how many are done.
    ///
    /// # Errors
    /// Nothing but blank texts; a tokenizer that is missing; a length that the model does not take.
    pub(crate) fn masked_rows(
        &self,
        mut dataset: Dataset,
        options: &TextOptions,
        progress: &mut dyn FnMut(usize),
    ) -> Result<LabelledRows, Error> {
        let tokenizer = self.tokenizer()?;
        let n_all = dataset.records.len();
        dataset.records.retain(|record| !record.is_blank());
        dataset.records.sort_by_key(|record| (record.source, record.row));
        if dataset.records.is_empty() {
            return Err(TrainError::NoRows("non-blank text").into());
        }
        let length = self.row_length(options.max_length, true)?;
        let n_special_tokens = tokenizer.n_special_tokens(false);
        if length <= n_special_tokens {
            return Err(
                bertlab_text::Error::MaxLengthTooSmall { max_length: length, n_special_tokens }.into()
            );
        }
        let max_length = options.line_by_line.then_some(length);
        let cache = Some(&options.cache);
        let tokenization = Tokenization { tokenizer: Some(tokenizer), max_length, cache };
        let mut rows = tokenization.rows(&dataset, progress)?;
        if !options.line_by_line {
            rows = rows.into_blocks(length);
        }
        Ok(LabelledRows {
            examples: rows.iter().map(|row| row.example_to_mask()).collect(),
            texts: Vec::new(),
            counts: None,
            truncated: Truncated::of(&rows.row_lengths(tokenization.unknown_id()), length),
            of_texts: Some(TextCounts {
                n_texts: dataset.records.len(),
                n_blank: n_all - dataset.records.len(),
                block_length: (!options.line_by_line).then_some(length),
            }),
            of_words: None,
        })
    }

    /// What hides tokens of this model's rows.
    ///
    /// # Errors
    /// A tokenizer without a mask token; a share that is none.
    pub(crate) fn masking(&self, options: &TextOptions, seed: u64) -> Result<Masking, Error> {
        Ok(Masking::new(self.tokenizer()?, options.masking, seed)?)
    }
}
