//! Samples and splits.

use std::collections::BTreeSet;

use bertlab_data::{Sampling, Target, label_counts, sample, stratified_split};

fn rows(counts: &[usize]) -> Vec<Target> {
    let rows = counts.iter().enumerate();
    rows.flat_map(|(class, &count)| std::iter::repeat_n(Target::Class(class), count)).collect()
}

fn counts_of(targets: &[Target], chosen: &[usize], n_classes: usize) -> Vec<usize> {
    let chosen: Vec<Target> = chosen.iter().map(|&row| targets[row].clone()).collect();
    label_counts(&chosen, n_classes)
}

#[test]
fn a_file_sorted_by_label_gives_both_labels() {
    let targets = rows(&[12_500, 12_500]);
    let chosen = sample(&targets, 1000, Sampling::Stratified, 42);
    assert_eq!(counts_of(&targets, &chosen, 2), [500, 500]);
    assert_eq!(chosen.iter().collect::<BTreeSet<_>>().len(), 1000, "no row twice");
    assert_eq!(
        counts_of(&targets, &chosen[..100], 2).iter().filter(|&&count| count > 25).count(),
        2,
        "shuffled"
    );
    assert_eq!(sample(&targets, 1000, Sampling::First, 42), (0..1000).collect::<Vec<_>>());
}

#[test]
fn shares_are_rounded_by_largest_remainder() {
    // 10 of 60, 30, 10: exactly 6, 3, 1. 7: 4.2, 2.1, 0.7. 8: 4.8, 2.4, 0.8.
    let targets = rows(&[60, 30, 10]);
    for (n, wanted) in [(10, [6, 3, 1]), (7, [4, 2, 1]), (8, [5, 2, 1]), (0, [0, 0, 0]), (100, [60, 30, 10])]
    {
        assert_eq!(counts_of(&targets, &sample(&targets, n, Sampling::Stratified, 1), 3), wanted, "{n} rows");
    }
    assert_eq!(sample(&targets, 1000, Sampling::Stratified, 1).len(), 100);
}

#[test]
fn a_rare_class_is_never_left_out_while_there_is_room() {
    let targets = rows(&[1000, 1, 0, 1]);
    assert_eq!(counts_of(&targets, &sample(&targets, 10, Sampling::Stratified, 3), 4), [8, 1, 0, 1]);
    assert_eq!(counts_of(&targets, &sample(&targets, 3, Sampling::Stratified, 3), 4), [1, 1, 0, 1]);
    assert_eq!(sample(&targets, 2, Sampling::Stratified, 3).len(), 2);
}

#[test]
fn the_same_seed_gives_the_same_rows_for_ever() {
    let targets = rows(&[5, 5]);
    assert_eq!(sample(&targets, 6, Sampling::Stratified, 42), sample(&targets, 6, Sampling::Stratified, 42));
    assert_ne!(sample(&targets, 6, Sampling::Stratified, 42), sample(&targets, 6, Sampling::Stratified, 43));
    // Written down: another order of drawing would silently change every user's sample.
    assert_eq!(sample(&targets, 6, Sampling::Stratified, 42), STRATIFIED_42);
    assert_eq!(sample(&targets, 4, Sampling::Random, 42), RANDOM_42);
}

const STRATIFIED_42: [usize; 6] = [6, 9, 2, 1, 7, 4];
const RANDOM_42: [usize; 4] = [8, 3, 6, 5];

#[test]
fn numbers_are_one_stratum() {
    let targets: Vec<Target> = (0..20).map(|value| Target::Value(value as f32)).collect();
    let chosen = sample(&targets, 5, Sampling::Stratified, 1);
    assert_eq!(chosen.iter().collect::<BTreeSet<_>>().len(), 5);
    assert!(sample(&[], 5, Sampling::Stratified, 1).is_empty());
}

#[test]
fn a_split_has_every_row_once_and_both_sides_every_class() {
    let targets = rows(&[50, 30, 2, 1]);
    let (training, validation) = stratified_split(&targets, 20, 9);
    assert_eq!(validation.len(), 20);
    let mut all: Vec<usize> = training.iter().chain(&validation).copied().collect();
    all.sort_unstable();
    assert_eq!(all, (0..83).collect::<Vec<_>>());
    assert!(training.is_sorted());
    // A class of one row stays in training.
    let counts = counts_of(&targets, &validation, 4);
    assert_eq!(counts[2..], [1, 0]);
    assert_eq!(counts.iter().sum::<usize>(), 20);
}

#[test]
fn a_split_may_take_everything() {
    let targets = rows(&[2, 1]);
    let (training, validation) = stratified_split(&targets, 10, 9);
    assert_eq!((training.len(), validation.len()), (0, 3));
    let (training, validation) = stratified_split(&targets, 0, 9);
    assert_eq!((training.len(), validation.len()), (3, 0));
}

#[test]
fn words_and_samplings_correspond() {
    for sampling in [Sampling::Stratified, Sampling::Random, Sampling::First] {
        assert_eq!(sampling.to_string().parse(), Ok(sampling));
    }
    let error = "last".parse::<Sampling>().expect_err("no such sampling").to_string();
    assert!(error.contains("\"last\"") && error.contains("stratified"), "{error}");
}
