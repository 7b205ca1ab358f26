//! Sums over many numbers, in an order that depends on the sizes alone.

use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};
use rayon::prelude::*;

/// Columns in one task.
const COLUMNS: usize = 64;
/// Numbers in one partial sum.
const CHUNK: usize = 4096;

/// Adds the sum of every column of `x` to `out`: the gradient of a bias. `x [T, N]`, `out [N]`
pub fn add_column_sums(x: &[f32], out: &mut [f32]) {
    let width = out.len();
    if x.is_empty() {
        return;
    }
    assert!(x.len().is_multiple_of(width));
    let target = SharedPointer::new(out);
    parallel_for(width.div_ceil(COLUMNS), |task| {
        let first = task * COLUMNS;
        let n = COLUMNS.min(width - first);
        let sums = run(Level::current(), ColumnSums { x, width, first, n });
        for (i, sum) in sums[..n].iter().enumerate() {
            // SAFETY: the tasks' columns are disjoint and inside `out`.
            unsafe { *target.get().add(first + i) += sum };
        }
    });
}

/// The sums of `n` columns from `first`.
struct ColumnSums<'a> {
    x: &'a [f32],
    width: usize,
    first: usize,
    n: usize,
}

impl Kernel for ColumnSums<'_> {
    type Output = [f32; COLUMNS];
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> [f32; COLUMNS] {
        let mut sums = [0.0f32; COLUMNS];
        for row in self.x.chunks_exact(self.width) {
            sums.iter_mut().zip(&row[self.first..self.first + self.n]).for_each(|(sum, x)| *sum += x);
        }
        sums
    }
}

/// The sum of squares, in f64.
pub fn sum_of_squares(x: &[f32]) -> f64 {
    let partial: Vec<f64> = x.par_chunks(CHUNK).map(|x| run(Level::current(), SumOfSquares { x })).collect();
    partial.iter().sum()
}

/// Lane by lane, then the lanes.
struct SumOfSquares<'a> {
    x: &'a [f32],
}

impl Kernel for SumOfSquares<'_> {
    type Output = f64;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> f64 {
        let mut sums = [0.0f64; LANES];
        let (whole, rest) = self.x.as_chunks::<LANES>();
        for x in whole {
            sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += f64::from(x) * f64::from(x));
        }
        sums.iter_mut().zip(rest).for_each(|(sum, &x)| *sum += f64::from(x) * f64::from(x));
        sums.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, normals};

    #[test]
    fn columns_are_added_up() {
        for (rows, width) in [(1, 1), (7, 63), (50, 130)] {
            let x = normals(rows * width, 1);
            let mut out = vec![1.0; width];
            add_column_sums(&x, &mut out);
            let want: Vec<f64> = (0..width)
                .map(|j| 1.0 + (0..rows).map(|i| f64::from(x[i * width + j])).sum::<f64>())
                .collect();
            assert_close(&out, &want, 1e-6, "column sums");
        }
    }

    #[test]
    fn squares_are_added_up() {
        let x = normals(10_001, 2);
        let want: f64 = x.iter().map(|&x| f64::from(x).powi(2)).sum();
        assert!((sum_of_squares(&x) - want).abs() < 1e-9 * want);
        assert_eq!(sum_of_squares(&[]), 0.0);
    }
}
