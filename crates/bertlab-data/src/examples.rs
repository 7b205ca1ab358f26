//! Rows of a data set become examples: token ids and what the model should say.

use crate::labels::IGNORED_TOKEN;
use crate::tokenized::{NO_WORD, Piece, TokenLength, Tokenization, unmasked};
use crate::{DataError, Dataset, Target, WordLabels};
use bertlab_feedback::Meter;
use bertlab_model::{Batch, EncoderSpec, Row};

/// One row, tokenized.
#[derive(Clone, Debug, Default)]
pub struct Example {
    /// Ids, special tokens included.
    pub input_ids: Vec<u32>,
    /// As long as the ids, or empty for all 0.
    pub token_type_ids: Vec<u32>,
    /// What each token is to its word, where masks are drawn anew; else empty.
    pub pieces: Vec<Piece>,
    /// What the model should say; none in prediction, and where masks are drawn anew.
    pub target: Option<Target>,
    /// Of a row that came in words: each of them. Empty for texts and ids.
    pub words: Vec<Word>,
}

/// A word of a row that came in words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word {
    /// Its first token; none where truncation took it, or where it has no token at all.
    pub token: Option<usize>,
    /// Its label; [`IGNORED_TOKEN`](crate::labels::IGNORED_TOKEN) where none counts or none is known.
    pub label: i64,
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

impl Truncated {
    /// What happened to rows of these lengths.
    pub fn of(lengths: &[TokenLength], max_length: usize) -> Self {
        Self {
            max_length,
            n_rows: lengths.iter().filter(|length| length.n_cut > 0).count(),
            n_tokens: lengths.iter().map(|length| length.n_cut).sum(),
        }
    }
}

/// Tokenizes every row; those that hold ids already are taken as they are. Beside the examples stand their rows'
/// lengths. `targets`: one for each row, or none. `meter` counts the rows.
///
/// # Errors
/// As [`Tokenization::rows`].
pub fn examples(
    dataset: &Dataset,
    targets: Option<Vec<Target>>,
    tokenization: Tokenization<'_>,
    meter: &Meter<'_>,
) -> Result<(Vec<Example>, Vec<TokenLength>), DataError> {
    let rows = tokenization.rows(dataset, meter)?;
    let mut examples: Vec<Example> = rows.iter().map(|row| row.example()).collect();
    for ((example, record), row) in examples.iter_mut().zip(&dataset.records).zip(rows.iter()) {
        if let (Some(words), None) = (&record.words, &record.input_ids) {
            example.words = first_tokens(words.len(), row.words);
        }
    }
    if let Some(targets) = targets {
        let rows = rows.iter().zip(&dataset.records);
        for ((example, target), (row, record)) in examples.iter_mut().zip(targets).zip(rows) {
            example.target = Some(match target {
                Target::Tokens(labels) => Target::Tokens(unmasked(&labels, record.attention_mask.as_deref())),
                Target::Words(labels) => {
                    example.words.iter_mut().zip(&labels.first).for_each(|(word, &label)| word.label = label);
                    Target::Tokens(token_labels(&labels, row.words))
                }
                target => target,
            });
        }
    }
    Ok((examples, rows.row_lengths(tokenization.unknown_id())))
}

/// Every word with its first token, still without a label. `words`: the word of each token.
fn first_tokens(n_words: usize, words: &[u32]) -> Vec<Word> {
    let mut first = vec![Word { token: None, label: IGNORED_TOKEN }; n_words];
    for (token, &word) in words.iter().enumerate().rev() {
        if word != NO_WORD {
            first[word as usize].token = Some(token);
        }
    }
    first
}

/// A label for every token: a word's own for its first token, its further one for the rest, none for special tokens.
fn token_labels(labels: &WordLabels, words: &[u32]) -> Vec<i64> {
    let label = |(token, &word): (usize, &u32)| match word {
        NO_WORD => IGNORED_TOKEN,
        word if token > 0 && words[token - 1] == word => {
            labels.further.get(word as usize).copied().unwrap_or(IGNORED_TOKEN)
        }
        word => labels.first[word as usize],
    };
    words.iter().enumerate().map(label).collect()
}

/// Packs examples into a batch.
///
/// # Errors
/// As [`Batch::new`].
pub fn batch<'a>(
    spec: &EncoderSpec,
    examples: impl IntoIterator<Item = &'a Example>,
) -> Result<Batch, bertlab_model::Error> {
    let rows: Vec<Row<'_>> = examples.into_iter().map(Example::row).collect();
    Batch::new(spec, &rows)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Columns, read, token_targets};

    #[test]
    fn labels_of_masked_tokens_go_with_them() {
        let file = tempfile::NamedTempFile::with_suffix(".jsonl").expect("a temporary file");
        let row =
            r#"{"input_ids": [5, 6, 0, 0], "attention_mask": [1, 1, 0, 0], "labels": [-100, 3, -100, 4]}"#;
        std::fs::write(file.path(), row).expect("writable");
        let dataset = read(&[file.path().to_path_buf()], &Columns::default()).expect("a ready row");
        let targets = token_targets(&dataset, 7).expect("labels below 7");
        let none_needed = Tokenization { tokenizer: None, max_length: Some(8), cache: None };
        let (examples, _) =
            examples(&dataset, Some(targets), none_needed, &Meter::silent()).expect("no text to tokenize");
        assert_eq!(examples[0].input_ids, [5, 6]);
        assert_eq!(examples[0].target, Some(Target::Tokens(vec![-100, 3])));
    }
}
