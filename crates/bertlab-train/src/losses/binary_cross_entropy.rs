//! Binary cross-entropy with logits: any of C labels.

use super::Loss;
use bertlab_compute::Tensor;

/// `Σ weight · mean over C of [-w·y·ln σ(x) - (1 - y)·ln(1 - σ(x))]`, as PyTorch's `BCEWithLogitsLoss(pos_weight)`.
/// `logits [n, C]`, `targets [n · C]` in 0..=1, row by row; `pos_weights`: w, 1 when none. `[C]`
pub fn binary_cross_entropy(
    logits: &Tensor,
    targets: &[f32],
    weight: f64,
    pos_weights: Option<&[f32]>,
) -> Loss {
    assert_eq!(logits.len(), targets.len(), "a target for every logit");
    let n_outputs = logits.width();
    let weight = weight / logits.width() as f64;
    let mut d = logits.clone();
    let mut value = 0.0;
    for (i, (x, &y)) in d.as_mut_slice().iter_mut().zip(targets).enumerate() {
        let (logit, y) = (f64::from(*x), f64::from(y));
        let pos_weight = pos_weights.map_or(1.0, |weights| f64::from(weights[i % n_outputs]));
        let count = 1.0 + (pos_weight - 1.0) * y;
        // -ln σ(x), which cannot overflow so.
        let cost = (-logit).max(0.0) + (-logit.abs()).exp().ln_1p();
        value += weight * ((1.0 - y) * logit + count * cost);
        *x = (weight * ((1.0 - y) - count / (1.0 + logit.exp()))) as f32;
    }
    Loss { value, d_logits: d }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradient, logits};
    use super::*;

    #[test]
    fn even_logits_cost_ln_2() {
        let loss =
            binary_cross_entropy(&Tensor::zeros(&[3, 2]), &[0.0, 1.0, 1.0, 1.0, 0.0, 0.0], 1.0 / 3.0, None);
        assert!((loss.value - 2f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn gradients_agree_with_differences() {
        let targets = [1.0, 0.0, 0.3, 1.0, 0.0, 1.0];
        for weights in [None, Some([0.5, 3.0, 1.0].as_slice())] {
            check_gradient(&logits(2, 3), |logits| binary_cross_entropy(logits, &targets, 0.5, weights));
        }
    }

    #[test]
    fn huge_logits_stay_finite() {
        let logits = Tensor::from_vec(&[1, 2], vec![1e4, -1e4]);
        assert_eq!(binary_cross_entropy(&logits, &[1.0, 0.0], 1.0, None).value, 0.0);
    }
}
