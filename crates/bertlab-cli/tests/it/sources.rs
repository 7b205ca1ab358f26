//! The door: where rows come from, and what is looked at before a training begins.

use std::fs;
use std::path::Path;

use crate::support::{Run, TinyModel, parse, run};
use serde_json::Value;

/// A file beside the model.
fn file(model: &TinyModel, name: &str, content: &str) -> String {
    let file = model.beside(name);
    fs::create_dir_all(Path::new(&file).parent().expect("it has one")).expect("writable");
    fs::write(&file, content).expect("writable");
    file
}

const WORDS: [&str; 9] = ["bank", "river", "loan", "cpu", "gp", "intel", "new", "my", "have"];

/// So many rows of a table, no two with the same text; every third is bad.
fn rows(from: usize, n: usize) -> String {
    let word = |digit: usize| WORDS[digit % WORDS.len()];
    let row = |number: usize| {
        let label = if number.is_multiple_of(3) { "bad" } else { "good" };
        format!("{} {} {},{label}\n", word(number), word(number / 9), word(number / 81))
    };
    (from..from + n).map(row).collect()
}

fn table(from: usize, n: usize) -> String {
    format!("text,label\n{}", rows(from, n))
}

/// `bertlab train` into a folder of this name: one epoch and no checkpoints, unless the words say otherwise.
fn train(model: &TinyModel, out: &str, words: &[&str]) -> Run {
    let (word, out) = (model.word(), model.beside(out));
    let mut all = vec!["train", &word, "--output-dir", &out];
    for default in [["--num-train-epochs", "1"], ["--save-strategy", "no"]] {
        if !words.contains(&default[0]) {
            all.extend(default);
        }
    }
    all.extend(words);
    run(&all)
}

/// Every line of a run's log that has this figure.
fn logged(model: &TinyModel, out: &str, key: &str) -> Vec<Value> {
    let state =
        fs::read_to_string(model.beside(&format!("{out}/trainer_state.json"))).expect("it was written");
    let log = parse(&state)["log_history"].as_array().expect("a list").clone();
    log.into_iter().filter(|record| record.get(key).is_some()).collect()
}

#[test]
fn a_tenth_of_the_rows_is_held_out_where_no_validation_file_is_given() {
    let model = TinyModel::new("BertModel");
    let rows = file(&model, "rows.csv", &table(0, 120));
    let text = train(&model, "out", &["--train-file", &rows]).ok();
    for words in [
        "training    108 rows",
        "validation  12 rows",
        "bad 4, good 8",
        "held out of the 120 training rows (10 %)",
    ] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    assert!(text.contains("on 12 validation rows"), "{text}");
    assert_eq!(logged(&model, "out", "eval_accuracy").len(), 1);

    let half = train(&model, "half", &["--train-file", &rows, "--validation-share", "0.5"]).ok();
    assert!(half.contains("validation  60 rows"), "{half}");
    let none = train(&model, "none", &["--train-file", &rows, "--validation-share", "0"]);
    assert!(none.err.contains("nothing is evaluated"), "{}", none.err);
    assert!(none.out.contains("training    120 rows") && !none.out.contains("validation"), "{}", none.out);
    assert_eq!(logged(&model, "none", "eval_loss").len(), 0);
    train(&model, "wrong", &["--train-file", &rows, "--validation-share", "1"])
        .refused(&["validation_share is 1", "[0, 1)"]);
}

#[test]
fn few_rows_are_left_whole_and_that_is_said() {
    let model = TinyModel::new("BertModel");
    let rows = file(&model, "rows.csv", &table(0, 30));
    let found = train(&model, "out", &["--train-file", &rows]);
    assert!(found.err.contains("--validation-share"), "{}", found.err);
    assert!(found.ok().contains("training    30 rows"));
}

#[test]
fn test_rows_are_evaluated_once_at_the_end() {
    let model = TinyModel::new("BertModel");
    let (rows, test) = (file(&model, "rows.csv", &table(0, 120)), file(&model, "test.csv", &table(300, 30)));
    let words = ["--train-file", &rows, "--test-file", &test];
    let text = train(&model, "out", &[&words[..], &["--num-train-epochs", "3"]].concat()).ok();
    assert!(text.contains("test        30 rows") && text.contains("on 30 test rows"), "{text}");
    let found = logged(&model, "out", "test_accuracy");
    assert_eq!(found.len(), 1);
    assert_eq!(logged(&model, "out", "eval_accuracy").len(), 3);

    let summary = train(&model, "json", &[&words[..], &["--json"]].concat()).json();
    assert_eq!(summary["test"]["n_rows"], 30, "{summary}");
    // Evaluated alone, the trained model has the same figures.
    let folder = model.beside("json/final_model");
    let alone = run(&["evaluate", &folder, "--test-file", &test, "--json"]).json();
    assert_eq!(
        (&alone["accuracy"], &alone["loss"]),
        (&summary["test"]["accuracy"], &summary["test"]["loss"])
    );
}

