//! The naive oracle, in f64.

use super::{Activated, Gate};
use crate::ops::activation::reference::activation;

/// `[T, 2 F]` to `[T, F]`
pub(crate) fn gated(gate: Gate, x: &[f64], inner_width: usize) -> Vec<f64> {
    let row = |row: &[f64]| -> Vec<f64> {
        let (first, second) = row.split_at(inner_width);
        let (a, b) = match gate.activated {
            Activated::FirstHalf => (first, second),
            Activated::SecondHalf => (second, first),
        };
        a.iter().zip(b).map(|(&a, b)| activation(gate.activation, a) * b).collect()
    };
    x.chunks(2 * inner_width).flat_map(row).collect()
}
