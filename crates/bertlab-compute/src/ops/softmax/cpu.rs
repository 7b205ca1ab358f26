//! One row, in the first cache.

use crate::simd::{Kernel, LANES, Level, Simd, math, run};
use crate::threads::{SharedPointer, parallel_for};

/// Rows of fewer numbers than this share a task.
const CHUNK: usize = 16 * 1024;

pub(super) fn softmax_rows(level: Level, x: &mut [f32], width: usize) -> Vec<f32> {
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

/// `x = softmax(scale · x)` in place; gives `ln Σ e^(scale · x)`.
///
/// # Safety
/// The contract of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn softmax_row<S: Simd>(x: &mut [f32], scale: f32) -> f32 {
    let whole = x.len() / LANES * LANES;
    // SAFETY: sixteen numbers from i < whole, and the rest from whole, lie inside x.
    unsafe {
        // Subtract the row maximum first: exp overflows f32 above 88.
        let mut greatest = S::splat(f32::NEG_INFINITY);
        for i in (0..whole).step_by(LANES) {
            greatest = S::max(greatest, S::load(x.as_ptr().add(i)));
        }
        let max = x[whole..].iter().copied().fold(S::greatest(greatest), f32::max) * scale;
        let (scales, maxima) = (S::splat(scale), S::splat(-max));
        let mut sums = S::splat(0.0);
        let p = x.as_mut_ptr();
        for i in (0..whole).step_by(LANES) {
            let e = math::exp::<S>(S::fma(S::load(p.add(i)), scales, maxima));
            sums = S::add(sums, e);
            S::store(p.add(i), e);
        }
        let mut sum = S::sum(sums);
        let n_rest = x.len() - whole;
        if n_rest > 0 {
            let e = math::exp::<S>(S::fma(S::load_part(p.add(whole), n_rest), scales, maxima));
            S::store_part(p.add(whole), e, n_rest);
            sum += x[whole..].iter().sum::<f32>();
        }
        let share = S::splat(1.0 / sum);
        for i in (0..x.len()).step_by(LANES) {
            let n = (x.len() - i).min(LANES);
            S::store_part(p.add(i), S::mul(S::load_part(p.add(i), n), share), n);
        }
        max + sum.ln()
    }
}
