//! What is found, on rows made for it.

use bertlab_feedback::Meter;
use std::path::PathBuf;

use super::*;
use crate::{LabelSpace, ProblemType, RawLabel, Record, Tokenization, targets_by_row};

/// Rows of "file.csv" as (text, label).
fn split(split: Split, rows: &[(&str, &str)]) -> SplitRows {
    let record = |(index, (text, label)): (usize, &(&str, &str))| Record {
        row: index + 2,
        source: 0,
        text: Some((*text).to_owned()),
        words: None,
        pair: None,
        label: RawLabel::Text((*label).to_owned()),
        input_ids: None,
        token_type_ids: None,
        attention_mask: None,
    };
    let dataset = Dataset {
        files: vec![PathBuf::from("file.csv")],
        records: rows.iter().enumerate().map(record).collect(),
        text_column: None,
        pair_column: None,
        label_column: None,
        class_names: None,
        tag_scheme: Default::default(),
    };
    let space = LabelSpace { problem_type: ProblemType::SingleLabel, names: limits().class_names };
    SplitRows {
        split,
        targets: Some(targets_by_row(&dataset, &space)),
        dataset,
        lengths: Vec::new(),
        blocks: None,
    }
}

fn limits() -> ModelLimits {
    let class_names = ["bad", "good"].map(str::to_owned).to_vec();
    ModelLimits { class_names, vocab_size: 10, tokens_max: 4, ..ModelLimits::default() }
}

fn found(splits: &[SplitRows]) -> Vec<Finding> {
    Preflight::of(splits, &limits()).findings
}

fn only(findings: &[Finding], kind: Kind) -> Finding {
    let mut matching = findings.iter().filter(|finding| finding.kind == kind);
    let finding = matching.next().unwrap_or_else(|| panic!("{kind:?} is not in {findings:?}"));
    assert_eq!(matching.next(), None);
    finding.clone()
}

/// `n` texts that differ, labelled in turn.
fn mixed(n: usize) -> Vec<(String, &'static str)> {
    (0..n).map(|index| (format!("text {index}"), if index % 2 == 0 { "bad" } else { "good" })).collect()
}

