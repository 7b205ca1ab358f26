//! What a run tells whoever watches it: a terminal, a log, nobody.

use crate::error::TrainError;
use crate::evaluate::Evaluation;
use crate::forecast::{Forecast, TimeForecast};
use crate::plan::Plan;
use crate::state::Record;
use std::path::Path;

/// One update, as it is done.
#[derive(Clone, Copy, Debug)]
pub struct Progress {
    /// From 1.
    pub step: u64,
    /// With fraction.
    pub epoch: f64,
    /// Of this step.
    pub loss: f64,
    /// Of this step: L2, before clipping.
    pub gradient_norm: f64,
    /// Of this step.
    pub learning_rate: f64,
    /// Of this step's rows.
    pub n_tokens: usize,
    /// How long the rest of the run takes.
    pub ahead: TimeForecast,
}

/// Somebody who watches; every word can be ignored.
pub trait Reporter {
    /// Before the first step.
    fn planned(&mut self, _plan: &Plan) {}
    /// What the run will cost: memory, and time for the steps that are left.
    fn foreseen(&mut self, _forecast: &Forecast) {}
    /// Once, after three steps: the time that is left, as those steps say. `step`: of the run.
    fn corrected(&mut self, _step: u64, _ahead: &TimeForecast) {}
    /// A checkpoint is not whole: an older one is tried.
    fn skipped(&mut self, _checkpoint: &Path, _why: &TrainError) {}
    /// The run goes on after `step`, from a checkpoint.
    fn resumed(&mut self, _checkpoint: &Path, _step: u64) {}
    /// After every update.
    fn step(&mut self, _progress: &Progress) {}
    /// A log line, as it goes into trainer_state.json.
    fn logged(&mut self, _record: &Record) {}
    /// During an evaluation: rows done, and rows in all.
    fn evaluating(&mut self, _n_done: usize, _n_rows: usize) {}
    /// After an evaluation.
    fn evaluated(&mut self, _evaluation: &Evaluation) {}
    /// After the one evaluation on test rows, at the end.
    fn tested(&mut self, _evaluation: &Evaluation) {}
    /// Early stopping ends the run after `step`, before all `n_steps` are done.
    fn stopped_early(&mut self, _step: u64, _n_steps: u64) {}
    /// Before a checkpoint, or the final model, is written.
    fn saving(&mut self, _folder: &Path) {}
    /// After it was.
    fn saved(&mut self, _folder: &Path) {}
    /// Asked after every update. The run then saves a checkpoint and ends with [`TrainError::Interrupted`].
    fn wants_to_stop(&mut self) -> bool {
        false
    }
}

/// Nobody watches.
pub struct Silent;

impl Reporter for Silent {}
