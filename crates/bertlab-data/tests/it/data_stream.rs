//! Texts as a stream: what is read piece by piece is what is read at once, also where a piece ends in the middle of
//! something; whatever the format, memory holds a piece.

use bertlab_feedback::Meter;
use std::path::PathBuf;

use crate::data_files::{assert_says, file, shared};
use bertlab_data::{Columns, DataError, Encoding, TextFiles, read_encoded};

/// More than two of the pieces that are read at once, each of 4 MB.
const N_LONG: usize = 60_000;

/// Texts of many lengths, with what files have trouble with: quotes, commas, line breaks, letters of several bytes.
fn long_texts() -> Vec<String> {
    let text = |i: usize| format!("{i} \"quoted\", größer\n— {}", "word ".repeat(10 + i * 7 % 40));
    (0..N_LONG).map(text).collect()
}

fn streamed(files: &TextFiles) -> Result<Vec<String>, DataError> {
    let mut texts = Vec::new();
    let meter = Meter::silent();
    files.visit::<DataError>(&meter, &mut |text| {
        texts.push(text);
        Ok(())
    })?;
    assert_eq!(meter.done(), files.n_bytes()?, "all bytes were counted");
    Ok(texts)
}

fn of(path: PathBuf) -> TextFiles {
    TextFiles { files: vec![path], ..TextFiles::default() }
}

fn at_once(files: &TextFiles) -> Vec<String> {
    let columns = Columns { text: files.text_column.clone(), ..Columns::default() };
    let dataset = read_encoded(&files.files, &columns, files.encoding).expect("a good file");
    dataset.records.into_iter().filter_map(|record| record.text).collect()
}

#[test]
fn csv_rows_over_the_border_of_two_pieces_are_whole() {
    let quoted = |text: &String| format!("x,\"{}\",pos\n", text.replace('"', "\"\""));
    let rows: String = long_texts().iter().map(quoted).collect();
    let (_folder, path) = file("rows.csv", format!("id,text,label\n{rows}"));
    assert!(path.metadata().expect("it is there").len() > 9 << 20);
    assert_eq!(streamed(&of(path)).expect("a good file"), long_texts());
}

#[test]
fn an_open_quote_and_a_bad_row_are_refused_with_their_line() {
    let rows = "a text,pos\n".repeat(600_000);
    let (_folder, path) = file("rows.csv", format!("text,label\n{rows}\"open,pos\nmore,neg\n"));
    let error = streamed(&of(path)).expect_err("the quote is never closed").to_string();
    assert_says(&error, &["600002"]);
    let (_folder, path) = file("rows.csv", format!("text,label\n{rows}three,fields,here\n"));
    assert_says(
        &streamed(&of(path)).expect_err("an uneven row").to_string(),
        &["600002", "three,fields,here"],
    );
}

#[test]
fn json_lines_and_plain_lines_are_read_piece_by_piece() {
    let lines: String = long_texts()
        .iter()
        .map(|text| serde_json::json!({"label": 1, "text": text}).to_string() + "\n")
        .collect();
    let (_folder, path) = file("rows.jsonl", &lines);
    assert_eq!(streamed(&of(path)).expect("a good file"), long_texts());
    let (_folder, path) = file("rows.jsonl", format!("{lines}{{\"text\": 1,}}\n"));
    assert_says(&streamed(&of(path)).expect_err("no JSON").to_string(), &[&(N_LONG + 1).to_string()]);
    let texts: Vec<String> = long_texts().iter().map(|text| text.replace('\n', " ")).collect();
    let (_folder, path) = file("lines.txt", texts.join("\r\n\r\n"));
    assert_eq!(streamed(&of(path)).expect("a good file"), texts);
    let (_folder, path) = file("rows.json", r#"[{"text": "one"}, {"text": "two"}]"#);
    assert_eq!(streamed(&of(path)).expect("a good file"), ["one", "two"]);
}

#[test]
fn other_encodings_are_decoded_across_pieces() {
    let text: String = long_texts().iter().map(|text| text.replace(['\n', '—'], "-") + "\n").collect();
    let utf16: Vec<u8> =
        [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let latin1: Vec<u8> = text.chars().map(|letter| u8::try_from(letter).expect("Latin-1")).collect();
    for (bytes, encoding) in [(utf16, Encoding::Utf8), (latin1, Encoding::Latin1)] {
        let (_folder, path) = file("lines.txt", bytes);
        let files = TextFiles { encoding, ..of(path) };
        assert_eq!(streamed(&files).expect("a good file"), at_once(&files));
    }
}

#[test]
fn bytes_that_are_no_text_are_refused_with_their_line_in_the_file() {
    let lines = "good\n".repeat(1_000_000);
    let (_folder, path) = file("lines.txt", [lines.as_bytes(), b"b\xe4d\n"].concat());
    let error = streamed(&of(path)).expect_err("no UTF-8").to_string();
    assert_says(&error, &["line 1000001", "not UTF-8", "5000001"]);
}

#[test]
fn folders_give_all_their_texts_also_those_without_a_class() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (class, name, text) in
        [("neg", "0.txt", "bad\nfilm"), ("pos", "0.txt", "good"), ("unsup", "0.txt", "new")]
    {
        let class = folder.path().join(class);
        std::fs::create_dir_all(&class).expect("writable");
        std::fs::write(class.join(name), text).expect("writable");
    }
    let texts = streamed(&of(folder.path().to_path_buf())).expect("a folder of texts");
    assert_eq!(texts, ["bad\nfilm", "good", "new"]);
}

#[test]
fn nothing_to_read_and_no_text_column_are_refused() {
    let (_folder, path) = file("lines.txt", "\n  \n");
    assert_says(&streamed(&of(path)).expect_err("blank lines").to_string(), &["no text in it"]);
    let (_folder, path) = file("rows.jsonl", "{\"a\": 1}\n");
    assert_says(&streamed(&of(path)).expect_err("no text column").to_string(), &["`text_column`"]);
}

#[test]
fn what_the_visitor_refuses_ends_the_reading_and_an_iterator_may_be_dropped() {
    let (_folder, path) = file("lines.txt", "word\n".repeat(100_000));
    let files = of(path);
    let mut n_seen = 0;
    let refused = files.visit(&Meter::silent(), &mut |_| {
        n_seen += 1;
        if n_seen == 3 { Err(DataError::NoFiles) } else { Ok(()) }
    });
    assert!(matches!(refused, Err(DataError::NoFiles)) && n_seen == 3);
    let first = files.iterate(&Meter::silent(), |mut texts| texts.next()).expect("a good file");
    assert_eq!(first.as_deref(), Some("word"));
}

#[test]
fn shared_parquet_and_tables_stream_as_they_are_read_at_once() {
    for name in ["data/imdb/imdb_test_1000.csv", "data/imdb/test-00000-of-00001.parquet"] {
        let Some(path) = shared(name) else { return };
        let files = of(path);
        assert_eq!(streamed(&files).expect("a good file"), at_once(&files), "{name}");
    }
}
