//! Mean squared error: regression.

use super::Loss;
use bertlab_compute::Tensor;

/// `Σ weight · mean over C of (x - y)²`. `logits [n, C]`, `targets [n · C]`, row by row.
pub fn mean_squared_error(logits: &Tensor, targets: &[f32], weight: f64) -> Loss {
    assert_eq!(logits.len(), targets.len(), "a target for every output");
    let weight = weight / logits.width() as f64;
    let mut d = logits.clone();
    let mut value = 0.0;
    for (x, &y) in d.as_mut_slice().iter_mut().zip(targets) {
        let difference = f64::from(*x) - f64::from(y);
        value += weight * difference * difference;
        *x = (2.0 * weight * difference) as f32;
    }
    Loss { value, d_logits: d }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check_gradient, logits};
    use super::*;

    #[test]
    fn the_value_is_the_mean_square() {
        let outputs = Tensor::from_vec(&[2, 1], vec![1.0, 4.0]);
        assert_eq!(mean_squared_error(&outputs, &[0.0, 2.0], 0.5).value, 2.5);
    }

    #[test]
    fn gradients_agree_with_differences() {
        check_gradient(&logits(3, 2), |logits| mean_squared_error(logits, &[0.5; 6], 1.0 / 3.0));
    }
}
