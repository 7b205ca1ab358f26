//! The naive oracle.

/// `a[m, k] · b[k, n] + bias[n]`, in f64.
pub(crate) fn matmul(a: &[f64], b: &[f64], bias: &[f64], (m, k, n): (usize, usize, usize)) -> Vec<f64> {
    let mut out = Vec::with_capacity(m * n);
    for i in 0..m {
        for j in 0..n {
            out.push(bias[j] + (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum::<f64>());
        }
    }
    out
}
