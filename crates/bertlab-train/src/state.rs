//! trainer_state.json: HuggingFace's keys, so that its tools can read a run's log.

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use crate::plan::Plan;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Its name, in a checkpoint and in the output folder.
pub(crate) const FILE_NAME: &str = "trainer_state.json";

/// Where HuggingFace's early stopping keeps its counter.
const PATIENCE_COUNTER: &str =
    "/stateful_callbacks/EarlyStoppingCallback/attributes/early_stopping_patience_counter";

/// One line of the log.
pub type Record = Map<String, Value>;

/// What a run remembers about itself.
#[derive(Clone, Debug, Default)]
pub struct TrainerState {
    /// Update steps done.
    pub global_step: u64,
    /// Update steps in all, as the checkpoint that was taken up had it; 0 of a run that begins here.
    pub max_steps: u64,
    /// Epochs done, with fraction.
    pub epoch: f64,
    /// Every log line.
    pub log_history: Vec<Record>,
    /// Tokens of all steps so far; padding, which exists nowhere here, is not among them.
    pub num_input_tokens_seen: u64,
    /// As HuggingFace counts them: see [`Spec::training_flos`](bertlab_model::Spec::training_flos).
    pub total_flos: f64,
    /// The best metric so far, and the checkpoint that has it.
    pub best: Option<Best>,
    /// Evaluations since the last that was better by more than the threshold: for early stopping.
    pub patience_counter: u64,
}

/// The best checkpoint so far.
#[derive(Clone, Debug, PartialEq)]
pub struct Best {
    /// The metric's value.
    pub metric: f64,
    /// Where it was reached.
    pub global_step: u64,
    /// The checkpoint's folder, when it was saved.
    pub checkpoint: Option<String>,
}

impl TrainerState {
    /// Reads a checkpoint's file.
    pub(crate) fn read(checkpoint: &Path) -> Result<Self, TrainError> {
        let file = checkpoint.join(FILE_NAME);
        let damaged = |why: String| TrainError::DamagedCheckpoint { file: file.clone(), why };
        let text = std::fs::read_to_string(&file).map_err(|error| damaged(error.to_string()))?;
        let value: Value =
            serde_json::from_str(&quoted_words(&text)).map_err(|error| damaged(error.to_string()))?;
        Self::from_json(&value).ok_or_else(|| damaged("it lacks a key of a Trainer's state".to_owned()))
    }

    /// From what [`Self::to_json`] or HuggingFace's Trainer made, which of old did not count tokens or name the best step.
    fn from_json(value: &Value) -> Option<Self> {
        let log = value.get("log_history")?.as_array()?;
        let best = |metric: f64| {
            let checkpoint = value.get("best_model_checkpoint").and_then(Value::as_str).map(str::to_owned);
            let in_name = || checkpoint.as_ref()?.rsplit_once("checkpoint-")?.1.parse().ok();
            let global_step = value.get("best_global_step").and_then(Value::as_u64).or_else(in_name)?;
            Some(Best { metric, global_step, checkpoint })
        };
        Some(Self {
            global_step: value.get("global_step")?.as_u64()?,
            max_steps: value.get("max_steps")?.as_u64()?,
            epoch: value.get("epoch")?.as_f64()?,
            num_input_tokens_seen: value.get("num_input_tokens_seen").and_then(Value::as_u64).unwrap_or(0),
            total_flos: value.get("total_flos")?.as_f64()?,
            log_history: log.iter().map(|record| record.as_object().cloned()).collect::<Option<_>>()?,
            best: value.get("best_metric").and_then(Value::as_f64).and_then(best),
            patience_counter: value.pointer(PATIENCE_COUNTER).and_then(Value::as_u64).unwrap_or(0),
        })
    }

    /// What HuggingFace's callbacks would remember.
    fn callbacks(&self, arguments: &TrainingArguments, plan: &Plan) -> Value {
        let mut callbacks = json!({ "TrainerControl": self.control(arguments, plan) });
        if let Some(patience) = arguments.early_stopping_patience {
            callbacks["EarlyStoppingCallback"] = json!({
                "args": {
                    "early_stopping_patience": patience,
                    "early_stopping_threshold": arguments.early_stopping_threshold,
                },
                "attributes": { "early_stopping_patience_counter": self.patience_counter },
            });
        }
        callbacks
    }

