//! Refusal: a checkpoint that cannot be used is answered in words, with what was found and what is supported.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bertlab_checkpoint::{NamedArray, write_safetensors};
use bertlab_model::{
    Batch, Error, HeadChoice, HeadKind, Model, OpenOptions, ProblemType, Row, save_pretrained,
};
use serde_json::{Value, json};

use crate::goldens::{arrays, copy, golden, set_config, weight_bits};
use crate::rows::{open, opened};

#[test]
fn configs_that_cannot_be_used() {
    let huge = json!(1_000_000_000_000_000_u64);
    let cases: Vec<(&str, Value, &[&str])> = vec![
        ("model_type", json!("gpt2"), &["`model_type`", "gpt2", "distilbert", "roberta"]),
        ("model_type", json!(7), &["`model_type`", "7", "a text"]),
        ("architectures", json!(["BertForMultipleChoice"]), &["BertForMultipleChoice", "BertForMaskedLM"]),
        ("architectures", json!(["BertLMHeadModel"]), &["BertLMHeadModel", "BertForMaskedLM"]),
        ("position_embedding_type", json!("relative_key"), &["relative_key", "absolute"]),
        ("is_decoder", json!(true), &["`is_decoder`", "true", "encoders"]),
        ("add_cross_attention", json!(true), &["`add_cross_attention`", "true", "encoders"]),
        ("pruned_heads", json!({"0": [1]}), &["`pruned_heads`", "no pruned heads"]),
        ("quantization_config", json!({"load_in_8bit": true}), &["`quantization_config`", "f16"]),
        ("hidden_act", json!("swish"), &["`hidden_act`", "swish", "gelu_new", "relu"]),
        ("num_attention_heads", json!(5), &["`num_attention_heads`", "5", "divisor", "24"]),
        ("num_attention_heads", json!(0), &["24", "width, layers, heads"]),
        ("hidden_size", huge.clone(), &["1000000000000000", "parameters"]),
        ("hidden_size", json!(-24), &["`hidden_size`", "-24", "whole number"]),
        ("hidden_size", Value::Null, &["`hidden_size`", "whole number"]),
        ("num_hidden_layers", huge.clone(), &["1000000000000000", "parameters"]),
        ("vocab_size", json!(62), &["word_embeddings.weight", "[61, 24]", "[62, 24]"]),
        ("num_hidden_layers", json!(4_000_000), &["parameters", "numbers", "belong together"]),
        ("vocab_size", json!(700_000_000), &["16800008688", "numbers", "belong together"]),
        ("intermediate_size", huge.clone(), &["1000000000000000", "parameters"]),
        ("max_position_embeddings", huge, &["1000000000000000", "parameters"]),
        ("type_vocab_size", json!("two"), &["`type_vocab_size`", "two", "whole number"]),
        ("hidden_dropout_prob", json!(1.5), &["`hidden_dropout_prob`", "1.5", "[0, 1)"]),
        ("attention_probs_dropout_prob", json!(-0.1), &["-0.1", "[0, 1)"]),
        ("layer_norm_eps", json!(-0.5), &["`layer_norm_eps`", "-0.5", "from 0 on"]),
        ("layer_norm_eps", json!(1e300), &["`layer_norm_eps`", "1e+300", "from 0 on"]),
        ("classifier_dropout", json!(1), &["`classifier_dropout`", "1", "[0, 1)"]),
        ("pad_token_id", json!(4_294_967_297_u64), &["`pad_token_id`", "4294967297", "vocabulary"]),
        ("id2label", json!({"0": "bad", "2": "good"}), &["`id2label`", "\"2\"", "names by id"]),
        ("id2label", json!(["bad", "good"]), &["`id2label`", "names by id"]),
        ("problem_type", json!("ranking"), &["`problem_type`", "ranking", "regression"]),
    ];
    for (key, value, words) in cases {
        let scratch = changed(|folder| set_config(folder, &[(key, value)]));
        assert_refused(open(scratch.path(), OpenOptions::default()), words, key);
    }
}

#[test]
fn a_softmax_over_one_output() {
    let keys =
        [("id2label", json!({"0": "relevant"})), ("problem_type", json!("single_label_classification"))];
    let scratch = changed(|folder| set_config(folder, &keys));
    let words = ["`problem_type`", "single_label_classification", "two labels", "multi_label_classification"];
    assert_refused(open(scratch.path(), OpenOptions::default()), &words, "one output");
    // Nothing is wrong with the encoder, nor with a new head.
    let bare = OpenOptions { head: HeadChoice::Kind(HeadKind::None), ..OpenOptions::default() };
    assert!(open(scratch.path(), bare).is_ok());
    let labels = Some((ProblemType::SingleLabel, vec!["a".to_owned(), "b".to_owned()]));
    let new = OpenOptions { new_head: true, labels, ..OpenOptions::default() };
    assert!(open(scratch.path(), new).is_ok());
}

