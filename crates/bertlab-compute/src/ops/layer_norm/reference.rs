//! The naive oracle, in f64.

/// y for one row.
pub(crate) fn layer_norm(z: &[f64], weight: &[f64], bias: &[f64], epsilon: f64) -> Vec<f64> {
    let n = z.len() as f64;
    let mean = z.iter().sum::<f64>() / n;
    let variance = z.iter().map(|z| (z - mean).powi(2)).sum::<f64>() / n;
    let scale = 1.0 / (variance + epsilon).sqrt();
    (0..z.len()).map(|i| (z[i] - mean) * scale * weight[i] + bias[i]).collect()
}
