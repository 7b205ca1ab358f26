//! The door: a training by `--config`: file and flags, HuggingFace's spelling, notes and refusals.

use std::fs;

use crate::support::{Run, TinyModel, parse, run};
use serde_json::{Value, json};

/// A tiny model with rows beside it.
struct Job(TinyModel);

impl Job {
    fn new() -> Self {
        let model = TinyModel::new("BertForSequenceClassification");
        let row = |i: usize| {
            let text = ["the bank", "my loan", "a new cpu", "i have a river"][i % 4].to_owned()
                + &" !".repeat(i % 5);
            let label = ["bad", "good", "so so"][i % 3];
            json!({ "text": text, "label": label }).to_string()
        };
        let rows = |range: std::ops::Range<usize>| range.map(row).collect::<Vec<_>>().join("\n");
        fs::write(model.beside("train.jsonl"), rows(0..12)).expect("writable");
        fs::write(model.beside("held-out.jsonl"), rows(12..18)).expect("writable");
        Self(model)
    }

    /// Writes a file of settings that names model, rows and output; gives its path.
    fn toml(&self, more: &str) -> String {
        let file = self.0.beside("run.toml");
        let text = format!(
            "model = {:?}\ntrain_file = {:?}\nvalidation_file = [{:?}]\noutput_dir = {:?}\nignore_findings = true\n{more}",
            self.0.word(),
            self.0.beside("train.jsonl"),
            self.0.beside("held-out.jsonl"),
            self.0.beside("out"),
        );
        fs::write(&file, text).expect("writable");
        file
    }

    fn train(&self, config: &str, flags: &str) -> Run {
        let words = ["train", "--config", config, "--overwrite-output-dir", "--json"];
        run(&words.into_iter().chain(flags.split_whitespace()).collect::<Vec<_>>())
    }

    /// training_args.json of the last run.
    fn used(&self) -> Value {
        parse(&fs::read_to_string(self.0.beside("out/training_args.json")).expect("it was written"))
    }
}

#[test]
fn a_file_names_seeds_and_a_flag_overrides_them() {
    let job = Job::new();
    let config = job.toml("max_steps = 1\nsave_strategy = \"no\"\nseeds = [3, 1]\n");
    let seeds = |run: Run| -> Vec<Value> {
        let runs = run.json()["runs"].as_array().expect("a run for each seed").clone();
        runs.iter().map(|run| run["seed"].clone()).collect()
    };
    assert_eq!(seeds(job.train(&config, "")), [3, 1]);
    assert_eq!(seeds(job.train(&config, "--seeds 2")), [42, 43]);
    job.train(&job.toml("seeds = 0\n"), "").refused(&["seeds", "0 seeds are no training"]);
}

#[test]
fn a_file_holds_the_whole_job_and_flags_override_it() {
    let job = Job::new();
    let config =
        job.toml("max_steps = 3\nlearning_rate = 1e-3\nseed = 7\nsave_strategy = \"no\"\nbf16 = true\n");
    assert_eq!(job.train(&config, "").json()["n_steps"], 3);
    let used = job.used();
    assert_eq!(
        (&used["learning_rate"], &used["seed"], &used["bf16"]),
        (&json!(1e-3), &json!(7), &json!(true))
    );
    let summary = job.train(&config, "--max_steps 2 --learning-rate 5e-4 --bf16 False").json();
    assert_eq!(summary["n_steps"], 2);
    let used = job.used();
    assert_eq!(
        (&used["learning_rate"], &used["seed"], &used["bf16"]),
        (&json!(5e-4), &json!(7), &json!(false))
    );
    let by_epochs = job.train(&config, "--num-train-epochs 1 --per-gpu-train-batch-size 12");
    assert!(by_epochs.err.contains("max_steps is passed over"), "{}", by_epochs.err);
    assert_eq!(by_epochs.json()["n_steps"], 1);
}

#[test]
fn what_was_used_can_be_used_again() {
    let job = Job::new();
    job.train(&job.toml("max_steps = 4\nlearning_rate = 3e-4\nlogging_steps = 0.5\n"), "").ok();
    let (used, weights) =
        (job.used(), fs::read(job.0.beside("out/final_model/model.safetensors")).expect("saved"));
    let written = job.0.beside("used.json");
    fs::copy(job.0.beside("out/training_args.json"), &written).expect("writable");
    let rows = [job.0.beside("train.jsonl"), job.0.beside("held-out.jsonl"), job.0.beside("out")];
    let flags = format!(
        "{} --train-file {} --validation-file {} --output-dir {} --ignore-findings",
        job.0.word(),
        rows[0],
        rows[1],
        rows[2]
    );
    job.train(&written, &flags).ok();
    assert_eq!(job.used(), used);
    assert!(fs::read(job.0.beside("out/final_model/model.safetensors")).expect("saved") == weights);
}

#[test]
fn huggingfaces_words_are_understood() {
    let job = Job::new();
    let file = job.toml(
        "evaluation_strategy = \"epoch\"\nmax_seq_length = 16\noptim = \"adamw_torch\"\ndataloader_num_workers = 4\n\
         resume_from_checkpoint = false\nmax_steps = 2\n",
    );
    let done = job.train(&file, "--no_cuda --group_by_length True --load_best_model_at_end False");
    for note in [
        "run.toml: evaluation_strategy is called eval_strategy here",
        "max_seq_length is called max_length here",
        "passed over, as they change nothing here: dataloader_num_workers, no_cuda; and one more",
    ] {
        assert!(done.err.contains(note), "`{note}` is not in: {}", done.err);
    }
    done.ok();
    let used = job.used();
    assert_eq!(used["train_sampling_strategy"], "group_by_length");
    assert_eq!((&used["eval_strategy"], &used["load_best_model_at_end"]), (&json!("epoch"), &json!(false)));
}

#[test]
fn what_is_wrong_is_said_before_anything_is_read() {
    let job = Job::new();
    let refused = |more: &str, words: &[&str]| job.train(&job.toml(more), "").refused(words);
    refused("learning_rat = 1.0", &["run.toml", "`learning_rat`", "did you mean `learning_rate`?"]);
    refused("max_train_sample = 1", &["did you mean `max_train_samples`?"]);
    refused("task = \"masked\"", &["run.toml: task is \"masked\"", "sequence-classification"]);
    refused("truncation = \"middle\"", &["truncation is \"middle\"", "head+tail"]);
    refused("sample = \"frist\"", &["stratified, random, first", "did you mean first?"]);
    refused("test_file = 5", &["test_file is 5", "a file's name, or a list of them"]);
    refused("optim = \"sgd\"", &["optim is \"sgd\"", "AdamW"]);
    refused("fp16 = true", &["fp16", "--bf16"]);
    run(&["train", "--config", "nowhere.toml"]).refused(&["nowhere.toml: the settings cannot be read"]);
    run(&["train"]).refused(&["the model is missing: give MODEL, or `model` in the file of --config"]);
    run(&["train", &job.0.word(), "--output-dir", "out"]).refused(&["--train-file FILE"]);
    run(&["train", &job.0.word(), "--train-file", "a.csv"]).refused(&["--output-dir DIR"]);
}

#[test]
fn early_stopping_is_told() {
    let job = Job::new();
    let flags =
        "--early-stopping-patience 1 --early-stopping-threshold 1000 --eval-strategy steps --eval-steps 1";
    let done = job.train(&job.toml("max_steps = 9\n"), flags);
    assert!(done.err.contains("stopped early, after step 2 of 9"), "{}", done.err);
    let summary = done.json();
    assert_eq!((&summary["n_steps"], &summary["stopped_early"]), (&json!(2), &json!(true)));
}
