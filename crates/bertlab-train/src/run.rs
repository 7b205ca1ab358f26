//! The training run: rows to batches to gradients to weights, and what happens between the steps.

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use crate::evaluate::{Evaluation, evaluate};
use crate::examples::{Example, batch};
use crate::objective::{Objective, logits};
use crate::optimizer::{Optimizer, clipping, gradient_norm};
use crate::order::epoch_order;
use crate::output::Output;
use crate::plan::Plan;
use crate::reporter::{Progress, Reporter};
use crate::state::{Best, TrainerState, record};
use bertlab_compute::random::mix;
use bertlab_model::{HeadGradient, HeadKind, Model, Params, Training};
use bertlab_text::Tokenizer;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Everything that a run starts from.
pub struct Trainer<'a> {
    /// Opened for training; trained in place.
    pub model: &'a mut Model,
    /// Saved beside the model.
    pub tokenizer: Option<&'a Tokenizer>,
    /// With targets.
    pub train: &'a [Example],
    /// With targets; empty for no evaluation.
    pub eval: &'a [Example],
    /// The settings.
    pub arguments: &'a TrainingArguments,
    /// Receives checkpoints, `final_model/` and `trainer_state.json`.
    pub output_dir: &'a Path,
    /// An output folder that holds a run is written over.
    pub overwrite_output_dir: bool,
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
    /// Of the model as it ends.
    pub evaluation: Option<Evaluation>,
    /// The best checkpoint, when it was loaded at the end.
    pub loaded: Option<Best>,
    /// Where the model lies.
    pub final_model: PathBuf,
}

impl Trainer<'_> {
    /// What the run will do.
    pub fn plan(&self) -> Plan {
        Plan::new(self.arguments, &lengths(self.train), !self.eval.is_empty())
    }

    /// Trains.
    ///
    /// # Errors
    /// Settings out of range, no rows, rows that the model cannot take, a loss that is no number, an
    /// output folder that cannot be written or already holds a run.
    pub fn train(self, reporter: &mut dyn Reporter) -> Result<TrainingSummary, TrainError> {
        self.arguments.check()?;
        let plan = self.plan();
        if plan.n_steps == 0 {
            return Err(TrainError::NoRows("training"));
        }
        let output = Output::create(self.output_dir, self.overwrite_output_dir)?;
        self.model.prepare_training();
        reporter.planned(&plan);
        let run = Run {
            optimizer: Optimizer::new(&self.model.spec, self.arguments),
            gradients: Params::zeros(&self.model.spec),
            objective: Objective { label_smoothing: self.arguments.label_smoothing_factor },
            state: TrainerState::default(),
            losses: Losses::default(),
            last_evaluation: None,
            times: Times::default(),
            start: Instant::now(),
            trainer: self,
            plan,
            output,
            reporter,
        };
        run.run()
    }
}

fn lengths(examples: &[Example]) -> Vec<usize> {
    examples.iter().map(|example| example.input_ids.len()).collect()
}

/// A run under way.
struct Run<'a, 'r> {
    trainer: Trainer<'a>,
    plan: Plan,
    output: Output,
    objective: Objective,
    optimizer: Optimizer,
    gradients: Params,
    state: TrainerState,
    losses: Losses,
    last_evaluation: Option<(u64, Evaluation)>,
    times: Times,
    start: Instant,
    reporter: &'r mut dyn Reporter,
}

/// Losses of the steps: since the last log line, and in all.
#[derive(Default)]
struct Losses {
    since_log: f64,
    n_since_log: u64,
    total: f64,
}

#[derive(Default)]
struct Times {
    train: Duration,
    eval: Duration,
    save: Duration,
}

/// What one update did.
struct Update {
    loss: f64,
    gradient_norm: f64,
    learning_rate: f64,
    n_tokens: usize,
}

