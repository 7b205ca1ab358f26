//! Golden: plain texts become the rows that HuggingFace's run_mlm makes of them.

use bertlab_data::{Columns, Dataset, Piece, TokenRows, Tokenization, read};
use bertlab_feedback::Meter;
use bertlab_text::{Keep, Tokenizer};
use serde_json::Value;
use std::path::{Path, PathBuf};

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens/masked-lm")
}

fn rows_json() -> Value {
    let text = std::fs::read_to_string(golden().join("rows.json")).expect("it belongs to the repository");
    serde_json::from_str(&text).expect("JSON")
}

fn texts(golden: &Value) -> Dataset {
    let file = tempfile::NamedTempFile::with_suffix(".txt").expect("a temporary file");
    let lines: Vec<&str> = list(&golden["texts"]).iter().filter_map(Value::as_str).collect();
    std::fs::write(file.path(), lines.join("\n")).expect("writable");
    read(&[file.path().to_path_buf()], &Columns::default()).expect("a text per line")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("not a list: {value}"))
}

fn numbers(value: &Value) -> Vec<u32> {
    list(value).iter().map(|number| number.as_u64().expect("a whole number") as u32).collect()
}

fn tokenize(dataset: &Dataset, keep: Keep, max_length: Option<usize>) -> TokenRows {
    let mut tokenizer = Tokenizer::open(&golden()).expect("a valid tokenizer");
    tokenizer.set_keep(keep);
    let tokenization = Tokenization { tokenizer: Some(&tokenizer), max_length, cache: None };
    tokenization.rows(dataset, &Meter::silent()).expect("texts can be tokenized")
}

/// Ids and token types are the same. So are special tokens, but for those that stand in the text itself: here they are
/// special too, there they may be hidden.
fn check(found: &TokenRows, expected: &[Value], what: &str) {
    const UNKNOWN: u32 = 1;
    const MASK: u32 = 4;
    for (row, expected) in found.iter().zip(expected) {
        assert_eq!(row.ids, numbers(&expected["input_ids"]), "{what}");
        let types = numbers(&expected["token_type_ids"]);
        assert!(row.types == types || (row.types.is_empty() && types.iter().all(|&id| id == 0)), "{what}");
        for ((&piece, &special), id) in
            row.pieces.iter().zip(&numbers(&expected["special_tokens_mask"])).zip(row.ids)
        {
            let is_written = [UNKNOWN, MASK].contains(id);
            assert_eq!(piece == Piece::Special, special == 1 || is_written, "{what}, id {id}");
        }
    }
}

#[test]
fn blocks_are_those_of_run_mlm_and_a_shorter_one_at_the_end() {
    let golden = rows_json();
    let dataset = texts(&golden);
    for (length, expected) in golden["blocks"].as_object().expect("by length") {
        let whole = tokenize(&dataset, Keep::Head, None);
        let n_tokens = whole.ids.len();
        let length: usize = length.parse().expect("a length");
        let blocks = whole.into_blocks(length);
        let expected = list(expected);
        assert_eq!((expected.len(), blocks.len()), (n_tokens / length, n_tokens.div_ceil(length)));
        check(&blocks, expected, &format!("blocks of {length}"));
        assert_eq!(blocks.ids.len(), n_tokens, "nothing is lost");
    }
}

#[test]
fn lines_are_those_of_line_by_line_cut_on_either_side() {
    let golden = rows_json();
    let dataset = texts(&golden);
    for (key, keep) in [("lines", Keep::Head), ("lines_left", Keep::Tail)] {
        for (length, expected) in golden[key].as_object().expect("by length") {
            let rows = tokenize(&dataset, keep, Some(length.parse().expect("a length")));
            assert_eq!(rows.len(), list(expected).len());
            check(&rows, list(expected), &format!("{key} of {length}"));
        }
    }
}
