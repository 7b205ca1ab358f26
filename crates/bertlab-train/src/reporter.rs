//! What a run tells whoever watches it: a terminal, a log, nobody.

use crate::error::TrainError;
use crate::evaluate::Evaluation;
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
    /// Of this step.
    pub learning_rate: f64,
    /// Of this step's rows.
    pub n_tokens: usize,
}

/// Somebody who watches; every word can be ignored.
pub trait Reporter {
    /// Before the first step.
    fn planned(&mut self, _plan: &Plan) {}
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
    /// After a checkpoint was written.
    fn saved(&mut self, _folder: &Path) {}
    /// Asked after every update. The run then saves a checkpoint and ends with [`TrainError::Interrupted`].
    fn wants_to_stop(&mut self) -> bool {
        false
    }
}

/// Nobody watches.
pub struct Silent;

impl Reporter for Silent {}
