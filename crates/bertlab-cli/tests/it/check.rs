//! The door: the preflight.

use std::fs;

use crate::support::{TinyModel, parse, run};
use serde_json::{Value, json};

fn file(model: &TinyModel, name: &str, content: &str) -> String {
    let file = model.beside(name);
    fs::write(&file, content).expect("writable");
    file
}

fn kinds(found: &Value) -> Vec<(String, String)> {
    let findings = found["findings"].as_array().expect("a list");
    let word = |value: &Value| value.as_str().expect("a word").to_owned();
    findings.iter().map(|finding| (word(&finding["severity"]), word(&finding["kind"]))).collect()
}

#[test]
fn good_rows_pass_with_their_figures() {
    let model = TinyModel::new("BertModel");
    let train = file(&model, "train.csv", "text,label\nthe bank,bad\na new cpu,good\nmy loan,bad\n");
    let held_out = file(&model, "held-out.csv", "text,label\nthe river,good\nthe loan,bad\n");
    let words = ["check", &model.word(), "--train-file", &train, "--validation-file", &held_out];
    let text = run(&words).ok();
    for line in
        ["training    3 rows: bad 2, good 1", "validation  2 rows: bad 1, good 1", "nothing to complain"]
    {
        assert!(text.contains(line), "`{line}` is not in: {text}");
    }
    let found = run(&[&words[..], &["--json"]].concat()).json();
    assert_eq!((&found["findings"], &found["n_fatal"]), (&json!([]), &json!(0)));
    assert_eq!(found["question"], "single_label_classification");
    assert_eq!(found["splits"][0]["labels"][0], json!({"label": "bad", "count": 2}));
    // [CLS], words, [SEP]: 4 + 5 + 4 tokens.
    assert_eq!(
        (&found["splits"][0]["n_tokens"], &found["splits"][0]["lengths"]["longest"]),
        (&json!(13), &json!(5))
    );
}

#[test]
fn fatal_findings_come_first_and_end_with_code_1() {
    let model = TinyModel::new("BertModel");
    let train = file(&model, "train.csv", "text,label\nthe bank,bad\nthe bank,bad\n,bad\n");
    let test = file(&model, "test.csv", "text,label\nthe bank,bad\nmy loan,good\n");
    let found = run(&["check", &model.word(), "--train-file", &train, "--test-file", &test]);
    let text = found.out.clone();
    found.refused(&["3 fatal findings", "mean nothing"]);
    assert!(text.contains("fatal       training: all 3 rows have the label \"bad\""), "{text}");
    assert!(text.contains("test.csv, row 2 [bad]; train.csv, row 2 [bad]: \"the bank\""), "{text}");
    let widest = text.lines().skip(1).map(|line| line.chars().count()).max();
    assert!(widest <= Some(80) && !text.contains('\u{1b}'), "{widest:?}: {text}");

    let words = ["check", &model.word(), "--train-file", &train, "--test-file", &test, "--json"];
    let found = run(&words);
    assert_eq!(found.code, Some(1));
    let kinds = kinds(&parse(&found.out));
    let expected = [
        ("fatal", "single-class"),
        ("fatal", "unusable-labels"),
        ("fatal", "leakage"),
        ("warning", "duplicates"),
        ("warning", "empty-texts"),
    ];
    assert_eq!(kinds, expected.map(|(severity, kind)| (severity.to_owned(), kind.to_owned())));
}

#[test]
fn labels_without_a_meaning_are_a_finding_and_the_texts_are_still_looked_at() {
    let model = TinyModel::new("BertModel");
    let rows = "{\"text\": \"the bank\", \"label\": -1}\n{\"text\": \"the bank\", \"label\": -1}\n";
    let train = file(&model, "train.jsonl", rows);
    let found = run(&["check", &model.word(), "--train-file", &train, "--json"]);
    assert_eq!(found.code, Some(1));
    let found = parse(&found.out);
    let kinds = kinds(&found);
    assert_eq!(found["question"], Value::Null);
    let expected = [("fatal", "unusable-labels"), ("warning", "duplicates")];
    assert_eq!(kinds, expected.map(|(severity, kind)| (severity.to_owned(), kind.to_owned())));
    assert!(
        found["findings"][0]["sentence"].as_str().is_some_and(|text| text.contains("label -1")),
        "{found}"
    );
}

#[test]
fn a_trained_head_says_which_labels_there_are() {
    let model = TinyModel::new("BertForSequenceClassification");
    let train = file(&model, "train.csv", "text,label\nthe bank,bad\nmy loan,good\na new cpu,excellent\n");
    let words = ["check", &model.word(), "--train-file", &train];
    let found = run(&[&words[..], &["--json"]].concat());
    let kinds = kinds(&parse(&found.out));
    let expected = [("fatal", "unusable-labels"), ("warning", "class-without-rows")];
    assert_eq!(kinds, expected.map(|(severity, kind)| (severity.to_owned(), kind.to_owned())));
    run(&words).refused(&["1 fatal finding:"]);
    run(&[&words[..], &["--new-head"]].concat()).ok();
}

#[test]
fn ready_rows_are_compared_with_the_vocabulary() {
    let model = TinyModel::new("BertForTokenClassification");
    let rows = "{\"input_ids\": [2, 24, 3], \"labels\": [-100, 1, -100]}\n\
                {\"input_ids\": [2, 5, 3], \"labels\": [-100, 0, -100]}\n";
    let train = file(&model, "train.jsonl", rows);
    let found = run(&["check", &model.word(), "--train-file", &train]);
    for words in ["1 row holds token ids beyond the vocabulary of 24", "first is 24)", "train.jsonl, row 1"] {
        assert!(found.out.contains(words), "`{words}` is not in: {}", found.out);
    }
    found.refused(&["1 fatal finding"]);
}

#[test]
fn truncation_is_measured_at_the_asked_length_and_weights_are_not_needed() {
    let model = TinyModel::new("BertModel");
    let train =
        file(&model, "train.csv", "text,label\nthe bank of the river,bad\nmy loan,good\na new cpu,bad\n");
    let bare = model.without_weights();
    let found = run(&["check", &bare, "--train-file", &train, "--max-length", "5", "--json"]).json();
    assert_eq!(kinds(&found), [("warning".to_owned(), "truncation".to_owned())]);
    assert_eq!(
        (&found["splits"][0]["n_rows_cut"], &found["splits"][0]["n_tokens_cut"]),
        (&json!(1), &json!(2))
    );
    run(&["check", &bare, "--train-file", &train, "--max-length", "99"]).refused(&["99", "24"]);
    run(&["check", &bare, "--train-file", "nothing.csv"]).refused(&["nothing.csv"]);
}
