//! Rows of words: CoNLL files, lists in JSON lines and Parquet-like columns, and the labels of their words.

use crate::data_files::{assert_says, read_as, read_with, refusal, texts};
use bertlab_data::{
    Columns, Dataset, Layout, RawLabel, TagScheme, Target, WordLabels, becomes_iob2, infer_word_labels,
    label_all_tokens, word_targets, word_targets_by_row,
};

const IOB1: &str = "-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\nGerman JJ I-NP I-MISC\n\n\
                    Peter NNP I-NP I-PER\nBlackburn NNP I-NP I-PER\nAnn NNP B-NP B-PER\n";

fn words(dataset: &Dataset) -> Vec<Vec<&str>> {
    let of = |words: &Option<Vec<String>>| -> Vec<String> { words.clone().expect("rows of words") };
    let leaked = |words: Vec<String>| words.into_iter().map(|word| &*word.leak()).collect();
    dataset.records.iter().map(|record| leaked(of(&record.words))).collect()
}

fn tags(labels: &str) -> RawLabel {
    RawLabel::Texts(labels.split(' ').map(str::to_owned).collect())
}

fn names(names: &str) -> Vec<String> {
    names.split(' ').map(str::to_owned).collect()
}

fn first(labels: &[i64]) -> Target {
    Target::Words(WordLabels { first: labels.to_vec(), further: Vec::new() })
}

fn layout(layout: Layout) -> Columns {
    Columns { layout, ..Columns::default() }
}

#[test]
fn sentences_are_read_whatever_the_file_is_called() {
    for name in ["eng.conll", "eng.train", "eng", "eng.txt", "eng.tsv"] {
        let dataset = read_as(name, IOB1).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(
            words(&dataset),
            [vec!["EU", "rejects", "German"], vec!["Peter", "Blackburn", "Ann"]],
            "{name}"
        );
        assert_eq!(dataset.records[0].label, tags("I-ORG O I-MISC"), "{name}");
        // The line of the first word.
        assert_eq!((dataset.records[0].row, dataset.records[1].row), (3, 7));
        assert_eq!(texts(&dataset)[1], "Peter Blackburn Ann");
        assert_eq!((dataset.text_column.as_deref(), dataset.label_column.as_deref()), (Some("0"), Some("3")));
    }
}

#[test]
fn plain_text_stays_text_unless_it_has_tags() {
    for text in ["a good film\na bad film\n", "good film\n\nbad film\n", "EU B\n"] {
        let dataset = read_as("texts.txt", text);
        let is_words = dataset.expect("texts").records[0].words.is_some();
        assert_eq!(is_words, text.starts_with("EU"), "{text:?}");
    }
    let parts = "The DET\nbank NOUN\n\nIt PRON\n";
    assert!(read_as("pos.txt", parts).expect("texts").records[0].words.is_none());
    assert_eq!(words(&read_as("pos.conll", parts).expect("words")), [vec!["The", "bank"], vec!["It"]]);
    assert_eq!(words(&read_with("pos.txt", parts, &layout(Layout::Words)).expect("words")).len(), 2);
    assert_eq!(words(&read_as("pos.dev", parts).expect("words")).len(), 2);
    assert!(read_with("eng.txt", IOB1, &layout(Layout::Texts)).expect("texts").records[0].words.is_none());
    // A table with a header line is no CoNLL file.
    assert!(read_as("table.tsv", "text\tlabel\na b\tO\n").expect("a table").records[0].words.is_none());
}

#[test]
fn columns_are_chosen_by_number_and_universal_ones_by_name() {
    let columns = |text: &str, label: &str| Columns {
        text: Some(text.to_owned()),
        label: Some(label.to_owned()),
        ..Columns::default()
    };
    let dataset = read_with("eng.conll", IOB1, &columns("0", "-3")).expect("words");
    assert_eq!(dataset.records[0].label, tags("NNP VBZ JJ"));
    let universal = "# sent_id = 1\n1-2\tdu\t_\t_\t_\t_\t_\t_\t_\t_\n1\tde\tde\tADP\tP\t_\t0\t_\t_\t_\n\
                     2\tle\tle\tDET\tD\t_\t0\t_\t_\t_\n2.1\tx\tx\tX\tX\t_\t0\t_\t_\t_\n3\tNew York\tx\tPROPN\tN\t_\t0\t_\t_\t_\n";
    let dataset = read_as("fr.conllu", universal).expect("words");
    assert_eq!(words(&dataset), [["de", "le", "New York"]]);
    assert_eq!(dataset.records[0].label, tags("ADP DET PROPN"));
    let dataset = read_with("fr.conllu", universal, &columns("lemma", "XPOS")).expect("words");
    assert_eq!((words(&dataset)[0][0], &dataset.records[0].label), ("de", &tags("P D N")));
    let error = read_with("eng.conll", IOB1, &columns("word", "3")).expect_err("no such column").to_string();
    assert_says(&error, &["eng.conll", "`text_column`", "\"word\"", "counted from 0"]);
    let alone = read_as("words.conll", "EU\nrejects\n\nIt\n").expect("words without labels");
    assert_eq!((words(&alone).len(), &alone.records[0].label), (2, &RawLabel::Missing));
}