#[test]
fn labels_of_one_name_are_told_apart() {
    let opened_with = |names: [&str; 3]| {
        let names = json!({"0": names[0], "1": names[1], "2": names[2]});
        let scratch = changed(|folder| set_config(folder, &[("id2label", names), ("label2id", Value::Null)]));
        bertlab_model::open(scratch.path(), &OpenOptions::default()).expect("labels are no reason to refuse")
    };
    let (found, report) = opened_with(["other", "good", "other"]);
    assert_eq!(found.spec.head.labels, ["other (0)", "good", "other (2)"]);
    let said = report.messages();
    assert!(said.iter().any(|line| line.contains("other (0), other (2)")), "{said:?}");
    let (found, _) = opened_with(["other", "other (0)", "other"]);
    let labels: BTreeSet<&String> = found.spec.head.labels.iter().collect();
    assert_eq!(labels.len(), 3, "{labels:?}");
    let (_, report) = opened_with(["bad", "good", "so so"]);
    assert_eq!(report.messages(), [""; 0]);
}

#[test]
fn configs_of_modernbert_that_cannot_be_used() {
    let cases: Vec<(&str, Value, &[&str])> = vec![
        ("rope_scaling", json!({"rope_type": "linear", "factor": 2.0}), &["`rope_scaling`", "linear"]),
        ("rope_parameters", json!({"full_attention": {"rope_type": "yarn"}}), &["yarn", "\"default\""]),
        ("rope_parameters", json!({"sliding_attention": {"rope_theta": -1}}), &["-1", "above 0"]),
        ("layer_types", json!(["full_attention"]), &["`layer_types`", "each of 4 layers"]),
        ("layer_types", json!(["full_attention", "a", "b", "c"]), &["`layer_types`", "sliding_attention"]),
        ("num_attention_heads", json!(8), &["`num_attention_heads`", "8", "even width", "3"]),
        ("classifier_pooling", json!("max"), &["`classifier_pooling`", "max", "\"cls\" or \"mean\""]),
        ("norm_eps", json!(-1), &["`norm_eps`", "-1", "from 0 on"]),
        ("initializer_cutoff_factor", json!(0), &["`initializer_cutoff_factor`", "0.1"]),
        ("hidden_activation", json!("silu"), &["`hidden_activation`", "silu", "gelu_new"]),
        ("mlp_bias", json!(true), &["mlp.Wi.bias", "missing"]),
    ];
    for (key, value, words) in cases {
        let scratch = changed_of("checkpoints/modernbert-sequence-classification", |folder| {
            set_config(folder, &[(key, value)]);
        });
        assert_refused(open(scratch.path(), OpenOptions::default()), words, key);
    }
}

#[test]
fn rows_with_gaps_where_layers_have_windows() {
    let model = opened(&golden("checkpoints/modernbert-sequence-classification"));
    let batch = |position_ids: &[u32]| {
        let row = Row { input_ids: &[1, 7, 8, 2], position_ids, ..Row::default() };
        Batch::new(&model.spec.encoder, &[row])
    };
    assert!(batch(&[3, 4, 5, 6]).is_ok());
    let error = batch(&[0, 1, 3, 4]).expect_err("a position is left out");
    assert!(error.to_string().contains("row 0: its tokens do not follow one another"), "{error}");
}

/// A golden that something was done to.
fn changed(change: impl FnOnce(&Path)) -> tempfile::TempDir {
    changed_of("checkpoints/bert-sequence-classification", change)
}

fn changed_of(name: &str, change: impl FnOnce(&Path)) -> tempfile::TempDir {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    copy(&golden(name), scratch.path());
    change(scratch.path());
    scratch
}

fn assert_refused(result: Result<Model, Error>, words: &[&str], what: &str) {
    let Err(error) = result else { panic!("{what} was accepted") };
    let message = error.to_string();
    for word in words {
        assert!(message.contains(word), "{what}: `{word}` is not in: {message}");
    }
}

