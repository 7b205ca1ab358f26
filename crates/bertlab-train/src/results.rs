//! train_results.json, eval_results.json, test_results.json, all_results.json: what HuggingFace's scripts write at a run's end.

use crate::error::TrainError;
use crate::state::Record;
use bertlab_checkpoint::atomic;
use serde::Serialize;
use serde_json::ser::{PrettyFormatter, Serializer};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// The files' names.
pub(crate) const FILE_NAMES: [&str; 4] =
    ["train_results.json", "eval_results.json", "test_results.json", "all_results.json"];

/// Rows of the splits: the scripts add them as `train_samples` and so on.
#[derive(Clone, Copy)]
pub(crate) struct Samples {
    pub(crate) train: usize,
    pub(crate) eval: usize,
    pub(crate) test: usize,
}

/// Writes what `Trainer.save_metrics` writes for every split, from the log's last lines of each.
pub(crate) fn write(folder: &Path, log: &[Record], samples: Samples) -> Result<(), TrainError> {
    let last = |key: &str| log.iter().rev().find(|record| record.contains_key(key));
    let train = last("train_runtime").map(|record| metrics(record, "train_samples", samples.train));
    let eval = last("eval_loss").map(|record| metrics(record, "eval_samples", samples.eval));
    let test = last("test_loss").map(|record| metrics(record, "test_samples", samples.test));
    let all: Map<String, Value> =
        train.iter().chain(&eval).chain(&test).flatten().map(|(k, v)| (k.clone(), v.clone())).collect();
    for (name, metrics) in FILE_NAMES.iter().zip([train, eval, test, Some(all)]) {
        if let Some(metrics) = metrics {
            atomic::write_file(&folder.join(name), &text(metrics))?;
        }
    }
    Ok(())
}

/// A log line as `train()` and `evaluate()` return it: without the step.
fn metrics(record: &Record, samples: &str, n_rows: usize) -> Map<String, Value> {
    let mut metrics = record.clone();
    metrics.remove("step");
    metrics.insert(samples.to_owned(), json!(n_rows));
    metrics
}

/// As Python's json.dump with an indent of 4 and sorted keys.
fn text(metrics: Map<String, Value>) -> Vec<u8> {
    let sorted: BTreeMap<String, Value> = metrics.into_iter().collect();
    let mut text = Vec::new();
    let mut serializer = Serializer::with_formatter(&mut text, PrettyFormatter::with_indent(b"    "));
    sorted.serialize(&mut serializer).expect("a JSON value is valid JSON");
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::record;

    #[test]
    fn the_last_lines_are_written_as_python_does() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = [
            record([("eval_loss", 0.75), ("epoch", 1.0), ("step", 2.0)]),
            record([("loss", 1.0), ("step", 3.0)]),
            record([("eval_loss", 0.5), ("epoch", 2.0), ("step", 4.0)]),
            record([("train_runtime", 1.5), ("train_loss", 0.25), ("epoch", 2.0), ("step", 4.0)]),
        ];
        write(folder.path(), &log, Samples { train: 8, eval: 3, test: 0 }).expect("writable");
        let read = |name: &str| std::fs::read_to_string(folder.path().join(name)).expect("it was written");
        let eval = "{\n    \"epoch\": 2.0,\n    \"eval_loss\": 0.5,\n    \"eval_samples\": 3\n}";
        assert_eq!(read("eval_results.json"), eval);
        let all: Vec<String> = serde_json::from_str::<BTreeMap<String, Value>>(&read("all_results.json"))
            .expect("JSON")
            .into_keys()
            .collect();
        let expected = ["epoch", "eval_loss", "eval_samples", "train_loss", "train_runtime", "train_samples"];
        assert_eq!(all, expected);
    }

    #[test]
    fn without_an_evaluation_there_is_no_file_of_it() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let log = [record([("train_runtime", 1.5)])];
        write(folder.path(), &log, Samples { train: 8, eval: 0, test: 0 }).expect("writable");
        let exists = FILE_NAMES.map(|name| folder.path().join(name).exists());
        assert_eq!(exists, [true, false, false, true]);
    }
}
