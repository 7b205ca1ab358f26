//! The guides: every command that they show runs, one after the other, as a reader would type them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// What stands in a guide's blocks of `sh`, in order.
fn commands(guide: &str) -> String {
    let text = fs::read_to_string(repository().join("docs").join(guide)).expect("the guide is there");
    let mut commands = String::new();
    for block in text.split("```sh\n").skip(1) {
        commands += block.split("```").next().expect("a block ends");
    }
    assert!(commands.contains("bertlab "), "{guide} shows no command");
    commands
}

/// Runs the guide's commands in a new folder that holds the repository's reviews, without a network.
#[cfg(unix)]
fn follow(guide: &str) {
    let home = tempfile::tempdir().expect("a temporary folder");
    let reviews = home.path().join("assets/reviews");
    fs::create_dir_all(&reviews).expect("writable");
    for name in ["train.csv", "test.csv"] {
        fs::copy(repository().join("assets/reviews").join(name), reviews.join(name)).expect("copied");
    }
    let program = Path::new(env!("CARGO_BIN_EXE_bertlab")).parent().expect("it lies in a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let output = Command::new("sh")
        .args(["-e", "-x", "-c", &commands(guide)])
        .current_dir(home.path())
        .env("PATH", format!("{}:{path}", program.display()))
        .env("HF_HUB_OFFLINE", "1")
        .env("BERTLAB_CACHE", home.path().join("cache"))
        .output()
        .expect("a shell runs");
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{guide}: {}\n{}", said(&output.stdout), said(&output.stderr));
}

#[cfg(unix)]
#[test]
fn look_inside() {
    follow("look-inside.md");
}

#[cfg(unix)]
#[test]
fn vectors() {
    follow("vectors.md");
}

#[cfg(unix)]
#[test]
fn fine_tune() {
    follow("fine-tune.md");
}

#[cfg(unix)]
#[test]
fn pretraining() {
    follow("pretraining.md");
}

#[cfg(unix)]
#[test]
fn evaluate_honestly() {
    follow("evaluate-honestly.md");
}
