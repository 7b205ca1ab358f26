//! JSON lines and arrays, ready rows, and what is refused.

use crate::data_files::{assert_says, labels, read_as, refusal, texts, written};
use bertlab_data::RawLabel;

#[test]
fn lines_and_arrays_give_the_same_records() {
    let lines =
        "{\"text\": \"a\", \"label\": 1}\n\n{\"text\": \"b\", \"label\": \"pos\"}\r\n{\"text\": \"c\"}";
    let array = "\n[{\"text\": \"a\", \"label\": 1},\n {\"text\": \"b\", \"label\": \"pos\"}, {\"text\": \"c\", \"label\": null}]";
    for (name, content) in [("a.jsonl", lines), ("a.json", lines), ("a.json", array)] {
        let dataset = read_as(name, content).expect("well formed");
        assert_eq!(texts(&dataset), ["a", "b", "c"]);
        assert_eq!(labels(&dataset), [RawLabel::Integer(1), written("pos"), RawLabel::Missing]);
    }
    let rows: Vec<usize> =
        read_as("a.jsonl", lines).expect("read above").records.iter().map(|r| r.row).collect();
    assert_eq!(rows, [1, 3, 4]);
}

#[test]
fn every_kind_of_label_is_kept_as_it_stands() {
    let kinds = [
        ("7", RawLabel::Integer(7)),
        ("-1", RawLabel::Integer(-1)),
        ("true", RawLabel::Integer(1)),
        ("4.5", RawLabel::Number(4.5)),
        ("\"pos\"", written("pos")),
        ("\" \"", RawLabel::Missing),
        ("null", RawLabel::Missing),
        ("[1, 0]", RawLabel::Integers(vec![1, 0])),
        ("[1, 0.5]", RawLabel::Numbers(vec![1.0, 0.5])),
        ("[\"a\", \"b\"]", RawLabel::Texts(vec!["a".to_owned(), "b".to_owned()])),
        ("[]", RawLabel::Integers(Vec::new())),
    ];
    for (json, wanted) in kinds {
        let dataset =
            read_as("a.jsonl", format!("{{\"text\": \"a\", \"labels\": {json}}}")).expect("a label");
        assert_eq!(labels(&dataset), [wanted], "{json}");
    }
}

#[test]
fn a_pair_is_found_by_its_key() {
    let dataset = read_as("a.jsonl", "{\"text\": \"a\", \"pair\": \"b\"}").expect("well formed");
    assert_eq!(dataset.records[0].pair.as_deref(), Some("b"));
    assert_eq!(dataset.pair_column.as_deref(), Some("pair"));
}

#[test]
fn ready_rows_need_no_text() {
    let dataset = read_as(
        "a.jsonl",
        "{\"input_ids\": [101, 7, 102], \"attention_mask\": [1, 1, 1], \"token_type_ids\": [0, 0, 1], \"labels\": [7, -100, 3]}",
    )
    .expect("well formed");
    let record = &dataset.records[0];
    assert_eq!(record.text, None);
    assert_eq!(record.input_ids, Some(vec![101, 7, 102]));
    assert_eq!(record.attention_mask, Some(vec![1, 1, 1]));
    assert_eq!(record.token_type_ids, Some(vec![0, 0, 1]));
    assert_eq!(record.label, RawLabel::Integers(vec![7, -100, 3]));
}

#[test]
fn ready_rows_are_checked() {
    let refuse = |row: &str| refusal("a.jsonl", format!("{{\"input_ids\": [1]}}\n{row}\n"));
    assert_says(&refuse("{\"input_ids\": []}"), &["row 2", "input_ids", "empty list"]);
    assert_says(&refuse("{\"input_ids\": [1, -2]}"), &["input_ids", "the integer -2"]);
    assert_says(&refuse("{\"input_ids\": [1, \"a\"]}"), &["input_ids", "the text \"a\""]);
    assert_says(&refuse("{\"input_ids\": 3}"), &["input_ids", "the integer 3"]);
    assert_says(&refuse("{\"input_ids\": [1.5]}"), &["input_ids", "the number 1.5"]);
    assert_says(
        &refuse("{\"input_ids\": [1, 2], \"attention_mask\": [1]}"),
        &["attention_mask", "1 entries", "has 2"],
    );
    assert_says(&refuse("{\"labels\": 1}"), &["row 2", "input_ids", "no text column"]);
    assert_says(&refuse("{\"attention_mask\": [1]}"), &["attention_mask", "without input_ids"]);
}

#[test]
fn what_is_not_json_is_refused_with_its_line() {
    let message = refusal("a.jsonl", "{\"text\": \"a\"}\n{\"text\": \"b\",}\n");
    assert_says(&message, &["row 2", "column 14", "trailing comma", "one object per line"]);
    assert_says(
        &refusal("a.jsonl", "{\"text\": \"a\"}\n3\n"),
        &["row 2", "the integer 3", "object is wanted"],
    );
    assert_says(
        &refusal("a.json", "\n[{\"text\": \"a\"},\n{\"text\": \"b\"},\n{\"text\" \"c\"}]"),
        &["row 3 (line 4)"],
    );
    assert_says(&refusal("a.json", "[{\"text\": \"a\"}, 4]"), &["row 2", "the integer 4"]);
    assert_says(&refusal("a.json", "[{\"text\": \"a\"}"), &["row 1"]);
    assert_says(&refusal("a.json", "{\n  \"data\": []\n}"), &["row 1", "one array of such objects"]);
    assert_says(&refusal("a.jsonl", "{\"text\": \"a\", \"label\": NaN}"), &["row 1", "not JSON"]);
}

#[test]
fn deep_nesting_is_refused_and_overflows_no_stack() {
    assert_says(&refusal("a.jsonl", "[".repeat(100_000)), &["not JSON", "recursion limit"]);
    let nested = format!("{{\"text\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_says(&refusal("a.jsonl", nested), &["not JSON", "recursion limit"]);
}

#[test]
fn files_without_rows_or_texts_are_refused() {
    assert_says(&refusal("a.jsonl", ""), &["no rows"]);
    assert_says(&refusal("a.json", "[]"), &["no rows"]);
    assert_says(&refusal("a.jsonl", "{\"body_\": \"a\"}"), &["no text column", "\"body_\"", "`text_column`"]);
    assert_says(&refusal("a.jsonl", "{\"text\": 3}"), &["row 1", "\"text\"", "the integer 3"]);
    assert_says(&refusal("a.jsonl", "{\"text\": \"a\"}\n{\"text\": null}"), &["row 2", "nothing (null)"]);
    assert_says(
        &refusal("a.jsonl", "{\"text\": \"a\"}\n{\"label\": 1}"),
        &["row 2", "the key is not in this row"],
    );
    assert_says(&refusal("a.jsonl", "{\"text\": \"a\", \"label\": {\"x\": 1}}"), &["\"label\"", "an object"]);
    assert_says(
        &refusal("a.jsonl", "{\"text\": \"a\", \"label\": [[1]]}"),
        &["\"label\"", "a list with a list"],
    );
}
