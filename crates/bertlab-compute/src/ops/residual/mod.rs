//! A residual sum without a norm: `z = dropout(x) + residual`.
//!
//! Axes: T tokens, D width.

use super::dropout::{self, Dropout};
use crate::threads::parallel_chunks;

/// Numbers in one task.
const CHUNK: usize = 16 * 1024;

/// `x = dropout(x) + residual` in place. Both `[T, D]`; panics when they differ in length.
pub fn add(x: &mut [f32], residual: &[f32], dropout: Option<Dropout>, width: usize) {
    assert_eq!(x.len(), residual.len());
    if let Some(dropout) = dropout {
        dropout::apply(dropout, x, width);
    }
    parallel_chunks(x, CHUNK, |chunk, x| {
        let residual = &residual[chunk * CHUNK..][..x.len()];
        x.iter_mut().zip(residual).for_each(|(x, r)| *x += r);
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::normals;

    #[test]
    fn what_is_dropped_leaves_the_residual() {
        let (width, n) = (20_000, 40_000);
        let (x, residual) = (normals(n, 1), normals(n, 2));
        let dropout = Dropout::new(0.5, 3);
        let mut dropped = x.clone();
        dropout::apply(dropout.expect("a probability above 0"), &mut dropped, width);
        let mut sum = x;
        add(&mut sum, &residual, dropout, width);
        assert!(dropped.iter().filter(|&&x| x == 0.0).count() > n / 3);
        let want: Vec<f32> = dropped.iter().zip(&residual).map(|(x, r)| x + r).collect();
        assert_eq!(sum, want);
    }
}
