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
            let log = softmax_rows_at(level, &mut got, width);
            assert_close(&got, &want, 1e-6, "softmax");
            assert_close(&log, &want_log, 1e-6, "logarithm of the sum");
        }
    }
}
