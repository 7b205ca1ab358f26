//! Parquet files to records, through the record interface of the `parquet` crate: no Arrow.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use ::parquet::basic::{Repetition, Type as Physical};
use ::parquet::errors::ParquetError;
use ::parquet::file::reader::{FileReader, SerializedFileReader};
use ::parquet::record::Field;
use ::parquet::schema::types::Type;
use serde_json::Value;

use super::cell::{ATTENTION_MASK, Cell, INPUT_IDS, TOKEN_TYPE_IDS, assemble};
use super::columns::{self, Chosen, Found, Lists};
use super::error::{DataError, Place};
use super::stream::Source;
use super::{Columns, Record};
use crate::part::Part;

pub(super) fn read(file: &Path, wanted: &Columns) -> Result<Part, DataError> {
    guarded(file, |opened| read_opened(file, opened, wanted))
}

/// Tells `visit` the text of every row that has one.
pub(super) fn visit_texts<E: From<DataError>>(
    source: &Source<'_>,
    visit: &mut dyn FnMut(String) -> Result<(), E>,
) -> Result<(), E> {
    guarded(source.file, |opened| {
        let n_bytes = opened.metadata().map_or(0, |metadata| metadata.len());
        let (reader, chosen) = open(source.file, opened, source.columns)?;
        let n_rows = u64::try_from(reader.metadata().file_metadata().num_rows()).unwrap_or(0).max(1);
        let n_before = source.meter.done();
        visit_rows(source.file, &reader, &chosen, &mut |record| {
            let n_done = (record.row as u64).min(n_rows);
            source.meter.set(n_before + n_bytes * n_done / n_rows).map_err(DataError::from)?;
            record.text.map_or(Ok(()), &mut *visit)
        })
    })
}

/// The parquet crate asserts where a damaged file breaks a promise of the format (definition levels, list shapes, page
/// sizes); nothing that is shared outlives `work`, so that an unwound reader leaves nothing half-written behind.
fn guarded<T, E: From<DataError>>(file: &Path, work: impl FnOnce(File) -> Result<T, E>) -> Result<T, E> {
    let opened =
        File::open(file).map_err(|source| DataError::Unreadable { file: file.to_owned(), source })?;
    let outcome = catch_unwind(AssertUnwindSafe(|| work(opened)));
    outcome.unwrap_or_else(|_| Err(bad(file, "its pages contradict its schema").into()))
}

fn open(
    file: &Path,
    opened: File,
    wanted: &Columns,
) -> Result<(SerializedFileReader<File>, Chosen), DataError> {
    let reader = SerializedFileReader::new(opened).map_err(|error| refuse(file, None, &error))?;
    let metadata = reader.metadata().file_metadata();
    let names: Vec<String> =
        metadata.schema().get_fields().iter().map(|field| field.name().to_owned()).collect();
    let has_input_ids = names.iter().any(|name| name == INPUT_IDS);
    let found = Found { file, names: &names, lists: lists(metadata.schema()), headerless: String::new() };
    let chosen = columns::choose(&found, wanted, has_input_ids)?;
    Ok((reader, chosen))
}

fn read_opened(file: &Path, opened: File, wanted: &Columns) -> Result<Part, DataError> {
    let (reader, chosen) = open(file, opened, wanted)?;
    let mut records = Vec::new();
    visit_rows::<DataError>(file, &reader, &chosen, &mut |record| {
        records.push(record);
        Ok(())
    })?;
    if records.is_empty() {
        return Err(DataError::NoRows {
            file: file.to_owned(),
            found: "its schema is there, its rows are not",
        });
    }
    let class_names = chosen.label.as_ref().and_then(|label| class_names(&reader, label));
    Ok(Part { files: vec![file.to_owned()], records, chosen, class_names })
}

fn visit_rows<E: From<DataError>>(
    file: &Path,
    reader: &dyn FileReader,
    chosen: &Chosen,
    visit: &mut dyn FnMut(Record) -> Result<(), E>,
) -> Result<(), E> {
    let projection = only_chosen(reader.metadata().file_metadata().schema(), chosen);
    let rows = projection
        .and_then(|projection| reader.get_row_iter(Some(projection)))
        .map_err(|error| refuse(file, None, &error))?;
    let mut n_found = 0;
    for (index, row) in rows.enumerate() {
        let row = row.map_err(|error| refuse(file, Some(index + 1), &error))?;
        let mut fields = row.into_columns();
        let place = Place { file: file.to_owned(), row: index + 1, line: None };
        let take = |column: &str| {
            let position = fields.iter().position(|(name, _)| name == column)?;
            Some(cell(fields.swap_remove(position).1))
        };
        visit(assemble(place, chosen, take)?)?;
        n_found += 1;
    }
    let n_promised = reader.metadata().file_metadata().num_rows();
    if n_promised != n_found {
        return Err(bad(file, format!("it promises {n_promised} rows and holds {n_found}")).into());
    }
    Ok(())
}

