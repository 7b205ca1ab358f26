//! Taking up a run of HuggingFace's Trainer: its weights, its optimizer's memory, its log. What it does not say of
//! itself (rows, most settings) is believed; what it says and is otherwise here is warned of.

use super::{Saved, Wanted, changed};
use crate::arguments::SamplingStrategy;
use crate::error::TrainError;
use crate::optimizer::{Adopted, Optimizer, PYTORCH_FILE};
use crate::output::read_weights;
use crate::progress::{self, Elsewhere, Losses, SavedProgress, Seconds};
use crate::state::{Best, Record, TrainerState};
use bertlab_checkpoint::{AdamGroup, read_adam_state};
use bertlab_model::{Params, Spec};
use serde_json::Value;
use std::path::Path;

/// Learning rates that differ by less are the same, computed in another order.
const RATE_TOLERANCE: f64 = 1e-6;

/// Whether this is a checkpoint of HuggingFace's Trainer.
pub(super) fn wrote(checkpoint: &Path) -> bool {
    !checkpoint.join(progress::FILE_NAME).exists() && checkpoint.join(PYTORCH_FILE).exists()
}

/// Refuses a checkpoint of another optimizer than AdamW, before its rows are there.
pub(super) fn check_optimizer(checkpoint: &Path) -> Result<(), TrainError> {
    Ok(read_adam_state(&checkpoint.join(PYTORCH_FILE)).map(|_| ())?)
}

impl Wanted<'_> {
    /// A checkpoint of HuggingFace's Trainer.
    ///
    /// # Errors
    /// Files that are missing or damaged; another model, another optimizer, more steps than this run has.
    pub(super) fn read_huggingface(&self, folder: &Path) -> Result<Saved, TrainError> {
        let mut state = TrainerState::read(folder)?;
        let step = state.global_step;
        if step > self.plan.n_steps {
            let what = format!("it stands after step {step}, and this run has {} steps", self.plan.n_steps);
            return Err(changed(folder, what));
        }
        let params = self.read_params(folder)?;
        let adopted = Optimizer::adopt(folder, self.model, self.arguments)?;
        let n_skipped = step.checked_sub(adopted.optimizer.n_steps()).ok_or_else(|| {
            let n_updates = adopted.optimizer.n_steps();
            let why = format!("its files are of different steps ({step}, and {n_updates} of {PYTORCH_FILE})");
            TrainError::DamagedCheckpoint { file: folder.to_path_buf(), why }
        })?;
        let mut warnings = self.warnings(&state, &adopted, n_skipped);
        warnings.extend(self.find_best(folder, &mut state));
        let (losses, n_unlogged) = losses(&state.log_history, step);
        let elsewhere =
            Elsewhere { n_steps: step, epoch: self.plan.epochs_after(step), n_skipped, n_unlogged };
        let progress = SavedProgress {
            global_step: step,
            evaluated_at: last_evaluation(&state.log_history),
            unevaluated: None,
            losses,
            seconds: Seconds::default(),
            elsewhere,
            identity: self.identity.clone(),
        };
        let (folder, notes) = (folder.to_path_buf(), vec![self.order_note(step)]);
        Ok(Saved { folder, params, optimizer: adopted.optimizer, state, progress, notes, warnings })
    }

    fn read_params(&self, folder: &Path) -> Result<Params, TrainError> {
        let saved = read_weights(folder, self.model.spec.head.kind)?;
        if with_labels_of(&saved.spec, &self.model.spec) == self.model.spec {
            return Ok(saved.params().clone());
        }
        let what = "the model has another shape, other labels or another dropout (the checkpoint's own folder as \
                    MODEL has the same)";
        Err(changed(folder, what))
    }

    /// What goes on otherwise than it would have there.
    fn order_note(&self, step: u64) -> String {
        let is_within = !step.is_multiple_of(self.plan.n_updates_per_epoch);
        let is_sequential = self.arguments.train_sampling_strategy == SamplingStrategy::Sequential;
        let epoch = if is_within && !is_sequential {
            ": in this epoch some rows come twice and others not at all"
        } else {
            ""
        };
        format!(
            "a checkpoint of HuggingFace's Trainer. From here on the order of rows and dropout follow this program's seed, \
             since PyTorch's generators cannot be continued{epoch}"
        )
    }

    fn warnings(&self, state: &TrainerState, adopted: &Adopted, n_skipped: u64) -> Vec<String> {
        let mut warnings = Vec::new();
        let differences = self.differences(state, &adopted.settings);
        if !differences.is_empty() {
            let what = differences.join("; ");
            warnings
                .push(format!("not as in the run that is taken up, and what is given here is used: {what}"));
        }
        if n_skipped > 0 {
            let step = state.global_step;
            warnings.push(format!(
                "{n_skipped} of the {step} steps made no update: f16 passes over gradients that overflow"
            ));
        }
        if let [first, rest @ ..] = &adopted.without_moments[..] {
            let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
            warnings.push(format!("{PYTORCH_FILE} remembers nothing of {first}{more}: it begins anew there"));
        }
        warnings
    }

    /// Settings that are other than they were, in words.
    fn differences(&self, state: &TrainerState, then: &AdamGroup) -> Vec<String> {
        let (now, plan, step) = (self.arguments, self.plan, state.global_step);
        let mut pairs = vec![
            ("adam_beta1", now.adam_beta1, then.betas[0]),
            ("adam_beta2", now.adam_beta2, then.betas[1]),
            ("adam_epsilon", now.adam_epsilon, then.epsilon),
            ("weight_decay", now.weight_decay, then.weight_decay),
            ("max_steps", plan.n_steps as f64, state.max_steps as f64),
        ];
        let rate = then.initial_learning_rate.unwrap_or(now.learning_rate);
        if is_close(rate, now.learning_rate) {
            // Warmup, the kind of schedule or the number of steps, none of which the file knows.
            pairs.push(("the next step's learning rate", plan.schedule.rate(step), then.learning_rate));
        } else {
            pairs.push(("learning_rate", now.learning_rate, rate));
        }
        let (epoch, update) = (plan.epochs_after(step), 1.0 / plan.n_updates_per_epoch as f64);
        if (epoch - state.epoch).abs() > update {
            // Another number of rows, batch size or accumulation.
            pairs.push(("the epoch at this step", epoch, state.epoch));
        }
        let differing = pairs.into_iter().filter(|(_, now, then)| !is_close(*now, *then));
        differing.map(|(name, now, then)| format!("{name} is {now} and was {then}")).collect()
    }

    /// Looks for the best checkpoint, which may have been moved, and says why it is given up.
    fn find_best(&self, folder: &Path, state: &mut TrainerState) -> Option<String> {
        let metric = format!("eval_{}", self.arguments.best_metric_name());
        let Some(best) = &mut state.best else { return None };
        if !is_by(best, &metric, &state.log_history) {
            let why =
                format!("the best of {} so far is not known: it was not chosen by {metric}", best.metric);
            state.best = None;
            return Some(why);
        }
        let saved_at = best.checkpoint.take()?;
        let beside = folder.with_file_name(format!("checkpoint-{}", best.global_step));
        let places = [beside, saved_at.clone().into()];
        best.checkpoint = places.iter().find(|place| place.is_dir()).map(|place| place.display().to_string());
        let is_lost = best.checkpoint.is_none();
        is_lost.then(|| {
            format!("the best checkpoint, {saved_at}, is not there: only a better one is loaded at the end")
        })
    }
}

