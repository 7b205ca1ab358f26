//! Encodings, extensions, plain text files and class folders.

mod data_files;

use bertlab_train::data::{Columns, RawLabel, read};
use data_files::{assert_says, file, labels, read_as, refusal, texts, written};
use tempfile::TempDir;

#[test]
fn bytes_that_are_not_utf_8_are_refused_with_line_and_offset() {
    let message = refusal("a.csv", b"text,label\ngood,1\nna\xefve,0\n");
    assert_says(&message, &["a.csv", "line 3", "0xef", "offset 20", "iconv -f latin1 -t utf-8"]);
    let message = refusal("a.jsonl", b"\xff\xfe{\0");
    assert_says(&message, &["line 1", "offset 0", "iconv -f utf-16"]);
}

#[test]
fn extensions_without_a_reader_are_refused_with_those_that_have_one() {
    assert_says(&refusal("a.xlsx", b"PK\x03\x04\0\xff"), &["\"xlsx\"", ".csv", ".parquet"]);
    assert_says(&refusal("polarity", "plain words\n"), &["\"\"", ".txt"]);
    // A text in another encoding has that trouble first.
    assert_says(&refusal("rt-polarity.pos", b"good\nclich\xe9\n"), &["line 2", "iconv"]);
}

#[test]
fn a_file_that_is_not_there_is_named() {
    let missing = std::path::PathBuf::from("nowhere/train.csv");
    let error = read(&[missing], &Columns::default()).expect_err("there is no such file");
    assert_says(&error.to_string(), &["nowhere/train.csv", "cannot be read"]);
    assert_says(&read(&[], &Columns::default()).expect_err("no file").to_string(), &["no data file"]);
}

#[test]
fn a_text_file_has_a_text_per_line() {
    let dataset = read_as("a.txt", "one\r\n\ntwo, with a comma\n").expect("two lines");
    assert_eq!(texts(&dataset), ["one", "two, with a comma"]);
    assert_eq!(dataset.records[1].row, 3);
    assert_eq!(labels(&dataset), [RawLabel::Missing, RawLabel::Missing]);
    assert_says(&refusal("a.txt", "\n \n"), &["no rows"]);
}

/// DIR/train with pos, neg and unsup, as aclImdb has it.
fn movie_reviews() -> TempDir {
    let folder = TempDir::new().expect("a temporary folder can be made");
    for (class, name, text) in [
        ("pos", "0_9.txt", "fine\n"),
        ("pos", "1_7.txt", "good"),
        ("neg", "0_3.txt", "bad"),
        ("unsup", "0_0.txt", "?"),
    ] {
        let class = folder.path().join("train").join(class);
        std::fs::create_dir_all(&class).expect("a folder can be made there");
        std::fs::write(class.join(name), text).expect("a file can be written there");
    }
    std::fs::write(folder.path().join("train/labeledBow.feat"), "9 0:9")
        .expect("a file can be written there");
    folder
}

#[test]
fn a_class_folder_is_a_label() {
    let folder = movie_reviews();
    let dataset = read(&[folder.path().join("train")], &Columns::default()).expect("class folders");
    assert_eq!(texts(&dataset), ["bad", "fine", "good"]);
    assert_eq!(labels(&dataset), [written("neg"), written("pos"), written("pos")]);
    assert!(dataset.files[1].ends_with("train/pos/0_9.txt"));
    assert_eq!(dataset.place(&dataset.records[1]).file, dataset.files[1]);
}

#[test]
fn a_folder_above_the_split_is_refused_with_the_split() {
    let folder = movie_reviews();
    let error = read(&[folder.path().to_owned()], &Columns::default()).expect_err("two levels up");
    assert_says(&error.to_string(), &["subfolder", "Give one split", "train"]);
    let empty = TempDir::new().expect("a temporary folder can be made");
    let error = read(&[empty.path().to_owned()], &Columns::default()).expect_err("nothing there");
    assert_says(&error.to_string(), &["the folder is empty"]);
}

#[test]
fn a_broken_file_in_a_class_folder_is_named() {
    let folder = movie_reviews();
    std::fs::write(folder.path().join("train/pos/2_8.txt"), b"clich\xe9")
        .expect("a file can be written there");
    let error = read(&[folder.path().join("train")], &Columns::default()).expect_err("not UTF-8");
    assert_says(&error.to_string(), &["2_8.txt", "line 1", "offset 5"]);
}

#[test]
fn upper_case_extensions_are_extensions() {
    let (_folder, path) = file("A.CSV", "Text,Label\na,0\n");
    let dataset = read(&[path], &Columns::default()).expect("a CSV file");
    assert_eq!(texts(&dataset), ["a"]);
}
