//! Files made for a test, and data sets read from them.

use std::path::PathBuf;

use bertlab_data::{Columns, DataError, Dataset, RawLabel, read};
use tempfile::TempDir;

/// A folder that lives as long as the test, with one file in it.
pub fn file(name: &str, bytes: impl AsRef<[u8]>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).expect("a file can be written there");
    (folder, path)
}

/// What reading a file of that content gives, columns found by name.
pub fn read_as(name: &str, bytes: impl AsRef<[u8]>) -> Result<Dataset, DataError> {
    read_with(name, bytes, &Columns::default())
}

pub fn read_with(name: &str, bytes: impl AsRef<[u8]>, columns: &Columns) -> Result<Dataset, DataError> {
    let (_folder, path) = file(name, bytes);
    read(&[path], columns)
}

/// The refusal in words.
pub fn refusal(name: &str, bytes: impl AsRef<[u8]>) -> String {
    read_as(name, bytes).expect_err("this file must be refused").to_string()
}

pub fn columns(text: &str, pair: Option<&str>, label: Option<&str>) -> Columns {
    Columns {
        text: Some(text.to_owned()),
        pair: pair.map(str::to_owned),
        label: label.map(str::to_owned),
        ..Columns::default()
    }
}

pub fn texts(dataset: &Dataset) -> Vec<&str> {
    dataset.records.iter().map(|record| record.text.as_deref().expect("every row has a text")).collect()
}

pub fn labels(dataset: &Dataset) -> Vec<RawLabel> {
    dataset.records.iter().map(|record| record.label.clone()).collect()
}

pub fn written(label: &str) -> RawLabel {
    RawLabel::Text(label.to_owned())
}

/// A file of the shared data, or `None` with a word why the test does nothing.
pub fn shared(path: &str) -> Option<PathBuf> {
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let root = std::env::var_os("BERTLAB_SHARED").map(PathBuf::from).unwrap_or(beside);
    let file = root.join(path);
    if !file.exists() {
        println!("skipped: ../shared is not here");
        return None;
    }
    Some(file)
}

/// Checks that a message holds every one of the words.
pub fn assert_says(message: &str, words: &[&str]) {
    for word in words {
        assert!(message.contains(word), "{word:?} is not in {message:?}");
    }
}
