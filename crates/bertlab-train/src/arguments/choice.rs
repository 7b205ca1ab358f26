//! Settings whose values are words.

use bertlab_settings::choices;
use serde_json::{Value, json};

choices! {
    /// When something happens.
    pub enum IntervalStrategy {
        /// Never.
        No = "no",
        /// Every so many update steps, and at the last.
        Steps = "steps",
        /// At the end of every epoch.
        Epoch = "epoch",
    }
}

choices! {
    /// When checkpoints are saved.
    pub enum SaveStrategy {
        /// Never.
        No = "no",
        /// Every so many update steps, and at the last.
        Steps = "steps",
        /// At the end of every epoch.
        Epoch = "epoch",
        /// After every evaluation that is better than all before it.
        Best = "best",
    }
}

choices! {
    /// The order of training rows.
    pub enum SamplingStrategy {
        /// A new random order every epoch.
        Random = "random",
        /// File order.
        Sequential = "sequential",
        /// Random, with rows of similar length together.
        GroupByLength = "group_by_length",
    }
}

choices! {
    /// Where metrics of a run go, besides its log.
    pub enum ReportTo, read by read_trackers {
        /// Nowhere.
        None = "none",
        /// TensorBoard's event files.
        Tensorboard = "tensorboard",
    }
}

/// HuggingFace's other trackers.
const OTHER_TRACKERS: [&str; 13] = [
    "azure_ml",
    "clearml",
    "codecarbon",
    "comet_ml",
    "dagshub",
    "dvclive",
    "flyte",
    "kubeflow",
    "mlflow",
    "neptune",
    "swanlab",
    "trackio",
    "wandb",
];

/// Reads a tracker, or HuggingFace's list of them. TensorBoard is the only one here; the others are noted.
fn read_trackers(value: &Value, notes: &mut Vec<String>) -> Result<ReportTo, String> {
    let words = match value {
        Value::Array(words) => words.as_slice(),
        word => std::slice::from_ref(word),
    };
    let is_other =
        |word: &&Value| word.as_str().is_some_and(|word| word == "all" || OTHER_TRACKERS.contains(&word));
    let (others, ours): (Vec<&Value>, Vec<&Value>) = words.iter().partition(is_other);
    if !others.is_empty() {
        let names: Vec<&str> = others.iter().filter_map(|name| name.as_str()).collect();
        let names = names.join(", ");
        notes.push(format!("report_to: {names}: the only tracker is tensorboard"));
    }
    match ours.first() {
        Some(word) => bertlab_settings::read_choice(word, notes),
        None if others.contains(&&json!("all")) => Ok(ReportTo::Tensorboard),
        None => Ok(ReportTo::None),
    }
}
