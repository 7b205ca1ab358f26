//! Golden: a run that HuggingFace's Trainer began goes on here, and ends in the weights in which it ended there.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use bertlab::train::{Reporter, Resume, SamplingStrategy, TrainingArguments};
use bertlab::{Error, TrainJob};
use serde_json::Value;
use support::{ReferenceRun, arrays, copy, golden, json};
use tempfile::TempDir;

/// The checkpoint in the middle of every run.
const CHECKPOINT: &str = "checkpoint-5";
const RUNS: [&str; 3] =
    ["bert-sequence-classification", "distilbert-masked-lm", "roberta-token-classification"];

/// A reference run, and a copy of its checkpoint that may be changed.
struct Case {
    scratch: TempDir,
    reference: ReferenceRun,
}

/// Remembers what was said.
#[derive(Default)]
struct Said(Vec<String>);

impl Reporter for Said {
    fn warned(&mut self, message: &str) {
        self.0.push(message.to_owned());
    }
}

impl Case {
    fn new(name: &str) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let reference = ReferenceRun::open(&golden(&format!("resume/{name}")));
        copy(&reference.folder.join(CHECKPOINT), &scratch.path().join(CHECKPOINT));
        Self { scratch, reference }
    }

    fn checkpoint(&self) -> PathBuf {
        self.scratch.path().join(CHECKPOINT)
    }

    fn job(&self, arguments: TrainingArguments) -> TrainJob {
        let job = self.reference.job(self.scratch.path(), arguments.clone());
        let arguments =
            TrainingArguments { train_sampling_strategy: SamplingStrategy::Sequential, ..arguments };
        let model = self.reference.folder.join(CHECKPOINT).to_str().expect("UTF-8").to_owned();
        TrainJob { model, arguments, resume: Resume::From(self.checkpoint()), ..job }
    }

    /// What is said on the way.
    fn go_on(&self, arguments: TrainingArguments) -> Result<Vec<String>, Error> {
        let mut said = Said::default();
        self.job(arguments).prepare(&mut |_, _, _| {})?.train(&mut said)?;
        Ok(said.0)
    }

    fn refused(&self) -> String {
        self.go_on(self.reference.arguments()).expect_err("it must be refused").to_string()
    }
}

#[test]
fn a_run_of_huggingfaces_trainer_ends_here_as_it_does_there() {
    for name in RUNS {
        let case = Case::new(name);
        let said = case.go_on(case.reference.arguments()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].contains("from HuggingFace's Trainer"), "{said:?}");
        let output = case.scratch.path().join("out");
        let found = arrays(&output.join("final_model/model.safetensors"));
        for (weight, expected) in arrays(&case.reference.folder.join("final.safetensors")) {
            let [expected, found] =
                [&expected, &found[&weight]].map(|array| array.to_f32().expect("weights are floats"));
            let off = expected.iter().zip(&found).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(off < 1e-5, "{name}: {weight} is off by {off}");
        }
        check_log(name, &case.reference.run["log"], &json(&output.join("trainer_state.json"))["log_history"]);
    }
}

/// The figures of the whole log: taken over up to the checkpoint, then our own.
fn check_log(name: &str, expected: &Value, found: &Value) {
    let records = |log: &Value| -> Vec<Value> { log.as_array().expect("a log is a list").clone() };
    let found = records(found);
    for expected in records(expected) {
        // The Trainer's own resumed runs leave out the losses before the checkpoint in the line after it.
        let is_astride = expected["step"] == 6;
        for figure in ["loss", "grad_norm", "learning_rate", "eval_loss"] {
            let Some(wanted) = expected[figure].as_f64().filter(|_| !(is_astride && figure == "loss")) else {
                continue;
            };
            let line = found.iter().find(|line| line["step"] == expected["step"] && !line[figure].is_null());
            let value = line.and_then(|line| line[figure].as_f64());
            let value = value.unwrap_or_else(|| panic!("{name}: no {figure} at step {}", expected["step"]));
            let what = format!("{name}, step {}: {figure}", expected["step"]);
            assert!((value / wanted - 1.0).abs() < 1e-4, "{what} {value}, not {wanted}");
        }
    }
}

#[test]
fn settings_that_differ_from_the_optimizers_are_named() {
    let case = Case::new("bert-sequence-classification");
    let arguments = TrainingArguments { learning_rate: 0.02, adam_beta2: 0.9, ..case.reference.arguments() };
    let said = case.go_on(arguments).expect("it goes on").join("\n");
    for part in
        ["optimizer.pt", "the learning rate of the next step was", "adam_beta2 was 9.99e-1 and is 9e-1 now"]
    {
        assert!(said.contains(part), "`{part}` is not in: {said}");
    }
    assert!(!said.contains("weight_decay"), "{said}");
}

#[test]
fn what_does_not_fit_is_refused_with_its_reason() {
    type Change = fn(&Path);
    let of_another = |file: &Path| {
        let other = golden("resume/roberta-token-classification").join(CHECKPOINT).join("optimizer.pt");
        fs::copy(other, file).expect("writable");
    };
    let of_sgd = |file: &Path| {
        fs::copy(golden("resume/sgd.pt"), file).expect("writable");
    };
    let cut = |file: &Path| {
        let bytes = fs::read(file).expect("it is there");
        fs::write(file, &bytes[..bytes.len() / 2]).expect("writable");
    };
    let cases: [(Change, &[&str]); 3] = [
        (of_another, &["its groups have [", "with another head"]),
        (
            of_sgd,
            &["wanted a parameter group with AdamW's betas", "begin a new run from the checkpoint's weights"],
        ),
        (cut, &["optimizer.pt"]),
    ];
    for (change, words) in cases {
        let case = Case::new("bert-sequence-classification");
        change(&case.checkpoint().join("optimizer.pt"));
        let message = case.refused();
        for part in words {
            assert!(message.contains(part), "`{part}` is not in: {message}");
        }
        assert!(!case.scratch.path().join("out/final_model").exists());
    }
    let case = Case::new("bert-sequence-classification");
    let file = case.checkpoint().join("trainer_state.json");
    let mut state = json(&file);
    state["global_step"] = 4.into();
    fs::write(&file, state.to_string()).expect("writable");
    assert!(case.refused().contains("of different steps ([4, 5])"), "{}", case.refused());
}
