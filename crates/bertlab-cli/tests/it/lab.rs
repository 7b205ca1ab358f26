//! The door: the lab.

use std::fs;

use crate::support::{TinyModel, numbers, parse, run, shared};
use serde_json::json;

/// Rows of two labels, sorted, as IMDB's are.
fn reviews(model: &TinyModel, name: &str, n_of_each: usize) -> String {
    let file = model.beside(name);
    let bad = "the bank of my loan,bad\n".repeat(n_of_each);
    let good = "i have a new cpu,good\n".repeat(n_of_each);
    fs::write(&file, format!("text,label\n{bad}{good}")).expect("writable");
    file
}

#[test]
fn the_lab_is_walked_through_on_any_model() {
    let model = TinyModel::new("BertModel");
    let output = model.beside("out");
    let found = run(&["lab", &model.word(), "--no-train", "--output-dir", &output]);
    assert!(found.err.contains("does not know NVIDIA"), "{}", found.err);
    let text = found.ok();
    for words in [
        "T1 What",
        "(0-1): 2 x BertLayer",
        "get_submodule('encoder.layer.0.attention.self.query')",
        "weight [16, 16]",
        "16 rows are 2 heads",
        "T2 Words",
        "[CLS] i have a new cpu ! [SEP]",
        "[4, 10, 16]",
        "CPU ~ Intel",
        "baseline",
        "T3 All",
        "There are 3 hidden states",
        "What to try next",
        "--train-file",
        "figures are of bert-base-uncased",
    ] {
        assert!(squeezed(&text).contains(words), "`{words}` is not in: {text}");
    }
    assert!(!text.contains('\u{1b}') && !text.contains("the lab: "), "{text}");
    assert!(!text.contains("T4  Fine-tuning"), "{text}");
    let page = fs::read_to_string(std::path::Path::new(&output).join("lab-report.html")).expect("written");
    for words in ["T3  All hidden states", "<svg", "##u", "What to try next"] {
        assert!(page.contains(words), "{words}");
    }
    // The module tree may be wider: in a pipe nothing is cut.
    let prose = &text[text.find("T2  ").expect("it is there")..];
    let is_command = |line: &&str| line.starts_with("  bertlab") || line.contains("lab-report.html");
    let widest = prose.lines().filter(|line| !is_command(line)).map(|line| line.chars().count()).max();
    assert!(widest <= Some(80), "{widest:?}: {text}");
}

/// With a space for every run of spaces and line ends.
fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn its_json_holds_every_task() {
    let model = TinyModel::new("BertForSequenceClassification");
    let output = model.beside("out");
    let found =
        run(&["lab", "--model", &model.word(), "--json", "--no-train", "--output-dir", &output]).json();
    assert_eq!((&found["likeness"], &found["t4"]), (&json!("other"), &json!(null)));
    // The head is left out: 3 tables, their norm, 16 tensors per layer, the pooler.
    assert_eq!(found["t1"]["n_tensors"], 3 + 2 + 2 * 16 + 2);
    assert_eq!(found["t1"]["query"]["weight_shape"], json!([16, 16]));
    assert_eq!(found["t2"]["sentences"][2]["tokens"], json!(["i", "have", "a", "new", "gp", "##u", "!"]));
    assert_eq!(found["t2"]["padded"]["attention_mask"][0], json!([1, 1, 1, 1, 1, 1, 1, 1, 0, 0]));
    assert_eq!(found["t3"]["n_hidden_states"], 3);
    let cosines = found["t2"]["cosines"].as_array().expect("a list");
    assert_eq!((cosines.len(), &cosines[0]["name"]), (6, &json!("cos_cpu_intel")));
    // The first pair is words 0 and 1, which the matrix holds, too.
    let (pair, cell) = (cosines[0]["value"].as_f64(), found["t2"]["matrix"][0][1].as_f64());
    assert!((pair.expect("a number") - cell.expect("a number")).abs() < 1e-6);
    let words = ["words", &model.word(), "--sentence", "I have a new CPU!", "I have a new Intel CPU!"];
    let words = run(&[&words[..], &["--word", "CPU@1,2", "Intel@2", "--json"]].concat()).json();
    assert!((numbers(&words["cosine"][0])[1] - pair.expect("a number")).abs() < 1e-6);
}

