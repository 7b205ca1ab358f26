//! The door: a label per word, from files to figures.

use std::fs;

use crate::support::{TinyModel, parse, run};
use serde_json::{Value, json};

/// IOB1; the tiny vocabulary has "i", "have", "a", "new", "cpu", "intel", "gp", "##u", "the", "bank", "of", "river".
const TRAIN: &str = "-DOCSTART- O\n\nI O\nhave O\na O\nnew O\nIntel I-ORG\nGPU I-MISC\n\n\
                     the O\nbank I-LOC\nof I-LOC\nthe I-LOC\nriver I-LOC\nbank B-LOC\n\nmy O\nCPU I-MISC\n";
const TEST: &str = "the O\nIntel I-ORG\nbank I-ORG\n\na O\nGPU I-MISC\n";

fn file(model: &TinyModel, name: &str, content: &str) -> String {
    let file = model.beside(name);
    fs::write(&file, content).expect("writable");
    file
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|name| name.as_str().expect("a word")).collect()
}

/// A token classifier that was trained on the sentences above.
fn trained(model: &TinyModel, more: &[&str]) -> (String, Value) {
    let (train, test) = (file(model, "eng.train", TRAIN), file(model, "eng.testa", TEST));
    let out = model.beside("out");
    let base = model.word();
    let words = [
        "train",
        &base,
        "--train-file",
        &train,
        "--validation-file",
        &test,
        "--num-train-epochs",
        "40",
        "--learning-rate",
        "1e-2",
        "--metric-for-best-model",
        "f1",
        "--output-dir",
        &out,
        "--json",
    ];
    let summary = run(&[&words[..], more].concat()).json();
    (format!("{out}/final_model"), summary)
}

#[test]
fn conll_files_train_a_new_head_and_its_figures_are_entities() {
    let model = TinyModel::new("BertModel");
    let (trained, summary) = trained(&model, &[]);
    let evaluation = &summary["evaluation"];
    for name in ["precision", "recall", "f1", "accuracy", "f1_strict", "f1_interval", "entity_types"] {
        assert!(evaluation.get(name).is_some(), "{name}: {evaluation}");
    }
    let config = parse(&fs::read_to_string(format!("{trained}/config.json")).expect("it was saved"));
    assert_eq!(config["architectures"], json!(["BertForTokenClassification"]));
    let labels = ["O", "B-LOC", "I-LOC", "B-MISC", "I-MISC", "B-ORG", "I-ORG"];
    assert_eq!(keys(&evaluation["labels"]), labels);
    assert_eq!((&config["id2label"]["1"], &config["label2id"]["I-ORG"]), (&json!("B-LOC"), &json!(6)));
    // Shares of words, not of rows: 6 of 14 words are "O".
    let report = fs::read_to_string(model.beside("out/report.html")).expect("it was written");
    assert!(report.contains("Words of each label") && report.contains("6 (42.9 %)"), "{report}");
    let state = parse(&fs::read_to_string(model.beside("out/trainer_state.json")).expect("it was saved"));
    assert!(state["best_metric"].is_number(), "{}", state["best_metric"]);

    // The same figures once more, from the file of IOB1 tags.
    let test = model.beside("eng.testa");
    let found = run(&["evaluate", &trained, "--test-file", &test, "--json"]).json();
    assert_eq!(found["f1"], evaluation["f1"]);
    assert_eq!((&found["n_words"], &found["n_words_unread"]), (&json!(5), &json!(0)));
    let supports: Vec<&Value> =
        found["entity_types"].as_array().expect("types").iter().map(|kind| &kind["type"]).collect();
    assert!(supports.contains(&&json!("ORG")) && supports.contains(&&json!("MISC")), "{supports:?}");
    let printed = run(&["evaluate", &trained, "--test-file", &test]).ok();
    for words in [
        "F1 ",
        "95 % interval",
        "of 2 entities in 2 sentences",
        "always \"O\", with an F1 of 0",
        "type \\ answer",
    ] {
        assert!(printed.contains(words), "`{words}` is not in: {printed}");
    }
    let learnt = run(&["evaluate", &trained, "--test-file", &model.beside("eng.train"), "--json"]).json();
    // All O would have an F1 of 0 on what it learnt from.
    assert!(learnt["f1"].as_f64() > Some(0.3), "{learnt}");
}

