//! The door: data sets by their names on the hub, and folders of data sets.

use std::fs;
use std::process::Command;

use crate::stand_in_hub::StandInHub;
use crate::support::{Run, TinyModel, run};
use serde_json::{Value, json};

/// So many rows, no two alike; every third is bad.
fn table(from: usize, n: usize, label: impl Fn(usize) -> &'static str) -> Vec<u8> {
    let words = ["bank", "river", "loan", "cpu", "gp", "intel", "new", "my", "have"];
    let row =
        |i: usize| format!("{} {} {},{}\n", words[i % 9], words[i / 9 % 9], words[i / 81 % 9], label(i));
    format!("text,label\n{}", (from..from + n).map(row).collect::<String>()).into_bytes()
}

fn good_or_bad(row: usize) -> &'static str {
    if row.is_multiple_of(3) { "bad" } else { "good" }
}

/// The program with this hub and cache, and the network on.
fn run_online(hub: &StandInHub, model: &TinyModel, words: &[&str]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_bertlab"))
        .args(words)
        .env_remove("HF_HUB_OFFLINE")
        .env("HF_ENDPOINT", &hub.endpoint)
        .env("HF_HUB_CACHE", model.beside("hub"))
        .output()
        .expect("the program was built");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Run { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

#[test]
fn a_data_set_of_the_hub_is_trained_on_checked_and_evaluated_on() {
    let model = TinyModel::new("BertModel");
    let card = json!({"configs": [{"config_name": "plain", "data_files": [
        {"split": "train", "path": "plain/train-*"}, {"split": "test", "path": "plain/test-*"},
        {"split": "unsupervised", "path": "plain/unsupervised-*"}]}]});
    let hub = StandInHub::start_dataset(
        "lab/reviews",
        "reviews",
        &card.to_string(),
        &[
            ("plain/train-00000-of-00002.csv", table(0, 60, good_or_bad)),
            ("plain/train-00001-of-00002.csv", table(60, 60, good_or_bad)),
            ("plain/test-00000-of-00001.csv", table(300, 30, good_or_bad)),
            ("plain/unsupervised-00000-of-00001.csv", table(400, 30, |_| "-1")),
        ],
    );
    let (word, out) = (model.word(), model.beside("out"));
    let train = ["train", &word, "--dataset", "lab/reviews", "--num-train-epochs", "1", "--output-dir", &out];
    let text = run_online(&hub, &model, &train).ok();
    for words in ["training    108 rows", "validation  12 rows", "test        30 rows", "on 30 test rows"] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    assert!(!hub.requests().iter().any(|request| request.path.contains("unsupervised-")), "it is not wanted");

    let n_requests = hub.requests().len();
    let check = ["check", &word, "--dataset", "lab/reviews", "--json"];
    let found = run_online(&hub, &model, &check).json();
    assert_eq!((&found["splits"][0]["n_rows"], &found["splits"][1]["split"]), (&json!(120), &json!("test")));
    let trained = model.beside("out/final_model");
    let scores =
        run_online(&hub, &model, &["evaluate", &trained, "--dataset", "lab/reviews", "--json"]).json();
    assert_eq!(scores["n_rows"], 30);
    assert_eq!(hub.requests().len(), n_requests, "everything was in the cache");

    let other = ["check", &word, "--dataset", "lab/reviews", "--test-split", "held-out"];
    run_online(&hub, &model, &other).refused(&["no split \"held-out\"", "\"unsupervised\""]);
    let offline = ["check", &word, "--dataset", "lab/reviews", "--train-split", "unsupervised", "--offline"];
    run_online(&hub, &model, &offline).refused(&["hf download --repo-type dataset lab/reviews"]);
}

/// A folder beside the model with these files.
fn folder(model: &TinyModel, name: &str, files: &[(&str, Vec<u8>)]) -> String {
    let folder = model.beside(name);
    for (file, content) in files {
        let file = std::path::Path::new(&folder).join(file);
        fs::create_dir_all(file.parent().expect("it has one")).expect("writable");
        fs::write(file, content).expect("writable");
    }
    folder
}

fn splits(found: &Value) -> Vec<(String, u64)> {
    let splits = found["splits"].as_array().expect("a list").iter();
    splits.map(|split| (split["split"].to_string(), split["n_rows"].as_u64().expect("a number"))).collect()
}

#[test]
fn a_folder_is_split_by_the_names_of_its_files() {
    let model = TinyModel::new("BertModel");
    let files = [
        ("train-00.csv", table(0, 30, good_or_bad)),
        ("train-01.csv", table(30, 30, good_or_bad)),
        ("dev.csv", table(200, 15, good_or_bad)),
        ("test.csv", table(300, 12, |_| "-1")),
    ];
    let folder = folder(&model, "reviews", &files);
    let found = run(&["check", &model.word(), "--dataset", &folder, "--json"]).json();
    // The test split has no labels, as that of many data sets on the hub: it is left out.
    let expected = [("\"training\"".to_owned(), 60), ("\"validation\"".to_owned(), 15)];
    assert_eq!(splits(&found), expected, "{found}");
    run(&["check", &model.word(), "--dataset", &folder, "--test-split", "none"]).ok();
    run(&["check", &model.word(), "--dataset", "./no-such-folder"])
        .refused(&["no-such-folder", "no such folder"]);
    let both = run(&["check", &model.word(), "--dataset", &folder, "--train-file", "a.csv"]);
    assert_eq!(both.code, Some(2), "{}", both.err);
}

#[test]
fn test_rows_without_any_label_are_left_out_with_a_word() {
    let model = TinyModel::new("BertModel");
    let without = |text: &str| format!("{{\"text\": \"{text}\", \"label\": -1}}\n");
    let row = |i: usize| {
        let table = String::from_utf8(table(i, 1, |_| "0")).expect("UTF-8");
        let text = table.lines().nth(1).and_then(|line| line.split(',').next()).expect("a row").to_owned();
        format!("{{\"text\": \"{text}\", \"label\": {}}}\n", i % 2)
    };
    let files = [
        ("train.jsonl", (0..120).map(row).collect::<String>().into_bytes()),
        ("test.jsonl", [without("the bank"), without("my loan")].concat().into_bytes()),
    ];
    let folder = folder(&model, "glue", &files);
    let out = model.beside("out");
    let words = ["train", &model.word(), "--dataset", &folder, "--max-steps", "1", "--output-dir", &out];
    let found = run(&words);
    assert!(found.err.contains("none of 2 rows has a label"), "{}", found.err);
    assert!(!found.ok().contains("test rows"));
    run(&[&words[..], &["--test-split", "test", "--overwrite-output-dir"]].concat()).refused(&["label"]);
    run(&["check", &model.word(), "--dataset", &folder]).ok();
}
