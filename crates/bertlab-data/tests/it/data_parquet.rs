//! Parquet: types, class names, lists, and damaged files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::data_files::{assert_says, columns, labels, texts, written};
use bertlab_compute::random::Generator;
use bertlab_data::{
    Columns, DataError, Dataset, RawLabel, Target, WordLabels, infer_word_labels, read, word_targets,
};
use parquet::basic::Compression;
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, Int32Type, Int64Type};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::parser::parse_message_type;
use tempfile::TempDir;

/// One column of a file made for a test.
enum Column {
    Texts(Vec<Option<&'static [u8]>>),
    Integers(Vec<Option<i64>>),
    Numbers(Vec<f64>),
    /// Values of all rows, and 0 where a row starts, 1 where it goes on.
    IntegerLists(Vec<i32>, Vec<i16>),
    /// The same of texts.
    TextLists(Vec<&'static str>, Vec<i16>),
}

const TEXT_AND_LABEL: &str = "message schema { OPTIONAL BYTE_ARRAY text (UTF8); OPTIONAL INT64 label; }";

fn some<T: Copy>(values: &[T]) -> Vec<Option<T>> {
    values.iter().copied().map(Some).collect()
}

fn write(path: &Path, schema: &str, columns: &[Column], metadata: Option<&str>) {
    let schema = Arc::new(parse_message_type(schema).expect("the test's schema is well formed"));
    let huggingface = metadata.map(|value| vec![KeyValue::new("huggingface".to_owned(), value.to_owned())]);
    let properties = WriterProperties::builder()
        .set_compression(Compression::SNAPPY)
        .set_key_value_metadata(huggingface)
        .build();
    let file = std::fs::File::create(path).expect("a file can be made there");
    let mut writer = SerializedFileWriter::new(file, schema, Arc::new(properties)).expect("a writer");
    let mut group = writer.next_row_group().expect("a row group");
    for column in columns {
        let mut into = group.next_column().expect("a column").expect("as many columns as the schema has");
        let present = |is_there: &dyn Fn(usize) -> bool, n| {
            (0..n).map(|row| i16::from(is_there(row))).collect::<Vec<_>>()
        };
        let written = match column {
            Column::Texts(values) => {
                let levels = present(&|row| values[row].is_some(), values.len());
                let bytes: Vec<ByteArray> =
                    values.iter().flatten().map(|text| ByteArray::from(text.to_vec())).collect();
                into.typed::<ByteArrayType>().write_batch(&bytes, Some(&levels), None)
            }
            Column::Integers(values) => {
                let levels = present(&|row| values[row].is_some(), values.len());
                let numbers: Vec<i64> = values.iter().flatten().copied().collect();
                into.typed::<Int64Type>().write_batch(&numbers, Some(&levels), None)
            }
            Column::Numbers(values) => into.typed::<DoubleType>().write_batch(values, None, None),
            Column::IntegerLists(values, starts) => {
                into.typed::<Int32Type>().write_batch(values, Some(&vec![1; values.len()]), Some(starts))
            }
            Column::TextLists(values, starts) => {
                let bytes: Vec<ByteArray> = values.iter().map(|&text| ByteArray::from(text)).collect();
                into.typed::<ByteArrayType>().write_batch(&bytes, Some(&vec![1; bytes.len()]), Some(starts))
            }
        };
        written.expect("the column takes its values");
        into.close().expect("the column closes");
    }
    group.close().expect("the row group closes");
    writer.close().expect("the file closes");
}

/// A file in a folder of its own, and what reading it gives.
fn made(schema: &str, columns: &[Column], metadata: Option<&str>) -> (TempDir, PathBuf) {
    let folder = TempDir::new().expect("a temporary folder can be made");
    let path = folder.path().join("train.parquet");
    write(&path, schema, columns, metadata);
    (folder, path)
}

fn read_made(schema: &str, columns: &[Column], metadata: Option<&str>) -> Result<Dataset, DataError> {
    let (_folder, path) = made(schema, columns, metadata);
    read(&[path], &Columns::default())
}

fn reviews() -> Vec<Column> {
    vec![
        Column::Texts(some(&[b"fine".as_slice(), "schön".as_bytes(), b"bad"])),
        Column::Integers(vec![Some(1), Some(1), Some(0)]),
    ]
}

#[test]
fn texts_and_labels_are_read() {
    let dataset = read_made(TEXT_AND_LABEL, &reviews(), None).expect("well formed");
    assert_eq!(texts(&dataset), ["fine", "schön", "bad"]);
    assert_eq!(labels(&dataset), [RawLabel::Integer(1), RawLabel::Integer(1), RawLabel::Integer(0)]);
    assert_eq!(dataset.class_names, None);
    assert_eq!(dataset.records[2].row, 3);
}

#[test]
fn class_names_come_from_the_schema_that_huggingface_writes() {
    let class_label =
        r#"{"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}"#;
    let several = r#"{"info": {"features": {"label": {"feature": {"names": ["neg", "pos"], "_type": "ClassLabel"}, "_type": "Sequence"}}}}"#;
    for metadata in [class_label, several] {
        let dataset = read_made(TEXT_AND_LABEL, &reviews(), Some(metadata)).expect("well formed");
        assert_eq!(dataset.class_names, Some(vec!["neg".to_owned(), "pos".to_owned()]));
    }
    for no_names in ["{", "3", r#"{"info": {"features": {"label": {"dtype": "int64", "_type": "Value"}}}}"#] {
        let dataset =
            read_made(TEXT_AND_LABEL, &reviews(), Some(no_names)).expect("the rows are well formed");
        assert_eq!(dataset.class_names, None);
    }
}

#[test]
fn files_with_other_class_names_are_not_one_data_set() {
    let names = |first: &str| {
        format!(
            r#"{{"info": {{"features": {{"label": {{"names": ["{first}", "pos"], "_type": "ClassLabel"}}}}}}}}"#
        )
    };
    let (_first, first) = made(TEXT_AND_LABEL, &reviews(), Some(&names("neg")));
    let (_second, second) = made(TEXT_AND_LABEL, &reviews(), Some(&names("bad")));
    assert_eq!(read(&[first.clone(), first.clone()], &Columns::default()).expect("equal").records.len(), 6);
    let error = read(&[first, second], &Columns::default()).expect_err("names differ");
    assert_says(&error.to_string(), &["\"bad\", \"pos\"", "\"neg\", \"pos\""]);
}

#[test]
fn numbers_texts_and_nulls_are_labels() {
    let schema = "message schema { OPTIONAL BYTE_ARRAY text (UTF8); REQUIRED DOUBLE score; }";
    let columns = [Column::Texts(some(&[b"a".as_slice(), b"b"])), Column::Numbers(vec![4.5, f64::NAN])];
    let dataset = read_made(schema, &columns, None).expect("well formed");
    assert_eq!(labels(&dataset)[0], RawLabel::Number(4.5));
    assert!(matches!(labels(&dataset)[1], RawLabel::Number(value) if value.is_nan()));

    let schema = "message schema { OPTIONAL BYTE_ARRAY text (UTF8); OPTIONAL BYTE_ARRAY label (UTF8); }";
    let columns = [Column::Texts(some(&[b"a".as_slice(), b"b"])), Column::Texts(vec![Some(b"pos"), None])];
    let dataset = read_made(schema, &columns, None).expect("well formed");
    assert_eq!(labels(&dataset), [written("pos"), RawLabel::Missing]);
}

#[test]
fn ready_rows_are_lists() {
    let schema = "message schema { OPTIONAL GROUP input_ids (LIST) { REPEATED GROUP list { REQUIRED INT32 element; } } OPTIONAL INT64 labels; }";
    let schema = schema.replace("OPTIONAL GROUP", "REQUIRED GROUP");
    let columns = [
        Column::IntegerLists(vec![101, 7, 102, 101, 102], vec![0, 1, 1, 0, 1]),
        Column::Integers(some(&[1, 0])),
    ];
    let dataset = read_made(&schema, &columns, None).expect("well formed");
    assert_eq!(dataset.records[0].input_ids, Some(vec![101, 7, 102]));
    assert_eq!(dataset.records[1].input_ids, Some(vec![101, 102]));
    assert_eq!(labels(&dataset), [RawLabel::Integer(1), RawLabel::Integer(0)]);
}

#[test]
fn words_and_their_named_classes_are_read_as_huggingface_writes_them() {
    let schema = "message schema { REQUIRED BYTE_ARRAY id (UTF8); \
                  REQUIRED GROUP tokens (LIST) { REPEATED GROUP list { REQUIRED BYTE_ARRAY element (UTF8); } } \
                  REQUIRED GROUP pos_tags (LIST) { REPEATED GROUP list { REQUIRED INT32 element; } } \
                  REQUIRED GROUP ner_tags (LIST) { REPEATED GROUP list { REQUIRED INT32 element; } } }";
    let starts = vec![0, 1, 0];
    let columns = [
        Column::Texts(some(&[b"0".as_slice(), b"1"])),
        Column::TextLists(vec!["EU", "won", "It"], starts.clone()),
        Column::IntegerLists(vec![5, 6, 7], starts.clone()),
        Column::IntegerLists(vec![1, 0, 0], starts),
    ];
    let metadata = r#"{"info": {"features": {"ner_tags": {"_type": "List", "feature":
        {"_type": "ClassLabel", "names": ["O", "B-ORG", "I-ORG"]}}}}}"#;
    let dataset = read_made(schema, &columns, Some(metadata)).expect("well formed");
    let words: Vec<&[String]> = dataset.records.iter().filter_map(|record| record.words.as_deref()).collect();
    assert_eq!(words, [vec!["EU", "won"], vec!["It"]]);
    let names = infer_word_labels(&dataset, None).expect("the schema names them");
    assert_eq!(names, ["O", "B-ORG", "I-ORG"]);
    // A head with another order: ids go by their names.
    let others = ["B-ORG", "I-ORG", "O"].map(str::to_owned);
    let targets = word_targets(&dataset, &others).expect("known names");
    let first = |labels: &[i64]| Target::Words(WordLabels { first: labels.to_vec(), further: Vec::new() });
    assert_eq!(targets, [first(&[0, 2]), first(&[2])]);
}