/// `saved` with the names of `wanted`, where its own are HuggingFace's placeholders.
fn with_labels_of(saved: &Spec, wanted: &Spec) -> Spec {
    let mut spec = saved.clone();
    let mut labels = spec.head.labels.iter().enumerate();
    if spec.head.labels.len() == wanted.head.labels.len()
        && labels.all(|(id, label)| *label == format!("LABEL_{id}"))
    {
        spec.head.labels.clone_from(&wanted.head.labels);
    }
    spec
}

/// Whether the log has the best figure under this name.
fn is_by(best: &Best, metric: &str, log: &[Record]) -> bool {
    let number = |record: &Record, key: &str| record.get(key).and_then(Value::as_f64);
    log.iter().any(|record| {
        number(record, "step") == Some(best.global_step as f64) && number(record, metric) == Some(best.metric)
    })
}

fn is_close(a: f64, b: f64) -> bool {
    (a - b).abs() <= RATE_TOLERANCE * a.abs().max(b.abs())
}

/// The sum of all steps' losses, as the log has them in means since the line before, and how many steps have no line.
fn losses(log: &[Record], global_step: u64) -> (Losses, u64) {
    let (mut total, mut n_logged, mut before) = (0.0, 0, 0);
    for record in log.iter().filter(|record| record.contains_key("loss")) {
        let Some(step) = record.get("step").and_then(Value::as_u64) else { continue };
        let n_steps = step.saturating_sub(before);
        before = step;
        if let Some(loss) = record["loss"].as_f64() {
            total += loss * n_steps as f64;
            n_logged += n_steps;
        }
    }
    (Losses { total, ..Losses::default() }, global_step.saturating_sub(n_logged))
}

fn last_evaluation(log: &[Record]) -> Option<u64> {
    let evaluation = log.iter().rev().find(|record| record.contains_key("eval_loss"));
    evaluation?.get("step")?.as_u64()
}
