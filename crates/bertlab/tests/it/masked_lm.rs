//! A masked language model continues on plain texts: the same masks after a resume and on any number of threads, the
//! same evaluation each time, a mean over hidden tokens however rows fell into batches, a head where there was none.

use bertlab::progress::NoProgress;
use std::fs;
use std::path::{Path, PathBuf};

use crate::goldens::{arrays, copy, golden, json, set_config};
use crate::support::{open, opened, train_job};
use bertlab::train::{MaskingOptions, Resume, SamplingStrategy, SaveStrategy, Silent, TrainingArguments};
use bertlab::{Error, HeadKind, RowsRequest, Task, TextOptions, TrainJob};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A tiny checkpoint with a tokenizer, and texts.
struct Case {
    scratch: TempDir,
    arguments: TrainingArguments,
    text: TextOptions,
}

const WORDS: [&str; 12] =
    ["the", "bank", "of", "river", "is", "long", "unaffable", "my loans", "cpu", "new", ".", "don't"];

fn texts(n: usize, shift: usize) -> String {
    let line = |line: usize| {
        let word = |i: usize| WORDS[(line * 5 + i * i + i * 3 + shift) % WORDS.len()];
        (0..4 + line % 7).map(word).collect::<Vec<_>>().join(" ")
    };
    (0..n).map(line).collect::<Vec<_>>().join("\n")
}

impl Case {
    /// From a golden checkpoint, with dropout.
    fn new(checkpoint: &str, dropout: f64) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let init = scratch.path().join("init");
        copy(&golden(&format!("checkpoints/{checkpoint}")), &init);
        for name in ["vocab.txt", "tokenizer_config.json"] {
            fs::copy(golden("masked-lm").join(name), init.join(name)).expect("writable");
        }
        let dropouts = ["hidden_dropout_prob", "attention_probs_dropout_prob"];
        set_config(&init, &dropouts.map(|name| (name, json!(dropout))));
        fs::write(scratch.path().join("train.txt"), texts(40, 0)).expect("writable");
        fs::write(scratch.path().join("eval.txt"), texts(12, 5)).expect("writable");
        let arguments = TrainingArguments {
            num_train_epochs: 2.0,
            per_device_train_batch_size: 4,
            gradient_accumulation_steps: 2,
            learning_rate: 1e-3,
            ..TrainingArguments::default()
        };
        let text = TextOptions {
            max_length: Some(16),
            masking: MaskingOptions { mlm_probability: 0.3, whole_word_mask: false },
            ..TextOptions::default()
        };
        Self { scratch, arguments, text }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn rows(&self, name: &str) -> RowsRequest {
        RowsRequest { files: vec![self.file(name)], ..RowsRequest::default() }
    }

    /// A checkpoint after every step.
    fn job(&self, out: &str, resume: Resume) -> TrainJob {
        let train = self.file("train.txt");
        let job = train_job(&self.file("init"), &train, &self.file(out), self.arguments.clone());
        TrainJob {
            task: Some(Task::MaskedLm),
            validation: Some(self.rows("eval.txt")),
            text: self.text.clone(),
            arguments: TrainingArguments {
                train_sampling_strategy: self.arguments.train_sampling_strategy,
                save_strategy: SaveStrategy::Steps,
                save_steps: 1.0,
                ..job.arguments
            },
            resume,
            ..job
        }
    }

    fn run(&self, out: &str, resume: Resume) -> Result<(), Error> {
        self.job(out, resume).prepare(&NoProgress)?.train(&mut Silent).map(|_| ())
    }

    fn trained(&self, out: &str) -> (Vec<u8>, Vec<Value>) {
        self.run(out, Resume::No).unwrap_or_else(|error| panic!("{error}"));
        self.ended(out)
    }

    /// The final weights, and the log without times.
    fn ended(&self, out: &str) -> (Vec<u8>, Vec<Value>) {
        let out = self.file(out);
        let weights = fs::read(out.join("final_model/model.safetensors")).expect("it was saved");
        let state = json(&out.join("trainer_state.json"));
        let mut log = state["log_history"].as_array().expect("a list").clone();
        for record in &mut log {
            let record = record.as_object_mut().expect("an object");
            record.retain(|name, _| !name.ends_with("runtime") && !name.ends_with("per_second"));
        }
        (weights, log)
    }
}

