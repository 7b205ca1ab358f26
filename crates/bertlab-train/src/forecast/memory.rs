//! Peak memory: weights, packed copies, gradients, moments, what the largest micro-batch keeps.

use super::Prospect;
use super::reading::Reading;
use crate::evaluate::TOKENS;
use crate::machine;
use crate::objective::Objective;
use crate::rows::TrainingRows;
use bertlab_data::Example;
use bertlab_model::{BatchSize, Gradients, HeadKind, Spec};
use serde::Serialize;

/// Bytes that a run will hold at its peak, part by part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct MemoryForecast {
    /// Program, tokenizer and rows: measured where the system tells, else counted.
    pub program: u64,
    /// The weights.
    pub weights: u64,
    /// The dense layers, packed for the kernels.
    pub packed: u64,
    /// The gradients.
    pub gradients: u64,
    /// AdamW's two moments.
    pub moments: u64,
    /// What the largest micro-batch keeps for its backward pass.
    pub activations: u64,
    /// What comes and goes during it.
    pub working: u64,
    /// What an evaluation batch needs, instead of the two above.
    pub evaluation: u64,
    /// All at their worst moment.
    pub peak: u64,
    /// Held already, when this was said.
    pub held: u64,
    /// What this process could still get; unknown where the system does not tell.
    pub free: Option<u64>,
    /// Rows of the largest micro-batch.
    pub batch_rows: usize,
    /// Their tokens.
    pub batch_tokens: usize,
}

/// A program that has just started, and its tokenizer, about: where the system does not tell.
const PROGRAM_BYTES: u64 = 24 << 20;
/// Pages of the program's own file that are in use, about.
const CODE_BYTES: u64 = 12 << 20;
/// Pages in which the system gives memory, about.
const PAGE_BYTES: usize = 4096;

impl MemoryForecast {
    /// Whether the run fits; none where the system does not tell.
    pub fn fits(&self) -> Option<bool> {
        Some(self.peak.saturating_sub(self.held) <= self.free?)
    }

    pub(super) fn new(prospect: Prospect<'_>) -> Self {
        let (spec, dtype) = (&prospect.model.spec, prospect.model.dtype());
        let opened = prospect.model.owned_bytes() as u64;
        let counted = PROGRAM_BYTES + rows_bytes(prospect.train.in_memory()) + rows_bytes(prospect.eval);
        let program = machine::own_bytes().map_or(counted, |own| own.saturating_sub(opened) + CODE_BYTES);
        let reading = Reading::new(prospect);
        let batch = reading.largest;
        let number = size_of::<f32>();
        let back = prospect.model.back(prospect.arguments.gradient_checkpointing);
        let parts = Self {
            program,
            weights: (number * spec.n_parameters()) as u64,
            packed: spec.packed_bytes(dtype) as u64,
            gradients: (number * Gradients::n_numbers(prospect.model, reading.n_words_of_update)) as u64,
            moments: 2 * moment_bytes(prospect, reading.n_words) as u64,
            activations: spec.kept_bytes(batch, back) as u64,
            working: spec.working_bytes(batch, dtype) as u64,
            evaluation: spec.forward_bytes(evaluation_batch(spec, prospect.eval)) as u64,
            peak: 0,
            held: machine::resident_bytes().unwrap_or(program + opened),
            free: prospect.free,
            batch_rows: batch.n_rows,
            batch_tokens: batch.n_tokens,
        };
        let sum = parts.sum(prospect.model.borrowed_bytes() as u64);
        Self { peak: sum.max(machine::peak_resident_bytes().unwrap_or(0)), ..parts }
    }

    /// The worst of three moments: a backward pass, the first update (which copies borrowed weights out of their
    /// file), an evaluation.
    fn sum(&self, borrowed: u64) -> u64 {
        let always = self.program + self.weights + self.packed + self.gradients + self.moments;
        always + (self.activations + self.working).max(borrowed).max(self.evaluation)
    }
}

/// What one of AdamW's moments takes: rows of words that are never read are never written.
fn moment_bytes(prospect: Prospect<'_>, n_words: usize) -> usize {
    let (model, encoder) = (prospect.model, &prospect.model.spec.encoder);
    let row = size_of::<f32>() * encoder.width;
    let all = size_of::<f32>() * model.n_trained();
    if !Gradients::are_of_read_words(model) {
        return all;
    }
    // A row begins and ends inside a page, mostly.
    let read = (n_words * (row + PAGE_BYTES)).min(encoder.vocab_size * row);
    all - encoder.vocab_size * row + read
}

/// Tokens of a row that go through a masked-LM part; `masked_share` of all where masks are drawn anew.
pub(crate) fn n_through_words(rows: TrainingRows<'_>, row: usize, masked_share: f64) -> usize {
    match rows.in_memory().get(row).filter(|example| example.target.is_some()) {
        None => (masked_share * rows.length(row) as f64).ceil() as usize,
        Some(example) => Objective::n_items(example),
    }
}

/// The largest batch of an evaluation: rows of like length, as many as hold about so many tokens.
fn evaluation_batch(spec: &Spec, eval: &[Example]) -> BatchSize {
    let longest = eval.iter().map(|example| example.input_ids.len()).max().unwrap_or(0);
    let n_all: usize = eval.iter().map(|example| example.input_ids.len()).sum();
    let n_tokens = n_all.min(TOKENS.max(longest));
    let is_words = spec.head.kind == HeadKind::MaskedLm;
    let share = eval.iter().map(Objective::n_items).sum::<usize>() as f64 / n_all.max(1) as f64;
    let n_labelled = if is_words { (share * n_tokens as f64).ceil() as usize } else { 0 };
    BatchSize { n_rows: 0, n_tokens, n_labelled }
}

/// What tokenized rows take, about.
fn rows_bytes(rows: &[Example]) -> u64 {
    let ids = |row: &Example| 4 * (row.input_ids.len() + row.token_type_ids.len()) + size_of::<Example>();
    rows.iter().map(|row| ids(row) as u64).sum()
}