#[test]
fn comments_marks_and_odd_white_space_are_told_from_words() {
    let file = "\u{feff}# a comment of more words\n# B-X\r\n\u{a0} O\r\n \t\r\n\r\n#begin document (x)\n-DOCSTART- O\nIt O\n#end document\n";
    let dataset = read_as("x.conll", file).expect("words");
    assert_eq!(words(&dataset), [vec!["#", "\u{a0}"], vec!["It"]]);
    let tabs = read_as("x.conll", "New York\tB-LOC\nwon \tO\n").expect("words");
    assert_eq!(words(&tabs), [["New York", "won"]]);
}

#[test]
fn wrong_lines_are_refused_by_number() {
    assert_says(
        &refusal("x.conll", "EU B-ORG\nrejects\n"),
        &["x.conll, line 2: 1 columns, but the first line has 2", "\"rejects\"", "blank line"],
    );
    assert_says(&refusal("x.conll", "EU\tB-ORG\nwon\t\n"), &["line 2", "1 columns"]);
    let second = Columns { text: Some("1".to_owned()), ..Columns::default() };
    let error = read_with("x.conll", "a\tEU\tO\nb\t\tO\n", &second).expect_err("no word").to_string();
    assert_says(&error, &["line 2", "no word in column 1"]);
    let endless = "word O\n".repeat(20_001);
    assert_says(&refusal("x.conll", &endless), &["line 1", "20000 words", "blank line"]);
    assert_says(&refusal("x.conll", "\n\n-DOCSTART-\n"), &["no line with a word"]);
    assert_says(&refusal("x.conll", b"EU O\n\xff O\n"), &["line 2", "UTF-8"]);
}

