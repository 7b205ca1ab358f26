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
fn numbers_below_zero_are_values_of_flags() {
    let model = TinyModel::new("BertForSequenceClassification");
    let rows = model.beside("rows.jsonl");
    let row = |i: usize| json!({"text": "the bank", "label": (["bad", "good", "so so"][i % 3])}).to_string();
    fs::write(&rows, (0..9).map(row).collect::<Vec<_>>().join("\n")).expect("writable");
    let out = model.beside("out");
    let train =
        |flag: &str| run(&["train", &model.word(), "--train-file", &rows, "--output-dir", &out, flag, "-1"]);
    train("--learning-rate").refused(&["learning_rate", "-1"]);
    train("--weight-decay").refused(&["weight_decay", "-1"]);
    let words = ["seed", "'-1'"];
    let refused = train("--seed");
    assert!(words.iter().all(|word| refused.err.contains(word)), "{}", refused.err);
    assert!(!refused.err.contains("unexpected argument"), "{}", refused.err);
}

#[test]
fn classes_of_one_name_all_have_their_score() {
    let model = TinyModel::new("BertForSequenceClassification");
    model.set_config("id2label", json!({"0": "other", "1": "good", "2": "other"}));
    let found = run(&["predict", &model.word(), "the bank", "--json"]);
    assert!(found.err.contains("other (0), other (2)"), "{}", found.err);
    let scores = found.json()["scores"].as_object().expect("an object").clone();
    assert_eq!(scores.keys().collect::<Vec<_>>(), ["other (0)", "good", "other (2)"]);
    let rows = model.beside("rows.jsonl");
    fs::write(&rows, json!({"text": "the bank", "label": "other"}).to_string()).expect("writable");
    run(&["evaluate", &model.word(), "--test-file", &rows]).refused(&["other", "other (0)", "other (2)"]);
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

/// Puts a value into one place of a weight.
fn put(model: &TinyModel, name: &str, place: usize, value: f32) {
    let mut arrays = read_safetensors(&weights(model)).expect("valid");
    let array = arrays.iter_mut().find(|array| array.name == name).expect("the model has this weight");
    let mut values = array.to_f32().expect("floats");
    values[place] = value;
    *array = NamedArray::from_f32(name, array.shape.clone(), values);
    let beside = model.beside("changed.safetensors");
    write_safetensors(beside.as_ref(), &arrays, &[]).expect("writable");
    fs::rename(beside, weights(model)).expect("writable");
}

const OUTPUT_WEIGHT: &str = "bert.encoder.layer.1.output.dense.weight";

#[test]
fn weights_that_are_nan_or_infinite_are_named_by_every_command_and_shown_by_inspect() {
    for (value, said) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (f32::NEG_INFINITY, "-inf")] {
        let model = TinyModel::new("BertForSequenceClassification");
        put(&model, OUTPUT_WEIGHT, 3 * 32 + 5, value);
        put(&model, "classifier.bias", 1, value);
        let place = format!("{OUTPUT_WEIGHT} holds {said} in row 3, column 5");
        let words = [place.as_str(), "2 of 41 tensors", "source"];
        let rows = model.beside("rows.jsonl");
        fs::write(&rows, "{\"text\": \"i have\", \"label\": \"good\"}\n".repeat(9)).expect("writable");
        let (model_word, out) = (model.word(), model.beside("out"));
        let word = model_word.as_str();
        for command in [
            vec!["predict", word, "the bank"],
            vec!["predict", word, "the bank", "--dtype", "int8"],
            vec!["evaluate", word, "--test-file", &rows],
            vec!["convert", word, "--output-dir", &out],
            vec!["train", word, "--train-file", &rows, "--output-dir", &out, "--allow-single-class"],
        ] {
            run(&command).refused(&words);
        }
        assert!(!std::path::Path::new(&out).exists());
        // Without its head, the model has a damaged encoder all the same.
        embed(&model).refused(&[&format!("{} holds {said}", OUTPUT_WEIGHT.trim_start_matches("bert."))]);

        let shown = run(&["inspect", word, "--tensor", OUTPUT_WEIGHT]);
        assert!(shown.err.contains(&place), "{}", shown.err);
        let counts = if value.is_nan() { "1 NaN, 0 infinite" } else { "0 NaN, 1 infinite" };
        assert!(shown.ok().contains(counts));
        let report = run(&["inspect", word, "--json"]).json()["report"].to_string();
        assert!(report.contains(&place), "{report}");
    }
}

/// A model with finite weights, in which "loan" as a text's second word becomes infinite; a file of texts.
fn with_large_weights(class: &str) -> (TinyModel, String) {
    let model = TinyModel::new(class);
    let prefix = if class == "BertModel" { "" } else { "bert." };
    put(&model, &format!("{prefix}embeddings.word_embeddings.weight"), 19 * 16, 3e38);
    put(&model, &format!("{prefix}embeddings.position_embeddings.weight"), 2 * 16, 3e38);
    let texts = model.beside("texts.jsonl");
    let row = |text: &str| format!("{{\"text\": {text:?}, \"label\": \"good\"}}\n");
    fs::write(&texts, ["the bank", "my loan", "the river"].map(row).concat()).expect("writable");
    (model, texts)
}