#[test]
fn texts_without_an_annotation_are_texts_if_they_are_utf_8() {
    let schema = TEXT_AND_LABEL.replace(" (UTF8)", "");
    assert_eq!(texts(&read_made(&schema, &reviews(), None).expect("UTF-8")), ["fine", "schön", "bad"]);
    let latin = [Column::Texts(some(&[b"clich\xe9".as_slice()])), Column::Integers(some(&[1]))];
    assert_says(
        &read_made(&schema, &latin, None).expect_err("no text").to_string(),
        &["row 1", "\"text\"", "not UTF-8"],
    );
    let error = read_made(TEXT_AND_LABEL, &latin, None).expect_err("no text").to_string();
    assert_says(&error, &["train.parquet", "row 1", "not readable as Parquet"]);
}

#[test]
fn wrong_columns_are_refused() {
    let columns_of_other_types = [Column::Texts(vec![Some(b"a"), None]), Column::Integers(some(&[1, 0]))];
    let error = read_made(TEXT_AND_LABEL, &columns_of_other_types, None).expect_err("a null text");
    assert_says(&error.to_string(), &["row 2", "\"text\"", "nothing (null)"]);

    let (_folder, path) = made(TEXT_AND_LABEL, &reviews(), None);
    let error = read(std::slice::from_ref(&path), &columns("body", None, None)).expect_err("no such column");
    assert_says(&error.to_string(), &["`text_column`", "\"body\"", "\"text\", \"label\""]);
    let error = read(&[path], &columns("label", None, None)).expect_err("no text");
    assert_says(&error.to_string(), &["row 1", "\"label\"", "the integer 1"]);

    let none = [Column::Texts(Vec::new()), Column::Integers(Vec::new())];
    assert_says(&read_made(TEXT_AND_LABEL, &none, None).expect_err("no rows").to_string(), &["no rows"]);
}

