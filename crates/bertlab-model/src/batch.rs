//! `Batch`: rows packed end to end; padding exists nowhere inside.

use crate::error::Error;
use crate::spec::EncoderSpec;

/// One row of token ids, as a tokenizer gives it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Row<'a> {
    /// Ids, special tokens included.
    pub input_ids: &'a [u32],
    /// As long as the ids; empty means all 0. Families without token types ignore it.
    pub token_type_ids: &'a [u32],
    /// The place of each token in the position table. Empty means one after the other; where the table has a
    /// place for padding (RoBERTa), pad tokens take that.
    pub position_ids: &'a [u32],
}

/// Rows of tokens, packed.
// Invariant: row_starts[0] == 0, strictly ascending, last == T; every index lies inside its table.
#[derive(Clone, Debug)]
pub struct Batch {
    input_ids: Vec<u32>,
    token_type_ids: Vec<u32>,
    position_ids: Vec<u32>,
    row_starts: Vec<usize>,
}

impl Batch {
    /// Packs rows for a model.
    ///
    /// # Errors
    /// A row that is empty, longer than the model's positions, or holds ids that the model has no
    /// embedding for.
    pub fn new(spec: &EncoderSpec, rows: &[Row<'_>]) -> Result<Self, Error> {
        let n_tokens = rows.iter().map(|row| row.input_ids.len()).sum();
        let mut batch = Self {
            input_ids: Vec::with_capacity(n_tokens),
            token_type_ids: Vec::with_capacity(n_tokens),
            position_ids: Vec::with_capacity(n_tokens),
            row_starts: vec![0],
        };
        for (index, row) in rows.iter().enumerate() {
            check_row(spec, index, row)?;
            batch.push(spec, row);
        }
        Ok(batch)
    }

    fn push(&mut self, spec: &EncoderSpec, row: &Row<'_>) {
        self.input_ids.extend_from_slice(row.input_ids);
        match row.token_type_ids {
            [] => self.token_type_ids.resize(self.input_ids.len(), 0),
            types => self.token_type_ids.extend_from_slice(types),
        }
        match row.position_ids {
            [] => self.position_ids.extend(position_ids(spec, row.input_ids)),
            positions => self.position_ids.extend_from_slice(positions),
        }
        self.row_starts.push(self.input_ids.len());
    }

    /// B
    pub fn n_rows(&self) -> usize {
        self.row_starts.len() - 1
    }

    /// T
    pub fn n_tokens(&self) -> usize {
        self.input_ids.len()
    }

    /// Where each row starts, and the end. `[B + 1]`
    pub fn row_starts(&self) -> &[usize] {
        &self.row_starts
    }

    /// The row that a packed token belongs to.
    pub fn row_of_token(&self, token: usize) -> usize {
        self.row_starts.partition_point(|&start| start <= token) - 1
    }

    /// `[T]`
    pub fn input_ids(&self) -> &[u32] {
        &self.input_ids
    }

    /// `[T]`
    pub fn token_type_ids(&self) -> &[u32] {
        &self.token_type_ids
    }

    /// `[T]`
    pub fn position_ids(&self) -> &[u32] {
        &self.position_ids
    }
}

/// Positions of a row: one after the other, but for pad tokens that have a position of their own.
fn position_ids(spec: &EncoderSpec, input_ids: &[u32]) -> impl Iterator<Item = u32> {
    let (pad, padding) = (spec.pad_token_id, spec.padding_position());
    let mut next = spec.position_offset as u32;
    input_ids.iter().map(move |&id| match padding {
        Some(position) if id == pad => position,
        _ => {
            next += 1;
            next - 1
        }
    })
}

fn check_row(spec: &EncoderSpec, index: usize, row: &Row<'_>) -> Result<(), Error> {
    let n = row.input_ids.len();
    if n == 0 {
        return Err(Error::EmptyRow { row: index });
    }
    if n > spec.max_tokens() {
        return Err(Error::TooLong { row: index, length: n, max: spec.max_tokens() });
    }
    for (other, part) in [("token_type_ids", row.token_type_ids), ("position_ids", row.position_ids)] {
        if !part.is_empty() && part.len() != n {
            return Err(Error::UnevenRow { row: index, n_ids: n, other, n_other: part.len() });
        }
    }
    let is_gap = |pair: &[u32]| pair[1] != pair[0].wrapping_add(1);
    if spec.windows.are_any() && row.position_ids.windows(2).any(is_gap) {
        return Err(Error::GapInRow { row: index });
    }
    if let Some(position) = row.input_ids.iter().position(|&id| id as usize >= spec.vocab_size) {
        let id = row.input_ids[position];
        return Err(Error::IdOutOfRange { row: index, position, id, vocab_size: spec.vocab_size });
    }
    let n_types = spec.n_token_types;
    if n_types > 0
        && let Some(position) = row.token_type_ids.iter().position(|&id| id as usize >= n_types)
    {
        return Err(Error::TypeOutOfRange {
            row: index,
            position,
            id: row.token_type_ids[position],
            n_types,
        });
    }
    match row.position_ids.iter().max() {
        Some(&highest) if highest as usize >= spec.max_positions => {
            Err(Error::TooLong { row: index, length: highest as usize + 1, max: spec.max_positions })
        }
        _ => Ok(()),
    }
}