impl Run<'_, '_> {
    fn run(mut self) -> Result<TrainingSummary, TrainError> {
        let arguments = self.trainer.arguments;
        let rows_per_update = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps;
        let order_seed = arguments.data_seed.unwrap_or(arguments.seed);
        let lengths = lengths(self.trainer.train);
        'epochs: for epoch in 0..self.plan.n_epochs {
            let strategy = arguments.train_sampling_strategy;
            let mut order = epoch_order(strategy, &lengths, rows_per_update, order_seed, epoch);
            if arguments.dataloader_drop_last {
                order.truncate(self.plan.n_micro_batches * arguments.per_device_train_batch_size);
            }
            for (index, rows) in order.chunks(rows_per_update).enumerate() {
                let update = self.update(rows)?;
                let n_done = ((index + 1) * self.plan.accumulation).min(self.plan.n_micro_batches);
                self.state.global_step += 1;
                self.state.epoch = epoch as f64 + n_done as f64 / self.plan.n_micro_batches as f64;
                self.after_update(&update, n_done == self.plan.n_micro_batches)?;
                if self.state.global_step == self.plan.n_steps {
                    break 'epochs;
                }
            }
        }
        self.finish()
    }

    /// One update of the weights from `rows`, a micro-batch at a time; every row weighs the same. Where
    /// rows have labelled tokens, those of a micro-batch are averaged first, as HuggingFace does.
    fn update(&mut self, rows: &[usize]) -> Result<Update, TrainError> {
        let start = Instant::now();
        let (arguments, train) = (self.trainer.arguments, self.trainer.train);
        for (_, gradient) in self.gradients.named_mut() {
            gradient.as_mut_slice().fill(0.0);
        }
        let step_key = mix(arguments.seed, self.state.global_step);
        let mut loss = 0.0;
        for (index, part) in rows.chunks(arguments.per_device_train_batch_size).enumerate() {
            let examples: Vec<&Example> = part.iter().map(|&row| &train[row]).collect();
            let n_items: usize = examples.iter().map(|example| Objective::n_items(example)).sum();
            let weight = part.len() as f64 / rows.len() as f64 / n_items.max(1) as f64;
            loss += self.add_gradients(&examples, weight, mix(step_key, index as u64))?;
        }
        let learning_rate = self.plan.schedule.rate(self.state.global_step);
        let gradient_norm = gradient_norm(&self.gradients);
        if !loss.is_finite() || !gradient_norm.is_finite() {
            return Err(self.not_finite(loss, rows, learning_rate));
        }
        let scale = clipping(gradient_norm, arguments.max_grad_norm);
        let (optimizer, gradients) = (&mut self.optimizer, &self.gradients);
        self.trainer.model.update(|params| optimizer.step(params, gradients, learning_rate, scale));
        self.times.train += start.elapsed();
        let n_tokens = rows.iter().map(|&row| train[row].input_ids.len()).sum();
        Ok(Update { loss, gradient_norm, learning_rate, n_tokens })
    }

    /// Forward and backward over one micro-batch; gives its part of the loss.
    fn add_gradients(&mut self, examples: &[&Example], weight: f64, key: u64) -> Result<f64, TrainError> {
        let model = &*self.trainer.model;
        let batch = batch(&model.spec.encoder, examples.iter().copied())?;
        let is_masked_lm = model.spec.head.kind == HeadKind::MaskedLm;
        let tokens = Objective::labelled_tokens(&batch, examples).filter(|_| is_masked_lm);
        let training = Training {
            dropout_key: Some(key),
            gradient_checkpointing: self.trainer.arguments.gradient_checkpointing,
            tokens: tokens.as_deref(),
        };
        let (output, kept) = model.forward_keeping(&batch, training);
        let loss = self.objective.loss(logits(&output), examples, weight);
        let d = HeadGradient { logits: Some(loss.d_logits), ..HeadGradient::default() };
        model.backward(d, &batch, kept, &mut self.gradients);
        Ok(loss.value)
    }

    fn not_finite(&self, loss: f64, rows: &[usize], learning_rate: f64) -> TrainError {
        let rows: Vec<String> = rows.iter().map(|row| (row + 1).to_string()).collect();
        TrainError::NotFinite { step: self.state.global_step + 1, loss, rows: rows.join(", "), learning_rate }
    }

    /// Log, evaluate, save: what is due.
    fn after_update(&mut self, update: &Update, ends_epoch: bool) -> Result<(), TrainError> {
        let step = self.state.global_step;
        self.losses.since_log += update.loss;
        self.losses.n_since_log += 1;
        self.losses.total += update.loss;
        self.reporter.step(&Progress {
            step,
            epoch: self.state.epoch,
            loss: update.loss,
            learning_rate: update.learning_rate,
            n_tokens: update.n_tokens,
        });
        if step == 1 || step == self.plan.n_steps || step.is_multiple_of(self.plan.logging_steps) {
            self.log_losses(update);
        }
        if self.plan.is_due(self.plan.eval, step, ends_epoch) {
            self.evaluate()?;
        }
        if self.plan.is_due(self.plan.save, step, ends_epoch) {
            self.save()?;
        }
        Ok(())
    }

    fn log_losses(&mut self, update: &Update) {
        let loss = std::mem::take(&mut self.losses.since_log) / self.losses.n_since_log as f64;
        self.losses.n_since_log = 0;
        self.log([
            ("loss", loss),
            ("grad_norm", update.gradient_norm),
            ("learning_rate", update.learning_rate),
        ]);
    }

    /// Adds a line to the log, with epoch and step.
    fn log<'n>(&mut self, figures: impl IntoIterator<Item = (&'n str, f64)>) {
        let mut record = record(figures);
        record.insert("epoch".to_owned(), serde_json::json!(self.state.epoch));
        record.insert("step".to_owned(), serde_json::json!(self.state.global_step));
        self.reporter.logged(&record);
        self.state.log_history.push(record);
    }

    fn evaluate(&mut self) -> Result<(), TrainError> {
        let (eval, batch_size) = (self.trainer.eval, self.trainer.arguments.per_device_eval_batch_size);
        let reporter = &mut *self.reporter;
        let mut progress = |n_done| reporter.evaluating(n_done, eval.len());
        let evaluation = evaluate(self.trainer.model, &self.objective, eval, batch_size, &mut progress)?;
        self.times.eval += evaluation.runtime;
        let seconds = evaluation.runtime.as_secs_f64();
        let names: Vec<(String, f64)> = evaluation
            .metrics()
            .into_iter()
            .map(|(name, value)| (format!("eval_{name}"), value.unwrap_or(f64::NAN)))
            .chain([
                ("eval_runtime".to_owned(), (seconds * 1e4).round() / 1e4),
                ("eval_samples_per_second".to_owned(), (eval.len() as f64 / seconds * 1e3).round() / 1e3),
                (
                    "eval_steps_per_second".to_owned(),
                    (eval.len().div_ceil(batch_size) as f64 / seconds * 1e3).round() / 1e3,
                ),
            ])
            .collect();
        self.log(names.iter().map(|(name, value)| (name.as_str(), *value)));
        self.reporter.evaluated(&evaluation);
        self.remember_best(&evaluation)?;
        self.last_evaluation = Some((self.state.global_step, evaluation));
        Ok(())
    }

    /// The first of equals stays the best; what is undefined never is.
    fn remember_best(&mut self, evaluation: &Evaluation) -> Result<(), TrainError> {
        let name = self.best_metric_name();
        let metrics = evaluation.metrics();
        let Some((_, value)) = metrics.iter().find(|(known, _)| *known == name) else {
            let names: Vec<&str> = metrics.iter().map(|(name, _)| *name).collect();
            let (found, wanted) = (name.to_owned(), format!("one of {}", names.join(", ")));
            return Err(TrainError::Setting { name: "metric_for_best_model", found, wanted });
        };
        let Some(metric) = value.filter(|value| value.is_finite()) else { return Ok(()) };
        let greater =
            self.trainer.arguments.greater_is_better.unwrap_or(!name.ends_with("loss") && name != "mse");
        let is_better = |best: &Best| if greater { metric > best.metric } else { metric < best.metric };
        if self.state.best.as_ref().is_none_or(is_better) {
            self.state.best = Some(Best { metric, global_step: self.state.global_step, checkpoint: None });
        }
        Ok(())
    }

    fn best_metric_name(&self) -> &str {
        let name = self.trainer.arguments.metric_for_best_model.as_deref().unwrap_or("loss");
        name.strip_prefix("eval_").unwrap_or(name)
    }

    fn save(&mut self) -> Result<(), TrainError> {
        let start = Instant::now();
        let step = self.state.global_step;
        let folder = self.output.checkpoint(step);
        if let Some(best) = self.state.best.as_mut().filter(|best| best.global_step == step) {
            best.checkpoint = Some(folder.display().to_string());
        }
        let state = self.state.to_json(self.trainer.arguments, &self.plan);
        self.output.save_checkpoint(&folder, self.trainer.model, self.trainer.tokenizer, &state)?;
        self.output.save_state(&state)?;
        let best = self.state.best.as_ref().map(|best| best.global_step);
        self.output.forget_old(self.trainer.arguments.save_total_limit, best)?;
        self.times.save += start.elapsed();
        self.reporter.saved(&folder);
        Ok(())
    }

    fn finish(mut self) -> Result<TrainingSummary, TrainError> {
        let loaded = self.load_best()?;
        let is_current = |(step, _): &(u64, Evaluation)| *step == self.state.global_step && loaded.is_none();
        if !self.trainer.eval.is_empty() && !self.last_evaluation.as_ref().is_some_and(is_current) {
            self.evaluate()?;
        }
        let seconds = self.start.elapsed().as_secs_f64();
        let rows = self.state.epoch * self.plan.n_rows as f64;
        let train_loss = self.losses.total / self.state.global_step as f64;
        self.log([
            ("train_runtime", (seconds * 1e4).round() / 1e4),
            ("train_samples_per_second", (rows / seconds * 1e3).round() / 1e3),
            ("train_steps_per_second", (self.state.global_step as f64 / seconds * 1e3).round() / 1e3),
            ("train_loss", train_loss),
        ]);
        let start = Instant::now();
        let final_model = self.output.save_final(self.trainer.model, self.trainer.tokenizer)?;
        self.output.save_state(&self.state.to_json(self.trainer.arguments, &self.plan))?;
        self.output.save_arguments(self.trainer.arguments)?;
        self.times.save += start.elapsed();
        Ok(TrainingSummary {
            train_loss,
            n_steps: self.state.global_step,
            train_time: self.times.train,
            eval_time: self.times.eval,
            save_time: self.times.save,
            evaluation: self.last_evaluation.map(|(_, evaluation)| evaluation),
            loaded,
            final_model,
        })
    }

    /// Goes back to the best checkpoint, where it is asked for (or makes sense) and is not the last state.
    fn load_best(&mut self) -> Result<Option<Best>, TrainError> {
        if self.trainer.arguments.load_best_model_at_end == Some(false) {
            return Ok(None);
        }
        let Some(best) = self.state.best.clone().filter(|best| best.global_step != self.state.global_step)
        else {
            return Ok(None);
        };
        if best.checkpoint.is_none() {
            return Ok(None);
        }
        let weights = self.output.read_weights(best.global_step, self.trainer.model)?;
        self.trainer.model.update(|params| *params = weights);
        Ok(Some(best))
    }
}
