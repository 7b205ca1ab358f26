//! Cross-entropy of classes: rows, tokens, words of a vocabulary.

use super::Loss;
use bertlab_compute::Tensor;
use bertlab_compute::ops::softmax::softmax_rows;

pub use bertlab_data::labels::IGNORED_TOKEN as IGNORED;

/// How cross-entropy is taken.
#[derive(Clone, Copy, Debug)]
pub struct CrossEntropy<'a> {
    /// What each item counts.
    pub weight: f64,
    /// ε: the loss is (1 - ε)·w·(-ln p of the target) + ε·(mean of w·(-ln p) over all classes), each with its class's w.
    pub label_smoothing: f64,
    /// w, as in PyTorch's `CrossEntropyLoss(weight)`, whose mean is over the sum of the targets' weights; 1 when none. `[C]`
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
        let (x, log_sum) = (logits.row(i), f64::from(log_sums[i]));
        let weight_of = |class: usize| how.class_weights.map_or(1.0, |weights| f64::from(weights[class]));
        let (on_target, share) =
            ((1.0 - how.label_smoothing) * weight_of(target), how.label_smoothing / n_classes as f64);
        let mut sum = 0.0; // Of what all classes count in the smoothing.
        let mut smoothed = 0.0;
        for (class, &x) in x.iter().enumerate() {
            sum += weight_of(class);
            smoothed += weight_of(class) * (log_sum - f64::from(x));
        }
        value += how.weight * (on_target * (log_sum - f64::from(x[target])) + share * smoothed);
        let scale = (how.weight * (on_target + share * sum)) as f32;
        for (class, d) in row.iter_mut().enumerate() {
            *d = *d * scale - (how.weight * share * weight_of(class)) as f32;
        }
        row[target] -= (how.weight * on_target) as f32;
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