    /// Whether early stopping has ended the run: its evaluations have not become better for long enough.
    pub(crate) fn has_stopped_early(&self, arguments: &TrainingArguments) -> bool {
        arguments.early_stopping_patience.is_some_and(|patience| self.patience_counter >= patience)
    }

    /// As the file holds it.
    pub fn to_json(&self, arguments: &TrainingArguments, plan: &Plan) -> Value {
        let best = self.best.as_ref();
        json!({
            "best_global_step": best.map(|best| best.global_step),
            "best_metric": best.map(|best| best.metric),
            "best_model_checkpoint": best.and_then(|best| best.checkpoint.clone()),
            "epoch": self.epoch,
            "eval_steps": plan.eval.1,
            "global_step": self.global_step,
            "is_hyper_param_search": false,
            "is_local_process_zero": true,
            "is_world_process_zero": true,
            "log_history": self.log_history,
            "logging_steps": plan.logging_steps,
            "max_steps": plan.n_steps,
            "num_input_tokens_seen": self.num_input_tokens_seen,
            "num_train_epochs": plan.n_epochs,
            "save_steps": plan.save.1,
            "stateful_callbacks": self.callbacks(arguments, plan),
            "total_flos": self.total_flos,
            "train_batch_size": arguments.per_device_train_batch_size,
            "trial_name": null,
            "trial_params": null,
        })
    }

    /// HuggingFace's `TrainerControl` at the moment of a save.
    fn control(&self, arguments: &TrainingArguments, plan: &Plan) -> Value {
        json!({
            "args": {
                "should_epoch_stop": false,
                "should_evaluate": false,
                "should_log": false,
                "should_save": true,
                "should_training_stop": self.global_step >= plan.n_steps || self.has_stopped_early(arguments),
            },
            "attributes": {},
        })
    }
}

/// The log of a checkpoint, or of a run's folder; empty where none can be read.
pub fn saved_log(folder: &Path) -> Vec<Record> {
    TrainerState::read(folder).map(|state| state.log_history).unwrap_or_default()
}

/// Python's JSON with numbers that are none, which it writes as bare words, as [`record`] has them: in quotes.
fn quoted_words(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len());
    let mut is_text = false;
    for part in text.split_inclusive('"') {
        if is_text {
            quoted += part;
        } else {
            let words = part.replace("-Infinity", "\"-inf\"").replace("Infinity", "\"inf\"");
            quoted += &words.replace("NaN", "\"NaN\"");
        }
        let n_escapes = part.trim_end_matches('"').bytes().rev().take_while(|&byte| byte == b'\\').count();
        if part.ends_with('"') && (!is_text || n_escapes % 2 == 0) {
            is_text = !is_text;
        }
    }
    quoted
}

/// The figures of one moment as a log line. Undefined is null; NaN and infinities, which JSON cannot say, are words.
pub(crate) fn record<N, V>(figures: impl IntoIterator<Item = (N, V)>) -> Record
where
    N: Into<String>,
    V: Into<Option<f64>>,
{
    let number = |value: Option<f64>| match value {
        Some(value) if !value.is_finite() => json!(value.to_string()),
        value => json!(value),
    };
    figures.into_iter().map(|(name, value)| (name.into(), number(value.into()))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_are_none_become_texts() {
        let text = r#"{"a": NaN, "b\"NaN": "-Infinity \\", "c": [-Infinity, Infinity, 1.5]}"#;
        let value: Value = serde_json::from_str(&quoted_words(text)).expect("JSON");
        assert_eq!(value, json!({ "a": "NaN", "b\"NaN": "-Infinity \\", "c": ["-inf", "inf", 1.5] }));
    }

    #[test]
    fn the_best_step_of_old_stands_in_its_checkpoints_name() {
        let state = |best: Value| {
            let mut value = json!({
                "global_step": 9, "max_steps": 9, "epoch": 1.5, "total_flos": 0.0, "log_history": [],
                "best_metric": 0.5, "best_model_checkpoint": "out\\checkpoint-6",
            });
            value["best_global_step"] = best;
            TrainerState::from_json(&value).expect("all that is needed").best
        };
        assert_eq!(state(Value::Null).expect("there is one").global_step, 6);
        assert_eq!(state(json!(3)).expect("there is one").global_step, 3);
    }
}
