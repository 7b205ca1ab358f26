//! JSON lines, or one JSON array of objects, to records.

use std::collections::HashSet;
use std::path::Path;

use serde_json::{Map, Value};

use super::cell::{Cell, INPUT_IDS, assemble};
use super::columns::{self, Chosen, Found, Lists};
use super::error::{DataError, Place, preview};
use super::stream::{Chunks, Source};
use super::text::read_text;
use super::{Columns, Encoding};
use crate::part::Part;

/// An object and where it stands.
struct Row {
    place: Place,
    values: Map<String, Value>,
}

pub(super) fn read(file: &Path, wanted: &Columns, encoding: Encoding) -> Result<Part, DataError> {
    let text = read_text(file, encoding)?;
    let mut rows =
        if text.trim_start().starts_with('[') { array(file, &text)? } else { lines(file, &text, 0)? };
    if rows.is_empty() {
        return Err(DataError::NoRows { file: file.to_owned(), found: "no object in it" });
    }
    let chosen = choose(file, &rows, wanted)?;
    let mut records = Vec::with_capacity(rows.len());
    for row in &mut rows {
        let values = &mut row.values;
        records.push(assemble(row.place.clone(), &chosen, |column| {
            values.get_mut(column).map(Value::take).map(cell)
        })?);
    }
    Ok(Part { files: vec![file.to_owned()], records, chosen, class_names: None })
}

/// Tells `visit` the text of every object that has one. The columns are those of the first few megabytes.
pub(super) fn visit_texts<E: From<DataError>>(
    source: &Source<'_>,
    visit: &mut dyn FnMut(String) -> Result<(), E>,
) -> Result<(), E> {
    let file = source.file;
    let (mut chosen, mut n_lines) = (None, 0);
    for chunk in Chunks::open(source)? {
        let chunk = chunk?;
        if chosen.is_none() && chunk.trim_start().starts_with('[') {
            return source.visit_whole(visit);
        }
        let rows = lines(file, &chunk, n_lines)?;
        n_lines += chunk.lines().count();
        let chosen = match &mut chosen {
            Some(chosen) => chosen,
            none if !rows.is_empty() => none.insert(choose(file, &rows, source.columns)?),
            _ => continue,
        };
        for mut row in rows {
            let take = |column: &str| row.values.get_mut(column).map(Value::take).map(cell);
            assemble(row.place.clone(), chosen, take)?.text.map_or(Ok(()), &mut *visit)?;
        }
    }
    Ok(())
}

fn choose(file: &Path, rows: &[Row], wanted: &Columns) -> Result<Chosen, DataError> {
    let names = keys(rows);
    let has_input_ids = names.iter().any(|name| name == INPUT_IDS);
    let found = Found { file, names: &names, lists: lists(&names, rows), headerless: String::new() };
    columns::choose(&found, wanted, has_input_ids)
}

/// The objects of a text that stands after so many lines of its file.
fn lines(file: &Path, text: &str, n_before: usize) -> Result<Vec<Row>, DataError> {
    let mut rows = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let number = n_before + index + 1;
        let place = Place { file: file.to_owned(), row: number, line: Some(number) };
        match serde_json::from_str::<Value>(line) {
            Ok(value) => rows.push(object(place, value)?),
            Err(error) => {
                let reason =
                    format!("not JSON at column {}: {} in {:?}", error.column(), said(&error), preview(line));
                return Err(DataError::BadJson { place: Box::new(place), reason });
            }
        }
    }
    Ok(rows)
}

fn array(file: &Path, text: &str) -> Result<Vec<Row>, DataError> {
    let place = |row: usize, line: Option<usize>| Place { file: file.to_owned(), row, line };
    let values: Vec<Value> = serde_json::from_str(text).map_err(|error| {
        let reason = format!("not JSON at column {}: {}", error.column(), said(&error));
        DataError::BadJson { place: Box::new(place(rows_before(text), Some(error.line()))), reason }
    })?;
    values.into_iter().enumerate().map(|(index, value)| object(place(index + 1, None), value)).collect()
}

/// The 1-based element at which a broken array stops being readable.
fn rows_before(text: &str) -> usize {
    let inside = text.trim_start().trim_start_matches('[');
    let mut n_read = 0;
    let mut rest = inside;
    loop {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<Value>();
        if !matches!(values.next(), Some(Ok(_))) {
            return n_read + 1;
        }
        n_read += 1;
        let after = rest[values.byte_offset()..].trim_start();
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return n_read,
        }
    }
}

fn object(place: Place, value: Value) -> Result<Row, DataError> {
    match value {
        Value::Object(values) => Ok(Row { place, values }),
        other => {
            let reason = format!("{} where an object is wanted", cell(other).describe());
            Err(DataError::BadJson { place: Box::new(place), reason })
        }
    }
}

/// What the parser said, without its own line and column: they count within one line.
fn said(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words.split(" at line ").next().unwrap_or(&words).to_owned()
}

/// Every key of any row, in the order of first appearance.
fn keys(rows: &[Row]) -> Vec<String> {
    let mut seen = HashSet::new();
    let keys = rows.iter().flat_map(|row| row.values.keys());
    keys.filter(|key| seen.insert(key.as_str())).cloned().collect()
}

/// The keys whose first value that is neither null nor empty is a list.
fn lists(names: &[String], rows: &[Row]) -> Lists {
    let first = |name: &String| {
        let mut values = rows.iter().filter_map(|row| row.values.get(name));
        values.find(|value| !value.is_null() && value.as_array().is_none_or(|list| !list.is_empty()))
    };
    let mut lists = Lists::default();
    for name in names {
        let Some(Value::Array(values)) = first(name) else { continue };
        lists.all.push(name.clone());
        if values.iter().all(Value::is_string) {
            lists.of_texts.push(name.clone());
        }
    }
    lists
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Bool(value) => Cell::Integer(i64::from(value)),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(value), _) => Cell::Integer(value),
            (None, Some(value)) => Cell::Number(value),
            (None, None) => Cell::Other(format!("the number {number}")),
        },
        Value::String(text) => Cell::Text(text),
        Value::Array(values) => Cell::List(values.into_iter().map(cell).collect()),
        Value::Object(_) => Cell::Other("an object".to_owned()),
    }
}
