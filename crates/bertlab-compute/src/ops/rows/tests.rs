//! Rows come from where they were named and go back there.

use super::*;
use crate::ops::testing::normals;

#[test]
fn rows_are_gathered_put_back_and_added() {
    let (width, n_rows, indices) = (19, 6, [4, 0, 3]);
    let x = normals(n_rows * width, 1);
    let rows = gather(&x, width, &indices);
    let row = |index: usize| &x[index * width..][..width];
    assert_eq!(rows.cpu(), [row(4), row(0), row(3)].concat());
    let back = scatter(&rows, width, &indices, n_rows);
    let zeros = vec![0.0; width];
    assert_eq!(back.cpu(), [row(0), &zeros, &zeros, row(3), row(4), &zeros].concat());
    let mut sum = x.clone();
    scatter_add(&rows, width, &[1, 1, 5], &mut sum);
    let twice = |i: usize| x[width + i] + x[4 * width + i] + x[i];
    assert!((0..width).all(|i| sum[width + i] == twice(i)));
    assert_eq!(sum[..width], *row(0));
}

#[test]
fn means_and_their_gradients_are_of_whole_runs() {
    let (width, starts) = (5, [0, 1, 4]);
    let x = normals(4 * width, 1);
    let means = means(&x, width, &starts);
    let mean = |i: usize| (x[width + i] + x[2 * width + i] + x[3 * width + i]) / 3.0;
    assert_eq!(means.cpu()[..width], x[..width]);
    assert!((0..width).all(|i| means.cpu()[width + i] == mean(i)));
    let mut sum = vec![1.0; 4 * width];
    means_backward(&means, width, &starts, &mut sum);
    assert!((0..width).all(|i| sum[i] == 1.0 + x[i] && sum[2 * width + i] == 1.0 + mean(i) / 3.0));
}

#[test]
#[should_panic]
fn rows_outside_are_refused() {
    gather(&normals(6, 1), 3, &[2]);
}