fn losses(log: &[Value], key: &str) -> Vec<f64> {
    log.iter().filter_map(|record| record.get(key)?.as_f64()).collect()
}

fn is_same(found: &(Vec<u8>, Vec<Value>), expected: &(Vec<u8>, Vec<Value>), what: &str) {
    assert_eq!(found.1, expected.1, "{what}");
    assert!(found.0 == expected.0, "{what}: the final weights differ");
}

#[test]
fn taken_up_anywhere_the_same_tokens_are_hidden() {
    for (line_by_line, whole_word_mask) in [(false, false), (true, true)] {
        let mut case = Case::new("bert-masked-lm", 0.1);
        case.text.line_by_line = line_by_line;
        case.text.masking.whole_word_mask = whole_word_mask;
        let expected = case.trained("out");
        let n_steps = losses(&expected.1, "loss").len();
        assert!(n_steps > 4, "{n_steps} steps");
        for step in (1..n_steps).rev() {
            let checkpoint = case.file("out").join(format!("checkpoint-{step}"));
            for later in step + 1..=n_steps {
                fs::remove_dir_all(case.file("out").join(format!("checkpoint-{later}"))).expect("writable");
            }
            case.run("out", Resume::From(checkpoint)).unwrap_or_else(|error| panic!("{error}"));
            is_same(&case.ended("out"), &expected, &format!("from step {step}"));
        }
    }
}

#[test]
fn another_number_of_threads_changes_nothing() {
    let case = Case::new("bert-masked-lm", 0.1);
    let on = |n_threads: usize, out: &str| {
        let pool =
            rayon::ThreadPoolBuilder::new().num_threads(n_threads).build().expect("threads can be had");
        pool.install(|| case.trained(out))
    };
    is_same(&on(3, "three"), &on(1, "one"), "on three threads");
}

#[test]
fn every_hidden_token_weighs_the_same_however_rows_fell_into_batches() {
    let mut case = Case::new("bert-masked-lm", 0.0);
    case.text.line_by_line = true;
    let expected = losses(&case.trained("4 times 2").1, "loss");
    (case.arguments.per_device_train_batch_size, case.arguments.gradient_accumulation_steps) = (8, 1);
    let at_once = losses(&case.trained("8 at once").1, "loss");
    (case.arguments.per_device_train_batch_size, case.arguments.gradient_accumulation_steps) = (1, 8);
    let singly = losses(&case.trained("singly").1, "loss");
    for ((a, b), c) in expected.iter().zip(&at_once).zip(&singly) {
        assert!((a - b).abs() < 1e-4 && (a - c).abs() < 1e-4, "{a} {b} {c}");
    }
    // Other masks in the second epoch, the same at every evaluation, and of another seed others.
    case.arguments.learning_rate = 0.0;
    case.arguments.train_sampling_strategy = SamplingStrategy::Sequential;
    let (_, log) = case.trained("standing still");
    let (train, eval) = (losses(&log, "loss"), losses(&log, "eval_loss"));
    assert!(train[0] != train[train.len() / 2]);
    assert!(eval.len() >= 2 && eval.iter().all(|&loss| loss == eval[0]), "{eval:?}");
}

#[test]
fn an_evaluation_afterwards_hides_the_same_tokens() {
    for line_by_line in [false, true] {
        let mut case = Case::new("bert-masked-lm", 0.1);
        case.text.line_by_line = line_by_line;
        let (_, log) = case.trained("out");
        let model = opened(&case.file("out/final_model"));
        assert_eq!(model.model.spec.head.kind, HeadKind::MaskedLm);
        let evaluate = |rows: RowsRequest| {
            let evaluated = model.evaluate(&rows, &case.text, &NoProgress).expect("texts");
            evaluated.evaluation.loss
        };
        assert_eq!(Some(&evaluate(case.rows("eval.txt"))), losses(&log, "eval_loss").last());
        assert_ne!(
            evaluate(RowsRequest { seed: 1, ..case.rows("eval.txt") }),
            evaluate(case.rows("eval.txt"))
        );
        let perplexity = losses(&log, "eval_perplexity");
        let loss = losses(&log, "eval_loss");
        assert!((perplexity[0] - loss[0].exp()).abs() < 1e-9 * perplexity[0]);
    }
}

