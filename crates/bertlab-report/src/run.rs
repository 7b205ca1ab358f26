//! What is known about a run or an evaluation, as plain data: what a report is made of.

use crate::number::{counted, grouped};
use bertlab_data::Target;
use bertlab_data::preflight::Finding;
use bertlab_train::{Answer, Divergence, Evaluation, Record, TrainingArguments};

/// A run, or an evaluation alone, with all that a person may want to know of it.
#[derive(Clone, Debug, Default)]
pub struct RunReport {
    /// The model.
    pub model: ModelFacts,
    /// How it ended; none of an evaluation alone.
    pub training: Option<TrainingFacts>,
    /// Rows by split: training first.
    pub splits: Vec<SplitFacts>,
    /// What a look at the data found, worst first.
    pub findings: Vec<Finding>,
    /// Of the model as it ends; none where there were no rows for it.
    pub evaluation: Option<EvaluationFacts>,
    /// How to repeat it.
    pub repeat: RepeatFacts,
}

/// The model.
#[derive(Clone, Debug, Default)]
pub struct ModelFacts {
    /// As the user named it: a folder or a hub name.
    pub name: String,
    /// Its name on the hub, where it came from there.
    pub hub_name: Option<String>,
    /// HuggingFace's class, as "BertForSequenceClassification".
    pub class_name: String,
    /// HuggingFace's `model_type`, as "bert".
    pub family: String,
    /// HuggingFace's pipeline that it answers, as "text-classification".
    pub pipeline: String,
    /// Numbers in all weights.
    pub n_parameters: usize,
    /// Layers of the encoder.
    pub n_layers: usize,
    /// Numbers per token.
    pub width: usize,
    /// The longest row in tokens.
    pub tokens_max: usize,
    /// Labels of its head, by id.
    pub labels: Vec<String>,
    /// What its opening had to say, as of weights that are new.
    pub remarks: Vec<String>,
}

/// How a training went.
#[derive(Clone, Debug)]
pub struct TrainingFacts {
    /// How it ended.
    pub outcome: Outcome,
    /// The settings.
    pub arguments: TrainingArguments,
    /// Every log line, as trainer_state.json has them.
    pub log: Vec<Record>,
    /// Its loss grew instead of falling.
    pub divergence: Option<Divergence>,
    /// Update steps in all.
    pub n_steps: u64,
    /// The step of the best checkpoint, where that was loaded at the end.
    pub loaded_step: Option<u64>,
    /// Seconds in steps, evaluations and saving; none of a run that did not end.
    pub seconds: Option<Seconds>,
}

/// Seconds that a run took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Seconds {
    /// In the steps.
    pub training: f64,
    /// In evaluations.
    pub evaluation: f64,
    /// In saving.
    pub saving: f64,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As planned.
    Finished,
    /// Asked to stop, or by an error; in words.
    Ended(String),
}

/// Rows of a split.
#[derive(Clone, Debug, Default)]
pub struct SplitFacts {
    /// "training" or "evaluation".
    pub name: String,
    /// Names of its files, without their folders.
    pub files: Vec<String>,
    /// Rows taken.
    pub n_rows: usize,
    /// Rows are texts end to end, cut into blocks of so many tokens; none where a text is a row.
    pub block_length: Option<usize>,
    /// Their tokens, special ones included.
    pub n_tokens: usize,
    /// Rows of each label, or words; empty for questions without labels.
    pub labels: Vec<(String, usize)>,
    /// Words that have a label, where words have one; none where rows have.
    pub n_labelled_words: Option<usize>,
    /// Tokens that longer texts are cut to.
    pub max_length: usize,
    /// Rows that were cut.
    pub n_rows_cut: usize,
    /// Tokens that were lost.
    pub n_tokens_lost: usize,
}

impl SplitFacts {
    /// `1,200`, `34 blocks of 64 tokens`
    pub(crate) fn rows_in_words(&self) -> String {
        match self.block_length {
            Some(length) => format!("{} of {} tokens", counted(self.n_rows, "block"), grouped(length)),
            None => grouped(self.n_rows),
        }
    }
}

/// What the model says to labelled rows.
#[derive(Clone, Debug)]
pub struct EvaluationFacts {
    /// The figures.
    pub evaluation: Evaluation,
    /// The rows, in the order of the answers; may be empty.
    pub rows: Vec<RowFacts>,
    /// The word for the split: "evaluation" or "test".
    pub split: String,
}

/// A row that was evaluated.
#[derive(Clone, Debug)]
pub struct RowFacts {
    /// The text; empty where rows hold ids alone.
    pub text: String,
    /// Of pairs: the second text.
    pub pair: Option<String>,
    /// Tokens, special ones included.
    pub n_tokens: usize,
    /// What the model should have said.
    pub target: Option<Target>,
}

/// What is needed to do it again.
#[derive(Clone, Debug, Default)]
pub struct RepeatFacts {
    /// The command line, as a shell takes it.
    pub command: Option<String>,
    /// bertlab's version.
    pub version: String,
    /// Operating system and processor.
    pub machine: String,
    /// Threads that worked.
    pub n_threads: usize,
    /// Seconds since 1970.
    pub written_at: u64,
}

impl EvaluationFacts {
    /// Rows with their answers.
    pub(crate) fn answered(&self) -> impl Iterator<Item = (&RowFacts, &Answer)> {
        self.rows.iter().zip(&self.evaluation.answers)
    }
}
