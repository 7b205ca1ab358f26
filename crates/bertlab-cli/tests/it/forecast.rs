//! The door: what is foreseen before a run comes true, memory within 15 %.
#![cfg(target_os = "linux")] // Elsewhere the system does not tell how much a process holds.

use std::fs;

use crate::support::TinyModel;
use serde_json::{Value, json};

/// A model of some size without weights, and long rows: what a step keeps outweighs the program.
fn model_and_rows() -> (TinyModel, String) {
    let model = TinyModel::new("BertForSequenceClassification");
    let file = format!("{}/config.json", model.without_weights());
    let mut config = crate::support::parse(&fs::read_to_string(&file).expect("there"));
    for (key, value) in [("hidden_size", 256), ("intermediate_size", 1024), ("num_hidden_layers", 4)] {
        config[key] = json!(value);
    }
    config["max_position_embeddings"] = json!(256);
    fs::write(&file, config.to_string()).expect("writable");
    let row = |i: usize| {
        let label = ["bad", "good"][i % 2];
        json!({ "input_ids": vec![5 + i % 7; 256 - i], "labels": i % 2, "label": label }).to_string()
    };
    let rows = model.beside("rows.jsonl");
    fs::write(&rows, (0..24).map(row).collect::<Vec<_>>().join("\n")).expect("writable");
    (model, rows)
}

fn summary(more: &str) -> Value {
    let (model, rows) = model_and_rows();
    let (bare, output) = (model.without_weights(), model.beside("out"));
    let words = format!(
        "train {bare} --random-weights --train-file {rows} --validation-share 0 --output-dir {output} --max-steps 2 \
         --ignore-findings --json {more}"
    );
    crate::support::run(&words.split_whitespace().collect::<Vec<_>>()).json()
}

#[test]
fn the_peak_of_memory_is_foreseen_within_15_percent() {
    let variants = [
        "",
        "--bf16",
        "--gradient-checkpointing",
        "--per-device-train-batch-size 2",
        "--freeze-layers 3 --freeze-embeddings",
    ];
    for more in variants {
        let summary = summary(more);
        let foreseen = summary["forecast"]["memory"]["peak"].as_f64().expect("bytes");
        let real = summary["peak_memory_bytes"].as_f64().expect("Linux tells");
        assert!((foreseen / real - 1.0).abs() < 0.15, "{more}: {foreseen} foreseen, {real} in truth");
        for kind in ["train_seconds", "eval_seconds", "save_seconds"] {
            assert!(summary["forecast"]["time"][kind].as_f64().expect("seconds") >= 0.0);
        }
    }
}

#[test]
fn plan_memory_and_time_are_said_before_the_first_step() {
    let (model, rows) = model_and_rows();
    let (bare, output) = (model.without_weights(), model.beside("out"));
    let words = format!(
        "train {bare} --random-weights --train-file {rows} --validation-share 0 --output-dir {output} --max-steps 2 \
         --ignore-findings"
    );
    let out = crate::support::run(&words.split_whitespace().collect::<Vec<_>>()).ok();
    let place = |words: &str| out.find(words).unwrap_or_else(|| panic!("`{words}` is not in: {out}"));
    let order = [
        "plan        2 update steps",
        "memory      about ",
        "time        about ",
        "step     1 ",
        "time        training ",
    ];
    let places: Vec<usize> = order.iter().map(|words| place(words)).collect();
    assert!(places.is_sorted(), "{out}");
    assert!(!out.contains('\u{1b}') && !out.contains('━'), "nothing of the view is in a pipe");
}
