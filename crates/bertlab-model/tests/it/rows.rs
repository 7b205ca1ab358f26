//! Models opened for a test, and rows of tokens for them.

use std::path::Path;

use bertlab_model::{Batch, Error, Model, OpenOptions, Row};

use crate::goldens::arrays;
use crate::padded::Inputs;

/// Opens a checkpoint with the head that its config names.
pub fn open(folder: &Path, options: OpenOptions) -> Result<Model, Error> {
    bertlab_model::open(folder, &options).map(|(model, _)| model)
}

/// A checkpoint that is in order.
pub fn opened(folder: &Path) -> Model {
    open(folder, OpenOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// One row of tokens, without padding.
pub struct OwnedRow {
    pub ids: Vec<u32>,
    pub types: Vec<u32>,
    /// Empty: counted from the row's start.
    pub positions: Vec<u32>,
}

/// Rows of tokens, without padding.
pub struct Rows(pub Vec<OwnedRow>);

impl Rows {
    /// A golden's inputs.
    pub fn of_golden(folder: &Path) -> Self {
        Inputs::of(&arrays(&folder.join("golden.safetensors"))).rows(|_, _| Vec::new())
    }

    /// `n` rows of 1 to `longest` tokens, the same at every call.
    pub fn made_up(n: usize, longest: usize, vocab_size: u32) -> Self {
        let row = |row: usize| {
            let length = 1 + (row * 37) % longest;
            let ids = (0..length).map(|i| ((row * 131 + i * 29) as u32) % vocab_size).collect();
            OwnedRow { ids, types: vec![0; length], positions: Vec::new() }
        };
        Self((0..n).map(row).collect())
    }

    /// As a batch takes them.
    pub fn rows(&self) -> Vec<Row<'_>> {
        self.0
            .iter()
            .map(|OwnedRow { ids, types, positions }| Row {
                input_ids: ids,
                token_type_ids: types,
                position_ids: positions,
            })
            .collect()
    }

    /// All of them.
    pub fn batch(&self, model: &Model) -> Batch {
        Batch::new(&model.spec.encoder, &self.rows()).expect("the rows fit the model")
    }
}
