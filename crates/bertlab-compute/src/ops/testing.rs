//! What every operation's tests share: numbers to try, and how close is close enough.

use crate::random::Generator;

/// Values that no operation may turn into a plausible number in silence.
pub(crate) const NON_FINITE: [f32; 3] = [f32::NAN, f32::INFINITY, f32::NEG_INFINITY];

/// `n` standard normal numbers.
pub(crate) fn normals(n: usize, seed: u64) -> Vec<f32> {
    let mut generator = Generator::new(seed);
    (0..n).map(|_| generator.normal() as f32).collect()
}

/// As f64.
pub(crate) fn wide(x: &[f32]) -> Vec<f64> {
    x.iter().map(|&x| f64::from(x)).collect()
}

/// Panics where `got` is further than `tolerance` times (1 + the largest wanted size) from `want`.
pub(crate) fn assert_close(got: &[f32], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    let scale = 1.0 + want.iter().fold(0.0f64, |max, x| max.max(x.abs()));
    for (i, (&g, &w)) in got.iter().zip(want).enumerate() {
        let error = (f64::from(g) - w).abs();
        assert!(error <= tolerance * scale, "{what}[{i}]: {g} is not {w} (off by {error:e})");
    }
}

/// The gradient of `loss` by central differences, for an f64 oracle.
pub(crate) fn numeric_gradient(x: &[f64], loss: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let step = 1e-5;
    let mut moved = x.to_vec();
    (0..x.len())
        .map(|i| {
            moved[i] = x[i] + step;
            let above = loss(&moved);
            moved[i] = x[i] - step;
            let below = loss(&moved);
            moved[i] = x[i];
            (above - below) / (2.0 * step)
        })
        .collect()
}
