//! Binary cross-entropy with logits: any of C labels.

use super::Loss;
use bertlab_compute::Tensor;

/// `Σ weight · mean over C of [max(x, 0) - x·y + ln(1 + e^-|x|)]`, which cannot overflow.
/// `logits [n, C]`, `targets [n · C]` in 0..=1, row by row.
pub fn binary_cross_entropy(logits: &Tensor, targets: &[f32], weight: f64) -> Loss {
    assert_eq!(logits.len(), targets.len(), "a target for every logit");
    let weight = weight / logits.width() as f64;
    let mut d = logits.clone();
    let mut value = 0.0;
    for (x, &y) in d.as_mut_slice().iter_mut().zip(targets) {
        let (logit, y) = (f64::from(*x), f64::from(y));
        value += weight * (logit.max(0.0) - logit * y + (-logit.abs()).exp().ln_1p());
        *x = (weight * (1.0 / (1.0 + (-logit).exp()) - y)) as f32;
    }
    Loss { value, d_logits: d }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradient, logits};
    use super::*;

    #[test]
    fn even_logits_cost_ln_2() {
        let loss = binary_cross_entropy(&Tensor::zeros(&[3, 2]), &[0.0, 1.0, 1.0, 1.0, 0.0, 0.0], 1.0 / 3.0);
        assert!((loss.value - 2f64.ln()).abs() < 1e-9);
    }

    #[test]
    fn gradients_agree_with_differences() {
        let targets = [1.0, 0.0, 0.3, 1.0, 0.0, 1.0];
        check_gradient(&logits(2, 3), |logits| binary_cross_entropy(logits, &targets, 0.5));
    }

    #[test]
    fn huge_logits_stay_finite() {
        let logits = Tensor::from_vec(&[1, 2], vec![1e4, -1e4]);
        assert_eq!(binary_cross_entropy(&logits, &[1.0, 0.0], 1.0).value, 0.0);
    }
}
