//! Area under the ROC curve: how often a row of a class scores above a row that is not of it.

use super::regression::average_ranks;

/// AUROC of scores for a yes-or-no question, ties counting half (Mann and Whitney's U over the number of pairs).
///
/// `None` when all rows have the same answer, or a score is NaN.
///
/// # Panics
/// When the slices differ in length.
pub fn auroc(is_positive: &[bool], scores: &[f32]) -> Option<f64> {
    assert_eq!(is_positive.len(), scores.len(), "a score for each row");
    let n_positive = is_positive.iter().filter(|&&positive| positive).count() as f64;
    let n_negative = is_positive.len() as f64 - n_positive;
    if n_positive == 0.0 || n_negative == 0.0 || scores.iter().any(|score| score.is_nan()) {
        return None;
    }
    let ranks = average_ranks(scores);
    let rank_sum: f64 =
        ranks.iter().zip(is_positive).filter(|(_, positive)| **positive).map(|(rank, _)| rank).sum();
    let n_won = rank_sum - n_positive * (n_positive + 1.0) / 2.0;
    Some(n_won / (n_positive * n_negative))
}

/// AUROC of several classes, each against all others.
#[derive(Debug, Clone, PartialEq)]
pub struct OneVersusRest {
    /// By class id; `None` for a class that no row or every row has.
    pub classes: Vec<Option<f64>>,
    /// Their mean with equal weights; `None` unless every class has a value, as a mean over fewer classes is another question.
    pub macro_average: Option<f64>,
}

/// AUROC of each class against the rest; `scores` is [N, C] row by row, a probability or logit per class.
///
/// # Panics
/// When `scores` does not hold `labels.len() * n_classes` numbers.
pub fn auroc_one_versus_rest(labels: &[usize], scores: &[f32], n_classes: usize) -> OneVersusRest {
    assert_eq!(scores.len(), labels.len() * n_classes, "a score for each row and class");
    let of_class = |class: usize| {
        let is_positive: Vec<bool> = labels.iter().map(|&label| label == class).collect();
        let of_rows: Vec<f32> = scores.chunks_exact(n_classes).map(|row| row[class]).collect();
        auroc(&is_positive, &of_rows)
    };
    let classes: Vec<Option<f64>> = (0..n_classes).map(of_class).collect();
    let all: Option<Vec<f64>> = classes.iter().copied().collect();
    let macro_average =
        all.filter(|all| !all.is_empty()).map(|all| all.iter().sum::<f64>() / all.len() as f64);
    OneVersusRest { classes, macro_average }
}
