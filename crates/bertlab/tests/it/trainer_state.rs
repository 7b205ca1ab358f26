//! Golden: trainer_state.json and the results files have HuggingFace's keys, and its counts.

use std::collections::BTreeSet;
use std::path::Path;

use crate::goldens::{json, name_of, own_goldens};
use crate::support::{ReferenceRun, train};
use bertlab::train::SaveStrategy;
use serde_json::Value;

/// What the Trainer adds to every record when it is asked to count tokens, as the goldens' runs were.
const WHEN_COUNTING: [&str; 3] = ["num_input_tokens_seen", "train_tokens_per_second", "train_runtime"];
/// Ours beside the Trainer's: it leaves out `total_flos` where its bar is off.
const OURS: [&str; 1] = ["total_flos"];

#[test]
fn the_state_is_what_huggingface_writes_for_the_same_run() {
    // The others use what HuggingFace's Trainer does not have.
    let has_state = |golden: &std::path::PathBuf| golden.join("hf_trainer_state.json").is_file();
    let goldens: Vec<_> = own_goldens("training").into_iter().filter(has_state).collect();
    assert!(goldens.len() >= 3, "{} goldens have HuggingFace's state", goldens.len());
    for golden in goldens {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let output = run(&golden, scratch.path());
        let reference = json(&golden.join("hf_trainer_state.json"));
        let state = json(&output.join("trainer_state.json"));
        check_state(&state, &reference["state"], &name_of(&golden));
        for (kind, expected) in reference["log_keys"].as_object().expect("keys by kind") {
            let log = state["log_history"].as_array().expect("a log is a list");
            let record = log.iter().find(|record| record.get(kind).is_some());
            let record = record.unwrap_or_else(|| panic!("{}: no record with {kind}", golden.display()));
            check_keys(record, expected, &format!("{}: {kind}", name_of(&golden)));
        }
        for (file, expected) in reference["results_keys"].as_object().expect("keys by file") {
            check_keys(&json(&output.join(file)), expected, &format!("{}: {file}", name_of(&golden)));
        }
    }
}

/// Trains as the golden says, with a checkpoint at the end of every epoch.
fn run(golden: &Path, scratch: &Path) -> std::path::PathBuf {
    let reference = ReferenceRun::open(golden);
    let mut job = reference.job(scratch, reference.arguments());
    job.arguments.save_strategy = SaveStrategy::Epoch;
    let output = job.output_dir.clone();
    train(job).unwrap_or_else(|error| panic!("{error}"));
    output
}

/// Every key is there, and all that does not depend on losses is the same.
fn check_state(found: &Value, expected: &Value, what: &str) {
    // eval_steps has another default, and a best is remembered where there is one.
    let free = ["eval_steps", "best_global_step", "best_metric"];
    for (key, expected) in expected.as_object().expect("an object") {
        let found = found.get(key).unwrap_or_else(|| panic!("{what}: no key {key}"));
        assert!(
            free.contains(&key.as_str()) || same(found, expected),
            "{what}: {key} {found}, not {expected}"
        );
    }
}

/// 500 and 500.0 are one number.
fn same(found: &Value, expected: &Value) -> bool {
    found == expected || (found.is_number() && found.as_f64() == expected.as_f64())
}

/// The same keys; metrics of our own may stand beside HuggingFace's.
fn check_keys(found: &Value, expected: &Value, what: &str) {
    let found: BTreeSet<&str> = found.as_object().expect("an object").keys().map(String::as_str).collect();
    let wanted: BTreeSet<&str> =
        expected.as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    let missing: Vec<&&str> = wanted.iter().filter(|key| !found.contains(**key)).collect();
    assert!(missing.iter().all(|key| WHEN_COUNTING.contains(key)), "{what}: {missing:?} missing");
    let is_known = |key: &&str| wanted.contains(*key) || OURS.contains(key) || key.starts_with("eval_");
    let unknown: Vec<&&str> = found.iter().filter(|key| !is_known(key)).collect();
    assert!(unknown.is_empty(), "{what}: {unknown:?} are not HuggingFace's");
}
