//! How long a run takes, from one forward pass on this machine and the operations that are to be made.

use super::Prospect;
use super::memory::n_through_words;
use crate::plan::{Moment, Plan};
use crate::rows::TrainingRows;
use bertlab_compute::peak::operations_per_second;
use bertlab_data::{Example, batch};
use bertlab_model::Spec;
use serde::Serialize;
use std::time::{Duration, Instant};

/// Seconds of training, evaluation and saving.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct TimeForecast {
    /// In update steps.
    pub train_seconds: f64,
    /// In evaluations.
    pub eval_seconds: f64,
    /// In writing checkpoints and the final model.
    pub save_seconds: f64,
}

impl TimeForecast {
    /// All together.
    pub fn seconds(&self) -> f64 {
        self.train_seconds + self.eval_seconds + self.save_seconds
    }
}

/// What each kind of work is expected to take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rates {
    /// Of the encoder, forward.
    pub(super) seconds_per_flop: f64,
    /// Of an update beside its passes: the norm, AdamW, packing weights anew.
    pub(super) update_seconds: f64,
    /// Forward passes that a row of a training step is worth.
    pub(super) passes: f64,
    /// One evaluation.
    pub(super) evaluation_seconds: f64,
    /// One checkpoint.
    pub(super) save_seconds: f64,
}

/// Tokens of the forward pass that is measured, about.
const TOKENS_MEASURED: usize = 256;
/// A forward and a backward pass, in forward passes: the backward's products are a little slower than the forward's.
const PASSES: f64 = 3.2;
/// An update's work on one parameter: its moments and gradient go through memory, and it is packed anew.
const SECONDS_PER_PARAMETER: f64 = 4e-9;
/// Bytes of a checkpoint in a second: a common disk, with everything flushed.
const BYTES_PER_SECOND: f64 = 3e8;
/// The share of its peak that a machine reaches, where no pass could be measured.
const EFFICIENCY: f64 = 0.5;

impl Rates {
    /// Measures a forward pass over a few tokens of the training rows.
    pub(crate) fn measure(prospect: Prospect<'_>) -> Self {
        let (spec, arguments) = (&prospect.model.spec, prospect.arguments);
        let seconds_per_flop = seconds_per_flop(prospect);
        let eval_flops = flops(prospect, TrainingRows::Examples(prospect.eval));
        let n_parameters = spec.n_parameters() as f64;
        let copies = if arguments.save_only_model { 1.0 } else { 3.0 };
        Self {
            seconds_per_flop,
            update_seconds: n_parameters * SECONDS_PER_PARAMETER,
            passes: PASSES + if arguments.gradient_checkpointing { 1.0 } else { 0.0 },
            evaluation_seconds: eval_flops * seconds_per_flop,
            save_seconds: copies * n_parameters * size_of::<f32>() as f64 / BYTES_PER_SECOND,
        }
    }

    /// An update over rows of these lengths, of which so many tokens go through a masked-LM part.
    pub(crate) fn update_seconds(&self, spec: &Spec, lengths: &[usize], n_labelled: usize) -> f64 {
        let flops = spec.forward_flops(lengths.iter().copied(), n_labelled);
        self.passes * flops * self.seconds_per_flop + self.update_seconds
    }

    /// A mean update of the whole run.
    pub(crate) fn mean_update_seconds(&self, prospect: Prospect<'_>) -> f64 {
        let n_updates = prospect.plan.n_updates_per_epoch.max(1) as f64;
        self.passes * flops(prospect, prospect.train) * self.seconds_per_flop / n_updates
            + self.update_seconds
    }
}

/// Of a forward pass over all these rows.
fn flops(prospect: Prospect<'_>, rows: TrainingRows<'_>) -> f64 {
    let lengths = (0..rows.len()).map(|row| rows.length(row));
    let n_labelled = (0..rows.len()).map(|row| n_through_words(rows, row, prospect.masked_share)).sum();
    prospect.model.spec.forward_flops(lengths, n_labelled)
}

/// One forward pass, after one that is not counted. Rows that the model cannot take are refused when they are trained
/// on, not here.
fn seconds_per_flop(prospect: Prospect<'_>) -> f64 {
    let model = prospect.model;
    let at_peak = || {
        1.0 / (EFFICIENCY * operations_per_second(model.dtype().dense_precision(), Duration::from_millis(50)))
    };
    let rows = sample(prospect.train);
    let Ok(batch) = batch(&model.spec.encoder, rows.iter()) else { return at_peak() };
    let flops = model.spec.forward_flops(rows.iter().map(|row| row.input_ids.len()), 0);
    let measure = || {
        let start = Instant::now();
        std::hint::black_box(model.forward_head(&batch, Some(&[])));
        start.elapsed().as_secs_f64()
    };
    measure();
    let seconds = measure();
    if flops > 0.0 && seconds > 0.0 { seconds / flops } else { at_peak() }
}

/// Rows from the middle of the data, about so many tokens as are measured. Of rows that cannot be read there are none.
fn sample(rows: TrainingRows<'_>) -> Vec<Example> {
    let mut sample = Vec::new();
    let mut n_left = TOKENS_MEASURED;
    for row in (rows.len() / 2..rows.len()).chain(0..rows.len()) {
        let n = rows.length(row).min(n_left);
        let Ok(row) = rows.example(row) else { break };
        if n == 0 {
            break;
        }
        let mut row = row.into_owned();
        row.input_ids.truncate(n);
        row.token_type_ids.truncate(n);
        n_left -= n;
        sample.push(row);
    }
    sample
}

/// How often a run evaluates and saves after update `step`; where only the best is saved, at most.
pub(super) fn n_pauses_after(plan: &Plan, step: u64) -> (u64, u64) {
    let per_epoch = plan.n_updates_per_epoch.max(1);
    let moment = |step: u64| Moment {
        step,
        epoch: step as f64 / per_epoch as f64,
        ends_epoch: step.is_multiple_of(per_epoch),
        is_last: step == plan.n_steps,
    };
    let moments = || (step + 1..=plan.n_steps).map(moment);
    let n_evaluations = moments().filter(|&moment| plan.evaluates(moment)).count();
    let n_saves = moments().filter(|&moment| plan.saves(moment, plan.evaluates(moment))).count();
    // The final model is one more.
    (n_evaluations as u64, n_saves as u64 + 1)
}
