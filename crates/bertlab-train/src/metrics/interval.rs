//! How sure a share is, by Wilson's score interval, and how sure a correlation is, by Fisher's transformation.

/// A range: of shares within 0 to 1, of correlations within -1 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// The 97.5 % point of the standard normal distribution.
const Z_95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % interval of `n_right` of `n_rows` (Wilson 1927, without continuity correction); `None` without rows.
///
/// Unlike p ± 1.96 s it stays within 0 to 1 and has a width at 0 and 1.
///
/// # Panics
/// When `n_right` exceeds `n_rows`.
pub fn wilson_interval(n_right: usize, n_rows: usize) -> Option<Interval> {
    assert!(n_right <= n_rows, "{n_right} right of {n_rows} rows");
    if n_rows == 0 {
        return None;
    }
    let (n, p) = (n_rows as f64, n_right as f64 / n_rows as f64);
    let z2 = Z_95 * Z_95;
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half_width = Z_95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    // The ends at 0 and 1 are exact in the formula and a rounding error away in floating point.
    let low = if n_right == 0 { 0.0 } else { centre - half_width };
    let high = if n_right == n_rows { 1.0 } else { centre + half_width };
    Some(Interval { low, high })
}

/// Fisher's 95 % interval of Pearson's correlation over `n_rows` rows (tanh of atanh r ± 1.96 / √(n - 3)); `None` below
/// four rows.
pub fn correlation_interval(correlation: f64, n_rows: usize) -> Option<Interval> {
    if n_rows < 4 || !(-1.0..=1.0).contains(&correlation) {
        return None;
    }
    let half_width = Z_95 / (n_rows as f64 - 3.0).sqrt();
    let centre = correlation.atanh();
    Some(Interval { low: (centre - half_width).tanh(), high: (centre + half_width).tanh() })
}
