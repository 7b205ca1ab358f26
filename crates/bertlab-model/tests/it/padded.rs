//! Goldens hold padded arrays, as the reference gives them: here they are packed, as the model takes and gives them.
//!
//! Axes: B rows, S columns of the padded arrays, H heads.

use std::collections::BTreeMap;

use bertlab_checkpoint::NamedArray;
use bertlab_model::EncoderSpec;

use crate::rows::{OwnedRow, Rows};

/// A golden's padded inputs.
pub struct Inputs {
    /// `[B, S]`
    ids: Vec<i64>,
    /// `[B, S]`
    types: Vec<i64>,
    /// Which columns of each row hold tokens.
    pub columns: Vec<Vec<usize>>,
    /// S
    pub n_columns: usize,
}

impl Inputs {
    /// The inputs among a golden's arrays.
    pub fn of(arrays: &BTreeMap<String, NamedArray>) -> Self {
        let numbers = |name: &str| arrays.get(name).map(|array| array.to_i64().expect("whole numbers"));
        let ids = numbers("input_ids").expect("every golden has ids");
        let mask = numbers("attention_mask").unwrap_or_else(|| vec![1; ids.len()]);
        let types = numbers("token_type_ids").unwrap_or_else(|| vec![0; ids.len()]);
        let n_columns = arrays["input_ids"].shape[1];
        let tokens = |mask: &[i64]| (0..n_columns).filter(|&column| mask[column] != 0).collect();
        let columns = mask.chunks(n_columns).map(tokens).collect();
        Self { ids, types, columns, n_columns }
    }

    /// The rows without their padding. `positions`: from a row's padded ids and the columns of its tokens.
    pub fn rows(&self, positions: impl Fn(&[i64], &[usize]) -> Vec<u32>) -> Rows {
        let row = |(row, columns): (usize, &Vec<usize>)| {
            let of_row = row * self.n_columns..(row + 1) * self.n_columns;
            let (ids, types) = (&self.ids[of_row.clone()], &self.types[of_row]);
            let at = |values: &[i64]| columns.iter().map(|&column| values[column] as u32).collect();
            OwnedRow { ids: at(ids), types: at(types), positions: positions(ids, columns) }
        };
        Rows(self.columns.iter().enumerate().map(row).collect())
    }

    /// As [`Self::rows`], at the positions where the reference sees them in the padded matrix.
    pub fn rows_where_they_stand(&self, spec: &EncoderSpec) -> Rows {
        let is_word = |&id: &i64| id != i64::from(spec.pad_token_id);
        let position = |ids: &[i64], column: usize| match spec.position_offset {
            0 => column,
            // RoBERTa counts the tokens that are not padding.
            offset if is_word(&ids[column]) => {
                offset + ids[..column].iter().filter(|&id| is_word(id)).count()
            }
            offset => offset - 1,
        };
        self.rows(|ids, columns| columns.iter().map(|&column| position(ids, column) as u32).collect())
    }

    /// Where tokens stand among the B · S places, row by row.
    fn places(&self) -> impl Iterator<Item = usize> {
        let rows = self.columns.iter().enumerate();
        rows.flat_map(move |(row, columns)| columns.iter().map(move |column| row * self.n_columns + column))
    }

    /// Of values by place, `[B, S, ...]`, those of tokens.
    pub fn of_tokens<T: Copy>(&self, values: &[T]) -> Vec<T> {
        let width = values.len() / self.ids.len();
        self.places().flat_map(|place| &values[place * width..(place + 1) * width]).copied().collect()
    }

    /// Of attentions `[B, H, S, S]`, those from tokens to tokens.
    pub fn of_pairs(&self, values: &[f32], n_heads: usize) -> Vec<f32> {
        let mut kept = Vec::new();
        for (row, columns) in self.columns.iter().enumerate() {
            for head in 0..n_heads {
                for query in columns {
                    let start = ((row * n_heads + head) * self.n_columns + query) * self.n_columns;
                    kept.extend(columns.iter().map(|key| values[start + key]));
                }
            }
        }
        kept
    }
}
