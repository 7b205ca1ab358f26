//! Golden: module trees of every family and head equal what PyTorch prints of HuggingFace's models.

use bertlab_model::{HeadChoice, HeadKind, Model, Module, OpenOptions, open};
use serde_json::Value;

#[test]
fn trees_are_printed_as_pytorch_prints_them() {
    for (class, model, case) in cases() {
        let expected: Vec<&str> =
            case["text"].as_array().expect("lines").iter().filter_map(Value::as_str).collect();
        let text = model.module_tree().to_pytorch_text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines, expected, "{class}");
    }
}

#[test]
fn every_module_has_pytorchs_parameters() {
    for (class, model, case) in cases() {
        let tree = model.module_tree();
        let counts = case["n_parameters"].as_object().expect("counts by path");
        for (path, expected) in counts {
            let module = tree.find(path).unwrap_or_else(|| panic!("{class} has no {path:?}"));
            assert_eq!(module.n_parameters as u64, expected.as_u64().expect("a count"), "{class} {path:?}");
            assert_eq!(&module.path, path, "{class}");
        }
        assert_eq!(n_modules(&tree), counts.len(), "{class}");
        assert_eq!(tree.n_parameters, model.params().n_parameters(), "{class}");
    }
}

#[test]
fn paths_of_the_base_model_work_with_every_head() {
    for (class, model, _) in cases() {
        let tree = model.module_tree();
        let path = ["embeddings.word_embeddings", "embeddings.tok_embeddings"];
        let path = path[usize::from(class.starts_with("ModernBert"))];
        let table = tree.find(path).unwrap_or_else(|| panic!("{class}"));
        assert!(table.path.ends_with(path) && table.class == "Embedding", "{class}");
        assert_eq!(tree.find("embeddings.no_embeddings"), None, "{class}");
    }
}

fn n_modules(module: &Module) -> usize {
    1 + module.children.iter().map(n_modules).sum::<usize>()
}

/// Class name, a model of random weights, and what is known of it.
fn cases() -> Vec<(String, Model, Value)> {
    let files = [include_str!("module_trees/trees.json"), include_str!("module_trees/modernbert.json")];
    let goldens = files.map(|text| serde_json::from_str::<Value>(text).expect("it is JSON"));
    let of_file = |golden: &Value| golden["cases"].as_array().expect("a list of cases").clone();
    let cases: Vec<Value> = goldens.iter().flat_map(of_file).collect();
    assert_eq!(cases.len(), 19 + 6);
    let named = |case: &Value| (class_of(case).to_owned(), random_model(case), case.clone());
    cases.iter().map(named).collect()
}

fn class_of(case: &Value) -> &str {
    case["config"]["architectures"][0].as_str().expect("a class name")
}

fn random_model(case: &Value) -> Model {
    let kind = HeadKind::ALL.into_iter().find(|kind| class_of(case).ends_with(kind.class_suffix()));
    let folder = tempfile::tempdir().expect("tests can write temporary files");
    std::fs::write(folder.path().join("config.json"), case["config"].to_string()).expect("the folder is new");
    let head = HeadChoice::Kind(kind.expect("a head of ours"));
    let options = OpenOptions { head, allow_random: true, ..OpenOptions::default() };
    open(folder.path(), &options).expect("the config is in order").0
}
