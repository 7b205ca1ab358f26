//! Several labels per row: exact rows, and F1 over labels.

// N rows, C labels; truth and predictions are [N, C] row by row.

use super::Figure;
use super::auroc::auroc;
use super::calibration::Calibration;
use super::classification::{Averages, ClassScores, averages, macro_averages, weighted_averages};
use super::interval::{Interval, wilson_interval};
use super::probability::sigmoid;

/// What an evaluation with several labels per row gives.
#[derive(Debug, Clone, PartialEq)]
pub struct MultiLabelReport {
    /// Rows evaluated, at least one.
    pub n_rows: usize,
    /// Share of rows with every label right.
    pub subset_accuracy: f64,
    /// Wilson's 95 % interval of it.
    pub subset_accuracy_interval: Interval,
    /// What always answering the commonest set of labels would reach.
    pub baseline: SubsetBaseline,
    /// Share of all answers, row by label, that are wrong.
    pub hamming_loss: f64,
    /// Scores of each label.
    pub labels: Vec<ClassScores>,
    /// All labels' counts together; `None` when no label is set or predicted anywhere.
    pub micro_average: Option<Averages>,
    /// Every label weighs the same. Unlike classes, a label that never occurs counts (as 0, told in `n_undefined`), as in scikit-learn.
    pub macro_average: Averages,
    /// Every label weighs as the rows that have it; `None` when no row has any.
    pub weighted_average: Option<Averages>,
    /// Every row weighs the same: of its own labels. Rows without a label, set or predicted, count as 0, as in scikit-learn.
    pub samples_average: Averages,
    /// What the probabilities are worth, where they are known and finite.
    pub probabilities: Option<LabelProbabilities>,
}

/// The commonest set of labels.
#[derive(Debug, Clone, PartialEq)]
pub struct SubsetBaseline {
    /// Ids of its labels; empty where most rows have none.
    pub labels: Vec<usize>,
    /// Share of the rows that have exactly these.
    pub share: f64,
}

/// What the probabilities of labels are worth.
#[derive(Debug, Clone, PartialEq)]
pub struct LabelProbabilities {
    /// By label; `None` for a label that no row or every row has.
    pub auroc: Vec<Option<f64>>,
    /// Their mean with equal weights; `None` unless every label has a value.
    pub auroc_macro: Option<f64>,
    /// Every label of every row: its probability, and whether the row has it.
    pub calibration: Calibration,
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
        let rows = || truth.chunks_exact(n_labels).zip(predictions.chunks_exact(n_labels));
        let n_exact = rows().filter(|(wanted, found)| wanted == found).count();
        let n_wrong = truth.iter().zip(predictions).filter(|(wanted, found)| wanted != found).count();
        let labels: Vec<ClassScores> =
            (0..n_labels).map(|label| label_scores(truth, predictions, n_labels, label)).collect();
        let samples: Vec<ClassScores> = rows().map(|(wanted, found)| scores(wanted, found)).collect();
        Some(MultiLabelReport {
            n_rows,
            subset_accuracy: n_exact as f64 / n_rows as f64,
            subset_accuracy_interval: wilson_interval(n_exact, n_rows)?,
            baseline: subset_baseline(truth, n_labels),
            hamming_loss: n_wrong as f64 / truth.len() as f64,
            micro_average: micro(truth, predictions),
            macro_average: averages(&labels, |_| 1.0)?,
            weighted_average: weighted_averages(&labels),
            samples_average: averages(&samples, |_| 1.0)?,
            labels,
            probabilities: None,
        })
    }

    /// The same from logits: a label is answered where its probability is above one half, and the probabilities are
    /// judged too.
    ///
    /// # Panics
    /// As [`MultiLabelReport::new`].
    pub fn of_logits(truth: &[bool], logits: &[f32], n_labels: usize) -> Option<MultiLabelReport> {
        // A probability of one half is a logit of 0.
        let predictions: Vec<bool> = logits.iter().map(|&logit| logit > 0.0).collect();
        let report = MultiLabelReport::new(truth, &predictions, n_labels)?;
        Some(MultiLabelReport { probabilities: LabelProbabilities::new(truth, logits, n_labels), ..report })
    }

    /// The figures that a person watches, by their names.
    pub fn figures(&self) -> Vec<Figure> {
        vec![
            ("accuracy", Some(self.subset_accuracy)),
            ("majority_baseline", Some(self.baseline.share)),
            ("f1_micro", self.micro_average.as_ref().map(|average| average.f1.value)),
            ("f1_macro", Some(self.macro_average.f1.value)),
            ("auroc", self.probabilities.as_ref().and_then(|report| report.auroc_macro)),
        ]
    }

    /// All other figures.
    pub fn details(&self) -> Vec<Figure> {
        let weighted = self.weighted_average.as_ref();
        vec![
            ("hamming_loss", Some(self.hamming_loss)),
            ("f1_weighted", weighted.map(|average| average.f1.value)),
            ("f1_samples", Some(self.samples_average.f1.value)),
            ("precision_micro", self.micro_average.as_ref().map(|average| average.precision.value)),
            ("recall_micro", self.micro_average.as_ref().map(|average| average.recall.value)),
            ("precision_macro", Some(self.macro_average.precision.value)),
            ("recall_macro", Some(self.macro_average.recall.value)),
            ("precision_weighted", weighted.map(|average| average.precision.value)),
            ("recall_weighted", weighted.map(|average| average.recall.value)),
            (
                "expected_calibration_error",
                self.probabilities.as_ref().map(|report| report.calibration.expected_error),
            ),
        ]
    }
}

