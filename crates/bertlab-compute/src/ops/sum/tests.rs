//! Against plain sums.

use super::*;
use crate::ops::testing::{assert_close, normals};

#[test]
fn columns_are_added_up() {
    for (rows, width) in [(1, 1), (7, 63), (50, 130)] {
        let x = normals(rows * width, 1);
        let mut out = vec![1.0; width];
        add_column_sums(MatrixView::new(&x, rows, width), &mut out);
        let want: Vec<f64> =
            (0..width).map(|j| 1.0 + (0..rows).map(|i| f64::from(x[i * width + j])).sum::<f64>()).collect();
        assert_close(&out, &want, 1e-6, "column sums");
        let mut part = vec![1.0; width / 2];
        let columns = MatrixView::new(&x, rows, width).columns(width - width / 2, width / 2);
        add_column_sums(columns, &mut part);
        assert_eq!(part, out[width - width / 2..]);
    }
}

#[test]
fn squares_are_added_up() {
    let x = normals(10_001, 2);
    let want: f64 = x.iter().map(|&x| f64::from(x).powi(2)).sum();
    assert!((sum_of_squares(&x) - want).abs() < 1e-9 * want);
    assert_eq!(sum_of_squares(&Vec::new()), 0.0);
}
