//! Against the oracle and finite differences, at every level.

use super::*;
use crate::ops::testing::assert_close;

const ALL: [Activation; 4] = [Activation::Gelu, Activation::GeluNew, Activation::Relu, Activation::Tanh];

fn points() -> Vec<f32> {
    (-301..=300).map(|i| i as f32 * 0.031).chain([-60.0, 60.0, 1e-6]).collect()
}

#[test]
fn values_agree_with_the_oracle() {
    for kind in ALL {
        let x = points();
        let want: Vec<f64> = x.iter().map(|&x| reference::activation(kind, f64::from(x))).collect();
        for level in Level::available() {
            let mut got = x.clone();
            cpu::backward(level, kind, &mut got, &mut vec![0.0; x.len()]);
            for (i, (&g, &w)) in got.iter().zip(&want).enumerate() {
                assert!(
                    (f64::from(g) - w).abs() < 1e-6 * w.abs().max(1.0),
                    "{kind:?}({}) = {g}, not {w}",
                    x[i]
                );
            }
        }
    }
}

#[test]
fn slopes_agree_with_finite_differences() {
    for kind in ALL {
        let x: Vec<f32> = points().into_iter().filter(|x| x.abs() > 1e-3).collect();
        let step = 1e-4;
        let want: Vec<f64> = x
            .iter()
            .map(|&x| {
                let x = f64::from(x);
                let rise = reference::activation(kind, x + step) - reference::activation(kind, x - step);
                3.0 * rise / (2.0 * step)
            })
            .collect();
        for level in Level::available() {
            let mut d = vec![3.0; x.len()];
            cpu::backward(level, kind, &mut x.clone(), &mut d);
            assert_close(&d, &want, 2e-6, &format!("{kind:?} at {}", level.name()));
        }
    }
}

#[test]
fn nan_and_infinities_give_what_ieee_says() {
    let (inf, nan) = (f32::INFINITY, f32::NAN);
    for (kind, at_inf, at_minus_inf) in [
        (Activation::Gelu, inf, nan), // -inf * 0, as PyTorch computes it
        (Activation::GeluNew, inf, nan),
        (Activation::Relu, inf, 0.0),
        (Activation::Tanh, 1.0, -1.0),
    ] {
        for level in Level::available() {
            for (x, want) in [(nan, nan), (inf, at_inf), (-inf, at_minus_inf)] {
                // In every lane of a whole vector and of a part of one.
                for place in 0..27 {
                    let mut y = vec![0.5; 27];
                    y[place] = x;
                    let mut slope = vec![1.0; 27];
                    cpu::backward(level, kind, &mut y, &mut slope);
                    let is_right = if want.is_nan() { y[place].is_nan() } else { y[place] == want };
                    assert!(is_right, "{kind:?}({x}) = {} at {}", y[place], level.name());
                    assert!(!x.is_nan() || slope[place].is_nan(), "{kind:?}'({x}) at {}", level.name());
                    y.remove(place);
                    assert!(y.iter().all(|y| y.is_finite()), "{kind:?} spread {x} at {}", level.name());
                }
            }
        }
    }
}
