//! A validation part, cut from training rows: every class keeps its share, and no text stands on both sides.

use std::collections::HashSet;

use super::content::Content;
use super::{Dataset, Target, stratified_split};

/// The share of the rows that is held out where nothing else is asked for.
pub const SHARE: f64 = 0.1;
/// Never more than so many rows where no share is asked for: enough for an accuracy within one percent, soon evaluated.
const ROWS_MAX: usize = 5000;
/// Fewer rows than this are left whole where no share is asked for: a tenth of them would measure nothing.
const ROWS_MIN: usize = 100;

/// Which rows stay to learn from, and which are held out. Both are ascending.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeldOut {
    /// To learn from.
    pub training: Vec<usize>,
    /// To evaluate on.
    pub validation: Vec<usize>,
    /// Rows that were drawn for validation and went back, because training holds the same text.
    pub n_returned: usize,
}

/// How many rows are held out of `n_rows`: `share` of them if it is given, else [`SHARE`] of them within bounds.
/// `n_learnt`: how many of the rows will be learnt from, where it is not all of them.
pub fn n_held_out(n_rows: usize, n_learnt: Option<usize>, share: Option<f64>) -> usize {
    let of_all = |share: f64| (share * n_rows as f64).round() as usize;
    match share {
        Some(share) => of_all(share),
        None if n_rows < ROWS_MIN => 0,
        None => of_all(SHARE).min(ROWS_MAX).min(n_learnt.unwrap_or(ROWS_MAX)),
    }
}

/// Draws `n_validation` rows, seeded; those whose text (and second text) also stands among the others go back to them.
pub fn hold_out(dataset: &Dataset, targets: &[Target], n_validation: usize, seed: u64) -> HeldOut {
    let (mut training, drawn) = stratified_split(targets, n_validation, seed);
    let content = |row: usize| Content::of(&dataset.records[row]);
    let learnt: HashSet<Content<'_>> = training.iter().filter_map(|&row| content(row)).collect();
    let is_learnt = |row: &usize| content(*row).is_some_and(|content| learnt.contains(&content));
    let (returned, mut validation): (Vec<usize>, Vec<usize>) = drawn.into_iter().partition(is_learnt);
    training.extend(&returned);
    training.sort_unstable();
    validation.sort_unstable();
    HeldOut { training, validation, n_returned: returned.len() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::label_counts;
    use crate::text::text_record;

    fn rows(texts: &[String]) -> (Dataset, Vec<Target>) {
        let records = texts.iter().enumerate().map(|(row, text)| text_record(row, text.clone())).collect();
        let dataset = Dataset { records, ..Dataset::default() };
        (dataset, (0..texts.len()).map(|row| Target::Class(usize::from(row % 4 == 0))).collect())
    }

    #[test]
    fn every_row_is_on_one_side_and_classes_keep_their_shares() {
        let texts: Vec<String> = (0..200).map(|row| format!("text {row}")).collect();
        let (dataset, targets) = rows(&texts);
        let held_out = hold_out(&dataset, &targets, 20, 42);
        let mut all = [held_out.training.clone(), held_out.validation.clone()].concat();
        all.sort_unstable();
        assert_eq!(all, (0..200).collect::<Vec<_>>());
        let chosen: Vec<Target> = held_out.validation.iter().map(|&row| targets[row].clone()).collect();
        assert_eq!(label_counts(&chosen, 2), [15, 5]);
        assert_eq!(held_out, hold_out(&dataset, &targets, 20, 42));
        assert_ne!(held_out, hold_out(&dataset, &targets, 20, 43));
    }

    #[test]
    fn a_text_is_never_on_both_sides() {
        let texts: Vec<String> = (0..200).map(|row| format!("text {}", row / 4)).collect();
        let (dataset, targets) = rows(&texts);
        let held_out = hold_out(&dataset, &targets, 100, 1);
        let texts_of = |rows: &[usize]| rows.iter().map(|&row| &texts[row]).collect::<HashSet<_>>();
        assert!(texts_of(&held_out.training).is_disjoint(&texts_of(&held_out.validation)));
        assert!(held_out.n_returned > 0);
        assert_eq!(held_out.validation.len(), 100 - held_out.n_returned);
    }

    #[test]
    fn sizes_are_a_tenth_within_bounds_unless_a_share_is_asked_for() {
        assert_eq!([99, 100, 25_000, 67_349].map(|n| n_held_out(n, None, None)), [0, 10, 2500, 5000]);
        assert_eq!(n_held_out(25_000, Some(1000), None), 1000);
        assert_eq!(n_held_out(25_000, Some(1000), Some(0.5)), 12_500);
        assert_eq!([n_held_out(10, None, Some(0.2)), n_held_out(1000, None, Some(0.0))], [2, 0]);
    }
}