fn borrowed<'a>(rows: &'a [(String, &'a str)]) -> Vec<(&'a str, &'a str)> {
    rows.iter().map(|(text, label)| (text.as_str(), *label)).collect()
}

#[test]
fn good_rows_have_no_findings() {
    let rows = mixed(40);
    assert_eq!(found(&[split(Split::Training, &borrowed(&rows))]), []);
}

#[test]
fn one_label_only_is_fatal_and_comes_first() {
    let findings =
        found(&[split(Split::Training, &[("a", "bad"), ("b", "bad"), ("b", "bad"), ("c", "bad")])]);
    assert_eq!(findings[0], only(&findings, Kind::SingleClass));
    assert_eq!((findings[0].severity, findings[0].count), (Severity::Fatal, 4));
    assert!(findings[0].sentence.contains("\"bad\""), "{}", findings[0].sentence);
    let severities: Vec<Severity> = findings.iter().map(|finding| finding.severity).collect();
    assert!(severities.is_sorted(), "{severities:?}");
}

#[test]
fn rows_sorted_by_label_show_in_what_the_first_rows_hold() {
    let mut rows = mixed(100);
    rows.sort_by_key(|(_, label)| *label);
    let finding = only(&found(&[split(Split::Training, &borrowed(&rows))]), Kind::SortedLabels);
    assert_eq!(finding.severity, Severity::Warning);
    assert!(finding.sentence.contains("only \"bad\" with its first 20"), "{}", finding.sentence);
}

#[test]
fn a_class_that_training_lacks_is_fatal_where_it_is_asked_for() {
    let rows = [
        split(Split::Training, &[("a", "bad"), ("b", "bad")]),
        split(Split::Validation, &[("c", "bad"), ("d", "good")]),
    ];
    let finding = only(&found(&rows), Kind::ClassNotInTraining);
    assert_eq!((finding.severity, finding.split, finding.count), (Severity::Fatal, Split::Validation, 1));
    let row = &finding.excerpts[0].rows[0];
    assert_eq!((finding.excerpts[0].text.as_str(), row.row, row.label.as_deref()), ("d", 3, Some("good")));
}

#[test]
fn unusable_labels_are_counted_and_the_others_still_looked_at() {
    let rows = [("a", "bad"), ("b", "7"), ("c", "worse"), ("d", "bad")];
    let findings = found(&[split(Split::Training, &rows)]);
    let finding = only(&findings, Kind::UnusableLabels);
    assert_eq!((finding.severity, finding.count), (Severity::Fatal, 2));
    assert!(finding.sentence.contains("row 3") && finding.sentence.contains("0..2"), "{}", finding.sentence);
    // "good" has no usable row, but it is not known that all rows are "bad".
    assert_eq!(only(&findings, Kind::ClassWithoutRows).severity, Severity::Warning);
    assert_eq!(findings.len(), 2);
}

#[test]
fn duplicates_are_noted_warned_of_and_compared_by_label() {
    let mut rows = mixed(400);
    rows.push(("text 0".to_owned(), "bad"));
    let few = only(&found(&[split(Split::Training, &borrowed(&rows))]), Kind::Duplicates);
    assert_eq!((few.severity, few.count), (Severity::Note, 1));
    let places: Vec<usize> = few.excerpts[0].rows.iter().map(|place| place.row).collect();
    assert_eq!(places, [2, 402]);

    let many = split(Split::Training, &[("a", "bad"), ("a", "good"), ("a", "bad"), ("A", "good")]);
    let findings = found(&[many]);
    assert_eq!(only(&findings, Kind::Duplicates).severity, Severity::Warning);
    let contradiction = only(&findings, Kind::ContradictingLabels);
    assert_eq!((contradiction.severity, contradiction.count), (Severity::Warning, 3));
    let labels: Vec<Option<&str>> =
        contradiction.excerpts[0].rows.iter().map(|place| place.label.as_deref()).collect();
    assert_eq!(labels, [Some("bad"), Some("good")]);
}

#[test]
fn rows_of_an_earlier_split_are_leakage_and_fatal_when_they_are_half() {
    let rows = mixed(10);
    let training = || split(Split::Training, &borrowed(&rows));
    let test = split(Split::Test, &[("text 0", "good"), ("x", "bad"), ("y", "good")]);
    let finding = only(&found(&[training(), test]), Kind::Leakage);
    assert_eq!((finding.severity, finding.split, finding.count), (Severity::Warning, Split::Test, 1));
    assert!(finding.sentence.contains("1 of them with another label"), "{}", finding.sentence);
    let same = split(Split::Validation, &borrowed(&rows));
    let finding = only(&found(&[training(), same]), Kind::Leakage);
    assert_eq!((finding.severity, finding.count), (Severity::Fatal, 10));
}

#[test]
fn blank_texts_are_warned_of_and_are_no_duplicates() {
    let findings =
        found(&[split(Split::Training, &[("", "bad"), (" \n", "good"), ("a", "bad"), ("b", "good")])]);
    let finding = only(&findings, Kind::EmptyTexts);
    assert_eq!((finding.severity, finding.count), (Severity::Warning, 2));
    assert!(findings.iter().all(|finding| finding.kind != Kind::Duplicates));
}

#[test]
fn unequal_labels_are_a_note_with_the_majority_baseline() {
    let rows = [("a", "bad"), ("b", "good"), ("c", "bad"), ("d", "bad")];
    let finding = only(&found(&[split(Split::Training, &rows)]), Kind::UnequalClasses);
    assert_eq!(finding.severity, Severity::Note);
    assert!(finding.sentence.contains("75 %"), "{}", finding.sentence);
}

#[test]
fn truncation_says_how_much_is_lost_and_shows_the_longest_first() {
    let mut rows = split(Split::Training, &[("a", "bad"), ("b", "good"), ("c", "bad")]);
    let length = |n_tokens, n_cut| TokenLength { n_tokens, n_cut, n_unknown: 0 };
    rows.lengths = vec![length(4, 1), length(4, 3), length(2, 0)];
    let finding = only(&found(&[rows]), Kind::Truncation);
    assert_eq!((finding.severity, finding.count), (Severity::Warning, 2));
    assert!(finding.sentence.contains("4 of 14 tokens (29 %)"), "{}", finding.sentence);
    assert_eq!(finding.excerpts[0].text, "b");
}

#[test]
fn ready_rows_with_ids_that_the_model_lacks_or_too_many_are_fatal() {
    let mut rows = split(Split::Training, &[("", "bad"), ("", "good"), ("", "bad")]);
    for (record, ids) in rows.dataset.records.iter_mut().zip([vec![2, 10], vec![1; 5], vec![]]) {
        (record.text, record.input_ids) = (None, Some(ids));
    }
    let tokens = Tokenization::default().rows(&rows.dataset, &Meter::silent());
    rows.lengths = tokens.expect("ready rows need no tokenizer").row_lengths(None);
    let findings = found(&[rows]);
    for kind in [Kind::UnknownIds, Kind::TooLong, Kind::EmptyTexts] {
        let finding = only(&findings, kind);
        assert_eq!((finding.severity, finding.count), (Severity::Fatal, 1), "{kind:?}");
    }
}

#[test]
fn unknown_tokens_are_told_from_a_thousandth_on() {
    let found = |n_unknown| {
        let mut rows = split(Split::Training, &[("a", "bad"), ("b", "good")]);
        let length = |n_unknown| TokenLength { n_tokens: 5000, n_unknown, ..TokenLength::default() };
        rows.lengths = vec![length(0), length(n_unknown)];
        let preflight = Preflight::of(&[rows], &limits());
        let finding = preflight.findings.into_iter().find(|finding| finding.kind == Kind::UnknownTokens);
        finding.map(|finding| (finding.severity, finding.count, finding.sentence))
    };
    assert_eq!(found(9), None);
    let (severity, n_rows, sentence) = found(10).expect("one of a thousand");
    assert_eq!((severity, n_rows), (Severity::Note, 1));
    assert!(sentence.starts_with("10 of 10,000 tokens (0.1 %), in 1 row, are not in"), "{sentence}");
    assert_eq!(found(100).map(|(severity, ..)| severity), Some(Severity::Warning));
}

#[test]
fn texts_that_make_few_blocks_are_warned_of() {
    let found = |n_blocks| {
        let mut rows = split(Split::Training, &[("a", "bad"), ("b", "good")]);
        rows.blocks = Some(BlockCounts { length: 512, n_blocks, n_tokens_of_last: 9, n_tokens_dropped: 0 });
        let preflight = Preflight::of(&[rows], &limits());
        preflight.findings.into_iter().find(|finding| finding.kind == Kind::FewBlocks)
    };
    assert_eq!(found(8), None);
    let sentence = found(1).expect("one block is few").sentence;
    assert!(sentence.starts_with("2 rows end to end make no more than 1 block of 512 tokens"), "{sentence}");
}

#[test]
fn a_histogram_holds_every_row_and_ends_open() {
    let lengths: Vec<TokenLength> =
        (1..=100).chain([5000]).map(|n_tokens| TokenLength { n_tokens, ..TokenLength::default() }).collect();
    let mut rows = split(Split::Training, &[]);
    rows.lengths = lengths;
    let histogram = Preflight::of(&[rows], &limits()).splits.remove(0).lengths.expect("there are rows");
    assert_eq!((histogram.bin_width, histogram.counts.len()), (10, 12));
    assert_eq!(histogram.counts.iter().sum::<usize>(), 101);
    assert_eq!((histogram.counts[0], histogram.counts[11]), (9, 1));
    assert_eq!((histogram.median, histogram.percentile_99, histogram.longest), (51, 100, 5000));
    let nothing = Preflight::of(&[split(Split::Training, &[])], &limits());
    assert_eq!(nothing.splits[0].lengths, None);
}
