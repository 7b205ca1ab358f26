//! Texts from files and streams: a line a text, or the text columns of a table.

use std::io::Read;
use std::path::{Path, PathBuf};

use bertlab_data::{Columns, DataError, Encoding};
use bertlab_text::TextInput;
use serde::Deserialize;

use crate::Error;

/// Files of texts.
#[derive(Clone, Debug, Default)]
pub struct TextsRequest {
    /// Files and patterns such as `reviews-*.txt`, one after the other.
    pub files: Vec<PathBuf>,
    /// Which columns of tables; found by name where none is named.
    pub columns: Columns,
    /// How the bytes of text files become characters.
    pub encoding: Encoding,
}

impl TextsRequest {
    /// Reads the texts: `.txt` has one on every line, blank ones included, so that line and result keep their numbers;
    /// `.jsonl`, `.json`, `.csv`, `.tsv` and `.parquet` have a text column, and perhaps one of second texts.
    ///
    /// # Errors
    /// A file that cannot be read, is in another encoding or is malformed; no such column; a row without a text.
    pub fn read(&self) -> Result<Vec<TextInput>, Error> {
        let mut texts = Vec::new();
        for file in bertlab_data::expand(&self.files)? {
            texts.extend(self.read_file(&file)?);
        }
        Ok(texts)
    }

    /// The sentences of files whose rows are words: CoNLL, or lists of words in `.jsonl` and `.parquet`. `None` for any
    /// other file: [`Self::read`] reads it, or says what is wrong with it.
    pub fn read_sentences(&self) -> Option<Vec<Vec<String>>> {
        let dataset = bertlab_data::read_encoded(&self.files, &self.columns, self.encoding).ok()?;
        dataset.records.into_iter().map(|record| record.words).collect()
    }

    fn read_file(&self, file: &Path) -> Result<Vec<TextInput>, Error> {
        let ends_in = |ending| file.extension().is_some_and(|found| found.eq_ignore_ascii_case(ending));
        let open = || std::fs::File::open(file).map_err(|source| unreadable(file, source));
        if ends_in("txt") && file.is_file() {
            return read_text_lines(open()?, file, self.encoding);
        }
        if ends_in("jsonl") && self.columns == Columns::default() {
            let text = read_all(open()?, file, self.encoding)?;
            if let Some(texts) = text_objects(&text) {
                return Ok(texts);
            }
        }
        let dataset = bertlab_data::read_encoded(&[file.to_owned()], &self.columns, self.encoding)?;
        let row_error = |row| Error::RowWithoutText { file: file.to_owned(), row };
        let texts = dataset.records.into_iter().map(|record| {
            let text = record.text.ok_or_else(|| row_error(record.row))?;
            Ok(TextInput { text, pair: record.pair })
        });
        texts.collect()
    }
}

/// Reads a text per line, blank lines included. `source`: a file, or what messages call the stream.
///
/// # Errors
/// A stream that fails, or is in another encoding.
pub fn read_text_lines(
    stream: impl Read,
    source: &Path,
    encoding: Encoding,
) -> Result<Vec<TextInput>, Error> {
    Ok(read_all(stream, source, encoding)?.lines().map(TextInput::from).collect())
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

fn read_all(mut stream: impl Read, source: &Path, encoding: Encoding) -> Result<String, Error> {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).map_err(|error| unreadable(source, error))?;
    Ok(bertlab_data::decode(source, bytes, encoding)?)
}

fn unreadable(file: &Path, source: std::io::Error) -> Error {
    DataError::Unreadable { file: file.to_owned(), source }.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_their_numbers() {
        let here = Path::new("here");
        let lines = "\u{feff}one\r\n\ntwo\n".as_bytes();
        let texts = read_text_lines(lines, here, Encoding::Utf8).expect("UTF-8");
        let texts: Vec<&str> = texts.iter().map(|input| input.text.as_str()).collect();
        assert_eq!(texts, ["one", "", "two"]);
        let latin1 = b"good\nb\xe4d\n".as_slice();
        let texts = read_text_lines(latin1, here, Encoding::Latin1).expect("every byte is a character");
        assert_eq!(texts[1].text, "b\u{e4}d");
        let error = read_text_lines(latin1, here, Encoding::Utf8).expect_err("Latin-1");
        assert!(error.to_string().starts_with("here, line 2: not UTF-8"), "{error}");
    }

    #[test]
    fn tables_give_texts_and_pairs_and_patterns_give_several_files() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let read = |name: &str| {
            TextsRequest { files: vec![folder.path().join(name)], ..TextsRequest::default() }.read()
        };
        let rows = "{\"text\": \"a\", \"pair\": \"b\"}\n{\"text\": \"\"}\n";
        std::fs::write(folder.path().join("rows.jsonl"), rows).expect("writable");
        std::fs::write(folder.path().join("rows.txt"), "c\n").expect("writable");
        let pair = TextInput { text: "a".into(), pair: Some("b".into()) };
        let texts = [pair, TextInput::from(""), TextInput::from("c")];
        assert_eq!(read("rows.jsonl").expect("valid"), texts[..2]);
        assert_eq!(read("rows.*").expect("both are valid"), texts);
        for wrong in ["nothing.txt", "nothing-*.txt"] {
            assert!(read(wrong).expect_err("no such file").to_string().contains(wrong));
        }
    }
}
