//! progress.json: where a run stands, and what it must not be taken up again without.

use crate::arguments::TrainingArguments;
use crate::divergence::Divergence;
use crate::error::TrainError;
use crate::masking::Masking;
use crate::rows::TrainingRows;
use crate::run::Update;
use bertlab_compute::random::mix;
use bertlab_data::{Example, Target};
use bertlab_feedback::Hint;
use bertlab_settings::Settings;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;

/// Its name in a checkpoint's folder; a checkpoint without it is no place to go on from.
pub const FILE_NAME: &str = "progress.json";

/// What a run needs, beside weights, moments and trainer_state.json, to go on as if it had never stopped. The
/// order of rows and dropout are functions of seed and step: no generator's state is among it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SavedProgress {
    pub(crate) global_step: u64,
    /// The step of the last evaluation.
    pub(crate) evaluated_at: Option<u64>,
    /// The last update, where the evaluation that follows it was broken off and is still to be made.
    #[serde(default)]
    pub(crate) unevaluated: Option<Update>,
    pub(crate) losses: Losses,
    pub(crate) seconds: Seconds,
    #[serde(default)]
    pub(crate) elsewhere: Elsewhere,
    pub(crate) identity: Identity,
}

/// What another program had done of a run before it came here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Elsewhere {
    /// Steps, which were not timed here.
    pub(crate) n_steps: u64,
    /// The same as epochs.
    pub(crate) epoch: f64,
    /// Steps without an update: f16 passes over those whose gradients overflow.
    pub(crate) n_skipped: u64,
    /// Steps whose loss no log line tells.
    pub(crate) n_unlogged: u64,
}

/// Losses of the steps: since the last log line, and in all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Losses {
    pub(crate) since_log: f64,
    pub(crate) n_since_log: u64,
    pub(crate) total: f64,
    /// The first step's.
    #[serde(default)]
    pub(crate) first: Option<f64>,
    /// A running mean: each step counts a tenth.
    #[serde(default)]
    pub(crate) recent: f64,
}

impl Losses {
    /// Counts a step's loss.
    pub(crate) fn add(&mut self, loss: f64) {
        self.since_log += loss;
        self.n_since_log += 1;
        self.total += loss;
        self.recent = if self.first.is_some() { 0.9 * self.recent + 0.1 * loss } else { loss };
        self.first.get_or_insert(loss);
    }

    /// Whether the loss grew instead of falling.
    pub(crate) fn divergence(&self) -> Option<Divergence> {
        Divergence::of(self.first?, self.recent)
    }
}

/// Time that a run has taken so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seconds {
    pub(crate) total: f64,
    pub(crate) train: f64,
    pub(crate) eval: f64,
    pub(crate) save: f64,
}

/// What makes a run this run: with anything else it would end elsewhere.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Identity {
    settings: Map<String, Value>,
    train_rows: RowsMark,
    eval_rows: RowsMark,
}

/// Rows, by their number and a hash of their ids and targets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct RowsMark {
    n_rows: usize,
    hash: String,
}

impl SavedProgress {
    /// Reads a checkpoint's file.
    pub(crate) fn read(checkpoint: &Path) -> Result<Self, TrainError> {
        let file = checkpoint.join(FILE_NAME);
        let damaged = |why: String| TrainError::DamagedCheckpoint { file: file.clone(), why };
        let text = match std::fs::read(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Err(damaged(format!(
                    "there is no such file, nor an optimizer.pt of HuggingFace's Trainer: the checkpoint was saved \
                     with {}, by another program, or not to its end",
                    Hint::On("save_only_model")
                )));
            }
            Err(error) => return Err(damaged(error.to_string())),
        };
        serde_json::from_slice(&text).map_err(|error| damaged(error.to_string()))
    }
}

impl Identity {
    /// Of a run with these settings and rows.
    pub(crate) fn new(arguments: &TrainingArguments, train: TrainingRows<'_>, eval: &[Example]) -> Self {
        Self {
            settings: settings(arguments),
            train_rows: RowsMark::of(train),
            eval_rows: RowsMark::new(eval),
        }
    }

    /// Refuses a run with other settings than these, before its rows are there.
    pub(crate) fn check_settings(
        &self,
        checkpoint: &Path,
        arguments: &TrainingArguments,
    ) -> Result<(), TrainError> {
        match self.changed_settings(&settings(arguments)) {
            changes if changes.is_empty() => Ok(()),
            changes => {
                Err(TrainError::ChangedRun { checkpoint: checkpoint.to_path_buf(), what: changes.join("; ") })
            }
        }
    }

    /// With what is hidden from the model.
    pub(crate) fn with_masking(mut self, masking: Option<&Masking>) -> Self {
        if let Some(masking) = masking {
            let options = serde_json::to_value(masking.options()).expect("options are plain values");
            self.settings.extend(options.as_object().cloned().unwrap_or_default());
        }
        self
    }

    /// What is not as it was when the run began, in words. A setting that did not exist then is no change.
    pub(crate) fn changes_since(&self, begun: &Self) -> Vec<String> {
        let mut changes = begun.changed_settings(&self.settings);
        let rows = [
            ("training", &self.train_rows, &begun.train_rows),
            ("evaluation", &self.eval_rows, &begun.eval_rows),
        ];
        for (split, now, then) in rows {
            if now.n_rows != then.n_rows {
                changes.push(format!("there are {} {split} rows and were {}", now.n_rows, then.n_rows));
            } else if now != then {
                changes.push(format!("the {split} rows are others, or in another order"));
            }
        }
        changes
    }

