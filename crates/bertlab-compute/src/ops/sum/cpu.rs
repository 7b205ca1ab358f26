//! Columns in blocks; squares in chunks, lane by lane.

use crate::ops::matmul::MatrixView;
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};
use rayon::prelude::*;

/// Columns in one task.
const COLUMNS: usize = 64;
/// Numbers in one partial sum.
const CHUNK: usize = 4096;

pub(super) fn add_column_sums(level: Level, x: MatrixView<'_>, out: &mut [f32]) {
    let width = out.len();
    let target = SharedPointer::new(out);
    parallel_for(width.div_ceil(COLUMNS), |task| {
        let first = task * COLUMNS;
        let n = COLUMNS.min(width - first);
        let sums = run(level, ColumnSums { x: x.columns(first, n) });
        for (i, sum) in sums[..n].iter().enumerate() {
            // SAFETY: the tasks' columns are disjoint and inside `out`.
            unsafe { *target.get().add(first + i) += sum };
        }
    });
}

/// The sums of a few columns.
struct ColumnSums<'a> {
    /// At most `COLUMNS` of them, with contiguous rows.
    x: MatrixView<'a>,
}

impl Kernel for ColumnSums<'_> {
    type Output = [f32; COLUMNS];
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> [f32; COLUMNS] {
        let mut sums = [0.0f32; COLUMNS];
        for row in 0..self.x.n_rows() {
            sums.iter_mut().zip(self.x.row(row)).for_each(|(sum, x)| *sum += x);
        }
        sums
    }
}

pub(super) fn sum_of_squares(level: Level, x: &[f32]) -> f64 {
    let partial: Vec<f64> = x.par_chunks(CHUNK).map(|x| run(level, SumOfSquares { x })).collect();
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
