//! What a run writes down between its updates: log lines and evaluations.

use super::Run;
use super::saving::interruption;
use super::update::Update;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, evaluate};
use crate::reporter::Reporter;
use crate::state::record;
use bertlab_data::Example;
use bertlab_feedback::{Cancelled, Meter, Progress, Stage, Status, Unit};

/// Passes the progress of an evaluation on, and cancels it only where the run could go on with it later.
struct Watcher<'a> {
    reporter: &'a dyn Reporter,
    can_stop: bool,
}

impl Progress for Watcher<'_> {
    fn update(&self, now: Status<'_>) -> Result<(), Cancelled> {
        let answer = self.reporter.update(now);
        if self.can_stop && now.done < now.total { answer } else { Ok(()) }
    }
}

impl Run<'_, '_> {
    pub(super) fn log_losses(&mut self, update: &Update) {
        let loss = std::mem::take(&mut self.losses.since_log) / self.losses.n_since_log as f64;
        self.losses.n_since_log = 0;
        self.log([
            ("loss", loss),
            ("grad_norm", update.gradient_norm),
            ("learning_rate", update.learning_rate),
        ]);
    }

    /// Adds a line to the log, with epoch and step.
    pub(super) fn log<N, V>(&mut self, figures: impl IntoIterator<Item = (N, V)>)
    where
        N: Into<String>,
        V: Into<Option<f64>>,
    {
        let mut record = record(figures);
        record.insert("epoch".to_owned(), serde_json::json!(self.state.epoch));
        record.insert("step".to_owned(), serde_json::json!(self.state.global_step));
        self.reporter.logged(&record);
        self.state.log_history.push(record);
    }

    /// Evaluates after an update, and gives whether this was the best so far. Where it is broken off, the run
    /// is saved as it was before.
    pub(super) fn evaluate_and_judge(&mut self, update: &Update) -> Result<bool, TrainError> {
        self.unevaluated = Some(*update);
        let evaluation = self.evaluate_or_save()?;
        self.unevaluated = None;
        let is_best = self.judge(&evaluation)?;
        self.keep(evaluation);
        Ok(is_best)
    }

    /// Evaluates before the first update or after the last: no candidate for the best.
    pub(super) fn evaluate_aside(&mut self) -> Result<(), TrainError> {
        let evaluation = self.evaluate_or_save()?;
        self.keep(evaluation);
        Ok(())
    }

    /// Evaluates. Where it is broken off, the run is saved, to begin with this evaluation when it goes on.
    fn evaluate_or_save(&mut self) -> Result<Evaluation, TrainError> {
        match self.evaluate() {
            Err(error @ TrainError::Interrupted { .. }) => self.stop().and(Err(error)),
            result => result,
        }
    }

    fn keep(&mut self, evaluation: Evaluation) {
        self.evaluated_at = Some(self.state.global_step);
        self.last_evaluation = Some(evaluation);
    }

    /// Evaluates, and writes it into the log.
    fn evaluate(&mut self) -> Result<Evaluation, TrainError> {
        let evaluation = self.evaluation()?;
        self.log_evaluation("eval", self.trainer.eval.len(), &evaluation);
        self.reporter.evaluated(&evaluation);
        Ok(evaluation)
    }

    /// A log line whose figures begin with `prefix`, as HuggingFace's do: `eval` or `test`.
    fn log_evaluation(&mut self, prefix: &str, n_rows: usize, evaluation: &Evaluation) {
        let seconds = evaluation.runtime.as_secs_f64();
        let n_batches = n_rows.div_ceil(self.trainer.arguments.per_device_eval_batch_size);
        let per_second = |n: usize| Some((n as f64 / seconds * 1e3).round() / 1e3);
        let speed = [
            ("runtime", Some((seconds * 1e4).round() / 1e4)),
            ("samples_per_second", per_second(n_rows)),
            ("steps_per_second", per_second(n_batches)),
        ];
        let figures = evaluation.metrics().into_iter().chain(speed);
        self.log(figures.map(|(name, value)| (format!("{prefix}_{name}"), value)));
    }

    /// The model as it is, on the evaluation rows.
    pub(super) fn evaluation(&mut self) -> Result<Evaluation, TrainError> {
        self.evaluation_of(self.trainer.eval, "validation")
    }

    fn evaluation_of(&mut self, rows: &[Example], split: &str) -> Result<Evaluation, TrainError> {
        let batch_size = self.trainer.arguments.per_device_eval_batch_size;
        let watcher = Watcher {
            reporter: &*self.reporter,
            can_stop: !self.is_ending || self.resumable_at == Some(self.state.global_step),
        };
        let meter = Meter::new(&watcher, Status::new(Stage::Evaluate, split, rows.len() as u64, Unit::Rows));
        let evaluation = match evaluate(self.trainer.model, &self.objective, rows, batch_size, &meter) {
            Err(TrainError::Cancelled(_)) => Err(interruption(&self.state, &self.plan, &self.output)),
            result => result,
        }?;
        self.seconds.eval += evaluation.runtime.as_secs_f64();
        Ok(evaluation)
    }

    /// The model as it ends, on rows that nothing was chosen by; none where there are no such rows.
    pub(super) fn test(&mut self) -> Result<Option<Evaluation>, TrainError> {
        let rows = self.trainer.test;
        if rows.is_empty() {
            return Ok(None);
        }
        let evaluation = self.evaluation_of(rows, "test")?;
        self.log_evaluation("test", rows.len(), &evaluation);
        self.reporter.tested(&evaluation);
        Ok(Some(evaluation))
    }
}
