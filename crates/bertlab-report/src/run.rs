//! Results of a run or an evaluation as plain data: the input of a report.

use crate::number::{counted, grouped};
use bertlab_data::Target;
use bertlab_data::preflight::Finding;
use bertlab_train::{Answer, Divergence, Evaluation, Record, TrainingArguments};

/// A training run or an evaluation.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// The model.
    pub model: ModelFacts,
    /// The training; `None` for an evaluation alone.
    pub training: Option<TrainingFacts>,
    /// The splits, training first.
    pub splits: Vec<SplitFacts>,
    /// Findings of the data check, most severe first.
    pub findings: Vec<Finding>,
    /// Evaluation of the final model; `None` without evaluation rows.
    pub evaluation: Option<EvaluationFacts>,
    /// How to reproduce it.
    pub repeat: RepeatFacts,
}

/// The model.
#[derive(Clone, Debug, Default)]
pub struct ModelFacts {
    /// The name that the user gave: a folder or a hub name.
    pub name: String,
    /// Its name on the hub, if it came from there.
    pub hub_name: Option<String>,
    /// HuggingFace's class, for example "BertForSequenceClassification".
    pub class_name: String,
    /// HuggingFace's `model_type`, for example "bert".
    pub family: String,
    /// HuggingFace's pipeline, for example "text-classification".
    pub pipeline: String,
    /// Number of parameters.
    pub n_parameters: usize,
    /// Number of encoder layers.
    pub n_layers: usize,
    /// Hidden size D.
    pub width: usize,
    /// Maximum length of a row in tokens.
    pub tokens_max: usize,
    /// Labels of the head, by id.
    pub labels: Vec<String>,
    /// Remarks from opening it, for example about new weights.
    pub remarks: Vec<String>,
}

/// A training run.
#[derive(Clone, Debug)]
pub struct TrainingFacts {
    /// How it ended.
    pub outcome: Outcome,
    /// The settings.
    pub arguments: TrainingArguments,
    /// All log records, as in trainer_state.json.
    pub log: Vec<Record>,
    /// The divergence of the loss, if it grew instead of falling.
    pub divergence: Option<Divergence>,
    /// Total number of update steps.
    pub n_steps: u64,
    /// The step of the best checkpoint, if it was loaded at the end.
    pub loaded_step: Option<u64>,
    /// Durations; `None` for a run that did not finish.
    pub seconds: Option<Seconds>,
}

/// Durations of a run, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds {
    /// Training steps.
    pub training: f64,
    /// Evaluations.
    pub evaluation: f64,
    /// Saving.
    pub saving: f64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All steps were done.
    Finished,
    /// Stopped early or failed; the reason.
    Ended(String),
}

/// Counts of a split.
#[derive(Clone, Debug, Default)]
pub struct SplitFacts {
    /// Name: "training", "evaluation" or "test".
    pub name: String,
    /// File names, without folders.
    pub files: Vec<String>,
    /// Number of rows used.
    pub n_rows: usize,
    /// Length in tokens of blocks of concatenated texts; `None` if each text is a row.
    pub block_length: Option<usize>,
    /// Number of tokens, special tokens included.
    pub n_tokens: usize,
    /// Number of rows (or words, for token classification) of each label; empty for tasks without labels.
    pub labels: Vec<(String, usize)>,
    /// Number of labelled words, for token classification.
    pub n_labelled_words: Option<usize>,
    /// Length in tokens to which texts are truncated.
    pub max_length: usize,
    /// Number of truncated rows.
    pub n_rows_cut: usize,
    /// Number of tokens removed by truncation.
    pub n_tokens_lost: usize,
}

impl SplitFacts {
    /// The number of rows in words: `1,200`, `34 blocks of 64 tokens`.
    pub(crate) fn rows_in_words(&self) -> String {
        match self.block_length {
            Some(length) => format!("{} of {} tokens", counted(self.n_rows, "block"), grouped(length)),
            None => grouped(self.n_rows),
        }
    }
}

/// An evaluation on labelled rows.
#[derive(Clone, Debug)]
pub struct EvaluationFacts {
    /// Metrics and predictions.
    pub evaluation: Evaluation,
    /// The rows, in the order of the predictions; may be empty.
    pub rows: Vec<RowFacts>,
    /// Name of the split: "evaluation" or "test".
    pub split: String,
}

/// An evaluated row.
#[derive(Clone, Debug)]
pub struct RowFacts {
    /// The text; empty for rows of token ids.
    pub text: String,
    /// The second text of a pair.
    pub pair: Option<String>,
    /// Number of tokens, special tokens included.
    pub n_tokens: usize,
    /// The true label or value, if known.
    pub target: Option<Target>,
}

/// What is needed to reproduce a run.
#[derive(Clone, Debug, Default)]
pub struct RepeatFacts {
    /// The command line, quoted for a shell.
    pub command: Option<String>,
    /// bertlab's version.
    pub version: String,
    /// Operating system and CPU.
    pub machine: String,
    /// Number of threads; 0 if not known.
    pub n_threads: usize,
    /// Time of writing, in seconds since 1970-01-01.
    pub written_at: u64,
}

impl EvaluationFacts {
    /// Rows with their predictions.
    pub(crate) fn answered(&self) -> impl Iterator<Item = (&RowFacts, &Answer)> {
        self.rows.iter().zip(&self.evaluation.answers)
    }
}
