//! Against the sum, with dropout.

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
