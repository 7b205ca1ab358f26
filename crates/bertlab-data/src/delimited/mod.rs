//! CSV and TSV files to records.
//!
//! CSV follows RFC 4180. TSV as GLUE writes it has no quoting: a `"` is a character. Programs that write TSV with CSV's quoting (pandas does)
//! give themselves away, see [`quotes_are_quoting`].

mod guess;
mod rows;

use std::path::Path;

use super::columns::{self, Chosen, Found, Lists};
use super::error::{DataError, Place, listed, preview};
use super::stream::{Chunks, Source};
use super::text::{read_text, text_record};
use super::{Columns, Encoding, RawLabel, Record};
use crate::part::Part;
use bertlab_feedback::Hint;
use rows::{Row, Rows, Style, Unclosed};

/// The two formats of delimited text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Fields between commas, quoted where needed.
    Csv,
    /// Fields between tabs.
    Tsv,
}

/// Where the chosen columns stand in a row.
struct Positions {
    text: usize,
    pair: Option<usize>,
    label: Option<usize>,
}

/// A file while it is read: what messages about a row need.
struct Reading<'a> {
    file: &'a Path,
    format: Format,
    names: Vec<String>,
    has_header: bool,
}

pub(super) fn read(
    file: &Path,
    wanted: &Columns,
    format: Format,
    encoding: Encoding,
) -> Result<Part, DataError> {
    let text = read_text(file, encoding)?;
    let style = style(format, &text);
    let first = match Rows::new(&text, style).next() {
        None => return Err(DataError::NoRows { file: file.to_owned(), found: "the file is empty" }),
        Some(first) => first.map_err(|unclosed| refuse_unclosed(file, &unclosed))?,
    };
    let reading = Reading::new(file, format, &first, wanted);
    let chosen = choose(&reading, &first, wanted, || guess::columns(Rows::new(&text, style)))?;
    let positions = reading.positions(&chosen);
    let mut records = Vec::new();
    for row in Rows::new(&text, style).skip(usize::from(reading.has_header)) {
        let row = row.map_err(|unclosed| refuse_unclosed(file, &unclosed))?;
        records.push(reading.record(row, &positions)?);
    }
    if records.is_empty() {
        return Err(DataError::NoRows {
            file: file.to_owned(),
            found: "it has a header line and nothing below",
        });
    }
    Ok(Part { files: vec![file.to_owned()], records, chosen, class_names: None })
}

/// Tells `visit` the text of every row. Columns, and whether quotes quote, go by the first few megabytes.
pub(super) fn visit_texts<E: From<DataError>>(
    source: &Source<'_>,
    format: Format,
    visit: &mut dyn FnMut(String) -> Result<(), E>,
) -> Result<(), E> {
    let mut reading = None;
    // Text of rows that are not yet whole, and where it stands in the file.
    let (mut text, mut place) = (String::new(), (0, 1));
    let mut chunks = Chunks::open(source)?.peekable();
    while let Some(chunk) = chunks.next() {
        text.push_str(&chunk?);
        let is_last = chunks.peek().is_none();
        let (reading, style) = match &reading {
            Some(reading) => reading,
            None => &*reading.insert(begin(source, format, &text)?),
        };
        let (reading, positions) = reading;
        let mut rows = Rows::going_on(&text, *style, place);
        let n_done = loop {
            let n_done;
            (n_done, place) = rows.place();
            match rows.next() {
                Some(Ok(row)) if row.row == 1 && reading.has_header => {}
                Some(Ok(row)) => reading.record(row, positions)?.text.map_or(Ok(()), &mut *visit)?,
                Some(Err(unclosed)) if is_last => return Err(refuse_unclosed(source.file, &unclosed).into()),
                Some(Err(_)) | None => break n_done,
            }
        };
        text.drain(..n_done);
    }
    Ok(())
}

type Begun<'a> = ((Reading<'a>, Positions), Style);

/// What the first piece of a file says about the rest.
fn begin<'a>(source: &Source<'a>, format: Format, text: &str) -> Result<Begun<'a>, DataError> {
    let style = style(format, text);
    let first = match Rows::new(text, style).next() {
        None => return Err(DataError::NoRows { file: source.file.to_owned(), found: "the file is empty" }),
        Some(first) => first.map_err(|unclosed| refuse_unclosed(source.file, &unclosed))?,
    };
    let reading = Reading::new(source.file, format, &first, source.columns);
    let chosen = choose(&reading, &first, source.columns, || guess::columns(Rows::new(text, style)))?;
    let positions = reading.positions(&chosen);
    Ok(((reading, positions), style))
}

fn style(format: Format, text: &str) -> Style {
    match format {
        Format::Csv => Style { delimiter: b',', quotes: true },
        Format::Tsv => Style { delimiter: b'\t', quotes: quotes_are_quoting(text) },
    }
}

