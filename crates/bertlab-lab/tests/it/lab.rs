//! Golden: the lab's numbers on all-MiniLM-L6-v2 as HuggingFace computes them, and the lab on models of other shapes.
//! Needs the models and the fixtures in `../shared`.

use std::path::{Path, PathBuf};

use bertlab::{HeadChoice, HeadKind, ModelOptions, OpenOptions, open_model};
use bertlab_lab::{Counts, LabReport, Likeness};
use serde_json::Value;

/// None, with a word, where it is not.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BERTLAB_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let found = root.join(path);
    if !found.exists() {
        println!("skipped: ../shared is not here ({path})");
        return None;
    }
    Some(found)
}

fn lab(folder: &Path) -> LabReport {
    let open = OpenOptions {
        head: HeadChoice::Kind(HeadKind::None),
        allow_random: true,
        seed: 7,
        ..OpenOptions::default()
    };
    let options = ModelOptions { open, offline: true };
    let opened = open_model(folder.to_str().expect("UTF-8"), &options).expect("the model is in order");
    LabReport::of(&opened).expect("the lab runs on it")
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().expect("a list").iter().map(|text| text.as_str().expect("a text")).collect()
}

#[test]
fn the_labs_numbers_are_huggingfaces() {
    let (Some(model), Some(fixture)) =
        (shared("models/all-MiniLM-L6-v2"), shared("fixtures/lab-all-MiniLM-L6-v2/golden.json"))
    else {
        return;
    };
    let text = std::fs::read_to_string(fixture).expect("readable");
    let golden: Value = serde_json::from_str(&text).expect("it is JSON");
    let report = lab(&model);
    assert_eq!(golden["tensors"], report.t1.counts.n_tensors);
    assert_eq!(golden["parameters"], report.t1.counts.n_parameters);
    assert_eq!(golden["n_hidden_states"], report.t3.n_hidden_states);
    for (row, sentence) in report.t2.sentences.iter().enumerate() {
        assert_eq!(golden["sentences"][row], sentence.text);
        assert_eq!(strings(&golden["tokens"][row]), sentence.tokens);
    }
    let padded = serde_json::to_value(&report.t2.padded).expect("plain data");
    assert_eq!(golden["input_ids"], padded["input_ids"]);
    assert_eq!(golden["attention_mask"], padded["attention_mask"]);
    let pairs = ["cpu~intel", "gpu~nvidia", "cpu~nvidia", "gpu~intel", "cpu~gpu", "intel~nvidia"];
    let last_four = ("cpu(last 4 layers, sentence 1)~cpu", &report.t3.last_four);
    for (pair, figure) in pairs.into_iter().zip(&report.t2.cosines).chain([last_four]) {
        let wanted = golden["cosine"][pair].as_f64().expect("a cosine");
        let found = figure.value.expect("words have a direction");
        assert!((found - wanted).abs() < 1e-5, "{pair}: {found}, not {wanted}");
        assert_eq!(figure.printed, None, "the lab's figures are of another model");
    }
    assert_eq!(report.likeness, Likeness::Other);
    assert_eq!(report.t2.last_hidden_state, [4, 12, 384]);
    assert_eq!(report.t2.decoded, "[CLS] i have a new cpu! [SEP]");
}

#[test]
fn parts_add_up_and_the_pooler_is_named() {
    let Some(model) = shared("models/all-MiniLM-L6-v2") else { return };
    let t1 = lab(&model).t1;
    assert_eq!(t1.parts.iter().map(|part| part.n_parameters).sum::<usize>(), t1.counts.n_parameters);
    assert!((t1.parts.iter().map(|part| part.share).sum::<f64>() - 1.0).abs() < 1e-12);
    assert_eq!(t1.pooler.as_ref().map(|pooler| pooler.n_parameters), Some(384 * 384 + 384));
    assert_eq!(t1.query.path, "encoder.layer.0.attention.self.query");
    assert_eq!((t1.query.n_heads, t1.query.head_width), (12, 32));
    assert!(t1.modules.contains("(0-5): 6 x BertLayer("), "{}", t1.modules);
}

#[test]
fn bert_base_uncased_without_its_weights_is_known_by_its_sizes_alone() {
    let Some(model) = shared("models/bert-base-shape") else { return };
    let report = lab(&model);
    assert_eq!(report.likeness, Likeness::SameShape);
    assert_eq!((report.t1.counts, report.t1.printed), (Counts::PRINTED, Some(Counts::PRINTED)));
    assert_eq!(report.t3.n_hidden_states, 13);
    assert!(report.t2.cosines.iter().all(|figure| figure.value.is_some() && figure.agrees.is_none()));
}

#[test]
fn another_family_has_paths_of_its_own() {
    let Some(model) = shared("models/distilbert-shape") else { return };
    let report = lab(&model);
    assert_eq!(report.t1.query.path, "transformer.layer.0.attention.q_lin");
    assert_eq!((report.t1.pooler, report.t1.printed), (None, None));
    assert_eq!((report.t3.n_hidden_states, report.likeness), (7, Likeness::Other));
}