#[test]
fn predictions_are_words_and_entities_of_texts_and_of_files() {
    let model = TinyModel::new("BertModel");
    let (trained, _) = trained(&model, &["--label-all-tokens"]);
    let found = run(&["predict", &trained, "my GPU, the bank of the river.", "--json"]).json();
    let words: Vec<&Value> =
        found["words"].as_array().expect("words").iter().map(|word| &word["word"]).collect();
    assert_eq!(words, ["my", "GPU", ",", "the", "bank", "of", "the", "river", "."]);
    assert_eq!((&found["words"][1]["start"], &found["words"][1]["end"]), (&json!(3), &json!(6)));
    for entity in found["entities"].as_array().expect("entities") {
        let (start, end) =
            (entity["start"].as_u64().expect("a place"), entity["end"].as_u64().expect("a place"));
        let text: String = "my GPU, the bank of the river."
            .chars()
            .skip(start as usize)
            .take((end - start) as usize)
            .collect();
        assert_eq!(entity["text"], json!(text));
    }
    let sentences = file(&model, "words.conll", "the\nbank\n\nU.N.!\n");
    let found = run(&["predict", &trained, "--input", &sentences, "--json"]).json_lines();
    assert_eq!(
        (found.len(), &found[0]["text"], &found[1]["words"][0]["word"]),
        (2, &json!("the bank"), &json!("U.N.!"))
    );
    assert!(!run(&["predict", &trained, "the bank"]).ok().is_empty());
}

#[test]
fn words_that_are_cut_off_are_counted_and_told() {
    let model = TinyModel::new("BertModel");
    let (trained, _) = trained(&model, &[]);
    let long = file(&model, "long.conll", "the O\nbank B-LOC\nof I-LOC\nthe O\nnew O\nGPU B-MISC\n");
    let found = run(&["evaluate", &trained, "--test-file", &long, "--max-length", "6"]);
    assert!(
        found.err.contains("2 words cut off") && found.err.contains("1 with another label"),
        "{}",
        found.err
    );
    let found = run(&["evaluate", &trained, "--test-file", &long, "--max-length", "6", "--json"]).json();
    assert_eq!((&found["n_words"], &found["n_words_unread"]), (&json!(6), &json!(2)));
    let support: u64 = found["entity_types"]
        .as_array()
        .expect("types")
        .iter()
        .filter_map(|kind| kind["support"].as_u64())
        .sum();
    assert_eq!(support, 2);
}

#[test]
fn check_finds_what_is_wrong_with_tags() {
    let model = TinyModel::new("BertModel");
    let train = file(&model, "train.conll", "the O\nbank B-LOC\n\na O\nGPU I-MISC\nCPU I-LOC\n\nmy B-MISC\n");
    let test = file(&model, "test.conll", "the O\nbank B-LOC\n");
    let found = run(&["check", &model.word(), "--train-file", &train, "--test-file", &test, "--json"]);
    let found = parse(&found.out);
    assert_eq!(found["question"], "token-classification");
    let kinds: Vec<&Value> =
        found["findings"].as_array().expect("a list").iter().map(|finding| &finding["kind"]).collect();
    assert!(kinds.contains(&&json!("tag-order")) && kinds.contains(&&json!("leakage")), "{kinds:?}");
    assert_eq!(found["splits"][0]["labels"][0], json!({"label": "O", "count": 2}));

    let outside = file(&model, "outside.conll", "the O\nbank O\n\nmy O\n");
    run(&["check", &model.word(), "--train-file", &outside, "--task", "token-classification"])
        .refused(&["fatal"]);
    let out = model.beside("single");
    run(&["train", &model.word(), "--train-file", &outside, "--output-dir", &out])
        .refused(&["all 3 training words have the label \"O\""]);
    let uneven = file(&model, "uneven.conll", "the O\nbank\n");
    run(&["train", &model.word(), "--train-file", &uneven, "--output-dir", &out])
        .refused(&["uneven.conll, line 2"]);
    let prose = file(&model, "prose.csv", "text,label\nthe bank,good\nmy loan,bad\n");
    run(&[
        "train",
        &model.word(),
        "--train-file",
        &prose,
        "--output-dir",
        &out,
        "--task",
        "token-classification",
    ])
    .refused(&["prose.csv, row 2", "CoNLL"]);
}

#[test]
fn parts_of_speech_are_judged_label_by_label() {
    let model = TinyModel::new("BertModel");
    let train = file(&model, "train.conll", "the DET\nbank NOUN\n\nmy DET\nriver NOUN\n");
    let (test, out) = (file(&model, "test.conll", "a DET\nriver NOUN\n"), model.beside("pos"));
    let words =
        ["train", &model.word(), "--train-file", &train, "--validation-file", &test, "--output-dir", &out];
    let printed = run(&[&words[..], &["--num-train-epochs", "1"]].concat()).ok();
    assert!(printed.contains("f1_macro") && !printed.contains("entity"), "{printed}");
    let found = run(&["evaluate", &format!("{out}/final_model"), "--test-file", &train]).ok();
    assert!(found.contains("label \\ answer") && found.contains("DET"), "{found}");
}
