//! Softmax of every row: `p_j = e^(x_j - max) / Σ e^(x_i - max)`, and the logarithm of the sum.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::softmax_row;

use crate::simd::{Kernel, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};

/// Rows of fewer numbers than this share a task.
const CHUNK: usize = 16 * 1024;

/// The softmax of one row.
pub fn softmax(row: &[f32]) -> Vec<f32> {
    let mut probabilities = row.to_vec();
    softmax_rows(&mut probabilities, row.len());
    probabilities
}

/// Replaces every row of `width` numbers by its softmax; gives `ln Σ e^x` of every row.
pub fn softmax_rows(x: &mut [f32], width: usize) -> Vec<f32> {
    softmax_rows_at(Level::current(), x, width)
}

fn softmax_rows_at(level: Level, x: &mut [f32], width: usize) -> Vec<f32> {
    let n_rows = x.len() / width;
    let mut log_sums = vec![0.0; n_rows];
    let rows_per_task = (CHUNK / width).max(1);
    let (x, sums) = (SharedPointer::new(x), SharedPointer::new(&mut log_sums));
    parallel_for(n_rows.div_ceil(rows_per_task), |task| {
        let first = task * rows_per_task;
        let n = rows_per_task.min(n_rows - first);
        // SAFETY: the tasks' rows are disjoint and inside both buffers.
        let (x, log_sums) = unsafe {
            (
                std::slice::from_raw_parts_mut(x.get().add(first * width), n * width),
                std::slice::from_raw_parts_mut(sums.get().add(first), n),
            )
        };
        run(level, Rows { x, width, log_sums });
    });
    log_sums
}

struct Rows<'a> {
    x: &'a mut [f32],
    width: usize,
    log_sums: &'a mut [f32],
}

impl Kernel for Rows<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for (row, log_sum) in self.x.chunks_exact_mut(self.width).zip(self.log_sums) {
            // SAFETY: the level is on, by `run`'s contract.
            *log_sum = unsafe { softmax_row::<S>(row, 1.0) };
        }
    }
}