#[test]
fn results_that_are_nan_or_infinite_are_refused_with_row_and_layer() {
    let words = ["row 2 (counted from 1): the embeddings' output holds NaN", "diverged"];
    let (model, texts) = with_large_weights("BertModel");
    let embed = ["embed", &model.word(), "--input", &texts];
    run(&embed).refused(&words);
    run(&[&embed[..], &["--pooling", "max", "--layers", "0"]].concat()).refused(&words);
    run(&[&embed[..], &["--pooling", "pooler"]].concat()).refused(&words);
    run(&["words", &model.word(), "--word", "loan", "--sentence", "the bank", "my loan"]).refused(&words);
    run(&["embed", &model.word(), "the bank"]).ok();

    for class in ["BertForSequenceClassification", "BertForTokenClassification"] {
        let (model, texts) = with_large_weights(class);
        for dtype in ["f32", "bf16", "int8"] {
            run(&["predict", &model.word(), "--input", &texts, "--dtype", dtype]).refused(&words);
        }
        run(&["predict", &model.word(), "the bank"]).ok();
    }
    let (model, texts) = with_large_weights("BertForSequenceClassification");
    run(&["evaluate", &model.word(), "--test-file", &texts]).refused(&words);

    let (model, _) = with_large_weights("BertForMaskedLM");
    run(&["fill-mask", &model.word(), "my loan of [MASK]"]).refused(&[&words[0].replace("row 2", "row 1")]);
    let (inputs, outputs) = (model.beside("in.safetensors"), model.beside("out.safetensors"));
    let ids = NamedArray::from_i64("input_ids", [2, 4], vec![2, 14, 15, 3, 2, 18, 19, 3]);
    write_safetensors(inputs.as_ref(), &[ids], &[]).expect("writable");
    run(&["forward", &model.word(), "--inputs", &inputs, "--outputs", &outputs]).refused(&words);
    assert!(!std::path::Path::new(&outputs).exists());
}

#[test]
fn the_layer_in_which_numbers_become_infinite_is_named() {
    let model = TinyModel::new("BertModel");
    put(&model, "encoder.layer.1.intermediate.dense.bias", 0, f32::MAX);
    put(&model, "encoder.layer.1.output.dense.weight", 0, 3e38);
    embed(&model).refused(&["row 1 (counted from 1): the output of layer 2 of 2 holds NaN"]);
    run(&["embed", &model.word(), "the bank", "--layers", "1"]).ok();
}

#[test]
fn a_weight_beyond_the_type_that_it_is_saved_in_is_named() {
    let model = TinyModel::new("BertModel");
    put(&model, "encoder.layer.0.output.dense.bias", 2, -70_000.0);
    let convert = |dtype: &str| {
        run(&["convert", &model.word(), "--dtype", dtype, "--output-dir", &model.beside(dtype)])
    };
    convert("f16").refused(&["encoder.layer.0.output.dense.bias holds -7e4", "F16", "1 tensors", "BF16"]);
    assert!(!std::path::Path::new(&model.beside("f16")).exists());
    convert("bf16").ok();
    convert("f32").ok();
}

#[test]
fn a_run_whose_loss_grew_is_said_to_have_diverged() {
    let model = TinyModel::new("BertForSequenceClassification");
    let rows = model.beside("rows.csv");
    let texts = ["i have a loan,bad\n", "a new cpu,good\n", "the river,so so\n"].concat();
    fs::write(&rows, format!("text,label\n{}", texts.repeat(8))).expect("writable");
    let train = |rate: &str, out: &str, flags: &[&str]| {
        let (word, out) = (model.word(), model.beside(out));
        let settings = ["--train-file", &rows, "--output-dir", &out, "--learning-rate", rate];
        run(&[&["train", &word], &settings[..], &["--ignore-findings"], flags].concat())
    };
    let page = |out: &str| fs::read_to_string(format!("{}/report.html", model.beside(out))).expect("written");
    let diverged = train("1000", "bad", &[]);
    assert!(diverged.err.contains("the training diverged: its loss was"), "{}", diverged.err);
    assert!(diverged.err.contains("not usable") && diverged.err.contains("--learning-rate"));
    diverged.ok();
    assert!(page("bad").contains("The training diverged: its loss grew from"));
    assert_eq!(train("1000", "bad-json", &["--json"]).json()["diverged"], json!(true));
    let good = train("1e-3", "good", &["--json"]);
    assert!(!good.err.contains("diverged"), "{}", good.err);
    assert_eq!(good.json()["diverged"], json!(false));
    assert!(!page("good").contains("diverged"));
}
