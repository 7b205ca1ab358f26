//! The naive oracle, in f64.

/// `qkv [T, 3 D]`, turned by the angles of `positions` times `sign`.
pub(crate) fn rotate(theta: f64, head_width: usize, sign: f64, qkv: &[f64], positions: &[u32]) -> Vec<f64> {
    let (stride, half) = (qkv.len() / positions.len(), head_width / 2);
    let mut out = qkv.to_vec();
    for (token, &position) in out.chunks_exact_mut(stride).zip(positions) {
        for head in token[..stride / 3 * 2].chunks_exact_mut(head_width) {
            for i in 0..half {
                let angle = sign * f64::from(position) / theta.powf(2.0 * i as f64 / head_width as f64);
                let (x, y) = (head[i], head[i + half]);
                head[i] = x * angle.cos() - y * angle.sin();
                head[i + half] = y * angle.cos() + x * angle.sin();
            }
        }
    }
    out
}
