//! Question answering: where a span starts and where it ends.

use super::{CrossEntropy, IGNORED, Loss, cross_entropy};
use bertlab_compute::Tensor;

/// `Σ weight · (cross-entropy of the start + of the end) / 2`, over each row's own tokens.
///
/// `logits [T, 2]` of packed rows; `row_starts [B + 1]`; `targets`: (start, end) of each row, counted from
/// its first token. A position outside its row takes no part. `weight(n)` says what an item counts when n
/// of them take part: starts and ends are averaged apart, as HuggingFace does.
pub fn span(
    logits: &Tensor,
    row_starts: &[usize],
    targets: &[(i64, i64)],
    weight: impl Fn(usize) -> f64,
) -> Loss {
    assert_eq!(row_starts.len(), targets.len() + 1, "a target for every row");
    let mut loss = Loss { value: 0.0, d_logits: Tensor::zeros(logits.shape()) };
    for column in 0..2 {
        let target_of = |row: usize| {
            let length = (row_starts[row + 1] - row_starts[row]) as i64;
            let target = if column == 0 { targets[row].0 } else { targets[row].1 };
            if (0..length).contains(&target) { target } else { IGNORED }
        };
        let n_items = (0..targets.len()).filter(|&row| target_of(row) != IGNORED).count();
        let how = CrossEntropy { weight: weight(n_items) / 2.0, label_smoothing: 0.0, class_weights: None };
        for (row, range) in row_starts.windows(2).enumerate() {
            let scores: Vec<f32> = (range[0]..range[1]).map(|token| logits.row(token)[column]).collect();
            let scores = Tensor::from_vec(&[1, scores.len()], scores);
            let part = cross_entropy(&scores, &[target_of(row)], how);
            loss.value += part.value;
            for (token, d) in (range[0]..range[1]).zip(part.d_logits.as_slice()) {
                loss.d_logits.row_mut(token)[column] = *d;
            }
        }
    }
    loss
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradient, logits};
    use super::*;

    #[test]
    fn gradients_agree_with_differences() {
        // The second row's end lies outside it.
        let targets = [(0, 2), (1, 9)];
        check_gradient(&logits(5, 2), |logits| span(logits, &[0, 3, 5], &targets, |n| 1.0 / n as f64));
    }
}