impl LabelProbabilities {
    /// `None` where a logit is no finite number.
    fn new(truth: &[bool], logits: &[f32], n_labels: usize) -> Option<LabelProbabilities> {
        if !logits.iter().all(|logit| logit.is_finite()) {
            return None;
        }
        let of_label = |label: usize| {
            let scores: Vec<f32> = logits.iter().skip(label).step_by(n_labels).copied().collect();
            auroc(&column(truth, n_labels, label), &scores)
        };
        let by_label: Vec<Option<f64>> = (0..n_labels).map(of_label).collect();
        let all: Option<Vec<f64>> = by_label.iter().copied().collect();
        let answers: Vec<(f64, bool)> =
            logits.iter().zip(truth).map(|(&logit, &is_set)| (sigmoid(logit), is_set)).collect();
        Some(LabelProbabilities {
            auroc: by_label,
            auroc_macro: all.map(|all| all.iter().sum::<f64>() / n_labels as f64),
            calibration: Calibration::new(&answers)?,
        })
    }
}

/// The commonest set of labels; of equally common ones that which comes first.
fn subset_baseline(truth: &[bool], n_labels: usize) -> SubsetBaseline {
    let mut counts = std::collections::HashMap::<&[bool], usize>::new();
    for row in truth.chunks_exact(n_labels) {
        *counts.entry(row).or_default() += 1;
    }
    let most = counts.values().copied().max().unwrap_or(0);
    let first = truth.chunks_exact(n_labels).find(|row| counts[row] == most).unwrap_or_default();
    let labels = first.iter().enumerate().filter(|(_, is_set)| **is_set).map(|(label, _)| label).collect();
    SubsetBaseline { labels, share: most as f64 / (truth.len() / n_labels) as f64 }
}

fn label_scores(truth: &[bool], predictions: &[bool], n_labels: usize, label: usize) -> ClassScores {
    scores(&column(truth, n_labels, label), &column(predictions, n_labels, label))
}

fn column(cells: &[bool], n_labels: usize, label: usize) -> Vec<bool> {
    cells.iter().skip(label).step_by(n_labels).copied().collect()
}

fn scores(truth: &[bool], predictions: &[bool]) -> ClassScores {
    let count = |cells: &[bool]| cells.iter().filter(|&&cell| cell).count();
    let n_right = truth.iter().zip(predictions).filter(|(wanted, found)| **wanted && **found).count();
    ClassScores::new(n_right, count(predictions), count(truth))
}

fn micro(truth: &[bool], predictions: &[bool]) -> Option<Averages> {
    macro_averages(&[scores(truth, predictions)])
}
