//! A training run on the tiny model, started as a process, and what it ended in.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;

use super::{TinyModel, parse};

/// A run on the tiny model with its rows; every output folder has the same name, in a folder of its own.
pub struct Job {
    pub model: TinyModel,
}

/// Two epochs with a checkpoint after every step.
pub const SAVED_OFTEN: &str =
    "--num-train-epochs 2 --save-strategy steps --save-steps 1 --save-total-limit 3";

impl Job {
    /// With a few rows to evaluate on.
    pub fn new() -> Self {
        Self::with_held_out(9)
    }

    /// With so many rows to evaluate on.
    pub fn with_held_out(n_rows: usize) -> Self {
        let model = TinyModel::new("BertForSequenceClassification");
        let words =
            ["i have a new cpu", "the bank of the river", "my loan !", "don ' t . intel", "a new gpu"];
        let row = |i: usize| {
            let text = format!("{} {} {}", words[i % 5], words[i / 5 % 5], words[i / 25 % 5]);
            let label = ["bad", "good", "so so"][(i * 7 + i / 3) % 3];
            serde_json::json!({ "text": text, "label": label }).to_string()
        };
        let rows = |range: std::ops::Range<usize>| range.map(row).collect::<Vec<_>>().join("\n");
        fs::write(model.beside("train.jsonl"), rows(0..26)).expect("writable");
        fs::write(model.beside("held-out.jsonl"), rows(26..26 + n_rows)).expect("writable");
        Self { model }
    }

    /// Where the run `name` writes.
    pub fn output(&self, name: &str) -> PathBuf {
        PathBuf::from(self.model.beside(name)).join("out")
    }

    fn words(&self, more: &str) -> Vec<String> {
        let words = format!(
            "train {} --train-file {} --validation-file {} --output-dir out --learning-rate 1e-3 \
             --per-device-train-batch-size 2 --gradient-accumulation-steps 2 --eval-strategy steps --eval-steps 3 \
             --metric-for-best-model accuracy {more}",
            self.model.word(),
            self.model.beside("train.jsonl"),
            self.model.beside("held-out.jsonl")
        );
        words.split_whitespace().map(str::to_owned).collect()
    }

    /// Starts the program; it goes on beside the test.
    pub fn start(&self, name: &str, more: &str) -> Child {
        let folder = PathBuf::from(self.model.beside(name));
        fs::create_dir_all(&folder).expect("writable");
        Command::new(env!("CARGO_BIN_EXE_bertlab"))
            .args(self.words(more))
            .env("HF_HUB_OFFLINE", "1")
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program was built")
    }

    /// As on a full disk: no file may grow beyond a few kilobytes.
    pub fn run_with_small_files(&self, name: &str, more: &str) -> Output {
        Command::new("sh")
            .args(["-c", "trap '' XFSZ; ulimit -f 16; exec \"$0\" \"$@\"", env!("CARGO_BIN_EXE_bertlab")])
            .args(self.words(more))
            .env("HF_HUB_OFFLINE", "1")
            .current_dir(self.model.beside(name))
            .output()
            .expect("every Unix has `sh`")
    }

    /// Runs the program to its end.
    pub fn run(&self, name: &str, more: &str) -> Output {
        self.start(name, more).wait_with_output().expect("it ends")
    }

    /// What the run `name` ended in.
    pub fn ended(&self, name: &str) -> Ended {
        let output = self.output(name);
        let read = |file: &str| fs::read(output.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        let mut state = parse(&String::from_utf8(read("trainer_state.json")).expect("UTF-8"));
        for record in state["log_history"].as_array_mut().expect("a log is a list") {
            let record = record.as_object_mut().expect("a log line is an object");
            record.retain(|name, _| !name.ends_with("runtime") && !name.ends_with("per_second"));
        }
        Ended { weights: read("final_model/model.safetensors"), state, names: names(&output) }
    }
}

/// Weights, the state but for its times, and what lies in the output folder.
#[derive(PartialEq)]
pub struct Ended {
    pub weights: Vec<u8>,
    pub state: Value,
    pub names: Vec<String>,
}

/// What lies in a folder.
pub fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("it is there").flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Weights, state and names must be the same.
pub fn check_same(found: &Ended, expected: &Ended, what: &str) {
    assert_eq!(found.state, expected.state, "{what}");
    assert_eq!(found.names, expected.names, "{what}");
    assert!(found.weights == expected.weights, "{what}: the final weights differ");
}

/// What was said on standard error.
pub fn error_of(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// It must have ended well.
pub fn check_success(output: &Output) {
    assert_eq!(output.status.code(), Some(0), "{}", error_of(output));
}
