//! Several labels per row: exact rows, and F1 over labels.

// N rows, C labels; truth and predictions are [N, C] row by row.

use super::classification::{Averages, ClassScores, averages, macro_averages};

/// What an evaluation with several labels per row gives.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiLabelReport {
    /// Rows evaluated, at least one.
    pub n_rows: usize,
    /// Share of rows with every label right.
    pub subset_accuracy: f64,
    /// Scores of each label.
    pub labels: Vec<ClassScores>,
    /// All labels' counts together; `None` when no label is set or predicted anywhere.
    pub micro_average: Option<Averages>,
    /// Every label weighs the same. Unlike classes, a label that never occurs counts (as 0, told in `n_undefined`), as in scikit-learn.
    pub macro_average: Averages,
}

impl MultiLabelReport {
    /// Computes all of it; `None` without rows or labels.
    ///
    /// # Panics
    /// When the slices differ in length or do not divide into rows of `n_labels`.
    pub fn new(truth: &[bool], predictions: &[bool], n_labels: usize) -> Option<MultiLabelReport> {
        assert_eq!(truth.len(), predictions.len(), "a prediction for each label");
        if truth.is_empty() || n_labels == 0 {
            return None;
        }
        assert_eq!(truth.len() % n_labels, 0, "whole rows of {n_labels} labels");
        let n_rows = truth.len() / n_labels;
        let pairs = truth.chunks_exact(n_labels).zip(predictions.chunks_exact(n_labels));
        let n_exact = pairs.filter(|(wanted, found)| wanted == found).count();
        let labels: Vec<ClassScores> =
            (0..n_labels).map(|label| label_scores(truth, predictions, n_labels, label)).collect();
        Some(MultiLabelReport {
            n_rows,
            subset_accuracy: n_exact as f64 / n_rows as f64,
            micro_average: micro(truth, predictions),
            macro_average: averages(&labels, |_| 1.0)?,
            labels,
        })
    }
}

fn label_scores(truth: &[bool], predictions: &[bool], n_labels: usize, label: usize) -> ClassScores {
    let column = |cells: &[bool]| cells.iter().skip(label).step_by(n_labels).copied().collect::<Vec<bool>>();
    scores(&column(truth), &column(predictions))
}

fn scores(truth: &[bool], predictions: &[bool]) -> ClassScores {
    let count = |cells: &[bool]| cells.iter().filter(|&&cell| cell).count();
    let n_right = truth.iter().zip(predictions).filter(|(wanted, found)| **wanted && **found).count();
    ClassScores::new(n_right, count(predictions), count(truth))
}

fn micro(truth: &[bool], predictions: &[bool]) -> Option<Averages> {
    macro_averages(&[scores(truth, predictions)])
}
