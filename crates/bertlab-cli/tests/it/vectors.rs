//! The door: embed, words, fill-mask, forward.

use std::fs;
use std::path::Path;

use crate::support::{TinyModel, numbers, parse, run, run_with_input, shared};
use bertlab::{NamedArray, read_safetensors, write_safetensors};
use serde_json::json;

fn norm(vector: &[f64]) -> f64 {
    vector.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[test]
fn embed_prints_json_lines_in_a_pipe() {
    let model = TinyModel::new("BertModel");
    let lines = run(&["embed", &model.word(), "the bank", "my loan !"]).json_lines();
    assert_eq!((&lines[0]["text"], &lines[1]["text"]), (&json!("the bank"), &json!("my loan !")));
    assert_eq!(numbers(&lines[1]["embedding"]).len(), 16);
    let piped =
        run_with_input(&["embed", &model.word(), "--input", "-"], "my loan !\nthe bank\n").json_lines();
    assert_eq!(piped, [lines[1].clone(), lines[0].clone()], "a row is the same in any company");
    let normalized = run(&["embed", &model.word(), "the bank", "--normalize"]).json();
    assert!((norm(&numbers(&normalized["embedding"])) - 1.0).abs() < 1e-5);
}

#[test]
fn embed_pools_as_asked() {
    let model = TinyModel::new("BertModel");
    let vector = |flags: &[&str]| {
        let line = run(&[&["embed", &model.word(), "the bank"], flags].concat()).json();
        line["embedding"].clone()
    };
    let tokens = vector(&["--pooling", "tokens"]);
    assert_eq!(tokens.as_array().map(Vec::len), Some(4));
    assert_eq!(vector(&["--pooling", "cls"]), tokens[0]);
    for (column, mean) in numbers(&vector(&["--pooling", "mean"])).into_iter().enumerate() {
        let sum: f64 = (0..4).map(|token| numbers(&tokens[token])[column]).sum();
        assert!((mean - sum / 4.0).abs() < 1e-6);
    }
    let pooled = numbers(&vector(&["--pooling", "pooler"]));
    assert!(pooled.iter().all(|x| x.abs() <= 1.0));
    assert_ne!(vector(&["--layers", "-2..-1"]), vector(&["--layers", "all"]));
    assert_eq!(vector(&["--layers", "-1"]), vector(&[]));
    run(&["embed", &model.word(), "the bank", "--layers", "7"]).refused(&["7"]);
}

#[test]
fn sentence_transformers_files_decide_unless_a_flag_does() {
    let model = TinyModel::new("BertModel");
    let plain = run(&["embed", &model.word(), "my loan", "--pooling", "max"]).json();
    let write = |name: &str, text: &str| {
        let file = model.path().join(name);
        fs::create_dir_all(file.parent().expect("inside")).expect("writable");
        fs::write(file, text).expect("writable");
    };
    let step = |path: &str, class: &str| json!({"path": path, "type": format!("sentence_transformers.models.{class}")});
    let steps =
        json!([step("", "Transformer"), step("1_Pooling", "Pooling"), step("2_Normalize", "Normalize")]);
    write("modules.json", &steps.to_string());
    write("1_Pooling/config.json", r#"{"pooling_mode_max_tokens": true, "pooling_mode_mean_tokens": false}"#);
    write("sentence_bert_config.json", r#"{"max_seq_length": 6}"#);
    let (raw, scaled) = (numbers(&plain["embedding"]), run(&["embed", &model.word(), "my loan"]).json());
    for (raw_value, value) in raw.iter().zip(numbers(&scaled["embedding"])) {
        assert!((raw_value / norm(&raw) - value).abs() < 1e-5);
    }
    assert_eq!(run(&["embed", &model.word(), "my loan", "--no-normalize"]).json(), plain);
    let long =
        |flags: &[&str]| run(&[&["embed", &model.word(), "my loan of the river bank"], flags].concat());
    let by_folder = long(&[]);
    let told = "1 of 1 text cut to 6 tokens, the folder's max_seq_length; --max-length 24 is the most";
    assert!(by_folder.err.contains(told), "{}", by_folder.err);
    let by_hand = long(&["--max-length", "6"]);
    assert!(by_hand.err.contains("1 of 1 text cut to 6 tokens; "), "{}", by_hand.err);
    let vector = by_folder.json();
    assert_eq!(by_hand.json(), vector);
    let pooled = long(&["--pooling", "max", "--normalize"]);
    assert_eq!(pooled.json(), vector);
    let whole = long(&["--max-length", "24"]);
    assert_eq!(whole.err, "");
    assert_ne!(whole.json(), vector);
    fs::rename(
        model.path().join("sentence_bert_config.json"),
        model.path().join("sentence_distilbert_config.json"),
    )
    .expect("writable");
    assert_eq!(long(&[]).json(), vector);
    run(&["embed", &model.word(), "my loan", "--max-length", "25"]).refused(&["25", "24"]);
}

#[test]
fn embed_writes_files() {
    let model = TinyModel::new("BertModel");
    let texts = model.beside("texts.txt");
    fs::write(&texts, "the bank\n\nmy loan\n").expect("writable");
    let embed = |output: &str, flags: &[&str]| {
        let file = model.beside(output);
        run(&[&["embed", &model.word(), "--input", &texts, "--output", &file], flags].concat()).ok();
        file
    };
    let lines = fs::read_to_string(embed("e.jsonl", &[])).expect("written");
    let rows: Vec<_> = lines.lines().map(parse).collect();
    assert_eq!(rows.len(), 3);
    let npy = fs::read(embed("e.npy", &[])).expect("written");
    let start = npy.len() - 3 * 16 * 4;
    assert!(String::from_utf8_lossy(&npy[..start]).contains("'shape': (3, 16)"));
    let arrays = read_safetensors(Path::new(&embed("e.safetensors", &[]))).expect("valid");
    assert_eq!((arrays[0].name.as_str(), &arrays[0].shape[..]), ("embeddings", &[3, 16][..]));
    assert_eq!(&arrays[0].bytes[..], &npy[start..]);
    let wanted: Vec<f64> = rows.iter().flat_map(|row| numbers(&row["embedding"])).collect();
    let found = arrays[0].to_f32().expect("floats");
    assert!(wanted.iter().zip(found).all(|(wanted, found)| *wanted as f32 == found));
    let arrays =
        read_safetensors(Path::new(&embed("t.safetensors", &["--pooling", "tokens"]))).expect("valid");
    assert_eq!((arrays.len(), &arrays[1].shape[..]), (3, &[2, 16][..]));
    run(&["embed", &model.word(), "a", "--output", "vectors.csv"]).refused(&[".npy, .safetensors or .jsonl"]);
    run(&["embed", &model.word(), "a", "--output", "/no/such/folder/e.npy"]).refused(&["/no/such/folder"]);
}

const SENTENCES: [&str; 5] =
    ["words", "--sentence", "I have a new CPU!", "I have a new Intel CPU!", "A new GPU!"];

fn words(model: &TinyModel, rest: &[&str]) -> crate::support::Run {
    run(&[&["words", &model.word()], &SENTENCES[1..], rest].concat())
}

#[test]
fn words_are_compared_in_context() {
    let model = TinyModel::new("BertModel");
    let found = words(&model, &["--word", "CPU@1,2", "--word", "Intel", "--word", "GPU", "--json"]).json();
    assert_eq!(found["words"], json!(["CPU@1,2", "Intel", "GPU"]));
    let cosine: Vec<Vec<f64>> = (0..3).map(|row| numbers(&found["cosine"][row])).collect();
    for (i, row) in cosine.iter().enumerate() {
        assert!((row[i] - 1.0).abs() < 1e-6);
        assert!((0..3).all(|j| (row[j] - cosine[j][i]).abs() < 1e-6));
    }
    assert!(found["recipes"][0].as_str().is_some_and(|recipe| recipe.contains("mean of 2")), "{found}");
    let text = words(&model, &["--word", "CPU@1", "--word", "CPU@2"]);
    assert!(text.err.contains("note"), "{}", text.err);
    assert!(text.ok().contains("1.0000"));
}

#[test]
fn words_that_are_unclear_are_refused() {
    let model = TinyModel::new("BertModel");
    words(&model, &["--word", "TPU"]).refused(&["TPU"]);
    words(&model, &["--word", "Intel@1"]).refused(&["Intel", "I have a new CPU!"]);
    words(&model, &["--word", "CPU@9"]).refused(&["9"]);
    let twice = run(&["words", &model.word(), "--sentence", "a bank of a bank", "--word", "bank"]);
    twice.refused(&["bank@1#2"]);
}

#[test]
fn fill_mask_gives_candidates() {
    let model = TinyModel::new("BertForMaskedLM");
    let found = run(&["fill-mask", &model.word(), "my [MASK] loan", "--top-k", "3", "--json"]);
    assert_eq!(found.err, "");
    let found = found.json();
    assert_eq!((&found["is_trained"], &found["masks"][0]["position"]), (&json!(true), &json!(2)));
    let candidates = found["masks"][0]["candidates"].as_array().expect("a list");
    let scores: Vec<f64> = candidates.iter().map(|one| one["score"].as_f64().expect("a number")).collect();
    assert!(scores.len() == 3 && scores[0] >= scores[1] && scores[1] >= scores[2]);
    assert!(
        candidates
            .iter()
            .all(|one| one["token"].is_string() && one["id"].is_u64() && one["sequence"].is_string())
    );
    run(&["fill-mask", &model.word(), "my loan"]).refused(&["[MASK]"]);
}

#[test]
fn fill_mask_without_a_trained_head_says_that_it_means_nothing() {
    let model = TinyModel::new("BertModel");
    let found = run(&["fill-mask", &model.word(), "my [MASK]"]);
    assert!(found.err.contains("newly initialised") && found.err.contains("mean nothing"), "{}", found.err);
    assert!(found.ok().contains('%'));
}

#[test]
fn forward_writes_outputs_and_gradients() {
    let model = TinyModel::new("BertForSequenceClassification");
    let (inputs, outputs) = (model.beside("in.safetensors"), model.beside("out.safetensors"));
    let arrays = [
        NamedArray::from_i64("input_ids", [2, 4], vec![2, 7, 8, 3, 2, 9, 3, 0]),
        NamedArray::from_i64("attention_mask", [2, 4], vec![1, 1, 1, 1, 1, 1, 1, 0]),
        NamedArray::from_i64("labels", [2], vec![0, 2]),
    ];
    write_safetensors(Path::new(&inputs), &arrays, &[]).expect("writable");
    let arguments =
        ["forward", &model.word(), "--inputs", &inputs, "--outputs", &outputs, "--gradients", "--json"];
    let found = run(&arguments).json();
    assert_eq!(found["shapes"]["last_hidden_state"], json!([2, 4, 16]));
    assert_eq!(found["shapes"]["logits"], json!([2, 3]));
    assert_eq!(found["shapes"]["attentions.1"], json!([2, 2, 4, 4]));
    assert_eq!(found["shapes"]["grad.classifier.weight"], json!([3, 16]));
    let written = read_safetensors(Path::new(&outputs)).expect("valid");
    let loss = written.iter().find(|array| array.name == "loss").expect("with labels there is a loss");
    assert!(loss.to_f32().expect("a float")[0] > 0.0);
    write_safetensors(Path::new(&inputs), &arrays[1..], &[]).expect("writable");
    run(&arguments).refused(&["input_ids"]);
}

#[test]
fn the_given_model_gives_its_known_vectors() {
    let (Some(model), Some(folder)) =
        (shared("models/all-MiniLM-L6-v2"), shared("fixtures/lab-all-MiniLM-L6-v2"))
    else {
        return;
    };
    let golden = parse(&fs::read_to_string(Path::new(&folder).join("golden.json")).expect("readable"));
    let arrays = read_safetensors(&Path::new(&folder).join("golden.safetensors")).expect("valid");
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let texts = scratch.path().join("texts.jsonl");
    let rows = golden["embedding_texts"].as_array().expect("a list");
    let rows: String = rows.iter().map(|text| format!("{}\n", json!({"text": text}))).collect();
    fs::write(&texts, rows).expect("writable");
    let texts = texts.to_str().expect("UTF-8");
    for (name, flags) in [
        ("mean_pooled", &["--pooling", "mean"][..]),
        ("mean_pooled_normalized", &["--pooling", "mean", "--normalize"]),
        ("mean_pooled_normalized", &[]),
        ("cls_pooled", &["--pooling", "cls"]),
        ("pooler_output", &["--pooling", "pooler"]),
    ] {
        let wanted =
            arrays.iter().find(|array| array.name == name).expect("it is there").to_f32().expect("floats");
        let lines = run(&[&["embed", &model, "--input", texts, "--max-length", "512"], flags].concat());
        let lines = lines.json_lines();
        let found: Vec<f64> = lines.iter().flat_map(|line| numbers(&line["embedding"])).collect();
        // The pooler's output is there for the first four texts alone.
        assert!(found.len() >= wanted.len() && wanted.len() >= 4 * 384);
        let worst = found.iter().zip(&wanted).map(|(a, &b)| (a - f64::from(b)).abs()).fold(0.0, f64::max);
        assert!(worst < 1e-4, "{name}: {worst}");
    }
}

#[test]
fn the_lab_s_words_have_their_known_cosines() {
    let (Some(model), Some(folder)) =
        (shared("models/all-MiniLM-L6-v2"), shared("fixtures/lab-all-MiniLM-L6-v2"))
    else {
        return;
    };
    let golden = parse(&fs::read_to_string(Path::new(&folder).join("golden.json")).expect("readable"));
    let sentences: Vec<&str> = golden["sentences"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|text| text.as_str().expect("a text"))
        .collect();
    let query =
        ["--word", "CPU@1,2", "--word", "Intel@2", "--word", "GPU@3,4", "--word", "NVIDIA@4", "--json"];
    let found = run(&[&["words", &model, "--sentence"], &sentences[..], &query].concat()).json();
    for (pair, i, j) in [("cpu~intel", 0, 1), ("gpu~nvidia", 2, 3), ("cpu~gpu", 0, 2), ("intel~nvidia", 1, 3)]
    {
        let (found, wanted) = (found["cosine"][i][j].as_f64(), golden["cosine"][pair].as_f64());
        let (found, wanted) = (found.expect("a number"), wanted.expect("a number"));
        assert!((found - wanted).abs() < 1e-4, "{pair}: {found}, wanted {wanted}");
    }
}
