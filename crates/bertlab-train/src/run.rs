//! The training run: rows to batches to gradients to weights, and what happens between the steps.

mod best;
mod saving;
mod update;
mod watch;

use crate::arguments::TrainingArguments;
use crate::class_weights::class_weights;
use crate::divergence::Divergence;
use crate::error::TrainError;
use crate::evaluate::Evaluation;
use crate::forecast::{Forecast, Pace, Prospect, n_through_words};
use crate::freezing::frozen;
use crate::machine;
use crate::masking::Masking;
use crate::objective::{Averaging, Objective};
use crate::optimizer::Optimizer;
use crate::output::Output;
use crate::plan::{Moment, Plan};
use crate::progress::{Elsewhere, Identity, Losses, Seconds};
use crate::reporter::{Reporter, StepFigures};
use crate::resume::{Resume, Saved, Wanted};
use crate::rows::TrainingRows;
use crate::state::{Best, TrainerState};
use bertlab_data::Example;
use bertlab_feedback::{Cancelled, Stage, Status, Unit};
use bertlab_model::{Gradients, Model};
use bertlab_text::Tokenizer;
use saving::saving;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
pub(crate) use update::Update;

/// Everything that a run starts from.
pub struct Trainer<'a> {
    /// Opened for training; trained in place.
    pub model: &'a mut Model,
    /// Saved beside the model.
    pub tokenizer: Option<&'a Tokenizer>,
    /// With targets, or to be masked.
    pub train: TrainingRows<'a>,
    /// With targets; empty for no evaluation.
    pub eval: &'a [Example],
    /// With targets; evaluated once, with the model as it ends. Nothing is chosen by them.
    pub test: &'a [Example],
    /// Where training rows have no targets, but [`Example::pieces`]: hides some of their tokens, others in every epoch.
    pub masking: Option<&'a Masking>,
    /// The settings.
    pub arguments: &'a TrainingArguments,
    /// Receives checkpoints, `final_model/` and `trainer_state.json`.
    pub output_dir: &'a Path,
    /// An output folder that holds a run is written over.
    pub overwrite_output_dir: bool,
    /// A run that was interrupted goes on.
    pub resume: Resume,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct TrainingSummary {
    /// The mean of all steps' losses.
    pub train_loss: f64,
    /// Update steps.
    pub n_steps: u64,
    /// In the steps alone.
    pub train_time: Duration,
    /// In evaluations.
    pub eval_time: Duration,
    /// In saving.
    pub save_time: Duration,
    /// What was foreseen before the first step (of this process).
    pub forecast: Forecast,
    /// The most memory that the process has held, in bytes; unknown where the system does not tell.
    pub peak_memory: Option<u64>,
    /// Of the model as it ends.
    pub evaluation: Option<Evaluation>,
    /// Of the model as it ends, on the test rows.
    pub test: Option<Evaluation>,
    /// The loss grew instead of falling.
    pub divergence: Option<Divergence>,
    /// Early stopping ended the run before its time.
    pub stopped_early: bool,
    /// The best checkpoint, when it was loaded at the end.
    pub loaded: Option<Best>,
    /// Where the model lies.
    pub final_model: PathBuf,
}

