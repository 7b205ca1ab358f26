//! Against the oracle and finite differences, at every level.

use super::*;
use crate::ops::testing::{assert_close, normals, numeric_gradient, wide};

const THETA: f32 = 500.0;

#[test]
fn values_and_gradients_agree_with_the_oracle() {
    for (n_heads, head_width) in [(2, 6), (1, 40), (3, 32)] {
        let (stride, positions) = (3 * n_heads * head_width, [0, 1, 2, 0, 7]);
        let rotation = Rotation::new(THETA, 8, head_width);
        let (qkv, d) = (normals(5 * stride, 1), normals(5 * stride, 2));
        let oracle = |x: &[f64]| reference::rotate(f64::from(THETA), head_width, 1.0, x, &positions);
        let loss = |x: &[f64]| -> f64 { oracle(x).iter().zip(&d).map(|(y, &d)| y * f64::from(d)).sum() };
        let gradient = numeric_gradient(&wide(&qkv), loss);
        let mut first: Option<Vec<f32>> = None;
        for level in Level::available() {
            let turned = |turn, x: &[f32]| {
                let mut x = x.to_vec();
                cpu::rotate(level, &rotation, turn, &mut x, &positions);
                x
            };
            let out = turned(Turn::Forward, &qkv);
            assert_close(&out, &oracle(&wide(&qkv)), 1e-6, "rotated");
            assert_close(&turned(Turn::Backward, &d), &gradient, 1e-6, "gradient");
            assert_eq!(*first.get_or_insert_with(|| out.clone()), out, "{} gives other bits", level.name());
        }
    }
}

#[test]
fn scores_depend_on_distance_alone() {
    let width = 16;
    let rotation = Rotation::new(THETA, 60, width);
    let score = |at: [u32; 2]| {
        let mut qkv = normals(2 * 3 * width, 3);
        rotate(&rotation, Turn::Forward, &mut qkv, &at);
        let key = &qkv[4 * width..5 * width];
        qkv[..width].iter().zip(key).map(|(q, k)| q * k).sum::<f32>()
    };
    assert!((score([3, 9]) - score([50, 56])).abs() < 1e-4);
    assert!((score([3, 9]) - score([3, 10])).abs() > 1e-3);
}
