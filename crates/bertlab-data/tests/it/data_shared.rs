//! Real data sets, where they are at hand.

use std::time::Instant;

use crate::data_files::{assert_says, columns, shared};
use bertlab_data::{
    Columns, Dataset, Encoding, ProblemType, Sampling, Target, infer_label_space, label_counts, read,
    read_encoded, sample, targets,
};

fn read_shared(path: &str, columns: &Columns) -> Option<Dataset> {
    let path = shared(path)?;
    let start = Instant::now();
    let dataset = read(std::slice::from_ref(&path), columns).expect("a real data set is readable");
    println!("{}: {} rows in {:.2} s", path.display(), dataset.records.len(), start.elapsed().as_secs_f64());
    Some(dataset)
}

fn counts(dataset: &Dataset) -> Vec<usize> {
    let space = infer_label_space(dataset, None).expect("every row has a label");
    label_counts(&targets(dataset, &space).expect("every label is known"), space.names.len())
}

#[test]
fn imdb_parquet_has_two_balanced_classes_sorted_by_label() {
    for split in ["train", "test"] {
        let Some(dataset) =
            read_shared(&format!("data/imdb/{split}-00000-of-00001.parquet"), &Columns::default())
        else {
            return;
        };
        assert_eq!(dataset.records.len(), 25_000);
        assert_eq!(dataset.class_names, Some(vec!["neg".to_owned(), "pos".to_owned()]));
        assert_eq!(counts(&dataset), [12_500, 12_500]);
        let space = infer_label_space(&dataset, None).expect("class names");
        let targets = targets(&dataset, &space).expect("0 and 1");
        let first = sample(&targets, 5000, Sampling::First, 0);
        assert!(first.iter().all(|&row| targets[row] == Target::Class(0)), "the trap of the first rows");
        let stratified: Vec<Target> =
            sample(&targets, 5000, Sampling::Stratified, 0).iter().map(|&row| targets[row].clone()).collect();
        assert_eq!(label_counts(&stratified, 2), [2500, 2500]);
    }
}

#[test]
fn imdb_without_labels_is_refused_for_its_minus_one() {
    let unlabelled = "data/imdb/unsupervised-00000-of-00001.parquet";
    let Some(dataset) = read_shared(unlabelled, &Columns::default()) else { return };
    assert_eq!(dataset.records.len(), 50_000);
    let error = infer_label_space(&dataset, None).expect_err("every label is -1");
    assert_says(&error.to_string(), &["row 1", "label -1", "without a label"]);
}

#[test]
fn imdb_csv_cuts_are_balanced() {
    for (cut, n_rows) in [("train_2000", 2000), ("test_1000", 1000)] {
        let Some(dataset) = read_shared(&format!("data/imdb/imdb_{cut}.csv"), &Columns::default()) else {
            return;
        };
        assert_eq!(dataset.records.len(), n_rows);
        assert_eq!(counts(&dataset), [n_rows / 2, n_rows / 2]);
    }
}

#[test]
fn sst2_is_read_with_and_without_labels() {
    let Some(dev) = read_shared("data/sst2/dev.tsv", &Columns::default()) else { return };
    assert_eq!(dev.records.len(), 872);
    assert_eq!(counts(&dev), [428, 444]);
    let train = read_shared("data/sst2/train.tsv", &Columns::default()).expect("beside dev");
    assert_eq!(train.records.len(), 67_349);
    let test = read_shared("data/sst2/test.tsv", &Columns::default()).expect("beside dev");
    assert_eq!(test.records.len(), 1821);
    assert_eq!(test.label_column, None);
}

#[test]
fn stsb_is_a_regression_of_pairs_without_header() {
    let by_number = columns("0", Some("1"), Some("2"));
    for (split, n_rows) in [("train", 5749), ("dev", 1500), ("test", 1379)] {
        let path = format!("data/stsb/stsb-en-{split}.csv");
        let Some(dataset) = read_shared(&path, &by_number) else { return };
        assert_eq!(dataset.records.len(), n_rows);
        let space = infer_label_space(&dataset, None).expect("scores");
        assert_eq!((space.problem_type, space.names.len()), (ProblemType::Regression, 1));
        let in_range =
            |target: &Target| matches!(target, Target::Value(score) if (0.0..=5.0).contains(score));
        assert!(targets(&dataset, &space).expect("scores").iter().all(in_range));
        assert!(
            dataset.records.iter().all(|record| record.pair.as_ref().is_some_and(|pair| !pair.is_empty()))
        );
    }
    let path = shared("data/stsb/stsb-en-dev.csv").expect("read above");
    let error = read(&[path], &Columns::default()).expect_err("no header");
    assert_says(
        &error.to_string(),
        &["`text_column` = 0 `pair_column` = 1 `label_column` = 2", "A man with a hard hat is dancing."],
    );
}

#[test]
fn rotten_tomatoes_is_read_in_its_encoding_and_else_says_which() {
    let Some(folder) = shared("data/rotten_tomatoes") else { return };
    let error = read(std::slice::from_ref(&folder), &Columns::default()).expect_err("not UTF-8");
    assert_says(&error.to_string(), &["rt-polarity.neg, line ", "`encoding` = windows-1252"]);
    let encoding: Encoding = "windows-1252".parse().expect("it is known");
    let dataset = read_encoded(&[folder], &Columns::default(), encoding).expect("a file per class");
    assert_eq!(counts(&dataset), [5331, 5331]);
}