#[test]
fn lists_of_words_are_read_from_json() {
    let rows = r#"{"id": 1, "tokens": ["EU", "won"], "pos_tags": [1, 2], "ner_tags": ["B-ORG", "O"]}"#;
    let dataset = read_as("x.jsonl", rows).expect("words");
    assert_eq!((words(&dataset), &dataset.records[0].label), (vec![vec!["EU", "won"]], &tags("B-ORG O")));
    let by_flag = Columns { label: Some("pos_tags".to_owned()), ..Columns::default() };
    assert_eq!(
        read_with("x.jsonl", rows, &by_flag).expect("words").records[0].label,
        RawLabel::Integers(vec![1, 2])
    );
    // A text with one label, and its tokens beside it.
    let text = r#"{"text": "EU won", "tokens": ["EU", "won"], "label": 1}"#;
    assert_eq!(read_as("x.jsonl", text).expect("texts").records[0].words, None);
    assert!(read_with("x.jsonl", text, &layout(Layout::Words)).expect("words").records[0].words.is_some());
    let both = r#"{"text": "EU won", "words": ["EU", "won"], "labels": ["B-ORG", "O"]}"#;
    assert!(read_as("x.jsonl", both).expect("words").records[0].words.is_some());
    assert_eq!(read_with("x.jsonl", both, &layout(Layout::Texts)).expect("texts").records[0].words, None);
    // A count is no list of words.
    assert_eq!(
        read_as("x.jsonl", r#"{"text": "a", "tokens": 3, "label": 1}"#).expect("texts").records[0].words,
        None
    );
    assert_says(
        &refusal(
            "x.jsonl",
            "{\"tokens\": [\"a\"], \"tags\": [\"O\"]}\n{\"tokens\": [\"a\", null], \"tags\": [\"O\", \"O\"]}",
        ),
        &["x.jsonl, row 2", "\"tokens\"", "null"],
    );
}

#[test]
fn iob1_becomes_iob2_unless_it_is_not_wanted() {
    let dataset = read_as("eng.train", IOB1).expect("words");
    let labels = infer_word_labels(&dataset, None).expect("tags");
    assert_eq!(labels, names("O B-MISC I-MISC B-ORG I-ORG B-PER I-PER"));
    assert!(becomes_iob2(&dataset, &labels));
    let targets = word_targets(&dataset, &labels).expect("known tags");
    assert_eq!(targets, [first(&[3, 0, 1]), first(&[5, 6, 5])]);
    let keep = Columns { tag_scheme: TagScheme::Keep, ..Columns::default() };
    let kept = read_with("eng.train", IOB1, &keep).expect("words");
    let labels = infer_word_labels(&kept, None).expect("tags");
    assert_eq!(word_targets(&kept, &labels).expect("known tags")[0], first(&[4, 0, 2]));
    // A model that does not know B- was trained without.
    let without = names("O I-MISC I-ORG I-PER B-PER");
    assert!(!becomes_iob2(&dataset, &without));
    assert_eq!(word_targets(&dataset, &without).expect("known tags")[1], first(&[3, 3, 4]));
    // IOB2 with a mistake stays as it is.
    let mistaken = read_as("x.conll", "a B-X\nb O\nc I-X\n").expect("words");
    assert_eq!(word_targets(&mistaken, &names("O B-X I-X")).expect("known tags"), [first(&[1, 0, 2])]);
}

#[test]
fn labels_have_an_order_that_is_always_the_same() {
    let of = |labels: &str| {
        let rows: String = labels.split(' ').map(|label| format!("w {label}\n")).collect();
        infer_word_labels(&read_as("x.conll", rows).expect("words"), None).expect("labels")
    };
    // No I-LOC in sight, but a longer place may come.
    assert_eq!(of("B-PER O B-LOC I-PER"), names("O B-LOC I-LOC B-PER I-PER"));
    assert_eq!(of("S-A B-B E-B"), names("B-A E-A S-A B-B E-B S-B"));
    assert_eq!(of("U-A B-A L-A O"), names("O B-A L-A U-A"));
    assert_eq!(of("VERB NOUN O ADJ"), names("O ADJ NOUN VERB"));
    assert_eq!(of("B O I"), names("O B I"));
    let ids = read_as("x.jsonl", r#"{"tokens": ["a", "b"], "tags": [0, 3]}"#).expect("words");
    assert_eq!(infer_word_labels(&ids, None).expect("ids"), names("LABEL_0 LABEL_1 LABEL_2 LABEL_3"));
}

#[test]
fn a_trained_head_keeps_its_labels_unless_they_say_nothing() {
    let dataset = read_as("x.conll", "a B-X\nb I-X\nc O\n").expect("words");
    let given = names("I-X O B-X");
    assert_eq!(infer_word_labels(&dataset, Some(&given)).expect("they fit"), given);
    let generic = names("LABEL_0 LABEL_1 LABEL_2");
    assert_eq!(infer_word_labels(&dataset, Some(&generic)).expect("as many"), names("O B-X I-X"));
    let error = infer_word_labels(&dataset, Some(&names("O B-Y I-Y"))).expect_err("other types").to_string();
    assert_says(&error, &["x.conll, row 1, word 1 (\"a\")", "\"B-X\"", "`new_head` = true"]);
}

#[test]
fn rows_that_do_not_fit_are_refused_one_by_one() {
    let rows = "{\"tokens\": [\"a\", \"b\"], \"tags\": [\"O\"]}\n{\"tokens\": [\"a\"], \"tags\": [\"o\"]}\n{\"tokens\": [\"a\"], \"tags\": null}\n\
                {\"tokens\": [\"a\", \"b\"], \"tags\": [-100, 1]}\n{\"tokens\": [\"a\"], \"tags\": [7]}\n{\"tokens\": [\"a\"], \"tags\": \"O\"}";
    let dataset = read_as("x.jsonl", rows).expect("words");
    let found = word_targets_by_row(&dataset, &names("O B-X"));
    let message = |row: usize| found[row].as_ref().expect_err("it does not fit").to_string();
    assert_says(&message(0), &["row 1", "1 labels for 2 words"]);
    assert_eq!(found[1].as_ref().expect("case alone differs"), &first(&[0]));
    assert_says(&message(2), &["row 3", "no label"]);
    assert_eq!(found[3].as_ref().expect("ids"), &first(&[-100, 1]));
    assert_says(&message(4), &["row 5, word 1", "label 7"]);
    assert_says(&message(5), &["row 6", "`label_column`"]);
    let text = read_as("x.csv", "text,label\na,O\n").expect("texts");
    assert_says(&word_targets(&text, &names("O")).expect_err("no words").to_string(), &["row 2", "CoNLL"]);
}

#[test]
fn further_tokens_of_a_word_go_on_with_its_entity() {
    let mut target = first(&[1, 2, 0, 3, -100]);
    label_all_tokens(&mut target, &names("O B-X I-X B-Y"));
    let Target::Words(labels) = target else { panic!("still words") };
    // There is no I-Y.
    assert_eq!(labels.further, [2, 2, 0, 3, -100]);
}
