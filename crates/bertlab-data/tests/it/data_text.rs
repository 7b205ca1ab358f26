//! Encodings, extensions, plain text files and class folders.

use crate::data_files::{assert_says, file, labels, read_as, refusal, texts, written};
use bertlab_data::{Columns, Encoding, RawLabel, read, read_encoded};
use tempfile::TempDir;

#[test]
fn bytes_that_are_not_utf_8_are_refused_with_line_and_offset() {
    let message = refusal("a.csv", b"text,label\ngood,1\nna\xefve,0\n");
    assert_says(&message, &["a.csv", "line 3", "0xef", "offset 20", "`encoding` = latin1", "naïve,0"]);
}

#[test]
fn extensions_without_a_reader_are_refused_with_those_that_have_one() {
    assert_says(&refusal("a.xlsx", b"PK\x03\x04\0\xff"), &["\"xlsx\"", ".csv", ".parquet"]);
    assert_says(&refusal("polarity", "plain words\n"), &["\"\"", ".txt"]);
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

/// A folder with these text files.
fn class_files(files: &[(&str, &[u8])]) -> TempDir {
    let folder = TempDir::new().expect("a temporary folder can be made");
    for (name, content) in files {
        std::fs::write(folder.path().join(name), content).expect("a file can be written there");
    }
    folder
}

#[test]
fn a_text_file_per_class_is_a_label_for_every_line() {
    let folder = class_files(&[
        ("pos.txt", b"fine\n\ngood\n"),
        ("neg.txt", b"bad\n"),
        ("README.txt", b"about\n"),
        ("notes.md", b""),
    ]);
    let dataset = read(&[folder.path().to_owned()], &Columns::default()).expect("a file per class");
    assert_eq!(texts(&dataset), ["bad", "fine", "good"]);
    assert_eq!(labels(&dataset), [written("neg"), written("pos"), written("pos")]);
    let place = dataset.place(&dataset.records[2]);
    assert!(place.file.ends_with("pos.txt") && place.row == 3, "{place}");
}

#[test]
fn polarity_files_are_read_alone_or_as_a_folder_in_their_encoding() {
    let folder =
        class_files(&[("rt-polarity.pos", b"clich\xe9 \x96 good\n"), ("rt-polarity.neg", b"dull\n")]);
    let files = ["rt-polarity.neg", "rt-polarity.pos"].map(|name| folder.path().join(name));
    let encoding: Encoding = "windows-1252".parse().expect("it is known");
    for paths in [&[folder.path().to_owned()][..], &files, &[folder.path().join("rt-polarity.*")]] {
        let dataset = read_encoded(paths, &Columns::default(), encoding).expect("two classes");
        assert_eq!(texts(&dataset), ["dull", "cliché – good"]);
        assert_eq!(labels(&dataset), [written("neg"), written("pos")]);
    }
    let error = read(&files, &Columns::default()).expect_err("not UTF-8").to_string();
    assert_says(&error, &["rt-polarity.pos, line 1", "`encoding` = windows-1252", "cliché – good"]);
}

#[test]
fn one_text_file_or_splits_are_no_classes() {
    for files in [&["all.txt"][..], &["train.txt", "test.txt"], &["train.csv", "test.csv"]] {
        let files: Vec<(&str, &[u8])> = files.iter().map(|name| (*name, b"a\n".as_slice())).collect();
        let folder = class_files(&files);
        let error = read(&[folder.path().to_owned()], &Columns::default()).expect_err("no classes");
        assert_says(&error.to_string(), &["pos.txt and neg.txt", files[0].0]);
    }
}

#[test]
fn upper_case_extensions_are_extensions() {
    let (_folder, path) = file("A.CSV", "Text,Label\na,0\n");
    let dataset = read(&[path], &Columns::default()).expect("a CSV file");
    assert_eq!(texts(&dataset), ["a"]);
}