/// Whether a TSV file quotes as CSV does. Every field that starts with a quote must be well formed, and one of these must hold: the first
/// column's name is quoted, a quoted field holds a doubled quote, or only so have all rows the same number of fields.
fn quotes_are_quoting(text: &str) -> bool {
    if !text.contains('"') {
        return false;
    }
    let mut doubled = text.starts_with('"');
    for row in Rows::new(text, Style { delimiter: b'\t', quotes: true }) {
        match row {
            Ok(row) if !row.stray => doubled |= row.doubled,
            _ => return false,
        }
    }
    doubled || (!is_even(text, false) && is_even(text, true))
}

fn is_even(text: &str, quotes: bool) -> bool {
    let mut rows = Rows::new(text, Style { delimiter: b'\t', quotes }).flatten();
    let Some(first) = rows.next() else { return true };
    rows.all(|row| row.fields.len() == first.fields.len())
}

/// `guess` names the columns of a file without a header line, where that can be guessed.
fn choose(
    reading: &Reading<'_>,
    first: &Row<'_>,
    wanted: &Columns,
    guess: impl Fn() -> Option<Vec<Hint>>,
) -> Result<Chosen, DataError> {
    let found = Found {
        file: reading.file,
        names: &reading.names,
        lists: Lists::default(),
        headerless: String::new(),
    };
    columns::choose(&found, wanted, false).or_else(|_| {
        // Only where something is missing are the rows looked at.
        let headerless = reading.headerless_hint(first, guess());
        columns::choose(&Found { headerless, ..found }, wanted, false)
    })
}

fn refuse_unclosed(file: &Path, unclosed: &Unclosed<'_>) -> DataError {
    let place = Place { file: file.to_owned(), row: unclosed.row, line: Some(unclosed.line) };
    DataError::UnclosedQuote { place: Box::new(place), preview: preview(unclosed.rest) }
}

impl<'a> Reading<'a> {
    /// Columns go by the first row, unless the caller gives numbers that are no names there: then the first row is data.
    fn new(file: &'a Path, format: Format, first: &Row<'_>, wanted: &Columns) -> Reading<'a> {
        let names: Vec<String> = first.fields.iter().map(|field| field.trim().to_owned()).collect();
        let given = [&wanted.text, &wanted.pair, &wanted.label];
        let all_named = given.into_iter().flatten().all(|name| names.contains(name));
        if columns::are_numbers(wanted) && !all_named {
            let numbers = (0..names.len()).map(|number| number.to_string()).collect();
            return Reading { file, format, names: numbers, has_header: false };
        }
        Reading { file, format, names, has_header: true }
    }

    fn headerless_hint(&self, first: &Row<'_>, guess: Option<Vec<Hint>>) -> String {
        let values: Vec<String> = first.fields.iter().map(|field| preview(field)).collect();
        let semicolons = self.format == Format::Csv && values.len() == 1 && first.raw.contains(';');
        match (self.has_header, semicolons) {
            (false, _) => format!(" (columns are counted from 0; the first row is {})", listed(&values)),
            (true, true) => {
                ". The first row has semicolons and no comma: write the file with commas".to_owned()
            }
            (true, false) => match guess {
                Some(columns) => format!(
                    ". The file seems to have no header line; if so, read it with {}. Its first row is {}",
                    columns.iter().map(Hint::to_string).collect::<Vec<_>>().join(" "),
                    listed(&values)
                ),
                None => format!(
                    ". If the file has no header line, number the columns from 0, such as {}; its first row is {}",
                    Hint::value(columns::TEXT, 0),
                    listed(&values)
                ),
            },
        }
    }

    fn positions(&self, chosen: &Chosen) -> Positions {
        let position = |name: &String| {
            self.names
                .iter()
                .position(|column| column == name)
                .expect("a chosen column is one of the names found")
        };
        Positions {
            text: chosen
                .text
                .as_ref()
                .map(position)
                .expect("without ready rows a text column is always chosen"),
            pair: chosen.pair.as_ref().map(position),
            label: chosen.label.as_ref().map(position),
        }
    }

    fn record(&self, row: Row<'_>, positions: &Positions) -> Result<Record, DataError> {
        if row.fields.len() != self.names.len() {
            return Err(self.uneven(&row));
        }
        let mut fields = row.fields;
        let mut take = |position: usize| std::mem::take(&mut fields[position]).into_owned();
        // The label is copied first: naming one column twice is odd but harmless.
        let label = positions.label.map(&mut take).map(raw_label).unwrap_or(RawLabel::Missing);
        let pair = positions.pair.map(&mut take);
        Ok(Record { pair, label, ..text_record(row.row, take(positions.text)) })
    }

    fn uneven(&self, row: &Row<'_>) -> DataError {
        let hint = match self.format {
            Format::Csv => "A field that holds a comma, a quote or a line break must stand in quotes",
            Format::Tsv => "A text that holds a tab or a line break needs another format, such as .jsonl",
        };
        DataError::UnevenRow {
            place: Box::new(Place { file: self.file.to_owned(), row: row.row, line: Some(row.line) }),
            wanted: self.names.len(),
            found: row.fields.len(),
            columns: listed(&self.names),
            preview: preview(row.raw),
            hint,
        }
    }
}

fn raw_label(field: String) -> RawLabel {
    if field.trim().is_empty() { RawLabel::Missing } else { RawLabel::Text(field) }
}
