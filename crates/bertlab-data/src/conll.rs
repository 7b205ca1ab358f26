//! CoNLL files to records: a word per line with its label in another column, a blank line after every sentence.
//!
//! Columns stand between tabs where the first line has one, else between spaces. The word is in the first column and the label in the last; in CoNLL-U (ten
//! columns between tabs, of which the first counts words) it is FORM and UPOS. Lines that begin with `-DOCSTART-` end a sentence and are no word; so are, at
//! the beginning of a sentence, lines that begin with `#` and have another number of columns: comments.

use std::path::Path;

use super::columns::Chosen;
use super::error::DataError;
use super::text::{read_text, text_record};
use super::{Columns, Encoding, Layout, RawLabel, Record};
use crate::part::Part;
use crate::tags;

/// A sentence with more words was put together from a file without blank lines.
const WORDS_MAX: usize = 20_000;
/// So many lines say what a file is.
const LINES_LOOKED_AT: usize = 2_000;
/// CoNLL-U's columns.
const UNIVERSAL: [&str; 10] =
    ["id", "form", "lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc"];

/// What makes a plain text a CoNLL file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Evidence {
    /// The last column holds tags such as B-PER in every line: where the file could as well hold a text in every line.
    Tags,
    /// All lines have the same number of columns, at least two, and blank lines stand between them.
    Columns,
}

/// Whether a plain text is to be read as CoNLL: the caller says so, or it looks like it.
pub(super) fn is_wanted(file: &Path, wanted: &Columns, evidence: Evidence, encoding: Encoding) -> bool {
    let is_tsv = file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("tsv"));
    match wanted.layout {
        Layout::Texts => false,
        Layout::Words if !is_tsv => true,
        _ => read_text(file, encoding).is_ok_and(|text| looks_so(&text, evidence)),
    }
}

fn looks_so(text: &str, evidence: Evidence) -> bool {
    let lines = || text.trim_start_matches('\u{feff}').lines().take(LINES_LOOKED_AT).map(trimmed);
    let words = || lines().filter(|line| !is_between(line) && !line.starts_with("# "));
    let Some(first) = words().next() else { return false };
    let separator = Separator::of(first);
    let n_columns = separator.split(first).count();
    let is_even = n_columns > 1 && words().all(|line| separator.split(line).count() == n_columns);
    let label = |line| separator.split(line).last().and_then(tags::parse);
    let has_tags =
        || words().all(|line| label(line).is_some()) && words().any(|line| label(line).flatten().is_some());
    // A blank line at the very end says nothing.
    let has_gaps = || {
        lines()
            .skip_while(|line| is_between(line))
            .skip_while(|line| !line.is_empty())
            .any(|line| !line.is_empty())
    };
    is_even && has_tags() || is_even && evidence == Evidence::Columns && has_gaps()
}

/// Without spaces, tabs and carriage returns at its ends. Other white space may be a word.
fn trimmed(line: &str) -> &str {
    line.trim_matches([' ', '\t', '\r'])
}

/// No word's line: blank, or the mark of a new document.
fn is_between(line: &str) -> bool {
    line.is_empty() || line.starts_with("-DOCSTART-")
}

/// What stands between columns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Separator {
    Tab,
    Spaces,
}

impl Separator {
    fn of(line: &str) -> Separator {
        if line.contains('\t') { Separator::Tab } else { Separator::Spaces }
    }

    fn split<'l>(self, line: &'l str) -> Box<dyn Iterator<Item = &'l str> + 'l> {
        match self {
            Separator::Tab => Box::new(line.split('\t').map(|field| field.trim_matches(' '))),
            Separator::Spaces => Box::new(line.split([' ', '\t']).filter(|field| !field.is_empty())),
        }
    }
}

/// A file whose columns are known.
struct Reading<'a> {
    file: &'a Path,
    separator: Separator,
    names: Vec<String>,
    word: usize,
    /// None in a file of words alone.
    label: Option<usize>,
    is_universal: bool,
}

/// A sentence so far.
#[derive(Default)]
struct Sentence {
    /// The line of its first word, from 1.
    line: usize,
    words: Vec<String>,
    labels: Vec<String>,
}

pub(super) fn read(file: &Path, wanted: &Columns, encoding: Encoding) -> Result<Part, DataError> {
    let text = read_text(file, encoding)?;
    let mut lines = text.lines().map(trimmed).filter(|line| !is_between(line));
    // A comment does not show how many columns there are; but all words may begin with #.
    let first = lines.clone().find(|line| !line.starts_with('#')).or_else(|| lines.next());
    let first =
        first.ok_or(DataError::NoRows { file: file.to_owned(), found: "it has no line with a word" })?;
    let reading = Reading::new(file, first, wanted)?;
    let mut records = Vec::new();
    let mut sentence = Sentence::default();
    for (index, line) in text.lines().map(trimmed).enumerate() {
        if is_between(line) {
            records.extend(std::mem::take(&mut sentence).record());
        } else if !reading.is_comment(line, sentence.words.is_empty()) {
            reading.add(&mut sentence, index + 1, line)?;
        }
    }
    records.extend(sentence.record());
    if records.is_empty() {
        return Err(DataError::NoRows { file: file.to_owned(), found: "it has no line with a word" });
    }
    let name = |column: usize| reading.names[column].clone();
    let chosen =
        Chosen { text: Some(name(reading.word)), pair: None, label: reading.label.map(name), is_words: true };
    Ok(Part { files: vec![file.to_owned()], records, chosen, class_names: None })
}

