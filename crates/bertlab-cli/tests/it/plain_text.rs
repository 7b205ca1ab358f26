//! The door: masked language models on plain text, what stays of long texts, the cache of tokens.

use std::fs;
use std::process::Command;

use crate::support::{Run, TinyModel, parse, run};
use serde_json::{Value, json};

const TEXTS: &str =
    "i have a new cpu!\n\nthe bank of the river\nmy loan. don't\nthe bank, my loan\ni have a cpu.\n";

const HELD_OUT: &str = "a new bank\nthe loan of the river.\ni don't have a gpu!\n";

fn file(model: &TinyModel, name: &str, content: &str) -> String {
    let file = model.beside(name);
    fs::write(&file, content).expect("writable");
    file
}

/// As [`run`], with a cache of its own.
fn run_with_cache(cache: &str, arguments: &[&str]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bertlab"));
    let output = command.args(arguments).env("BERTLAB_CACHE", cache).output().expect("the program was built");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// Trains a little; gives what it printed.
fn train(model: &TinyModel, more: &[&str]) -> Run {
    let (held_out, out) = (file(model, "held-out.txt", HELD_OUT), model.beside("out"));
    let file = file(model, "texts.txt", TEXTS);
    let settings =
        ["--max-steps", "2", "--learning-rate", "1e-3", "--max-length", "12", "--save-strategy", "no"];
    let words = ["train", &model.word(), "--train-file", &file, "--validation-file", &held_out];
    let out = ["--output-dir", &out, "--overwrite-output-dir", "--mlm-probability", "0.5"];
    run(&[&words[..], &settings, &out, more].concat())
}

#[test]
fn texts_train_a_masked_language_model_that_the_other_commands_take() {
    let model = TinyModel::new("BertModel");
    let done = train(&model, &["--task", "masked-lm"]);
    assert!(done.err.contains("newly initialised") && done.err.contains("cls.predictions"), "{}", done.err);
    let text = done.ok();
    for line in [
        "5 texts",
        "36 tokens, in 3 blocks of 12",
        "hidden      50 % of the tokens, others in every epoch",
        "perplexity",
    ] {
        assert!(text.contains(line), "`{line}` is not in: {text}");
    }
    let (trained, texts) = (model.beside("out/final_model"), model.beside("held-out.txt"));
    let evaluate =
        ["evaluate", &trained, "--test-file", &texts, "--max-length", "12", "--mlm-probability", "0.5"];
    let found = run(&[&evaluate[..], &["--json"]].concat()).json();
    let state = parse(&fs::read_to_string(model.beside("out/trainer_state.json")).expect("it was saved"));
    let log = state["log_history"].as_array().expect("a list");
    let last = log.iter().filter_map(|record| record["eval_loss"].as_f64()).next_back();
    assert_eq!(found["loss"].as_f64(), last, "the same tokens are hidden");
    for key in ["perplexity", "accuracy", "accuracy_top5", "majority_baseline"] {
        assert!(found[key].is_number(), "{key}: {found}");
    }
    let guesses = run(&["fill-mask", &trained, "the [MASK] of the river", "--json"]).json();
    assert_eq!(guesses["is_trained"], true);
    run(&["predict", &trained, "a text"]).refused(&["a masked language model", "fill-mask"]);
}

#[test]
fn the_task_follows_from_a_masked_language_model_and_files_of_lines() {
    let model = TinyModel::new("BertForMaskedLM");
    assert!(
        train(&model, &["--line-by-line", "--whole-word-mask"])
            .ok()
            .contains("5 texts, 37 tokens, each a row")
    );
    // A table may have its labels under another name: it is not taken for plain text.
    let table = file(&model, "table.csv", "text,stance\nthe bank,for\nthe river,against\n");
    let words = ["train", &model.word(), "--train-file", &table, "--output-dir", &model.beside("out")];
    run(&[&words[..], &["--overwrite-output-dir"]].concat()).refused(&["label"]);
    for (option, wanted) in [("--mlm-probability=0", "mlm_probability is 0"), ("--max-length=2", "2")] {
        let words = ["train", &model.word(), "--train-file", &model.beside("texts.txt"), "--output-dir"];
        run(&[&words[..], &[&model.beside("other"), option]].concat()).refused(&[wanted]);
    }
}

#[test]
fn plain_texts_are_checked() {
    let model = TinyModel::new("BertForMaskedLM");
    let rows: Vec<String> = ["the bank", "the bank", " ", "xyzzy plugh of my loan"]
        .iter()
        .map(|text| json!({"text": text}).to_string())
        .collect();
    let train = file(&model, "rows.jsonl", &rows.join("\n"));
    let words = ["check", &model.word(), "--task", "masked-lm", "--train-file", &train];
    let text = run(&words).ok();
    assert!(text.contains("masked-lm, texts end to end in blocks of 24 tokens"), "{text}");
    let found = run(&[&words[..], &["--json"]].concat()).json();
    let kinds: Vec<&Value> =
        found["findings"].as_array().expect("a list").iter().map(|finding| &finding["kind"]).collect();
    for kind in ["duplicates", "empty-texts", "unknown-tokens", "few-blocks"] {
        assert!(kinds.iter().any(|found| **found == kind), "{kind}: {found}");
    }
    assert_eq!((&found["in_blocks"], &found["n_fatal"]), (&json!(true), &json!(0)));
    let blocks = json!({"length": 24, "n_blocks": 1, "n_tokens_of_last": 15, "n_tokens_dropped": 0});
    assert_eq!(found["splits"][0]["blocks"], blocks, "the blank text is in no block");
    assert!(text.contains("end to end in 1 block of 24 tokens, the last of 15"), "{text}");
    let found = run(&[&words[..], &["--line-by-line", "--max-length", "4", "--json"]].concat()).json();
    assert_eq!((&found["in_blocks"], &found["splits"][0]["blocks"]), (&json!(false), &Value::Null));
    assert_eq!(found["splits"][0]["n_rows_cut"], 1);
    // A training says the same.
    let words = ["train", &model.word(), "--task", "masked-lm", "--train-file", &train, "--max-steps", "1"];
    let more = ["--output-dir", &model.beside("checked"), "--line-by-line", "--max-length", "4"];
    let run = run(&[&words[..], &more].concat());
    assert!(run.err.contains("warning: training: 1 row is cut to 4 tokens (25 %)"), "{}", run.err);
}

#[test]
fn a_trained_model_cuts_long_texts_as_it_was_taught() {
    let model = TinyModel::new("BertForSequenceClassification");
    let long = |word: &str| format!("{word} {}", "the bank of the river ".repeat(8));
    let rows = format!("text,label\n{},bad\n{},good\n{},so so\n", long("i"), long("cpu"), long("loan"));
    let file = file(&model, "rows.csv", &rows);
    let out = model.beside("out");
    let train = |more: &[&str]| {
        let words = ["train", &model.word(), "--train-file", &file, "--output-dir", &out, "--max-steps", "1"];
        run(&[
            &words[..],
            &["--overwrite-output-dir", "--save-strategy", "no", "--eval-strategy", "no"],
            more,
        ]
        .concat())
    };
    let trained = model.beside("out/final_model");
    let config =
        || parse(&fs::read_to_string(format!("{trained}/tokenizer_config.json")).expect("it was saved"));
    let scores = |text: &str, more: &[&str]| {
        run(&[&["predict", &trained, text, "--json"], more].concat()).json()["scores"].clone()
    };
    // With the head, words beyond the limit change nothing; with the tail, words at the beginning do not.
    let (at_start, at_end) = (long("cpu") + "the bank", long("i") + "my loan");
    train(&["--truncation", "head"]).ok();
    assert!(config()["bertlab_truncation"].is_null() && config()["truncation_side"] != "left");
    assert_eq!(scores(&at_end, &[]), scores(&(long("i") + "a gpu"), &[]));
    train(&["--truncation", "tail"]).ok();
    assert_eq!(config()["truncation_side"], "left");
    assert_ne!(scores(&at_end, &[]), scores(&(long("i") + "a gpu"), &[]));
    assert_eq!(scores(&at_start, &[]), scores(&(long("i") + "the bank"), &[]));
    assert_ne!(scores(&at_start, &["--truncation", "head"]), scores(&at_start, &[]));
    train(&["--truncation-head", "3"]).ok();
    assert_eq!(
        (&config()["bertlab_truncation"], &config()["bertlab_truncation_head"]),
        (&json!("head+tail"), &json!(3))
    );
    assert_ne!(scores(&at_start, &[]), scores(&(long("i") + "the bank"), &[]));
    assert_ne!(scores(&at_end, &[]), scores(&(long("i") + "a gpu"), &[]));
    train(&["--truncation", "head", "--max-length", "8"]).ok();
    assert_eq!(config()["model_max_length"], 8);
    assert_eq!(scores(&at_start, &[]), scores("cpu the bank of the river my loan", &[]));
    let cut = run(&["predict", &trained, &at_start]);
    assert!(cut.err.contains("1 of 1 texts were longer than 8 tokens and were cut"), "{}", cut.err);
    let (more, next) = (model.beside("out/final_model"), model.beside("next"));
    let words = ["train", &more, "--train-file", &file, "--output-dir", &next, "--max-steps", "1"];
    let out = run(&[&words[..], &["--eval-strategy", "no", "--max-length", "16"]].concat()).ok();
    assert!(out.contains("cut to 16 tokens"), "a length that was learnt is no limit: {out}");
    train(&["--truncation", "tail", "--truncation-head", "3"])
        .refused(&["belongs to --truncation head+tail"]);
}

#[test]
fn a_second_start_says_that_it_reads_the_cache() {
    let model = TinyModel::new("BertModel");
    let rows: Vec<String> = (0..3000).map(|n| format!("the bank of the river {n} {}", n % 7)).collect();
    let (train, cache) = (file(&model, "many.txt", &rows.join("\n")), model.beside("cache"));
    let words = ["check", &model.word(), "--task", "masked-lm", "--train-file", &train, "--json"];
    let check = |more: &[&str]| run_with_cache(&cache, &[&words[..], more].concat());
    let first = check(&[]);
    assert!(first.err.contains("tokens are kept in") && first.err.contains(&cache), "{}", first.err);
    let second = check(&[]);
    assert!(
        second.err.contains("tokens were read from") && second.err.contains("--no-cache"),
        "{}",
        second.err
    );
    assert_eq!(second.out, first.out);
    assert!(!check(&["--no-cache"]).err.contains("tokens"));
    let file =
        fs::read_dir(format!("{cache}/tokens")).expect("it was made").flatten().next().expect("one file");
    let bytes = fs::read(file.path()).expect("readable");
    fs::write(file.path(), &bytes[..bytes.len() - 7]).expect("writable");
    let third = check(&[]);
    assert!(third.err.contains("warning") && third.err.contains("tokenized anew"), "{}", third.err);
    assert_eq!(third.out, first.out);
}