#[test]
fn weights_that_do_not_make_the_model() {
    type Change = fn(Vec<NamedArray>) -> Vec<NamedArray>;
    let cases: [(&str, Change, &[&str]); 5] = [
        (
            "without a layer",
            |arrays| keep(arrays, |name| !name.contains("layer.1.")),
            &["bert.encoder.layer.1.attention.self.query.weight", "16 of 37", "2 layers"],
        ),
        (
            "without the word embeddings",
            |arrays| keep(arrays, |name| !name.contains("word_embeddings")),
            &["bert.embeddings.word_embeddings.weight", "1 of 37"],
        ),
        (
            "of another model",
            |arrays| arrays.into_iter().map(|array| renamed(array, "gpt.")).collect(),
            &["missing", "37 of 37", "gpt."],
        ),
        (
            "of another shape",
            |arrays| {
                arrays.into_iter().map(|array| reshaped(array, "layer.0.intermediate.dense.weight")).collect()
            },
            &["layer.0.intermediate.dense.weight", "[888]", "[37, 24]"],
        ),
        (
            "with a classifier of another shape",
            |arrays| arrays.into_iter().map(|array| reshaped(array, "classifier.weight")).collect(),
            &["classifier.weight", "[72]", "[3, 24]"],
        ),
    ];
    for (what, change, words) in cases {
        let scratch = changed(|folder| {
            let file = folder.join("model.safetensors");
            let arrays: Vec<NamedArray> = arrays(&file).into_values().map(in_memory).collect();
            fs::remove_file(&file).expect("there");
            write_safetensors(&file, &change(arrays), &[]).expect("writable");
        });
        assert_refused(open(scratch.path(), OpenOptions::default()), words, what);
    }
}

/// An array that no longer needs its file.
fn in_memory(array: NamedArray) -> NamedArray {
    let values = array.to_f32().expect("weights are floats");
    NamedArray::from_f32(array.name, array.shape, values)
}

fn keep(arrays: Vec<NamedArray>, is_kept: fn(&str) -> bool) -> Vec<NamedArray> {
    arrays.into_iter().filter(|array| is_kept(&array.name)).collect()
}

fn renamed(array: NamedArray, prefix: &str) -> NamedArray {
    NamedArray { name: format!("{prefix}{}", array.name), ..array }
}

fn reshaped(array: NamedArray, name: &str) -> NamedArray {
    let shape = if array.name.ends_with(name) { vec![array.n_elements()] } else { array.shape };
    NamedArray { shape, ..array }
}

#[test]
fn folders_that_are_incomplete() {
    let cases: [(&str, &str, &[&str]); 3] = [
        ("without weights", "model.safetensors", &["model.safetensors", "pytorch_model.bin"]),
        ("without a config", "config.json", &["config.json", "save_pretrained"]),
        ("with a shard that is missing", "model-00002-of-00002.safetensors", &["model-00002-of-00002"]),
    ];
    for (what, file, words) in cases {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let whole =
            if file.starts_with("model-") { "roberta-masked-lm-f16-shards" } else { "bert-masked-lm" };
        copy(&golden("checkpoints").join(whole), scratch.path());
        fs::remove_file(scratch.path().join(file)).expect("there");
        assert_refused(open(scratch.path(), OpenOptions::default()), words, what);
    }
}

#[test]
fn a_head_that_the_family_lacks() {
    let head = HeadChoice::Kind(HeadKind::PreTraining);
    let options = OpenOptions { head, ..OpenOptions::default() };
    let result = open(&golden("checkpoints/distilbert-sequence-classification"), options);
    assert_refused(result, &["distilbert", HeadKind::PreTraining.name()], "pretraining");
}

#[test]
fn an_interrupted_save_is_no_checkpoint_and_is_cleared_away_by_the_next() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let model = opened(&golden("checkpoints/bert-masked-lm"));
    let folder = scratch.path().join("model");
    save_pretrained(&folder, &model, None).expect("writable");
    // What a program leaves behind that dies while it writes the weights.
    let staging = scratch.path().join(".model.saving-1-0.new");
    fs::create_dir(&staging).expect("writable");
    fs::copy(folder.join("config.json"), staging.join("config.json")).expect("writable");
    fs::write(staging.join(".model.safetensors.saving-1-1.partial"), b"half").expect("writable");
    fs::write(scratch.path().join(".model.saving-1-0.lock"), "").expect("writable");
    assert_refused(open(&staging, OpenOptions::default()), &["model.safetensors"], "a staging folder");
    let before = weight_bits(&opened(&folder));
    save_pretrained(&folder, &model, None).expect("writable");
    assert!(before == weight_bits(&opened(&folder)));
    let left: Vec<_> = fs::read_dir(scratch.path()).expect("readable").collect();
    assert_eq!(left.len(), 1, "{left:?}");
}
