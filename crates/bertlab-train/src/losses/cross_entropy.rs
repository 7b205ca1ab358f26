//! Cross-entropy of classes: rows, tokens, words of a vocabulary.

use super::Loss;
use bertlab_compute::Tensor;
use bertlab_compute::ops::softmax::softmax_rows;

pub use crate::data::labels::IGNORED_TOKEN as IGNORED;

/// How cross-entropy is taken.
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy<'a> {
    /// What each item counts.
    pub weight: f64,
    /// ε: the loss is (1 - ε)·(-ln p of the target) + ε·(mean of -ln p over all classes).
    pub label_smoothing: f64,
    /// What each class counts, times `weight`; all the same when none. `[C]`
    pub class_weights: Option<&'a [f32]>,
}

/// `Σ weight · -ln softmax(logits)[target]`. `logits [n, C]`, `targets [n]`: a class, or [`IGNORED`].
/// Panics when a target is neither.
pub fn cross_entropy(logits: &Tensor, targets: &[i64], how: CrossEntropy<'_>) -> Loss {
    let n_classes = logits.width();
    assert_eq!(logits.n_rows(), targets.len(), "a target for every row of logits");
    let mut d = logits.clone();
    let log_sums = softmax_rows(d.as_mut_slice(), n_classes);
    let mut value = 0.0;
    for (i, &target) in targets.iter().enumerate() {
        let row = d.row_mut(i);
        if target == IGNORED {
            row.fill(0.0);
            continue;
        }
        let target = usize::try_from(target).ok().filter(|&target| target < n_classes);
        let target = target.expect("targets were checked against the number of classes");
        let class_weight = how.class_weights.map_or(1.0, |weights| f64::from(weights[target]));
        let (weight, smoothing) = (how.weight * class_weight, how.label_smoothing);
        let x = logits.row(i);
        let log_sum = f64::from(log_sums[i]);
        let mean = x.iter().map(|&x| f64::from(x)).sum::<f64>() / n_classes as f64;
        value +=
            weight * ((1.0 - smoothing) * (log_sum - f64::from(x[target])) + smoothing * (log_sum - mean));
        let share = (smoothing / n_classes as f64) as f32;
        for d in row.iter_mut() {
            *d = (*d - share) * weight as f32;
        }
        row[target] -= ((1.0 - smoothing) * weight) as f32;
    }
    Loss { value, d_logits: d }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradient, logits};
    use super::*;

    const PLAIN: CrossEntropy<'_> = CrossEntropy { weight: 1.0, label_smoothing: 0.0, class_weights: None };

    #[test]
    fn even_logits_cost_the_logarithm_of_the_classes() {
        let loss = cross_entropy(&Tensor::zeros(&[2, 4]), &[1, IGNORED], PLAIN);
        assert!((loss.value - 4f64.ln()).abs() < 1e-6);
        assert!(loss.d_logits.row(1).iter().all(|&d| d == 0.0));
    }

    #[test]
    fn gradients_agree_with_differences() {
        let weights = [0.5, 2.0, 1.0];
        for how in [
            PLAIN,
            CrossEntropy { weight: 0.25, ..PLAIN },
            CrossEntropy { label_smoothing: 0.1, ..PLAIN },
            CrossEntropy { class_weights: Some(&weights), label_smoothing: 0.2, ..PLAIN },
        ] {
            check_gradient(&logits(4, 3), |logits| cross_entropy(logits, &[2, 0, IGNORED, 1], how));
        }
    }
}
