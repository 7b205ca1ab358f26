//! The door: a vocabulary and a masked language model of one's own texts.

use std::fs;
use std::path::Path;

use crate::support::{TinyModel, parse, run};
use serde_json::Value;
use tempfile::TempDir;

const WORDS: [&str; 8] = ["river", "bank", "loan", "boat", "film", "cloud", "stone", "bread"];

/// A folder with 400 texts in `texts.txt`, half of them again as JSON lines.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = |i: usize| format!("{0} {0} {0} {1} {0} {0}.", WORDS[i % 8], WORDS[i / 8 % 8]);
    let lines: Vec<String> = (0..400).map(text).collect();
    fs::write(folder.path().join("texts.txt"), lines.join("\n")).expect("writable");
    let objects: Vec<String> =
        lines[..200].iter().map(|text| serde_json::json!({ "text": text }).to_string()).collect();
    fs::write(folder.path().join("half.jsonl"), objects.join("\n")).expect("writable");
    folder
}

fn at(folder: &TempDir, name: &str) -> String {
    folder.path().join(name).display().to_string()
}

#[test]
fn a_vocabulary_is_trained_opened_and_not_written_over_unasked() {
    let folder = folder();
    let (texts, out) = (at(&folder, "texts.txt"), at(&folder, "vocabulary"));
    let words = ["vocab", &texts, &at(&folder, "half.jsonl"), "--vocab-size", "80", "--output-dir", &out];
    let text = run(&words).ok();
    assert!(text.starts_with("vocabulary  ") && text.contains(" pieces in "), "{text}");
    let tokens = run(&["tokenize", &out, "River bank"]).ok();
    assert!(tokens.contains("[CLS] river bank [SEP]"), "{tokens}");
    let again = run(&words);
    assert!(again.code == Some(1) && again.err.contains("--overwrite-output-dir"), "{}", again.err);
    run(&[&words[..], &["--overwrite-output-dir"]].concat()).ok();
    let small = run(&["vocab", &texts, "--vocab-size", "10", "--output-dir", &at(&folder, "small")]);
    assert!(
        small.code == Some(1) && small.err.contains("a vocabulary of 10 tokens is too small"),
        "{}",
        small.err
    );
    assert!(!Path::new(&at(&folder, "small")).exists(), "nothing half-made");
}

#[test]
fn a_new_model_is_pretrained_taken_up_again_and_fills_masks() {
    let folder = folder();
    let (texts, out) = (at(&folder, "texts.txt"), at(&folder, "out"));
    let words = ["pretrain", &texts, "--shape", "2x32", "--vocab-size", "80", "--output-dir", &out];
    let settings = ["--max-length", "16", "--batch-tokens", "128", "--max-steps", "6", "--save-steps", "2"];
    let words = [&words[..], &settings, &["--validation-share", "0.1"]].concat();
    let text = run(&words).ok();
    for line in
        ["model       BertForMaskedLM of 2 layers of width 32", "400 texts", "held out", "6 update steps"]
    {
        assert!(text.contains(line), "{line:?} in {text}");
    }
    assert!(text.contains("perplexity"), "{text}");
    let filled = run(&["fill-mask", &at(&folder, "out/final_model"), "river [MASK] river"]).ok();
    assert!(!filled.is_empty());
    let weights = fs::read(at(&folder, "out/final_model/model.safetensors")).expect("saved");
    let from = ["--resume-from-checkpoint", &at(&folder, "out/checkpoint-4")];
    let json: Value = parse(&run(&[&words[..], &from, &["--json"]].concat()).ok());
    assert_eq!(json["n_steps"], 6);
    assert_eq!(fs::read(at(&folder, "out/final_model/model.safetensors")).expect("saved"), weights);
}

#[test]
fn a_checkpoint_goes_on_from_a_config_or_a_model() {
    let folder = folder();
    let model = TinyModel::new("BertForMaskedLM");
    let (texts, out) = (at(&folder, "texts.txt"), at(&folder, "further"));
    let settings = ["--max-length", "12", "--batch-tokens", "96", "--max-steps", "2"];
    let text =
        run(&[&["pretrain", &texts, "--from", &model.word(), "--output-dir", &out], &settings[..]].concat())
            .ok();
    assert!(text.contains("24 tokens"), "its own vocabulary: {text}");
    let config = format!("{}/config.json", model.word());
    let new = ["pretrain", &texts, "--config", &config, "--tokenizer", &model.word(), "--output-dir"];
    let text = run(&[&new[..], &[&at(&folder, "new")], &settings].concat()).ok();
    assert!(text.contains("24 tokens"), "the given vocabulary: {text}");
}

#[test]
fn what_is_missing_or_contradicts_itself_is_said() {
    let folder = folder();
    let (texts, out) = (at(&folder, "texts.txt"), at(&folder, "out"));
    let refused = |words: &[&str]| {
        let done = run(&[&["pretrain", &texts, "--output-dir", &out], words].concat());
        assert!(done.code != Some(0), "{words:?}");
        done.err
    };
    assert!(refused(&[]).contains("--from"), "what to begin with");
    assert!(refused(&["--shape", "4x100"]).contains("LAYERSxWIDTH"));
    assert!(refused(&["--shape", "2x32", "--from", "x"]).contains("cannot be used with"));
    assert!(refused(&["--shape", "2x32", "--validation-share", "1"]).contains("[0, 1)"));
    assert!(refused(&["--shape", "2x32", "--batch-tokens", "8"]).contains("batch_tokens is 8"));
    assert!(!Path::new(&out).exists(), "nothing is made before it is known to work");
}

#[test]
fn a_new_head_and_a_run_without_an_evaluation_are_said() {
    let folder = folder();
    let model = TinyModel::new("BertModel");
    let words = ["pretrain", &at(&folder, "texts.txt"), "--from", &model.word(), "--max-length", "12"];
    let more = ["--max-steps", "1", "--validation-share", "0", "--output-dir", &at(&folder, "out")];
    let done = run(&[&words[..], &more].concat());
    for word in ["newly initialised", "cls.predictions", "no text is held out"] {
        assert!(done.err.contains(word), "{word:?} in {}", done.err);
    }
    assert!(!done.ok().contains("perplexity"));
}
