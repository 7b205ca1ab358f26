//! Against the definition in f64, at every level.

use super::*;
use crate::ops::testing::{assert_close, normals};

#[test]
fn rows_agree_with_the_definition() {
    for width in [1, 2, 16, 17, 500] {
        let mut x = normals(width * 9, 1);
        x[0] = 300.0; // Would overflow without the maximum.
        let mut want = Vec::new();
        let mut want_log = Vec::new();
        for row in x.chunks(width) {
            let max = row.iter().copied().fold(f32::MIN, f32::max);
            let e: Vec<f64> = row.iter().map(|&x| f64::from(x - max).exp()).collect();
            let sum: f64 = e.iter().sum();
            want.extend(e.iter().map(|e| e / sum));
            want_log.push(f64::from(max) + sum.ln());
        }
        for level in Level::available() {
            let mut got = x.clone();
            let log = cpu::softmax_rows(level, &mut got, width);
            assert_close(&got, &want, 1e-6, "softmax");
            assert_close(&log, &want_log, 1e-6, "logarithm of the sum");
        }
    }
}

#[test]
fn a_row_with_nan_or_infinity_is_nan_and_the_others_are_not() {
    for width in [1, 5, 16, 37] {
        for (bad, is_nan) in [(f32::NAN, true), (f32::INFINITY, true), (f32::NEG_INFINITY, width == 1)] {
            for level in Level::available() {
                for place in 0..width {
                    let mut x = normals(3 * width, 1);
                    x[width + place] = bad;
                    let log = cpu::softmax_rows(level, &mut x, width);
                    let at = format!("{bad} at {place} of {width} at {}", level.name());
                    assert!(x[width..2 * width].iter().all(|p| p.is_nan() == is_nan), "{at}");
                    assert_eq!(log[1].is_nan(), is_nan, "{at}");
                    let others = x[..width].iter().chain(&x[2 * width..]);
                    assert!(others.chain([&log[0], &log[2]]).all(|x| x.is_finite()), "{at}");
                    if !is_nan {
                        assert!(x[width + place] < 1e-30, "{at}: {}", x[width + place]);
                    }
                }
            }
        }
    }
}