impl Trainer<'_> {
    /// What the run will do.
    pub fn plan(&self) -> Plan {
        Plan::new(self.arguments, (self.train.len(), self.train.n_tokens()), !self.eval.is_empty())
    }

    /// Settings and rows that make this run what it is, but for its seed: equal only where both are.
    pub fn fingerprint(&self) -> serde_json::Value {
        let identity = Identity::new(self.arguments, self.train, self.eval).with_masking(self.masking);
        let mut value = serde_json::to_value(identity).expect("an identity is plain values");
        if let Some(settings) = value["settings"].as_object_mut() {
            settings.remove("seed");
        }
        value
    }

    /// Trains.
    ///
    /// # Errors
    /// Settings out of range, no rows, rows that the model cannot take, a loss that is no number, an
    /// output folder that cannot be written or already holds a run; nothing to resume, or a checkpoint of
    /// another run; a reporter that wants to stop.
    pub fn train(self, reporter: &mut dyn Reporter) -> Result<TrainingSummary, TrainError> {
        self.arguments.check()?;
        self.model.freeze(frozen(self.arguments, &self.model.spec)?);
        if let Some(dropout) = self.arguments.dropout {
            self.model.spec.set_dropout(dropout as f32);
        }
        let class_weights = class_weights(self.arguments, &self.model.spec.head, self.train.in_memory())?;
        let plan = self.plan();
        if plan.n_steps == 0 || plan.n_updates_per_epoch == 0 {
            return Err(TrainError::NoRows("training"));
        }
        best::check(self.arguments, &plan)?;
        let objective = Objective {
            label_smoothing: self.arguments.label_smoothing_factor,
            averaging: if self.masking.is_some() { Averaging::Items } else { Averaging::Batches },
            class_weights,
        };
        best::check_metric(self.arguments, self.model, &objective, self.eval)?;
        let identity = Identity::new(self.arguments, self.train, self.eval).with_masking(self.masking);
        let (output, saved) = self.output_and_saved(&plan, &identity, reporter)?;
        saving(self.output_dir, output.save_arguments(self.arguments))?;
        reporter.planned(&plan);
        let (forecast, pace) = self.look_ahead(&plan);
        let mut run = Run {
            optimizer: Optimizer::new(self.model, self.arguments),
            gradients: Gradients::new(self.model),
            objective,
            state: TrainerState::default(),
            losses: Losses::default(),
            last_evaluation: None,
            evaluated_at: None,
            unevaluated: None,
            resumable_at: None,
            is_ending: false,
            identity,
            seconds: Seconds::default(),
            elsewhere: Elsewhere::default(),
            forecast,
            pace,
            start: Instant::now(),
            trainer: self,
            plan,
            output,
            reporter,
        };
        if let Some(saved) = saved {
            run.take_up(saved)?;
        }
        run.foresee();
        run.run()
    }

    /// What the run will cost, as it stands.
    ///
    /// # Errors
    /// Settings out of range.
    pub fn forecast(&mut self) -> Result<Forecast, TrainError> {
        self.arguments.check()?;
        self.model.freeze(frozen(self.arguments, &self.model.spec)?);
        Ok(self.look_ahead(&self.plan()).0)
    }

    fn look_ahead(&self, plan: &Plan) -> (Forecast, Pace) {
        Forecast::new(Prospect {
            model: self.model,
            arguments: self.arguments,
            plan,
            train: self.train,
            eval: self.eval,
            masked_share: self.masking.map_or(0.0, Masking::share),
            free: machine::free_bytes(),
        })
    }

    /// The output folder, and the checkpoint from which the run goes on.
    fn output_and_saved(
        &self,
        plan: &Plan,
        identity: &Identity,
        reporter: &mut dyn Reporter,
    ) -> Result<(Output, Option<Saved>), TrainError> {
        let wanted = Wanted { model: self.model, arguments: self.arguments, plan, identity };
        match &self.resume {
            Resume::No => Ok((Output::create(self.output_dir, self.overwrite_output_dir)?, None)),
            Resume::Newest => {
                let output = Output::reopen(self.output_dir)?;
                let saved = wanted.newest(&output, reporter)?;
                Ok((output, Some(saved)))
            }
            Resume::From(folder) => {
                let saved = wanted.read(folder)?;
                let output = match Output::reopen(self.output_dir) {
                    Ok(output) if output.holds(folder) => output,
                    _ => Output::create(self.output_dir, self.overwrite_output_dir)?,
                };
                Ok((output, Some(saved)))
            }
        }
    }
}

/// A run under way.
struct Run<'a, 'r> {
    trainer: Trainer<'a>,
    plan: Plan,
    output: Output,
    objective: Objective,
    optimizer: Optimizer,
    gradients: Gradients,
    state: TrainerState,
    losses: Losses,
    last_evaluation: Option<Evaluation>,
    /// The step of the last evaluation, which a run before this one may have made.
    evaluated_at: Option<u64>,
    /// The last update, where its evaluation was broken off.
    unevaluated: Option<Update>,
    /// The step of a checkpoint of this run from which it could go on.
    resumable_at: Option<u64>,
    /// All updates are done and settled: from here on no checkpoint can be written.
    is_ending: bool,
    identity: Identity,
    /// `total`: before `start`.
    seconds: Seconds,
    elsewhere: Elsewhere,
    forecast: Forecast,
    pace: Pace,
    start: Instant,
    reporter: &'r mut dyn Reporter,
}

impl Run<'_, '_> {
    /// Goes on where `saved` stands.
    fn take_up(&mut self, saved: Saved) -> Result<(), TrainError> {
        self.trainer.model.update(|params| *params = saved.params);
        self.optimizer = saved.optimizer;
        self.state = saved.state;
        self.losses = saved.progress.losses;
        self.seconds = saved.progress.seconds;
        self.elsewhere = saved.progress.elsewhere;
        self.evaluated_at = saved.progress.evaluated_at;
        self.unevaluated = saved.progress.unevaluated;
        let is_here = saved.folder == self.output.checkpoint(self.state.global_step);
        self.resumable_at = is_here.then_some(self.state.global_step);
        self.pace.go_on(&self.plan, self.state.global_step, self.seconds);
        self.reporter.resumed(&saved.folder, self.state.global_step);
        saved.notes.iter().for_each(|note| self.reporter.noted(note));
        saved.warnings.iter().for_each(|warning| self.reporter.warned(warning));
        self.forget_old()
    }