#[test]
fn what_makes_a_result_meaningless_stops_the_training() {
    let model = TinyModel::new("BertModel");
    let rows = file(&model, "rows.csv", &table(0, 120));
    let words = ["--train-file", &rows, "--validation-file", &rows];
    let message = train(&model, "out", &words).refused(&["120 of 120 rows", "training", "--ignore-findings"]);
    assert!(message.contains("bertlab check"), "{message}");
    assert!(!Path::new(&model.beside("out")).exists(), "nothing was begun");
    train(&model, "out", &[&words[..], &["--ignore-findings"]].concat()).ok();
}

#[test]
fn warnings_are_said_before_the_training_and_notes_are_counted() {
    let model = TinyModel::new("BertModel");
    let repeated = format!("{}{}", table(0, 120), "the bank,good\n".repeat(20));
    let rows = file(&model, "rows.csv", &repeated);
    let test = file(&model, "test.csv", &table(300, 30));
    let words = ["--train-file", &rows, "--validation-file", &test];
    let found = train(&model, "out", &words);
    assert!(found.err.contains("warning: training: 19 rows repeat the text"), "{}", found.err);
    assert!(!found.err.contains("--test-file"), "one evaluation chooses nothing: {}", found.err);
    // Several candidates, and the best of them is chosen by the test split.
    let more = ["--num-train-epochs", "2", "--save-strategy", "epoch"];
    let found = train(&model, "chosen", &[&words[..], &more].concat());
    assert!(
        found.err.contains("looks like the test split") && found.err.contains("--test-file"),
        "{}",
        found.err
    );
    found.ok();
    let last = ["--load-best-model-at-end", "false"];
    let found = train(&model, "last", &[&words[..], &more, &last].concat());
    assert!(!found.err.contains("looks like the test split"), "{}", found.err);
}

#[test]
fn patterns_are_expanded_by_the_program() {
    let model = TinyModel::new("BertModel");
    for (name, from) in [("train-1.csv", 0), ("train-2.csv", 40), ("held-out.csv", 80)] {
        file(&model, name, &table(from, 40));
    }
    let (pattern, held_out) = (model.beside("train-*.csv"), model.beside("held-???.csv"));
    let words = ["--train-file", &pattern, "--validation-file", &held_out];
    let text = train(&model, "out", &words).ok();
    assert!(text.contains("training    80 rows") && text.contains("validation  40 rows"), "{text}");
    let none = model.beside("test-*.csv");
    for command in ["check", "train"] {
        let out = model.beside("none");
        let words = [command, &model.word(), "--train-file", &none, "--output-dir", &out];
        let words = if command == "check" { &words[..4] } else { &words };
        run(words).refused(&["test-*.csv", "no file matches", "\"train-1.csv\""]);
    }
    let trained = model.beside("out/final_model");
    let scores = run(&["evaluate", &trained, "--test-file", &pattern, "--json"]).json();
    assert_eq!(scores["n_rows"], 80);
}

#[test]
fn a_table_without_header_leads_to_the_flags_that_read_it() {
    let model = TinyModel::new("BertModel");
    let rows = file(
        &model,
        "rows.csv",
        "the bank of the river,my loan is new,2.5\ni have a new cpu,a new gpu !,0.5\n",
    );
    let message = run(&["check", &model.word(), "--train-file", &rows]).refused(&["no header line"]);
    let flags = "--text-column 0 --pair-column 1 --label-column 2";
    assert!(message.contains(flags), "{message}");
    let flags: Vec<&str> = flags.split(' ').collect();
    let found =
        run(&[&["check", &model.word(), "--train-file", &rows, "--json"], &flags[..]].concat()).json();
    assert_eq!(found["question"], "regression");
}

#[test]
fn a_text_file_per_class_is_trained_on_in_its_encoding() {
    let model = TinyModel::new("BertModel");
    let folder = model.beside("polarity");
    fs::create_dir(&folder).expect("writable");
    for (class, first) in [("pos", 0), ("neg", 40)] {
        let lines: Vec<u8> = (first..first + 40)
            .flat_map(|row| {
                [format!("{} ", table(row, 1).lines().nth(1).expect("a row")).as_bytes(), b"clich\xe9\n"]
                    .concat()
            })
            .collect();
        fs::write(format!("{folder}/rt-polarity.{class}"), lines).expect("writable");
    }
    let words = ["--train-file", &folder];
    train(&model, "out", &words).refused(&["rt-polarity.neg, line 1", "--encoding latin1", "cliché"]);
    let found = train(&model, "out", &[&words[..], &["--encoding", "latin1"]].concat());
    assert!(!found.err.contains("sorted"), "rows are shuffled: {}", found.err);
    let text = found.ok();
    assert!(text.contains("80 rows") && text.contains("neg 40, pos 40"), "{text}");
    let wrong = train(&model, "wrong", &[&words[..], &["--encoding", "klingon"]].concat());
    assert!(wrong.code == Some(2) && wrong.err.contains("windows-1252"), "{}", wrong.err);
}
