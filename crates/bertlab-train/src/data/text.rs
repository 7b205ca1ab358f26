//! Bytes to text: UTF-8 or a refusal that names line and offset; and plain text files, one text per line.

use std::path::{Path, PathBuf};

use super::columns::Chosen;
use super::{DataError, Part, RawLabel, Record};

pub(super) fn read_bytes(file: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(file).map_err(|source| DataError::Unreadable { file: file.to_owned(), source })
}

/// A whole file as text, without its byte order mark.
pub(super) fn read_text(file: &Path) -> Result<String, DataError> {
    let mut text = String::from_utf8(read_bytes(file)?).map_err(|error| {
        let offset = error.utf8_error().valid_up_to();
        not_utf8(file, error.as_bytes(), offset)
    })?;
    if text.starts_with('\u{feff}') {
        text.drain(..'\u{feff}'.len_utf8());
    }
    Ok(text)
}

fn not_utf8(file: &Path, bytes: &[u8], offset: usize) -> DataError {
    // A UTF-16 file starts with a byte order mark, which is never valid UTF-8; anything else is most often Latin-1 or its Windows cousin.
    let encoding = if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        "utf-16"
    } else {
        "latin1"
    };
    let line = 1 + bytes[..offset].iter().filter(|&&byte| byte == b'\n').count();
    DataError::NotUtf8 { file: file.to_owned(), line, offset, byte: bytes[offset], encoding }
}

/// Why a file with an extension that has no reader is refused: its encoding first, if it is a text at all.
pub(super) fn refuse_unknown(file: &Path, extension: String) -> DataError {
    match read_bytes(file) {
        Err(error) => error,
        Ok(bytes) => match std::str::from_utf8(&bytes) {
            Err(error) if !bytes.contains(&0) => not_utf8(file, &bytes, error.valid_up_to()),
            _ => DataError::UnknownFormat { file: file.to_owned(), extension },
        },
    }
}

/// A `.txt` file: one text per line, no labels; blank lines are left out.
pub(super) fn read_lines(file: &Path) -> Result<Part, DataError> {
    let text = read_text(file)?;
    let records: Vec<Record> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| text_record(index + 1, line.to_owned()))
        .collect();
    if records.is_empty() {
        return Err(DataError::NoRows { file: file.to_owned(), found: "it has no line with a text" });
    }
    let files: Vec<PathBuf> = vec![file.to_owned()];
    Ok(Part { files, records, chosen: Chosen::default(), class_names: None })
}

/// A record that is a text and nothing else.
pub(super) fn text_record(row: usize, text: String) -> Record {
    Record {
        row,
        source: 0,
        text: Some(text),
        pair: None,
        label: RawLabel::Missing,
        input_ids: None,
        token_type_ids: None,
        attention_mask: None,
    }
}
