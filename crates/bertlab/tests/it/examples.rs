//! The examples do what their first lines say. They are built beside the tests, by a `cargo test` of the whole workspace.

use std::path::{Path, PathBuf};
use std::process::Command;

/// An example's program; none where this test alone was built.
fn example(name: &str) -> Option<PathBuf> {
    let test = std::env::current_exe().expect("a test is a program");
    let folder = test.parent().and_then(Path::parent).expect("target/PROFILE/deps/TEST").join("examples");
    let program = folder.join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        println!("skipped: {} was not built", program.display());
        return None;
    }
    Some(program)
}

fn run(home: &Path, name: &str, arguments: &[&str]) -> Option<String> {
    let output = Command::new(example(name)?)
        .args(arguments)
        .current_dir(home)
        .env("HF_HUB_OFFLINE", "1")
        .env("BERTLAB_CACHE", home.join("cache"))
        .output()
        .expect("it starts");
    assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).expect("UTF-8"))
}

#[test]
fn each_runs_on_the_model_and_the_reviews_that_are_there() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let says = |name: &str, arguments: &[&str], words: &[&str]| {
        let Some(text) = run(home.path(), name, arguments) else { return };
        for word in words {
            assert!(text.contains(word), "{name}: `{word}` is not in: {text}");
        }
    };
    says(
        "look_inside",
        &[],
        &["4 layers of width 256", "BertForMaskedLM(", "[CLS]", "this movie was really"],
    );
    says("vectors", &[], &["A moving film.", "cold drink ~ cold reply: 0."]);
    says("fine_tune", &[], &["252 rows, 128 updates", "accuracy: 0.", " %)"]);
    says("evaluate", &["fine-tuned/final_model"], &["of 100 rows; always the commonest label: 50.0 %"]);
    says("pretrain", &[], &["updates", "perplexity", "final_model"]);
}
