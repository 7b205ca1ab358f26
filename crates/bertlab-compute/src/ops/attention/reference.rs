//! The naive oracle, in f64: one row after the other, one head after the other.

use super::Heads;

/// `[T, D]` from qkv `[T, 3 D]`, with P∘M where `mask(token, head, j)` gives M.
pub(crate) fn attention(
    heads: Heads<'_>,
    qkv: &[f64],
    mask: impl Fn(usize, usize, usize) -> f64,
) -> Vec<f64> {
    let (width, d) = (heads.width, heads.width / heads.n_heads);
    let mut out = vec![0.0; qkv.len() / 3];
    for row in heads.row_starts.windows(2) {
        for head in 0..heads.n_heads {
            let at = |token: usize, part: usize| &qkv[token * 3 * width + part * width + head * d..][..d];
            for i in row[0]..row[1] {
                let is_seen = |j: usize| heads.window.is_none_or(|reach| i.abs_diff(j) <= reach);
                let score = |j: usize| {
                    let product: f64 = at(i, 0).iter().zip(at(j, 1)).map(|(q, k)| q * k).sum();
                    if is_seen(j) { (product / (d as f64).sqrt()).exp() } else { 0.0 }
                };
                let scores: Vec<f64> = (row[0]..row[1]).map(score).collect();
                let sum: f64 = scores.iter().sum();
                for (j, score) in scores.iter().enumerate() {
                    for (c, v) in at(row[0] + j, 2).iter().enumerate() {
                        out[i * width + head * d + c] += score / sum * mask(i, head, j) * v;
                    }
                }
            }
        }
    }
    out
}