    /// Says what the steps that are left will cost.
    fn foresee(&mut self) {
        self.forecast.time = self.pace.ahead();
        self.reporter.foreseen(&self.forecast);
    }

    fn run(mut self) -> Result<TrainingSummary, TrainError> {
        if self.state.global_step == 0
            && self.trainer.arguments.eval_on_start
            && !self.trainer.eval.is_empty()
        {
            self.evaluate_aside()?;
        }
        if let Some(update) = self.unevaluated.take() {
            self.settle(&update)?;
        }
        while !self.is_over() {
            self.epoch(self.state.global_step / self.plan.n_updates_per_epoch)?;
        }
        self.finish()
    }

    /// The updates of an epoch that are not yet done.
    fn epoch(&mut self, epoch: u64) -> Result<(), TrainError> {
        let arguments = self.trainer.arguments;
        let rows_per_update = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps;
        let order = self.trainer.train.order(arguments, epoch);
        let n_rows = match arguments.dataloader_drop_last {
            true => self.plan.n_micro_batches * arguments.per_device_train_batch_size,
            false => order.len(),
        };
        let n_done_before = (self.state.global_step - epoch * self.plan.n_updates_per_epoch) as usize;
        for start in (n_done_before * rows_per_update..n_rows).step_by(rows_per_update) {
            let rows = &order.rows(start..n_rows.min(start + rows_per_update));
            let update = self.update(rows)?;
            self.count(rows);
            self.state.global_step += 1;
            self.state.epoch = self.plan.epochs_after(self.state.global_step);
            self.after_update(&update)?;
            if self.is_over() {
                break;
            }
        }
        Ok(())
    }

    /// Counts an update's tokens and operations, as HuggingFace's state has them.
    fn count(&mut self, rows: &[usize]) {
        let (train, spec) = (self.trainer.train, &self.trainer.model.spec);
        let lengths: Vec<usize> = rows.iter().map(|&row| train.length(row)).collect();
        let share = self.trainer.masking.map_or(0.0, Masking::share);
        let n_labelled = rows.iter().map(|&row| n_through_words(train, row, share)).sum();
        let expected = self.pace.rates().update_seconds(spec, &lengths, n_labelled);
        self.pace.observe(expected, self.seconds);
        let length = |&row: &usize| train.length(row);
        for part in rows.chunks(self.trainer.arguments.per_device_train_batch_size) {
            let longest = part.iter().map(length).max().unwrap_or(0);
            self.state.num_input_tokens_seen += part.iter().map(length).sum::<usize>() as u64;
            self.state.total_flos += spec.training_flos(part.len() * longest);
        }
    }

    /// Report, log, evaluate, save: what is due.
    fn after_update(&mut self, update: &Update) -> Result<(), TrainError> {
        let step = self.state.global_step;
        self.losses.add(update.loss);
        self.reporter.step(&StepFigures {
            step,
            epoch: self.state.epoch,
            loss: update.loss,
            gradient_norm: update.gradient_norm,
            learning_rate: update.learning_rate,
            n_tokens: update.n_tokens,
            seconds: self.pace.seconds_of_last_step(),
            ahead: self.pace.ahead(),
        });
        if self.pace.has_just_settled() {
            self.reporter.corrected(step, &self.pace.ahead());
        }
        if self.plan.logs(self.moment()) {
            self.log_losses(update);
        }
        self.settle(update)
    }

    /// The moment after the last update.
    fn moment(&self) -> Moment {
        let step = self.state.global_step;
        Moment {
            step,
            epoch: self.state.epoch,
            ends_epoch: step.is_multiple_of(self.plan.n_updates_per_epoch),
            is_last: step == self.plan.n_steps,
        }
    }

    /// What follows the log line of an update: evaluate, save, stop.
    fn settle(&mut self, update: &Update) -> Result<(), TrainError> {
        let (mut moment, step) = (self.moment(), self.state.global_step);
        let is_best = self.plan.evaluates(moment) && self.evaluate_and_judge(update)?;
        if self.has_stopped_early() {
            moment.is_last = true;
            if self.plan.logs(moment) && self.losses.n_since_log > 0 {
                self.log_losses(update);
            }
            self.reporter.stopped_early(step, self.plan.n_steps);
        }
        if self.plan.saves(moment, is_best) {
            self.save()?;
        }
        let status = Status { done: step, ..Status::new(Stage::Train, "", self.plan.n_steps, Unit::Steps) };
        self.reporter.update(status).or_else(|Cancelled| self.stop())
    }
}
