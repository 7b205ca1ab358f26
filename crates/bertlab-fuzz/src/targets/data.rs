//! Readers of data files.

use super::options;
use crate::Answer;
use crate::folder::with_files;
use bertlab_data::{Columns, Dataset, Encoding, Layout, infer_label_space, infer_word_labels, read_encoded};

pub(super) const CSV_WORDS: &[&str] = &["\"", "\"\"", ",", "\t", "\r", "\n", "text", "label", "\u{feff}"];

/// CSV and TSV.
pub(super) fn csv(input: &[u8]) -> Answer {
    let (choice, contents) = options(input);
    let name = if choice & 8 == 0 { "train.csv" } else { "train.tsv" };
    read("csv", name, choice, contents)
}

/// JSON lines and JSON arrays.
pub(super) fn json_lines(input: &[u8]) -> Answer {
    let (choice, contents) = options(input);
    let name = if choice & 8 == 0 { "train.jsonl" } else { "train.json" };
    read("json_lines", name, choice, contents)
}

/// CoNLL, and plain text that may look like it.
pub(super) fn conll(input: &[u8]) -> Answer {
    let (choice, contents) = options(input);
    let name = if choice & 8 == 0 { "train.conll" } else { "train.txt" };
    read("conll", name, choice, contents)
}

/// Parquet.
pub(super) fn parquet(input: &[u8]) -> Answer {
    let (choice, contents) = options(input);
    read("parquet", "train.parquet", choice, contents)
}

/// The lowest three bits of `choice` select the columns and the encoding.
fn read(target: &str, name: &str, choice: u8, contents: &[u8]) -> Answer {
    let named = |text: &str, label: &str| Columns {
        text: Some(text.to_owned()),
        label: Some(label.to_owned()),
        ..Columns::default()
    };
    let columns = match choice & 3 {
        0 => Columns::default(),
        1 => named("0", "1"),
        2 => Columns { pair: Some("pair".to_owned()), ..named("text", "label") },
        _ => Columns { layout: Layout::Words, ..Columns::default() },
    };
    let encoding = if choice & 4 == 0 { "utf-8" } else { "utf-16le" };
    let encoding: Encoding = encoding.parse().expect("a known encoding");
    with_files(target, &[(name, contents)], |folder| {
        let dataset = read_encoded(&[folder.join(name)], &columns, encoding);
        dataset.inspect(|dataset| infer_labels(dataset, columns.layout)).into()
    })
}

fn infer_labels(dataset: &Dataset, layout: Layout) {
    let _ = match layout {
        Layout::Words => infer_word_labels(dataset, None).map(drop),
        _ => infer_label_space(dataset, None).map(drop),
    };
}
