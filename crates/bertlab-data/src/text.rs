//! Text files: read as a whole, or one text per line.

use std::path::{Path, PathBuf};

use super::columns::Chosen;
use super::encoding::decode;
use super::{DataError, Encoding, RawLabel, Record};
use crate::part::Part;

pub(super) fn read_bytes(file: &Path) -> Result<Vec<u8>, DataError> {
    std::fs::read(file).map_err(|source| DataError::Unreadable { file: file.to_owned(), source })
}

/// A whole file as text, without its byte order mark.
pub(super) fn read_text(file: &Path, encoding: Encoding) -> Result<String, DataError> {
    decode(file, read_bytes(file)?, encoding)
}

/// A file of texts, one per line, all of the same class or without labels; blank lines are left out.
pub(super) fn read_lines(file: &Path, encoding: Encoding, class: Option<&str>) -> Result<Part, DataError> {
    let text = read_text(file, encoding)?;
    let label = class.map_or(RawLabel::Missing, |class| RawLabel::Text(class.to_owned()));
    let records: Vec<Record> = text
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim().is_empty())
        .map(|(index, line)| Record { label: label.clone(), ..text_record(index + 1, line.to_owned()) })
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
        words: None,
        pair: None,
        label: RawLabel::Missing,
        input_ids: None,
        token_type_ids: None,
        attention_mask: None,
    }
}
