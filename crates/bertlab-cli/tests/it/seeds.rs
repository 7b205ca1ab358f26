//! The door: the same training with several seeds, taken up again where it stood, and what it says.

use std::fs;

use crate::support::{Run, TinyModel, parse, run};
use serde_json::{Value, json};

struct Job {
    model: TinyModel,
}

impl Job {
    fn new() -> Self {
        let model = TinyModel::new("BertModel");
        let words =
            ["i have a new cpu", "the bank of the river", "my loan !", "don ' t . intel", "a new gpu"];
        let row = |i: usize| {
            let text = format!("{} {} {}", words[i % 5], words[(i * i + 1) % 5], words[(i / 5) % 5]);
            let label = ["bad", "good"][(i * 7 + i / 3) % 2];
            json!({ "text": text, "label": label }).to_string()
        };
        let rows = |range: std::ops::Range<usize>| range.map(row).collect::<Vec<_>>().join("\n");
        fs::write(model.beside("train.jsonl"), rows(0..26)).expect("writable");
        fs::write(model.beside("held-out.jsonl"), rows(26..38)).expect("writable");
        Self { model }
    }

    fn run(&self, more: &str) -> Run {
        let words = format!(
            "train {} --train-file {} --validation-file {} --output-dir {} --num-train-epochs 1 \
             --ignore-findings {more}",
            self.model.word(),
            self.model.beside("train.jsonl"),
            self.model.beside("held-out.jsonl"),
            self.model.beside("out")
        );
        run(&words.split_whitespace().collect::<Vec<_>>())
    }

    fn seeds(&self) -> Value {
        parse(
            &fs::read_to_string(format!("{}/seeds.json", self.model.beside("out"))).expect("it was written"),
        )
    }

    fn weights(&self, seed: u64) -> Vec<u8> {
        let file = format!("{}/seed-{seed}/final_model/model.safetensors", self.model.beside("out"));
        fs::read(file).expect("it was saved")
    }
}

#[test]
fn seeds_are_trained_one_after_the_other_and_those_that_are_done_are_not_trained_again() {
    let job = Job::new();
    let out = job.run("--seeds 2").ok();
    for words in ["seed 42 (1 of 2)", "seed 43 (2 of 2)", "2 seeds", "accuracy", "±"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    let first = job.weights(42);
    assert!(first != job.weights(43), "seeds differ");
    let losses: Vec<f64> =
        [0, 1].map(|i| job.seeds()["runs"][i]["metrics"]["loss"].as_f64().expect("a number")).to_vec();
    let spread = &job.seeds()["metrics"]["loss"];
    assert!((spread["mean"].as_f64().expect("a number") - (losses[0] + losses[1]) / 2.0).abs() < 1e-12);
    let deviation = (losses[0] - losses[1]).abs() / 2f64.sqrt();
    assert!((spread["standard_deviation"].as_f64().expect("a number") - deviation).abs() < 1e-12);

    job.run("--seeds 2").refused(&["already holds a run", "seed"]);
    job.run("--seeds 3 --learning-rate 1e-2 --resume-from-checkpoint").refused(&["other settings or rows"]);
    let out = job.run("--seeds 3 --resume-from-checkpoint").ok();
    for words in ["seed 42 (1 of 3): done before", "seed 43 (2 of 3): done before", "seed 44 (3 of 3)\n"] {
        assert!(out.contains(words), "{words}: {out}");
    }
    assert!(first == job.weights(42), "it was trained again");
    assert_eq!(job.seeds()["runs"].as_array().map(Vec::len), Some(3));
}

#[test]
fn seeds_that_cannot_be_are_refused() {
    let run = Job::new().run("--seeds 1,1");
    assert_eq!(run.code, Some(2), "{}", run.err);
    assert!(run.err.contains("a seed stands there twice"), "{}", run.err);
}
