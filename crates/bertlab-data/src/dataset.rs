//! A data set as read: rows of texts, words or ids with their labels, nothing interpreted yet.

use crate::Place;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// Which columns the caller wants; `None` is found by name.
///
/// A text column that is named goes alone unless the pair is named as well. Numbers ("0", "1", "2", from the left) mean a CSV or TSV file without
/// a header line; then a column that is not given is not read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns {
    /// The text, or the first text of a pair.
    pub text: Option<String>,
    /// The second text of a pair.
    pub pair: Option<String>,
    /// The label.
    pub label: Option<String>,
    /// Whether rows are texts or words.
    pub layout: Layout,
    /// What becomes of tags of words.
    pub tag_scheme: TagScheme,
}

/// Whether rows are texts, or words with a label each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// What the files say: their extension, their columns, and, of plain text, what it looks like.
    #[default]
    Found,
    /// Texts: a plain text file holds one in every line, whatever it looks like.
    Texts,
    /// Words with a label each: a plain text file is CoNLL.
    Words,
}

/// What becomes of tags that mark entities.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum TagScheme {
    /// IOB1, as CoNLL-2003's files have it, becomes IOB2, which nearly all models speak: every entity begins with `B-`. All else stays.
    #[default]
    Auto,
    /// All tags stay as they are.
    Keep,
}

impl fmt::Display for TagScheme {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Auto => "auto",
            Self::Keep => "keep",
        })
    }
}

impl FromStr for TagScheme {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "auto" => Ok(Self::Auto),
            "keep" => Ok(Self::Keep),
            word => Err(format!("{word:?} is none of auto, keep")),
        }
    }
}

/// One row as read: nothing interpreted yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// 1-based row, as a person counts: a CSV or TSV file's header line is row 1 and its first data row is row 2 (as a spreadsheet shows it), in
    /// a file of lines it is the line, elsewhere the first data row is row 1.
    pub row: usize,
    /// Index into [`Dataset::files`].
    pub source: usize,
    /// The text; `None` in a row that already holds token ids. Of a row of words these with a space between.
    pub text: Option<String>,
    /// The words of a row that comes in words.
    pub words: Option<Vec<String>>,
    /// The second text of a pair.
    pub pair: Option<String>,
    /// The label as it stands in the file.
    pub label: RawLabel,
    /// Token ids of a ready row, special tokens included.
    pub input_ids: Option<Vec<u32>>,
    /// Token type ids of a ready row, as long as `input_ids`.
    pub token_type_ids: Option<Vec<u32>>,
    /// Attention mask of a ready row, as long as `input_ids`.
    pub attention_mask: Option<Vec<u32>>,
}

impl Record {
    /// Whether there is nothing to read: blank texts, or no ids.
    pub fn is_blank(&self) -> bool {
        let is_blank = |text: &Option<String>| text.as_deref().is_none_or(|text| text.trim().is_empty());
        match &self.input_ids {
            Some(input_ids) => input_ids.is_empty(),
            None => is_blank(&self.text) && is_blank(&self.pair),
        }
    }
}

/// A label as it stands in the file. CSV and TSV have texts only.
#[derive(Debug, Clone, PartialEq)]
pub enum RawLabel {
    /// No label column, an empty field, or null.
    Missing,
    /// An integer; a JSON or Parquet boolean is 0 or 1.
    Integer(i64),
    /// A number with a decimal point.
    Number(f64),
    /// A text: a class name, or a number written in CSV.
    Text(String),
    /// A list of integers: one per class, class ids, or one per token.
    Integers(Vec<i64>),
    /// A list of numbers, one per class or per output.
    Numbers(Vec<f64>),
    /// A list of class names.
    Texts(Vec<String>),
}

/// The rows of one split, in file order.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dataset {
    /// Where the rows come from; of a class folder, each text file.
    pub files: Vec<PathBuf>,
    /// The rows.
    pub records: Vec<Record>,
    /// The text column of the first file.
    pub text_column: Option<String>,
    /// The pair column of the first file.
    pub pair_column: Option<String>,
    /// The label column of the first file.
    pub label_column: Option<String>,
    /// Class names by id, where a Parquet file written by HuggingFace datasets has a ClassLabel.
    pub class_names: Option<Vec<String>>,
    /// What becomes of tags, as the caller wants it.
    pub tag_scheme: TagScheme,
}

impl Dataset {
    /// Only these rows, in this order.
    pub fn select(&self, rows: &[usize]) -> Dataset {
        let records = rows.iter().map(|&row| self.records[row].clone()).collect();
        Dataset {
            files: self.files.clone(),
            records,
            text_column: self.text_column.clone(),
            pair_column: self.pair_column.clone(),
            label_column: self.label_column.clone(),
            tag_scheme: self.tag_scheme,
            class_names: self.class_names.clone(),
        }
    }

    /// Where a record came from, for a message.
    pub fn place(&self, record: &Record) -> Place {
        Place { file: self.files[record.source].clone(), row: record.row, line: None }
    }
}