#[test]
fn where_nothing_is_hidden_there_is_nothing_to_learn_and_no_figure() {
    let mut case = Case::new("bert-masked-lm", 0.1);
    case.text.line_by_line = true;
    case.text.masking.mlm_probability = 1e-12;
    let (weights, log) = case.trained("out");
    assert!(losses(&log, "loss").iter().all(|&loss| loss == 0.0) && !losses(&log, "loss").is_empty());
    assert!(losses(&log, "eval_loss").is_empty() && losses(&log, "eval_perplexity").is_empty());
    let before = arrays(&case.file("init/model.safetensors"));
    let after = arrays(&case.file("out/final_model/model.safetensors"));
    for (name, array) in &after {
        let same = before.get(name).is_none_or(|before| before.bytes[..] == array.bytes[..]);
        assert!(same, "{name} moved without a gradient");
    }
    assert!(!weights.is_empty());
}

#[test]
fn an_encoder_without_such_a_head_gets_one_that_is_saved() {
    let mut case = Case::new("bert-gelu-new-zip", 0.0);
    case.arguments.num_train_epochs = 12.0;
    case.arguments.learning_rate = 5e-3;
    let prepared = case.job("out", Resume::No).prepare(&NoProgress).expect("an encoder");
    assert!(prepared.opened.report.new.iter().any(|name| name.starts_with("cls.predictions.transform")));
    drop(prepared);
    let (_, log) = case.trained("out");
    let eval = losses(&log, "eval_loss");
    assert!(eval.last() < eval.first(), "it learns: {eval:?}");
    let folder = case.file("out/final_model");
    let config = json(&folder.join("config.json"));
    assert_eq!(config["architectures"], json!(["BertForMaskedLM"]));
    let weights = arrays(&folder.join("model.safetensors"));
    assert!(!weights.contains_key("cls.predictions.decoder.weight"), "the decoder is the word embedding");
    let reopened = open(
        &folder,
        bertlab::OpenOptions { head: bertlab::HeadChoice::Kind(HeadKind::MaskedLm), ..Default::default() },
    )
    .expect("what was saved opens");
    assert!(reopened.report.is_clean(), "{:?}", reopened.report);
}

#[test]
fn a_run_is_not_taken_up_with_other_masks() {
    let mut case = Case::new("bert-masked-lm", 0.1);
    case.trained("out");
    let refused = |case: &Case| case.run("out", Resume::Newest).expect_err("another run").to_string();
    case.text.masking.mlm_probability = 0.2;
    assert!(refused(&case).contains("mlm_probability is 0.2 and was 0.3"));
    case.text.masking = MaskingOptions { mlm_probability: 0.3, whole_word_mask: true };
    assert!(refused(&case).contains("whole_word_mask is true and was false"));
    case.text.masking.whole_word_mask = false;
    case.text.line_by_line = true;
    assert!(refused(&case).contains("training rows"));
}

#[test]
fn blank_texts_are_left_out_and_what_cannot_be_is_said() {
    let mut case = Case::new("bert-masked-lm", 0.0);
    let rows = ["{\"text\": \"the bank\"}", "{\"text\": \"  \"}", "{\"text\": \"a river\"}"];
    fs::write(case.file("rows.jsonl"), rows.join("\n")).expect("writable");
    let prepare = |case: &Case, file: &str| {
        let job = TrainJob { train: case.rows(file), ..case.job("out", Resume::No) };
        job.prepare(&NoProgress)
    };
    let prepared = prepare(&case, "rows.jsonl").unwrap_or_else(|error| panic!("{error}"));
    let counts = prepared.train.of_texts.expect("texts were read");
    assert_eq!((counts.n_texts, counts.n_blank, counts.block_length), (2, 1, Some(16)));
    assert_eq!(prepared.train.examples[0].input_ids.len(), 8, "one block: two texts of four tokens");
    case.text.line_by_line = true;
    assert_eq!(prepare(&case, "rows.jsonl").expect("texts").train.examples.len(), 2);
    case.text.line_by_line = false;
    case.text.max_length = Some(2);
    let message = prepare(&case, "rows.jsonl").err().expect("no room").to_string();
    assert!(message.contains("2"), "{message}");
    fs::write(case.file("blank.jsonl"), "{\"text\": \" \"}").expect("writable");
    case.text.max_length = None;
    let message = prepare(&case, "blank.jsonl").err().expect("no text").to_string();
    assert!(message.contains("nothing to learn"), "{message}");
    assert!(Path::new(&case.file("init")).exists());
}
