//! The door: damaged, hostile and mistaken input is answered with one clear message and code 1.

use std::fs;

use crate::support::{TinyModel, run};
use bertlab::{NamedArray, read_safetensors, write_safetensors};
use serde_json::json;

fn embed(model: &TinyModel) -> crate::support::Run {
    run(&["embed", &model.word(), "the bank"])
}

fn weights(model: &TinyModel) -> std::path::PathBuf {
    model.path().join("model.safetensors")
}

#[test]
fn a_folder_that_is_not_there() {
    run(&["inspect", "./no/such/folder"]).refused(&["./no/such/folder", "spelling"]);
    run(&["embed", "no-such-model", "text"]).refused(&["no-such-model", "cache", "network is off"]);
    let model = TinyModel::new("BertModel");
    run(&["inspect", &format!("{}/config.json", model.word())]).refused(&["is a file"]);
}

#[test]
fn a_folder_without_its_files() {
    let model = TinyModel::new("BertModel");
    fs::remove_file(model.path().join("vocab.txt")).expect("there");
    fs::remove_file(model.path().join("tokenizer.json")).ok();
    embed(&model).refused(&["no tokenizer", "vocab.txt"]);
    let model = TinyModel::new("BertModel");
    fs::remove_file(weights(&model)).expect("there");
    embed(&model).refused(&["model.safetensors or pytorch_model.bin"]);
    fs::remove_file(model.path().join("config.json")).expect("there");
    embed(&model).refused(&["no config.json"]);
}

#[test]
fn a_config_that_cannot_be_used() {
    let model = TinyModel::new("BertModel");
    model.set_config("model_type", json!("gpt2"));
    embed(&model).refused(&["model_type", "gpt2", "distilbert"]);
    model.set_config("model_type", json!("bert"));
    model.set_config("hidden_act", json!("swish"));
    embed(&model).refused(&["hidden_act", "swish", "gelu"]);
    fs::write(model.path().join("config.json"), "{\"model_type\": \"bert\",").expect("writable");
    embed(&model).refused(&["config.json", "JSON"]);
}

#[test]
fn weights_that_are_cut_off_or_lie_about_their_header() {
    let model = TinyModel::new("BertModel");
    let bytes = fs::read(weights(&model)).expect("there");
    fs::write(weights(&model), &bytes[..bytes.len() - 100]).expect("writable");
    embed(&model).refused(&["model.safetensors"]);
    fs::write(weights(&model), &bytes[..5]).expect("writable");
    embed(&model).refused(&["model.safetensors"]);
    let mut hostile = bytes;
    hostile[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    fs::write(weights(&model), &hostile).expect("writable");
    embed(&model).refused(&["model.safetensors", "header"]);
}

#[test]
fn weights_of_another_shape_or_model() {
    let model = TinyModel::new("BertModel");
    model.set_config("intermediate_size", json!(48));
    embed(&model).refused(&["intermediate.dense.weight", "[32, 16]", "[48, 16]"]);
    model.set_config("intermediate_size", json!(32));
    model.set_config("num_hidden_layers", json!(3));
    embed(&model).refused(&["missing", "encoder.layer.2"]);
}

#[test]
fn offsets_that_overlap() {
    let model = TinyModel::new("BertModel");
    let header = r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.extend_from_slice(&[0; 12]);
    fs::write(weights(&model), bytes).expect("writable");
    embed(&model).refused(&["model.safetensors"]);
}

#[test]
fn a_pickle_that_would_run_a_program_is_not_executed() {
    let model = TinyModel::new("BertModel");
    fs::remove_file(weights(&model)).expect("there");
    let trace = model.beside("executed");
    let pickle = format!("cos\nsystem\n(S'touch {trace}'\ntR.");
    fs::write(model.path().join("pytorch_model.bin"), pickle).expect("writable");
    embed(&model).refused(&["pytorch_model.bin"]);
    assert!(!fs::exists(trace).expect("readable"), "the pickle was executed");
}

#[test]
fn a_tokenizer_larger_than_the_embedding() {
    let model = TinyModel::new("BertModel");
    let arrays = read_safetensors(&weights(&model)).expect("valid");
    let cut = |array: NamedArray| {
        if array.name != "embeddings.word_embeddings.weight" {
            return array;
        }
        let values = array.to_f32().expect("floats")[..20 * 16].to_vec();
        NamedArray::from_f32(array.name, [20, 16], values)
    };
    let arrays: Vec<NamedArray> = arrays.into_iter().map(cut).collect();
    let beside = model.beside("cut.safetensors");
    write_safetensors(beside.as_ref(), &arrays, &[]).expect("writable");
    fs::rename(beside, weights(&model)).expect("writable");
    model.set_config("vocab_size", json!(20));
    embed(&model).refused(&["ids up to 23", "20 rows"]);
}

#[test]
fn ids_and_texts_that_the_model_does_not_take() {
    let model = TinyModel::new("BertModel");
    let (inputs, outputs) = (model.beside("in.safetensors"), model.beside("out.safetensors"));
    let forward = |ids: Vec<i64>| {
        let arrays = [NamedArray::from_i64("input_ids", [1, ids.len()], ids)];
        write_safetensors(inputs.as_ref(), &arrays, &[]).expect("writable");
        run(&["forward", &model.word(), "--inputs", &inputs, "--outputs", &outputs])
    };
    forward(vec![2, 99, 3]).refused(&["99", "24"]);
    forward(vec![2, -1, 3]).refused(&["-1"]);
    forward(vec![5; 25]).refused(&["25", "24"]);
    let long = "loan ".repeat(30);
    run(&["words", &model.word(), "--sentence", &long, "--word", "loan"]).refused(&["loan"]);
    let cut = run(&["embed", &model.word(), &long]);
    assert!(cut.err.contains("cut to 24 tokens"), "{}", cut.err);
    cut.ok();
}

#[test]
fn texts_that_cannot_be_read() {
    let model = TinyModel::new("BertModel");
    let file = model.beside("latin1.txt");
    fs::write(&file, b"gut\nsch\xf6n\n").expect("writable");
    run(&["embed", &model.word(), "--input", &file]).refused(&["latin1.txt, line 2", "UTF-8", "--encoding"]);
    let (plain, both) = (model.beside("latin2.txt"), model.beside("latin?.txt"));
    fs::write(&plain, "gut\n").expect("writable");
    let found = run(&["embed", &model.word(), "--input", &both, "--encoding", "latin1"]).json_lines();
    let texts: Vec<_> = found.iter().map(|line| line["text"].as_str().unwrap_or_default()).collect();
    assert_eq!(texts, ["gut", "sch\u{f6}n", "gut"]);
    let file = model.beside("broken.jsonl");
    fs::write(&file, "{\"text\": \"a\"}\n{\"text\": \n").expect("writable");
    run(&["tokenize", &model.word(), "--input", &file]).refused(&["broken.jsonl", "row 2"]);
    run(&["tokenize", &model.word(), "--input", "nothing.txt"]).refused(&["nothing.txt"]);
    let file = model.beside("empty.txt");
    fs::write(&file, "").expect("writable");
    run(&["embed", &model.word(), "--input", &file]).refused(&["no text"]);
}
