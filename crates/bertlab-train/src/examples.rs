//! Rows of a data set become examples: token ids and what the model should say.

use crate::data::{Dataset, Target};
use crate::error::TrainError;
use bertlab_model::{Batch, EncoderSpec, Row};
use bertlab_text::{EncodeOptions, TextInput, Tokenizer, Truncation};

/// One row, tokenized.
#[derive(Clone, Debug)]
pub struct Example {
    /// Ids, special tokens included.
    pub input_ids: Vec<u32>,
    /// As long as the ids, or empty for all 0.
    pub token_type_ids: Vec<u32>,
    /// What the model should say; none in prediction.
    pub target: Option<Target>,
}

impl Example {
    /// As a batch takes it.
    pub fn row(&self) -> Row<'_> {
        Row { input_ids: &self.input_ids, token_type_ids: &self.token_type_ids, position_ids: &[] }
    }
}

/// What truncation did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Truncated {
    /// The limit.
    pub max_length: usize,
    /// Rows that were cut.
    pub n_rows: usize,
    /// Tokens that were lost.
    pub n_tokens: usize,
}

/// Rows that are tokenized at once, so that progress can be shown.
const CHUNK: usize = 512;

/// Tokenizes every row, cut to `max_length` tokens; rows that hold ids already are taken as they are.
/// `targets`: one for each row, or none. `progress` is told how many rows are done.
///
/// # Errors
/// A row without text where there is a tokenizer, with text where there is none.
pub fn examples(
    dataset: &Dataset,
    targets: Option<Vec<Target>>,
    tokenizer: Option<&Tokenizer>,
    max_length: usize,
    progress: &mut dyn FnMut(usize),
) -> Result<(Vec<Example>, Truncated), TrainError> {
    let mut examples = Vec::with_capacity(dataset.records.len());
    let mut truncated = Truncated { max_length, ..Truncated::default() };
    let options = EncodeOptions {
        truncation: Truncation::LongestFirst,
        max_length: Some(max_length),
        ..EncodeOptions::default()
    };
    for records in dataset.records.chunks(CHUNK) {
        let has_ids = records.iter().all(|record| record.input_ids.is_some());
        if has_ids {
            examples.extend(records.iter().map(|record| ready(record.clone())));
        } else {
            let tokenizer = tokenizer.ok_or(TrainError::Setting {
                name: "MODEL",
                found: "a folder without a tokenizer".to_owned(),
                wanted: "tokenizer.json or vocab.txt beside config.json, or rows that hold input_ids"
                    .to_owned(),
            })?;
            let inputs: Vec<TextInput> = records.iter().map(text_input).collect();
            for encoding in tokenizer.encode_batch(&inputs, &options)? {
                truncated.n_rows += usize::from(encoding.n_truncated > 0);
                truncated.n_tokens += encoding.n_truncated;
                examples.push(Example {
                    input_ids: encoding.input_ids,
                    token_type_ids: encoding.token_type_ids,
                    target: None,
                });
            }
        }
        progress(examples.len());
    }
    if let Some(targets) = targets {
        for ((example, target), record) in examples.iter_mut().zip(targets).zip(&dataset.records) {
            example.target = Some(match target {
                Target::Tokens(labels) => Target::Tokens(unmasked(labels, record.attention_mask.as_deref())),
                target => target,
            });
        }
    }
    Ok((examples, truncated))
}

/// A record's texts as the tokenizer takes them.
pub(crate) fn text_input(record: &crate::data::Record) -> TextInput {
    TextInput { text: record.text.clone().unwrap_or_default(), pair: record.pair.clone() }
}

/// A row that holds ids: masked tokens take no part, so they are left out.
fn ready(record: crate::data::Record) -> Example {
    let mask = record.attention_mask.as_deref();
    Example {
        input_ids: unmasked(record.input_ids.unwrap_or_default(), mask),
        token_type_ids: unmasked(record.token_type_ids.unwrap_or_default(), mask),
        target: None,
    }
}

/// What belongs to tokens that the mask keeps; all without a mask.
fn unmasked<T>(values: Vec<T>, mask: Option<&[u32]>) -> Vec<T> {
    let Some(mask) = mask else { return values };
    values.into_iter().zip(mask).filter(|&(_, &m)| m != 0).map(|(value, _)| value).collect()
}

/// Packs examples into a batch.
///
/// # Errors
/// As [`Batch::new`].
pub fn batch<'a>(
    spec: &EncoderSpec,
    examples: impl IntoIterator<Item = &'a Example>,
) -> Result<Batch, TrainError> {
    let rows: Vec<Row<'_>> = examples.into_iter().map(Example::row).collect();
    Ok(Batch::new(spec, &rows)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Columns, read, token_targets};

    #[test]
    fn labels_of_masked_tokens_go_with_them() {
        let file = tempfile::NamedTempFile::with_suffix(".jsonl").expect("a temporary file");
        let row =
            r#"{"input_ids": [5, 6, 0, 0], "attention_mask": [1, 1, 0, 0], "labels": [-100, 3, -100, 4]}"#;
        std::fs::write(file.path(), row).expect("writable");
        let dataset = read(&[file.path().to_path_buf()], &Columns::default()).expect("a ready row");
        let targets = token_targets(&dataset, 7).expect("labels below 7");
        let (examples, _) =
            examples(&dataset, Some(targets), None, 8, &mut |_| {}).expect("no tokenizer needed");
        assert_eq!(examples[0].input_ids, [5, 6]);
        assert_eq!(examples[0].target, Some(Target::Tokens(vec![-100, 3])));
    }
}