impl<'a> Reading<'a> {
    fn new(file: &'a Path, first: &str, wanted: &Columns) -> Result<Reading<'a>, DataError> {
        let separator = Separator::of(first);
        let fields: Vec<&str> = separator.split(first).collect();
        let is_universal = separator == Separator::Tab
            && fields.len() == UNIVERSAL.len()
            && fields[0].starts_with(|c: char| c.is_ascii_digit());
        let names: Vec<String> = match is_universal {
            true => UNIVERSAL.map(str::to_owned).to_vec(),
            false => (0..fields.len()).map(|column| column.to_string()).collect(),
        };
        let mut reading = Reading { file, separator, names, word: 0, label: None, is_universal };
        let (word, label) = if is_universal {
            (1, Some(3))
        } else {
            (0, fields.len().checked_sub(1).filter(|&last| last > 0))
        };
        reading.word = reading.column(wanted.text.as_deref(), super::columns::TEXT)?.unwrap_or(word);
        reading.label = reading.column(wanted.label.as_deref(), super::columns::LABEL)?.or(label);
        Ok(reading)
    }

    /// A column by its name or by its number from 0; from the end below 0.
    fn column(&self, wanted: Option<&str>, setting: &'static str) -> Result<Option<usize>, DataError> {
        let Some(wanted) = wanted else { return Ok(None) };
        let n = self.names.len();
        let by_name = self.names.iter().position(|name| name.eq_ignore_ascii_case(wanted));
        let by_number = wanted.parse::<i64>().ok().and_then(|number| match number {
            0.. => usize::try_from(number).ok().filter(|&column| column < n),
            _ => n.checked_sub(usize::try_from(-number).ok()?),
        });
        by_name.or(by_number).map(Some).ok_or_else(|| DataError::NoSuchColumn {
            file: self.file.to_owned(),
            setting,
            wanted: wanted.to_owned(),
            columns: self.names.clone(),
            headerless: ": the columns of a CoNLL file are counted from 0, from the last with -1".to_owned(),
        })
    }

    fn is_comment(&self, line: &str, starts_sentence: bool) -> bool {
        let n_columns = || self.separator.split(line).count();
        starts_sentence && line.starts_with('#') && n_columns() != self.names.len()
            || line.starts_with("#end document")
    }

    fn add(&self, sentence: &mut Sentence, line_number: usize, line: &str) -> Result<(), DataError> {
        let fields: Vec<&str> = self.separator.split(line).collect();
        if fields.len() != self.names.len() {
            return Err(self.uneven(line_number, line, fields.len()));
        }
        // Of a contraction its parts follow, and an empty node is no word of the text.
        if self.is_universal && fields[0].contains(['-', '.']) {
            return Ok(());
        }
        if sentence.words.is_empty() {
            sentence.line = line_number;
        }
        if sentence.words.len() == WORDS_MAX {
            let (file, line, n_words) = (self.file.to_owned(), sentence.line, WORDS_MAX);
            return Err(DataError::EndlessSentence { file, line, n_words });
        }
        let column = |column: usize, what: &'static str| match fields[column] {
            "" => Err(DataError::EmptyField { file: self.file.to_owned(), line: line_number, what, column }),
            field => Ok(field.to_owned()),
        };
        sentence.words.push(column(self.word, "word")?);
        if let Some(label) = self.label {
            sentence.labels.push(column(label, "label")?);
        }
        Ok(())
    }

    fn uneven(&self, line_number: usize, line: &str, found: usize) -> DataError {
        let between = match self.separator {
            Separator::Tab => "tabs, as in the first line",
            Separator::Spaces => "spaces",
        };
        DataError::UnevenLine {
            file: self.file.to_owned(),
            line: line_number,
            found,
            wanted: self.names.len(),
            between,
            preview: super::error::preview(line),
        }
    }
}

impl Sentence {
    /// `None` of nothing: blank lines may follow one another.
    fn record(self) -> Option<Record> {
        let label = if self.labels.is_empty() { RawLabel::Missing } else { RawLabel::Texts(self.labels) };
        (!self.words.is_empty()).then(|| Record {
            label,
            words: Some(self.words.clone()),
            ..text_record(self.line, self.words.join(" "))
        })
    }
}