/// The schema cut down to the wanted columns: other columns are not decoded, whatever their type.
fn only_chosen(schema: &Type, chosen: &Chosen) -> Result<Type, ParquetError> {
    let Chosen { text, pair, label, .. } = chosen;
    let named = [text, pair, label].into_iter().flatten().map(String::as_str);
    let wanted: Vec<&str> = named.chain([INPUT_IDS, TOKEN_TYPE_IDS, ATTENTION_MASK]).collect();
    let is_wanted = |field: &&Arc<Type>| wanted.contains(&field.name());
    let fields = schema.get_fields().iter().filter(is_wanted).cloned().collect();
    Type::group_type_builder(schema.name()).with_fields(fields).build()
}

/// The columns that are lists, by the schema: groups with one repeated field in them.
fn lists(schema: &Type) -> Lists {
    let mut lists = Lists::default();
    for field in schema.get_fields().iter().filter(|field| field.is_group()) {
        let [repeated] = field.get_fields() else { continue };
        let is_repeated = repeated.get_basic_info().has_repetition()
            && repeated.get_basic_info().repetition() == Repetition::REPEATED;
        if !is_repeated {
            continue;
        }
        lists.all.push(field.name().to_owned());
        let element = match repeated.is_group() {
            true => repeated.get_fields().first().cloned(),
            false => Some(repeated.clone()),
        };
        let is_text = |element: &Arc<Type>| {
            element.is_primitive() && element.get_physical_type() == Physical::BYTE_ARRAY
        };
        if element.as_ref().is_some_and(is_text) {
            lists.of_texts.push(field.name().to_owned());
        }
    }
    lists
}

fn cell(field: Field) -> Cell {
    match field {
        Field::Null => Cell::Null,
        Field::Bool(value) => Cell::Integer(i64::from(value)),
        Field::Byte(value) => Cell::Integer(i64::from(value)),
        Field::Short(value) => Cell::Integer(i64::from(value)),
        Field::Int(value) => Cell::Integer(i64::from(value)),
        Field::Long(value) => Cell::Integer(value),
        Field::UByte(value) => Cell::Integer(i64::from(value)),
        Field::UShort(value) => Cell::Integer(i64::from(value)),
        Field::UInt(value) => Cell::Integer(i64::from(value)),
        Field::ULong(value) => match i64::try_from(value) {
            Ok(value) => Cell::Integer(value),
            Err(_) => Cell::Other(format!("the integer {value}")),
        },
        Field::Float16(value) => Cell::Number(f64::from(value)),
        Field::Float(value) => Cell::Number(f64::from(value)),
        Field::Double(value) => Cell::Number(value),
        Field::Str(text) => Cell::Text(text),
        // Older writers leave out the annotation that says "text".
        Field::Bytes(bytes) => match String::from_utf8(bytes.data().to_vec()) {
            Ok(text) => Cell::Text(text),
            Err(_) => Cell::Other(format!("{} bytes that are not UTF-8", bytes.len())),
        },
        Field::ListInternal(list) => Cell::List(list.elements().iter().cloned().map(cell).collect()),
        other => Cell::Other(format!("the value {other}")),
    }
}

/// Class names by id from the schema that HuggingFace datasets writes: a ClassLabel, or a list of them.
fn class_names(reader: &dyn FileReader, label: &str) -> Option<Vec<String>> {
    let pairs = reader.metadata().file_metadata().key_value_metadata()?;
    let written = pairs.iter().find(|pair| pair.key == "huggingface")?.value.as_ref()?;
    // Metadata that is no such JSON is some other program's; the rows are as good without names.
    let information: Value = serde_json::from_str(written).ok()?;
    let feature = &information["info"]["features"][label];
    let names = feature.get("names").or_else(|| feature["feature"].get("names"))?.as_array()?;
    names.iter().map(|name| name.as_str().map(str::to_owned)).collect()
}

fn bad(file: &Path, reason: impl Into<String>) -> DataError {
    let remedy = "the file may be incomplete: compare its size with the source, copy or download it again";
    DataError::BadParquet { file: file.to_owned(), reason: reason.into(), remedy }
}

/// What the reader said, cut: it may print every byte of a text that is not UTF-8.
fn refuse(file: &Path, row: Option<usize>, error: &ParquetError) -> DataError {
    const CHARACTERS_MAX: usize = 200;
    let mut reason: String = error.to_string().chars().take(CHARACTERS_MAX).collect();
    if let Some(row) = row {
        reason = format!("row {row}: {reason}");
    }
    if reason.contains("Disabled feature") {
        let remedy = "its compression is not built in: write the file again with snappy, zstd or none";
        return DataError::BadParquet { file: file.to_owned(), reason, remedy };
    }
    bad(file, reason)
}