    /// What is not as it is here, in words.
    fn changed_settings(&self, now: &Map<String, Value>) -> Vec<String> {
        let changed = |(name, now): (&String, &Value)| {
            let then = self.settings.get(name).filter(|then| *then != now)?;
            Some(format!("{name} is {now} and was {then} when the run began"))
        };
        now.iter().filter_map(changed).collect()
    }
}

/// The settings that a run must have in common with the one that it takes up.
fn settings(arguments: &TrainingArguments) -> Map<String, Value> {
    let Ok(Value::Object(mut settings)) = serde_json::to_value(arguments) else {
        unreachable!("arguments are a struct of plain values")
    };
    let may_change = |name: &str| TrainingArguments::setting(name).is_some_and(|setting| setting.may_change);
    settings.retain(|name, _| !may_change(name));
    settings
}

impl RowsMark {
    fn of(rows: TrainingRows<'_>) -> Self {
        match rows {
            TrainingRows::Examples(examples) => Self::new(examples),
            TrainingRows::Blocks(blocks) => {
                Self { n_rows: blocks.len(), hash: format!("{} by {}", blocks.hash(), blocks.length()) }
            }
        }
    }

    fn new(rows: &[Example]) -> Self {
        let hash = rows.iter().fold(0, |hash, row| {
            let ids = row.input_ids.iter().chain(&row.token_type_ids).map(|&id| u64::from(id));
            let sizes = [row.input_ids.len() as u64, row.token_type_ids.len() as u64];
            let pieces = row.pieces.iter().map(|&piece| piece as u64);
            let target = target_numbers(row.target.as_ref());
            // What was not read counts in an evaluation, and stands in no token.
            let words = row.words.iter().map(|word| word.label as u64);
            sizes.into_iter().chain(ids).chain(pieces).chain(target).chain(words).fold(hash, mix)
        });
        Self { n_rows: rows.len(), hash: format!("{hash:016x}") }
    }
}

fn target_numbers(target: Option<&Target>) -> Vec<u64> {
    let bits = |value: &f32| u64::from(value.to_bits());
    match target {
        None => Vec::new(),
        Some(Target::Class(class)) => vec![*class as u64],
        Some(Target::Value(value)) => vec![bits(value)],
        Some(Target::Classes(values) | Target::Values(values)) => values.iter().map(bits).collect(),
        Some(Target::Tokens(labels)) => labels.iter().map(|&label| label as u64).collect(),
        Some(Target::Words(labels)) => {
            labels.first.iter().chain(&labels.further).map(|&label| label as u64).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(ids: &[u32]) -> Vec<Example> {
        let row = |&id: &u32| Example {
            input_ids: vec![id, 3],
            target: Some(Target::Class(1)),
            ..Example::default()
        };
        ids.iter().map(row).collect()
    }

    fn changes(change: impl FnOnce(&mut TrainingArguments), train: &[u32]) -> Vec<String> {
        let begun = Identity::new(&TrainingArguments::default(), TrainingRows::Examples(&rows(&[1, 2])), &[]);
        let mut arguments = TrainingArguments::default();
        change(&mut arguments);
        Identity::new(&arguments, TrainingRows::Examples(&rows(train)), &[]).changes_since(&begun)
    }

    #[test]
    fn what_changes_the_weights_is_named_and_the_rest_is_free() {
        assert!(changes(|_| {}, &[1, 2]).is_empty());
        assert!(changes(|arguments| arguments.save_steps = 7.0, &[1, 2]).is_empty());
        let found = changes(|arguments| arguments.learning_rate = 0.5, &[1, 2]);
        assert_eq!(found, ["learning_rate is 0.5 and was 0.00005 when the run began"]);
    }

    #[test]
    fn other_rows_are_seen_by_number_contents_and_order() {
        assert_eq!(changes(|_| {}, &[1, 2, 3]), ["there are 3 training rows and were 2"]);
        for others in [[2, 1], [1, 3]] {
            assert_eq!(changes(|_| {}, &others), ["the training rows are others, or in another order"]);
        }
    }

    #[test]
    fn progress_goes_to_json_and_back_to_the_last_bit() {
        let saved = SavedProgress {
            global_step: 3,
            evaluated_at: None,
            unevaluated: None,
            losses: Losses { since_log: 0.1 + 0.2, n_since_log: 2, total: 1.0 / 3.0, ..Losses::default() },
            seconds: Seconds { total: 1e-7 / 3.0, ..Seconds::default() },
            elsewhere: Elsewhere::default(),
            identity: Identity::new(&TrainingArguments::default(), TrainingRows::Examples(&rows(&[1])), &[]),
        };
        let text = serde_json::to_string(&saved).expect("plain values");
        let read: SavedProgress = serde_json::from_str(&text).expect("just written");
        assert_eq!((read.losses, read.seconds), (saved.losses, saved.seconds));
        assert!(read.identity.changes_since(&saved.identity).is_empty());
    }
}
