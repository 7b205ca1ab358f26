//! CSV and TSV: quoting, line ends, headers, and what is refused.

use crate::data_files::{assert_says, columns, file, labels, read_as, read_with, refusal, texts, written};
use bertlab_compute::random::Generator;
use bertlab_data::{Columns, RawLabel, read};

#[test]
fn quotes_hold_commas_line_breaks_and_quotes() {
    let dataset =
        read_as("a.csv", "text,label\n\"one, \"\"two\"\"\nthree\",1\n\"\",0\nfour,\n").expect("well formed");
    assert_eq!(texts(&dataset), ["one, \"two\"\nthree", "", "four"]);
    assert_eq!(labels(&dataset), [written("1"), written("0"), RawLabel::Missing]);
    assert_eq!(dataset.records.iter().map(|record| record.row).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(dataset.text_column.as_deref(), Some("text"));
    assert_eq!(dataset.label_column.as_deref(), Some("label"));
}

#[test]
fn byte_order_mark_crlf_and_blank_lines_are_no_content() {
    let dataset = read_as("a.csv", "\u{feff}text,label\r\nfirst,0\r\n\r\nsecond,1").expect("well formed");
    assert_eq!(texts(&dataset), ["first", "second"]);
    assert_eq!(labels(&dataset), [written("0"), written("1")]);
}

#[test]
fn columns_are_found_by_the_names_that_data_sets_use() {
    let find = |header: &str| {
        let row = vec!["x"; header.split(',').count()].join(",");
        let dataset = read_as("a.csv", format!("{header}\n{row}\n")).expect("a known text column");
        (dataset.text_column, dataset.pair_column, dataset.label_column)
    };
    let some = |name: &str| Some(name.to_owned());
    assert_eq!(find("id,Review,Sentiment"), (some("Review"), None, some("Sentiment")));
    assert_eq!(find("sentence2,score,sentence1"), (some("sentence1"), some("sentence2"), some("score")));
    assert_eq!(find("premise,hypothesis,label"), (some("premise"), some("hypothesis"), some("label")));
    assert_eq!(find("index,question,sentence,label"), (some("question"), some("sentence"), some("label")));
    assert_eq!(find("content,class"), (some("content"), None, some("class")));
    assert_eq!(find("sentence1,other"), (some("sentence1"), None, None));
}

#[test]
fn a_named_column_wins_and_goes_alone() {
    let rows = "text,sentence1,sentence2,label,other\na,b,c,d,e\n";
    let dataset = read_with("a.csv", rows, &columns("sentence2", None, Some("other"))).expect("all there");
    assert_eq!(texts(&dataset), ["c"]);
    assert_eq!(dataset.records[0].pair, None);
    assert_eq!(labels(&dataset), [written("e")]);
}

#[test]
fn numbers_name_the_columns_of_a_file_without_header() {
    let rows = "A man dances.,A man is dancing.,5.0\nA dog.,A cat.,0.5\n";
    let dataset = read_with("a.csv", rows, &columns("0", Some("1"), Some("2"))).expect("three columns");
    assert_eq!(texts(&dataset), ["A man dances.", "A dog."]);
    assert_eq!(dataset.records[1].pair.as_deref(), Some("A cat."));
    assert_eq!(labels(&dataset), [written("5.0"), written("0.5")]);
    assert_eq!(dataset.records[0].row, 1);
}

#[test]
fn numbers_that_are_header_names_are_names() {
    let dataset = read_with("a.csv", "0,1\nfirst,x\n", &columns("0", None, Some("1"))).expect("two columns");
    assert_eq!(texts(&dataset), ["first"]);
}

#[test]
fn a_missing_column_names_the_columns_the_flag_and_the_first_row() {
    let message = refusal("a.csv", "A man dances.,A man is dancing.,5.0\nA dog.,A cat.,0.5\n");
    assert_says(&message, &["a.csv", "`text_column` = 0", "no header line", "\"A man dances.\"", "\"5.0\""]);
    let found =
        read_with("a.csv", "text,label\na,0\n", &columns("body", None, None)).expect_err("no such column");
    assert_says(&found.to_string(), &["`text_column`", "\"body\"", "\"text\", \"label\""]);
    let found = read_with("a.csv", "a,b\nc,d\n", &columns("0", None, Some("7"))).expect_err("no such column");
    assert_says(&found.to_string(), &["`label_column`", "\"7\"", "counted from 0", "\"a\", \"b\""]);
    assert_says(&refusal("a.csv", "text;label\na;0\n"), &["semicolons"]);
}

#[test]
fn two_columns_of_the_wanted_name_are_refused() {
    assert_says(&refusal("a.csv", "text,label,label\na,0,1\n"), &["2 columns", "\"label\""]);
}

#[test]
fn rows_of_another_length_are_refused_with_row_and_line() {
    let message = refusal("a.csv", "text,label\n\"a\nb\",0\nwell, this is it,1\n");
    assert_says(&message, &["row 3 (line 4)", "3 fields", "2 are wanted", "well, this is it", "quotes"]);
    let message = refusal("a.tsv", "sentence\tlabel\na\t1\nb\n");
    assert_says(&message, &["row 3", "1 fields", "2 are wanted"]);
}

#[test]
fn an_open_quote_is_refused_where_it_opens() {
    let message = refusal("a.csv", "text,label\na,0\n\"never closed,1\nb,1\n");
    assert_says(&message, &["row 3", "never closed"]);
}

#[test]
fn files_without_rows_are_refused() {
    assert_says(&refusal("a.csv", ""), &["a.csv", "no rows", "empty"]);
    assert_says(&refusal("a.csv", "\u{feff}\r\n\n"), &["no rows", "empty"]);
    assert_says(&refusal("a.tsv", "text\tlabel\n"), &["no rows", "header line and nothing below"]);
    let found = read_with("a.csv", "", &columns("0", None, None)).expect_err("empty");
    assert_says(&found.to_string(), &["no rows"]);
}

#[test]
fn quotes_in_a_tsv_file_are_characters() {
    let rows = "sentence\tlabel\n\"Hello\" he said\t1\n\"quoted whole\"\t0\nan inch is 1\" long\t1\n";
    let dataset = read_as("a.tsv", rows).expect("well formed");
    assert_eq!(texts(&dataset), ["\"Hello\" he said", "\"quoted whole\"", "an inch is 1\" long"]);
}

#[test]
fn a_tsv_file_written_with_quoting_is_read_with_quoting() {
    let doubled = "sentence\tlabel\n\"she said \"\"no\"\"\"\t1\nplain\t0\n";
    assert_eq!(texts(&read_as("a.tsv", doubled).expect("quoted")), ["she said \"no\"", "plain"]);
    let tab = "sentence\tlabel\n\"a\tb\"\t1\n\"c\nd\"\t0\n";
    assert_eq!(texts(&read_as("a.tsv", tab).expect("quoted")), ["a\tb", "c\nd"]);
    let all = "\"sentence\"\t\"label\"\n\"a\"\t\"1\"\n";
    assert_eq!(texts(&read_as("a.tsv", all).expect("quoted")), ["a"]);
}

#[test]
fn a_tsv_file_that_could_be_either_has_no_quoting() {
    // GLUE's files hold texts with an opening quote only; two of these must not become one row.
    let rows = "sentence\tlabel\n\"one\t1\ntwo\"\t0\n";
    assert_eq!(texts(&read_as("a.tsv", rows).expect("even rows")), ["\"one", "two\""]);
}

#[test]
fn several_files_are_one_data_set() {
    let (_first, first) = file("a.csv", "text,label\na,0\n");
    let (_second, second) = file("b.jsonl", "{\"review\": \"b\", \"label\": 1}\n");
    let dataset = read(&[first.clone(), second.clone()], &Columns::default()).expect("both are readable");
    assert_eq!(texts(&dataset), ["a", "b"]);
    assert_eq!(dataset.files, [first, second]);
    assert_eq!(dataset.records[1].source, 1);
}

/// A field as an adversary writes it.
fn random_field(random: &mut Generator) -> String {
    let pieces = ["a", " ", ",", "\"", "\n", "\r\n", "é", "", "long word", "\t", ";"];
    (0..random.below(6)).map(|_| pieces[random.below(pieces.len())]).collect()
}

#[test]
fn well_formed_files_read_as_the_csv_crate_reads_them() {
    let mut random = Generator::new(5);
    for round in 0..300 {
        let line_end = if round % 2 == 0 { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(line_end).from_writer(Vec::new());
        writer.write_record(["id", "text", "label"]).expect("memory takes it");
        for row in 0..1 + random.below(8) {
            let fields = [row.to_string(), random_field(&mut random), random_field(&mut random)];
            writer.write_record(&fields).expect("memory takes it");
        }
        let bytes = writer.into_inner().expect("memory takes it");
        let dataset = read_as("a.csv", &bytes).expect("well formed");
        let mut reader = csv::Reader::from_reader(bytes.as_slice());
        let wanted: Vec<csv::StringRecord> =
            reader.records().map(|record| record.expect("well formed")).collect();
        assert_eq!(dataset.records.len(), wanted.len());
        for (found, wanted) in dataset.records.iter().zip(&wanted) {
            assert_eq!(found.text.as_deref(), wanted.get(1));
            match &found.label {
                RawLabel::Text(label) => assert_eq!(Some(label.as_str()), wanted.get(2)),
                other => assert!(*other == RawLabel::Missing && wanted[2].trim().is_empty(), "{other:?}"),
            }
        }
    }
}

#[test]
fn no_bytes_make_it_panic() {
    let mut random = Generator::new(6);
    let pieces: [&[u8]; 9] = [b"text", b",", b"\"", b"\n", b"\r", b"label", b"\xff", b"\t", "é".as_bytes()];
    let mut n_read = 0;
    for round in 0..2000 {
        let bytes: Vec<u8> =
            (0..random.below(20)).flat_map(|_| pieces[random.below(pieces.len())]).copied().collect();
        let name = if round % 2 == 0 { "a.csv" } else { "a.tsv" };
        match read_with(name, bytes, &columns("0", None, None)) {
            Ok(_) => n_read += 1,
            Err(error) => assert!(error.to_string().contains(name), "{error}"),
        }
    }
    assert!(n_read > 100, "only {n_read} were readable");
}