#[test]
fn files_that_are_no_parquet_are_refused() {
    for bytes in [b"".as_slice(), b"text,label\n", b"PAR1PAR1", &[0; 64]] {
        let error = crate::data_files::read_as("a.parquet", bytes).expect_err("no Parquet");
        assert_says(&error.to_string(), &["a.parquet", "not readable as Parquet", "incomplete"]);
    }
}

#[test]
fn damaged_files_are_errors_or_other_values_and_never_a_panic() {
    let (folder, path) = made(TEXT_AND_LABEL, &reviews(), Some("{}"));
    let whole = std::fs::read(&path).expect("just written");
    let damaged = folder.path().join("damaged.parquet");
    let attempt = |bytes: &[u8]| {
        std::fs::write(&damaged, bytes).expect("a file can be written there");
        read(std::slice::from_ref(&damaged), &Columns::default())
    };
    for length in 0..whole.len() {
        let error = attempt(&whole[..length]).expect_err("a part of a file is no file");
        assert_says(&error.to_string(), &["damaged.parquet"]);
    }
    let mut random = Generator::new(8);
    let mut n_refused = 0;
    for _ in 0..3000 {
        let mut bytes = whole.clone();
        for _ in 0..1 + random.below(3) {
            let position = random.below(bytes.len());
            bytes[position] = random.next_u64() as u8;
        }
        n_refused += usize::from(attempt(&bytes).is_err());
    }
    assert!(n_refused > 1000, "only {n_refused} of 3000 damaged files were noticed");
}
