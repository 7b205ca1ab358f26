//! What a run tells whoever watches it: a terminal, a log, nobody.

use crate::error::TrainError;
use crate::evaluate::Evaluation;
use crate::forecast::{Forecast, TimeForecast};
use crate::plan::Plan;
use crate::state::Record;
use bertlab_feedback::{Cancelled, Progress, Status};
use std::path::Path;

/// One update, as it is done.
#[derive(Clone, Copy, Debug)]
pub struct StepFigures {
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
    /// That this step took, without evaluation and saving.
    pub seconds: f64,
    /// How long the rest of the run takes.
    pub ahead: TimeForecast,
}

/// Receives what a run tells; every event can be ignored.
///
/// As a [`Progress`] it is told the steps of the run and the rows of its evaluations. Where it cancels, the
/// run saves a checkpoint and ends with [`TrainError::Interrupted`]; an evaluation that was cancelled is made
/// again when the run is resumed.
pub trait Reporter: Progress {
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
    fn step(&mut self, _figures: &StepFigures) {}
    /// A log line, as it goes into trainer_state.json.
    fn logged(&mut self, _record: &Record) {}
    /// After an evaluation.
    fn evaluated(&mut self, _evaluation: &Evaluation) {}
    /// After [`Self::evaluated`], where it was the best so far. `metric`: the figure that decides.
    fn best(&mut self, _step: u64, _metric: f64) {}
    /// After the one evaluation on test rows, at the end.
    fn tested(&mut self, _evaluation: &Evaluation) {}
    /// Early stopping ends the run after `step`, before all `n_steps` are done.
    fn stopped_early(&mut self, _step: u64, _n_steps: u64) {}
    /// Before a checkpoint, or the final model, is written.
    fn saving(&mut self, _folder: &Path) {}
    /// After it was.
    fn saved(&mut self, _folder: &Path) {}
    /// Something about the run that is as it should be, and that a person may want to know.
    fn noted(&mut self, _message: &str) {}
    /// Something that does not end the run, and that a person should know.
    fn warned(&mut self, _message: &str) {}
}

/// Two who watch. A new word of [`Reporter`] must be passed on here.
pub struct Both<'a>(pub &'a mut dyn Reporter, pub &'a mut dyn Reporter);

impl Progress for Both<'_> {
    fn update(&self, now: Status<'_>) -> Result<(), Cancelled> {
        // Both are told, whatever the first answers.
        let (first, second) = (self.0.update(now), self.1.update(now));
        first.and(second)
    }
}

impl Reporter for Both<'_> {
    fn planned(&mut self, plan: &Plan) {
        self.0.planned(plan);
        self.1.planned(plan);
    }

    fn foreseen(&mut self, forecast: &Forecast) {
        self.0.foreseen(forecast);
        self.1.foreseen(forecast);
    }

    fn corrected(&mut self, step: u64, ahead: &TimeForecast) {
        self.0.corrected(step, ahead);
        self.1.corrected(step, ahead);
    }

    fn skipped(&mut self, checkpoint: &Path, why: &TrainError) {
        self.0.skipped(checkpoint, why);
        self.1.skipped(checkpoint, why);
    }

    fn resumed(&mut self, checkpoint: &Path, step: u64) {
        self.0.resumed(checkpoint, step);
        self.1.resumed(checkpoint, step);
    }

    fn step(&mut self, figures: &StepFigures) {
        self.0.step(figures);
        self.1.step(figures);
    }

    fn logged(&mut self, record: &Record) {
        self.0.logged(record);
        self.1.logged(record);
    }

    fn evaluated(&mut self, evaluation: &Evaluation) {
        self.0.evaluated(evaluation);
        self.1.evaluated(evaluation);
    }

    fn best(&mut self, step: u64, metric: f64) {
        self.0.best(step, metric);
        self.1.best(step, metric);
    }

    fn tested(&mut self, evaluation: &Evaluation) {
        self.0.tested(evaluation);
        self.1.tested(evaluation);
    }

    fn stopped_early(&mut self, step: u64, n_steps: u64) {
        self.0.stopped_early(step, n_steps);
        self.1.stopped_early(step, n_steps);
    }

    fn saving(&mut self, folder: &Path) {
        self.0.saving(folder);
        self.1.saving(folder);
    }

    fn saved(&mut self, folder: &Path) {
        self.0.saved(folder);
        self.1.saved(folder);
    }

    fn noted(&mut self, message: &str) {
        self.0.noted(message);
        self.1.noted(message);
    }

    fn warned(&mut self, message: &str) {
        self.0.warned(message);
        self.1.warned(message);
    }
}

/// Nobody watches.
pub struct Silent;

impl Progress for Silent {
    fn update(&self, _: Status<'_>) -> Result<(), Cancelled> {
        Ok(())
    }
}

impl Reporter for Silent {}
