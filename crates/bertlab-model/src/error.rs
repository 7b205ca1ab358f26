//! What can be wrong with a checkpoint or an input, in words.

use crate::finite::NonFiniteWeight;
use bertlab_checkpoint::Dtype;
use std::path::PathBuf;

use bertlab_feedback::Hint;

/// Everything that this crate refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Gradients were asked for in a dtype that is for inference alone.
    #[error("{0} is for inference: there are no gradients in it. Use f32 or bf16")]
    DtypeDoesNotTrain(&'static str),
    /// A file could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] bertlab_checkpoint::Error),
    /// The tokenizer could not be read.
    #[error(transparent)]
    Text(#[from] bertlab_text::Error),
    /// The encoder's weights are incomplete.
    #[error(
        "{}: the weight {name} is missing ({n_missing} of {n_wanted} encoder weights are). The file holds, for example, {found}. \
         Is config.json of another model ({family}, {n_layers} layers)?", folder.display()
    )]
    MissingWeight {
        /// Where it was looked for.
        folder: PathBuf,
        /// HuggingFace's name of the first one.
        name: String,
        /// How many are missing.
        n_missing: usize,
        /// How many there should be.
        n_wanted: usize,
        /// A name that is there.
        found: String,
        /// The config's model_type.
        family: &'static str,
        /// L
        n_layers: usize,
    },
    /// A config far beyond the weights, or beyond memory.
    #[error("{}: config.json describes an encoder of {n_parameters} parameters, but {limit}", folder.display())]
    TooLarge {
        /// The checkpoint.
        folder: PathBuf,
        /// From the config.
        n_parameters: usize,
        /// What there is.
        limit: String,
    },
    /// A weight of another size than the config says.
    #[error("{}: {name} has shape {found:?} in the file, but config.json asks for {wanted:?}", folder.display())]
    WrongShape {
        /// The checkpoint.
        folder: PathBuf,
        /// HuggingFace's name.
        name: String,
        /// From the config.
        wanted: Vec<usize>,
        /// In the file.
        found: Vec<usize>,
    },
    /// A weight that is NaN or infinite.
    #[error(
        "{}: {weight}. With such weights every result would mean nothing: take the file from its source \
         again, or an earlier checkpoint of its training", folder.display()
    )]
    NonFiniteWeights {
        /// The checkpoint.
        folder: PathBuf,
        /// The first, and how many tensors hold such.
        weight: Box<NonFiniteWeight>,
    },
    /// A weight beyond the type that it was to be saved in.
    #[error(
        "{name} holds {value:e}, which is more than {dtype} can hold ({n_tensors} tensors hold such values): \
         save the weights as BF16 or F32"
    )]
    WeightOverflow {
        /// HuggingFace's name of the first tensor.
        name: String,
        /// Its first value that is too large.
        value: f32,
        /// The type.
        dtype: Dtype,
        /// How many tensors hold such values.
        n_tensors: usize,
    },
    /// A result that is NaN or infinite.
    #[error(
        "row {} (counted from 1): {place} holds {value}, so that no result would mean anything. The weights \
         are finite, but numbers computed with them grow too large: they are damaged, or their training diverged",
        row + 1
    )]
    NonFiniteResult {
        /// Of what was asked, from 0.
        row: usize,
        /// The first output that holds such a number, in words.
        place: String,
        /// NaN or an infinity.
        value: f32,
    },
    /// A folder with a config, but no weights.
    #[error(
        "{} has a config.json but no weights (looked for model.safetensors, its shards, and pytorch_model.bin)",
        folder.display()
    )]
    NoWeights {
        /// The folder.
        folder: PathBuf,
    },
    /// The head that was asked for does not exist in this form.
    #[error("{wanted} needs {needs}; {} is {found}. {hint}", folder.display())]
    WrongHead {
        /// The checkpoint.
        folder: PathBuf,
        /// What was to be done.
        wanted: String,
        /// Which head that takes.
        needs: String,
        /// Which head there is.
        found: String,
        /// What to try.
        hint: String,
    },
    /// A token id beyond the vocabulary.
    #[error(
        "row {row}, token {position}: id {id} is beyond the model's vocabulary of {vocab_size}. \
         Does the tokenizer belong to this model?"
    )]
    IdOutOfRange {
        /// Of the batch, from 0.
        row: usize,
        /// In the row, from 0.
        position: usize,
        /// The id.
        id: u32,
        /// V
        vocab_size: usize,
    },
    /// A token type that the model has no embedding for.
    #[error("row {row}, token {position}: token type {id} is beyond the model's {n_types}")]
    TypeOutOfRange {
        /// Of the batch, from 0.
        row: usize,
        /// In the row, from 0.
        position: usize,
        /// The type.
        id: u32,
        /// How many types there are.
        n_types: usize,
    },
    /// A row longer than the model has positions.
    #[error(
        "row {row} has {length} tokens, but the model takes {max}. Cut it ({}, {}) or split it",
        Hint::value("truncation", "longest_first"),
        Hint::value("max_length", max)
    )]
    TooLong {
        /// Of the batch, from 0.
        row: usize,
        /// Its tokens.
        length: usize,
        /// What the model takes.
        max: usize,
    },
    /// Positions that leave some out, where attention has windows.
    #[error(
        "row {row}: its tokens do not follow one another, and layers of this model see near tokens alone. \
         Leave no padding between tokens"
    )]
    GapInRow {
        /// Of the batch, from 0.
        row: usize,
    },
    /// A row without tokens.
    #[error("row {row} has no tokens")]
    EmptyRow {
        /// Of the batch, from 0.
        row: usize,
    },
    /// Parts of a row of different length.
    #[error("row {row}: {n_ids} input_ids, but {n_other} {other}")]
    UnevenRow {
        /// Of the batch, from 0.
        row: usize,
        /// Ids.
        n_ids: usize,
        /// The other part.
        other: &'static str,
        /// Its length.
        n_other: usize,
    },
    /// A tokenizer larger than the embedding.
    #[error(
        "{}: the tokenizer has ids up to {highest}, but the model's word embedding has {vocab_size} rows: \
         they do not belong together", folder.display()
    )]
    TokenizerSize {
        /// The checkpoint.
        folder: PathBuf,
        /// The tokenizer's highest id.
        highest: usize,
        /// V
        vocab_size: usize,
    },
}

impl Error {
    /// Names the row of a result as the caller counts it. `rows`: the caller's row of each row of the batch.
    #[must_use]
    pub fn in_rows(self, rows: &[usize]) -> Self {
        match self {
            Self::NonFiniteResult { row, place, value } => {
                Self::NonFiniteResult { row: rows.get(row).copied().unwrap_or(row), place, value }
            }
            other => other,
        }
    }
}
