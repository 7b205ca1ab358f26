//! What a classifier's probabilities are worth: order (AUROC), distance (Brier), and honesty (calibration).

// N rows, C classes; logits are [N, C] row by row.

use super::auroc::{OneVersusRest, auroc_one_versus_rest};
use super::calibration::Calibration;
use super::classification::likeliest;

/// One class per row.
#[derive(Debug, Clone, PartialEq)]
pub struct ProbabilityReport {
    /// Each class against the rest.
    pub auroc: OneVersusRest,
    /// Mean squared distance between the probabilities and the truth, over all classes; halved for two classes, where
    /// it is then that of either class alone (scikit-learn's `brier_score_loss`).
    pub brier: f64,
    /// Of the answers given: the likeliest class's probability, and whether it was right.
    pub calibration: Calibration,
}

impl ProbabilityReport {
    /// Computes all of it; `None` without rows, and where a logit is no finite number.
    ///
    /// # Panics
    /// When `logits` does not hold `labels.len() * n_classes` numbers, or a label is not below `n_classes`.
    pub fn new(labels: &[usize], logits: &[f32], n_classes: usize) -> Option<ProbabilityReport> {
        assert_eq!(logits.len(), labels.len() * n_classes, "a logit for each row and class");
        if n_classes == 0 || !logits.iter().all(|logit| logit.is_finite()) {
            return None;
        }
        let mut answers = Vec::with_capacity(labels.len());
        let mut brier = 0.0;
        for (&label, row) in labels.iter().zip(logits.chunks_exact(n_classes)) {
            let probabilities = softmax(row);
            let answer = likeliest(row);
            answers.push((probabilities[answer].clamp(0.0, 1.0), answer == label));
            brier += squared_distance(&probabilities, label);
        }
        let per_row = if n_classes == 2 { 2.0 } else { 1.0 } * labels.len() as f64;
        let log_odds: Vec<f32> = logits.chunks_exact(n_classes).flat_map(log_odds).collect();
        Some(ProbabilityReport {
            auroc: auroc_one_versus_rest(labels, &log_odds, n_classes),
            brier: brier / per_row,
            calibration: Calibration::new(&answers)?,
        })
    }

    /// The one figure that AUROC is: of two classes that of class 1, of more the mean over classes.
    pub fn auroc_value(&self) -> Option<f64> {
        match self.auroc.classes.as_slice() {
            [_, of_one] => *of_one,
            _ => self.auroc.macro_average,
        }
    }
}

/// Probabilities of one row's classes, in f64.
pub fn softmax(logits: &[f32]) -> Vec<f64> {
    // Subtract the maximum first: exp overflows above 709.
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let powers: Vec<f64> = logits.iter().map(|&logit| (f64::from(logit) - f64::from(max)).exp()).collect();
    let sum: f64 = powers.iter().sum();
    powers.into_iter().map(|power| power / sum).collect()
}

/// The probability that a logit of a yes-or-no question means.
pub fn sigmoid(logit: f32) -> f64 {
    1.0 / (1.0 + (-f64::from(logit)).exp())
}

fn squared_distance(probabilities: &[f64], label: usize) -> f64 {
    let truth = |class: usize| if class == label { 1.0 } else { 0.0 };
    probabilities.iter().enumerate().map(|(class, probability)| (probability - truth(class)).powi(2)).sum()
}

/// ln(p / (1 - p)) of each class: the order of the probabilities, without their ties at 0 and 1.
fn log_odds(logits: &[f32]) -> Vec<f32> {
    let of_class = |class: usize| {
        let others: Vec<f32> =
            logits.iter().enumerate().filter(|&(other, _)| other != class).map(|(_, &logit)| logit).collect();
        let max = others.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let sum: f64 = others.iter().map(|&logit| (f64::from(logit) - f64::from(max)).exp()).sum();
        if others.is_empty() { 0.0 } else { (f64::from(logits[class]) - f64::from(max) - sum.ln()) as f32 }
    };
    (0..logits.len()).map(of_class).collect()
}
