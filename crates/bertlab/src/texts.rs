//! Texts from files and streams: a line a text, or the text columns of a table.

use std::io::Read;
use std::path::{Path, PathBuf};

use bertlab_text::TextInput;
use bertlab_train::data::{self, Columns};
use serde::Deserialize;

use crate::Error;

/// Reads the texts of a file: `.txt` has one on every line, blank ones included, so that line and result keep
/// their numbers; `.jsonl`, `.json`, `.csv`, `.tsv` and `.parquet` have a text column, and perhaps one of second texts.
///
/// # Errors
/// A file that cannot be read, is not UTF-8 or is malformed; no such column; a row without a text.
pub fn read_texts(path: &Path, columns: &Columns) -> Result<Vec<TextInput>, Error> {
    let is_plain = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
    if is_plain && path.is_file() {
        return read_text_lines(open(path)?, &path.display().to_string());
    }
    let is_lines = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("jsonl"));
    if is_lines && *columns == Columns::default() {
        let text = read_all(open(path)?, &path.display().to_string())?;
        if let Some(texts) = text_objects(&text) {
            return Ok(texts);
        }
    }
    let dataset = data::read(&[PathBuf::from(path)], columns)?;
    let row_error = |row| Error::RowWithoutText { file: path.to_owned(), row };
    let texts = dataset.records.into_iter().map(|record| {
        let text = record.text.ok_or_else(|| row_error(record.row))?;
        Ok(TextInput { text, pair: record.pair })
    });
    texts.collect()
}

/// The sentences of a file whose rows are words: CoNLL, or lists of words in `.jsonl` and `.parquet`. `None` for any other file: [`read_texts`]
/// reads it, or says what is wrong with it.
pub fn read_sentences(path: &Path, columns: &Columns) -> Option<Vec<Vec<String>>> {
    let dataset = data::read(&[PathBuf::from(path)], columns).ok()?;
    dataset.records.into_iter().map(|record| record.words).collect()
}

/// Reads a text per line, blank lines included. `source_name` is for messages.
///
/// # Errors
/// A stream that fails or is not UTF-8.
pub fn read_text_lines(stream: impl Read, source_name: &str) -> Result<Vec<TextInput>, Error> {
    Ok(read_all(stream, source_name)?.lines().map(TextInput::from).collect())
}

/// A line of a `.jsonl` file as bertlab writes them: a second text where there is one.
#[derive(Deserialize)]
struct TextObject {
    text: String,
    pair: Option<String>,
}

/// The rows of a file whose every line has a `text`, and some a `pair`; `None` for any other file, which the reader of
/// data sets then takes by its columns, or refuses in words.
fn text_objects(text: &str) -> Option<Vec<TextInput>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let texts: Option<Vec<TextInput>> = lines
        .map(|line| {
            let TextObject { text, pair } = serde_json::from_str(line).ok()?;
            Some(TextInput { text, pair })
        })
        .collect();
    texts.filter(|texts| !texts.is_empty())
}

fn open(path: &Path) -> Result<std::fs::File, Error> {
    let file = std::fs::File::open(path);
    file.map_err(|source| Error::ReadTexts { source_name: path.display().to_string(), source })
}

fn read_all(mut stream: impl Read, source_name: &str) -> Result<String, Error> {
    let mut bytes = Vec::new();
    let read = stream.read_to_end(&mut bytes);
    read.map_err(|source| Error::ReadTexts { source_name: source_name.to_owned(), source })?;
    let mut text = String::from_utf8(bytes).map_err(|error| {
        let good = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + good.iter().filter(|&&byte| byte == b'\n').count();
        Error::TextsNotUtf8 { source_name: source_name.to_owned(), line }
    })?;
    // A byte order mark is not part of the first text.
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers() {
        let texts = read_text_lines("\u{feff}one\r\n\ntwo\n".as_bytes(), "here").expect("UTF-8");
        let texts: Vec<&str> = texts.iter().map(|input| input.text.as_str()).collect();
        assert_eq!(texts, ["one", "", "two"]);
        let error = read_text_lines(b"good\nb\xe4d\n".as_slice(), "here").expect_err("Latin-1");
        assert!(error.to_string().starts_with("here, line 2: not UTF-8"), "{error}");
    }

    #[test]
    fn tables_give_texts_and_pairs() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("rows.jsonl");
        std::fs::write(&file, "{\"text\": \"a\", \"pair\": \"b\"}\n{\"text\": \"\"}\n").expect("writable");
        let texts = read_texts(&file, &Columns::default()).expect("valid");
        assert_eq!(texts, [TextInput { text: "a".into(), pair: Some("b".into()) }, TextInput::from("")]);
        let error = read_texts(&folder.path().join("nothing.txt"), &Columns::default());
        assert!(error.expect_err("no such file").to_string().contains("nothing.txt"));
    }
}
