//! Law: the program gives the same bits on every instruction set and with any number of threads.

use std::fs;
use std::path::Path;
use std::process::Command;

use bertlab::{NamedArray, write_safetensors};
use serde_json::{Value, json};

/// `BERTLAB_SIMD` and `--threads`. A level that the machine lacks is ignored, and then the same as the first.
const SETTINGS: [(&str, &str); 6] =
    [("", "1"), ("", "2"), ("portable", "1"), ("portable", "2"), ("avx2", "1"), ("avx512", "2")];

#[test]
fn outputs_and_gradients_are_the_same_bits() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let folder = scratch.path();
    let config = json!({
        "model_type": "bert", "architectures": ["BertForSequenceClassification"], "hidden_size": 40,
        "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 101, "vocab_size": 97,
        "max_position_embeddings": 70,
    });
    fs::write(folder.join("config.json"), config.to_string()).expect("writable");
    let (n_rows, n_columns) = (9, 67);
    let ids = (0..n_rows * n_columns).map(|i| (i * i % 97) as i64).collect();
    let labels = (0..n_rows).map(|i| (i % 2) as i64).collect();
    let arrays = [
        NamedArray::from_i64("input_ids", [n_rows, n_columns], ids),
        NamedArray::from_i64("labels", [n_rows], labels),
    ];
    write_safetensors(&folder.join("in.safetensors"), &arrays, &[]).expect("writable");
    let words = "forward . --random-weights --gradients --inputs in.safetensors --outputs out.safetensors";
    check(|setting| {
        run(folder, setting, &words.split(' ').collect::<Vec<_>>());
        fs::read(folder.join("out.safetensors")).expect("it was written")
    });
}

#[test]
fn trained_weights_are_the_same_bits() {
    let goldens = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens/training");
    let reference = goldens.join("distilbert-uneven-accumulation");
    let text = fs::read_to_string(reference.join("run.json")).expect("it belongs to the repository");
    let golden: Value = serde_json::from_str(&text).expect("it is JSON");
    let rows: Vec<String> = golden["train"].as_array().expect("rows").iter().map(Value::to_string).collect();
    let scratch = tempfile::tempdir().expect("a temporary folder");
    fs::write(scratch.path().join("rows.jsonl"), rows.join("\n")).expect("writable");
    let init = reference.join("init");
    let init = init.to_str().expect("UTF-8");
    let words = "--train-file rows.jsonl --output-dir out --overwrite-output-dir --num-train-epochs 1 \
                 --gradient-accumulation-steps 2 --save-strategy no";
    let words: Vec<&str> = ["train", init].into_iter().chain(words.split_whitespace()).collect();
    check(|setting| {
        run(scratch.path(), setting, &words);
        fs::read(scratch.path().join("out/final_model/model.safetensors")).expect("it was written")
    });
}

/// Whether the work gives the same bytes under all settings.
fn check(work: impl Fn((&str, &str)) -> Vec<u8>) {
    let first = work(SETTINGS[0]);
    for setting in &SETTINGS[1..] {
        assert!(first == work(*setting), "{setting:?} differs from {:?}", SETTINGS[0]);
    }
}

fn run(folder: &Path, (simd, n_threads): (&str, &str), words: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_bertlab"))
        .args(words)
        .args(["--threads", n_threads, "--offline"])
        .env("BERTLAB_SIMD", simd)
        .current_dir(folder)
        .output()
        .expect("the program was built");
    assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
}
