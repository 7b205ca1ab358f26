//! What a training and an evaluation leave to read: well-formed pages that show the log's figures, and plots.

use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{TinyModel, parse, run};
use serde_json::{Value, json};

/// The same text with either label: half of the rows are mistakes, whatever a model answers.
const TEXT: &str = "a new cpu <script>alert('1')</script> & \"gpu\"";
/// Its second text.
const PAIR: &str = "or an <old> one";

fn rows(file: &str, n: usize) {
    let row = |i: usize| {
        json!({ "sentence1": TEXT, "sentence2": PAIR, "label": if i.is_multiple_of(2) { "bad" } else { "good" } }).to_string()
    };
    fs::write(file, (0..n).map(row).collect::<Vec<_>>().join("\n")).expect("writable");
}

/// A trained output folder, and the rows that it was evaluated on.
fn trained(model: &TinyModel) -> (PathBuf, String) {
    let (train, held_out, output) =
        (model.beside("train.jsonl"), model.beside("dev.jsonl"), model.beside("out"));
    rows(&train, 12);
    rows(&held_out, 8);
    let word = model.word();
    let words = [
        "train",
        &word,
        "--new-head",
        "--train-file",
        &train,
        "--validation-file",
        &held_out,
        "--output-dir",
        &output,
        "--num-train-epochs",
        "2",
        "--save-strategy",
        "no",
        "--ignore-findings",
    ];
    run(&words).ok();
    (PathBuf::from(output), held_out)
}

fn check_markup(file: &Path) -> String {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let markup = text.trim_start_matches("<!DOCTYPE html>");
    roxmltree::Document::parse(markup).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    text
}

#[test]
fn the_page_is_well_formed_escapes_texts_and_shows_the_logs_figures() {
    let model = TinyModel::new("BertForSequenceClassification");
    let (output, _) = trained(&model);
    let page = check_markup(&output.join("report.html"));
    assert!(!page.contains("<script"), "texts must not become markup");
    assert!(page.contains("&lt;script&gt;alert(&#39;1&#39;)"), "mistakes are shown with their texts");
    assert!(page.contains("or an &lt;old&gt; one"), "and with their second texts");
    assert!(!page.contains("http://") && !page.contains("https://"), "the page asks for nothing");
    let state = parse(&fs::read_to_string(output.join("trainer_state.json")).expect("a finished run"));
    let log = state["log_history"].as_array().expect("a log").clone();
    for name in ["loss", "accuracy", "f1_macro", "auroc"] {
        let value: f64 = log
            .iter()
            .rev()
            .find_map(|record: &Value| record.get(format!("eval_{name}"))?.as_f64())
            .unwrap_or_else(|| panic!("{name} was logged"));
        assert!(page.contains(&format!("<b>{value:.4}</b>")), "{name} {value}");
    }
    let first = log.iter().find_map(|record| record.get("loss")?.as_f64()).expect("losses were logged");
    assert!(
        page.contains(&format!("training {first:.4} at update step 1")),
        "the curve holds the log's losses"
    );
    for plot in ["loss", "evaluation", "learning_rate", "gradient_norm", "confusion", "calibration"] {
        check_markup(&output.join("plots").join(format!("{plot}.svg")));
    }
}

#[test]
fn an_evaluation_writes_a_page_where_it_is_told() {
    let model = TinyModel::new("BertForSequenceClassification");
    let (output, held_out) = trained(&model);
    let (trained, page) = (output.join("final_model"), model.beside("test page.html"));
    let words = ["evaluate", trained.to_str().expect("UTF-8"), "--test-file", &held_out, "--report", &page];
    run(&words).ok();
    let page = check_markup(Path::new(&page));
    assert!(page.contains("Evaluation report") && page.contains("Accuracy 50.0 % on 8 test rows"));
    assert!(
        page.contains("Not significantly better than always predicting"),
        "the baseline stands beside it"
    );
    let nowhere = model.beside("no such folder/page.html");
    run(&[&words[..5], &[nowhere.as_str()]].concat()).refused(&["no such folder"]);
}
