//! Against the oracle and finite differences, at every level.

use super::*;
use crate::ops::testing::{assert_close, normals, numeric_gradient, wide};

#[test]
fn values_and_gradients_agree_with_the_oracle() {
    for activated in [Activated::FirstHalf, Activated::SecondHalf] {
        let gate = Gate { activation: Activation::Gelu, activated };
        for width in [3, 16, 21] {
            let (x, d) = (normals(5 * 2 * width, 1), normals(5 * width, 2));
            let want = reference::gated(gate, &wide(&x), width);
            let loss = |x: &[f64]| -> f64 {
                let y = reference::gated(gate, x, width);
                y.iter().zip(&d).map(|(y, &d)| y * f64::from(d)).sum()
            };
            let want_gradient = numeric_gradient(&wide(&x), loss);
            let mut first: Option<Vec<f32>> = None;
            for level in Level::available() {
                let out = cpu::forward(level, gate, &x, width);
                assert_close(out.cpu(), &want, 1e-6, "gated");
                let mut y = d.clone();
                let d_x = cpu::backward(level, gate, &x, &mut y, width);
                assert_close(d_x.cpu(), &want_gradient, 1e-5, "d_x");
                assert_eq!(y, *out.cpu(), "the backward pass gives the same y");
                let first = first.get_or_insert_with(|| d_x.cpu().to_vec());
                assert_eq!(first[..], *d_x.cpu(), "{} gives other bits", level.name());
            }
        }
    }
}