#[test]
fn fine_tuning_counts_labels_trains_and_says_what_it_is_worth() {
    let model = TinyModel::new("BertModel");
    let (train, held_out) = (reviews(&model, "train.csv", 3000), reviews(&model, "held-out.csv", 20));
    let output = model.beside("out");
    let arguments = [
        "lab",
        &model.word(),
        "--train-file",
        &train,
        "--validation-file",
        &held_out,
        "--max-train-samples",
        "40",
        "--output-dir",
        &output,
    ];
    let text = squeezed(&run(&arguments).ok());
    for words in [
        "train.csv (the first 5,000 of 6,000): bad 3,000, good 2,000",
        "held-out.csv (all 40): bad 20, good 20",
        "bad 20, good 20",
        "40 rows are 10 batches, and 8 batches make an update: 2 updates; the last has 2 of 8 batches",
        "157 updates, the last 2/8",
        "Training loss, from the first step to the last",
        "update steps 156 2 (-154)",
        "rows learnt from 5,000, all negative 40: bad 20, good 20",
        "accuracy",
        "always the commonest label: 50.0 %",
    ] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    let trained = std::path::Path::new(&output).join("training/final_model");
    assert!(trained.join("model.safetensors").is_file());
    run(&arguments).refused(&["--output-dir", "a model trained on rows like these"]);
    let elsewhere = model.beside("elsewhere");
    let again = [&arguments[..9], &[elsewhere.as_str(), "--json"]].concat();
    let found = run(&again).json();
    assert_eq!((&found["t4"]["n_steps"], &found["t4"]["n_last_accumulation"]), (&json!(2), &json!(2)));
    assert_eq!(found["t4"]["first_rows"][0]["labels"][1], json!({"label": "good", "n_rows": 2000}));
    assert_eq!(found["t4"]["accuracy"]["baseline"], 0.5);
    assert!(text.contains(&format!(
        "{:.1} %",
        100.0 * found["t4"]["accuracy"]["accuracy"].as_f64().expect("a number")
    )));
}

#[test]
fn without_a_word_the_whole_lab_runs_on_what_the_program_brings_and_again() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let output = home.path().join("out");
    let arguments = ["lab", "--offline", "--output-dir", output.to_str().expect("UTF-8")];
    let text = squeezed(&run(&arguments).ok());
    for words in [
        "The lab \"Explore BERT\" on tiny",
        "There are 5 hidden states",
        "280 rows",
        "T4 Fine-tuning",
        "1.0 means nothing",
    ] {
        assert!(text.contains(words), "`{words}` is not in: {text}");
    }
    let found = run(&[&arguments[..], &["--json"]].concat()).json();
    let accuracy = &found["t4"]["accuracy"];
    assert_eq!((&accuracy["n_rows"], &accuracy["baseline"]), (&json!(100), &json!(0.5)));
    // By chance 100 rows are 70 times right once in thousands of trials.
    assert!(accuracy["accuracy"].as_f64().expect("a number") >= 0.7, "{accuracy}");
    let model = found["t4"]["final_model"].as_str().expect("a path").to_owned();
    let predicted = run(&["predict", &model, "A wonderful film.", "--json"]).json();
    assert_eq!(predicted["label"], "pos", "{predicted}");
    let answers =
        run(&["predict", "tiny-sentiment", "A wonderful film.", "A waste of time.", "--json"]).json_lines();
    assert_eq!((&answers[0]["label"], &answers[1]["label"]), (&json!("pos"), &json!("neg")));
    let page = fs::read_to_string(output.join("lab-report.html")).expect("written");
    let markup = page.trim_start_matches("<!DOCTYPE html>");
    let document = roxmltree::Document::parse(markup).unwrap_or_else(|error| panic!("{error}"));
    let pictures = document.descendants().filter(|node| node.has_tag_name("svg")).count();
    // Parameters, cosines, layers; loss, accuracy, confusion.
    assert_eq!(pictures, 6);
    assert!(!page.contains("http") && !page.contains("<script"), "the page asks for nothing");
    assert!(output.join("reviews/train.csv").is_file());
}

#[test]
fn one_label_only_stops_and_flags_of_fine_tuning_need_it() {
    let model = TinyModel::new("BertModel");
    let file = model.beside("one.csv");
    fs::write(&file, format!("text,label\n{}", "my loan,bad\n".repeat(9))).expect("writable");
    let output = model.beside("out");
    let files = ["--train-file", &file, "--validation-file", &file, "--output-dir", &output];
    run(&[&["lab", &model.word()][..], &files].concat()).refused(&["bad", "label"]);
    assert!(!std::path::Path::new(&output).exists());
    for wrong in [&["--train-file", &file][..], &["--data", &file, "--no-train"], &["--model", "tiny"]] {
        assert_eq!(run(&[&["lab", &model.word()], wrong].concat()).code, Some(2), "{wrong:?}");
    }
    let absent = ["lab", &model.word(), "--train-file", "/no/rows.csv", "--validation-file", &file];
    let refused = run(&absent);
    assert_eq!(refused.out, "", "before anything is computed");
    refused.refused(&["/no/rows.csv"]);
}

#[test]
fn the_given_model_gives_the_labs_known_cosines() {
    let (Some(model), Some(folder)) =
        (shared("models/all-MiniLM-L6-v2"), shared("fixtures/lab-all-MiniLM-L6-v2/golden.json"))
    else {
        return;
    };
    let golden = parse(&fs::read_to_string(folder).expect("readable"));
    let output = tempfile::tempdir().expect("a temporary folder");
    let output = output.path().join("out").to_string_lossy().into_owned();
    let found = run(&["lab", &model, "--json", "--no-train", "--output-dir", &output]).json();
    for (index, pair) in
        ["cpu~intel", "gpu~nvidia", "cpu~nvidia", "gpu~intel", "cpu~gpu", "intel~nvidia"].iter().enumerate()
    {
        let value = found["t2"]["cosines"][index]["value"].as_f64().expect("a number");
        let wanted = golden["cosine"][pair].as_f64().expect("a number");
        assert!((value - wanted).abs() < 1e-5, "{pair}: {value}, wanted {wanted}");
    }
    assert_eq!(found["t2"]["padded"]["input_ids"], golden["input_ids"]);
}
