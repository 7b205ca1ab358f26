//! The mask, column by column; written so that the compiler makes vectors of it.

use super::Dropout;
use crate::random::mix;
use crate::simd::{Kernel, Level, Simd, run};
use crate::threads::parallel_chunks;

/// Rows in one task.
const ROWS: usize = 64;

/// `mask[column]` = 0 or 1 / (1 - p), for one row.
///
/// The bits are two rounds of a 32-bit multiply-and-shift hash (after Wellons' and Mueller's
/// studies of such hashes) of the column, keyed by 64 bits of (key, row).
#[inline(always)]
pub(crate) fn fill_mask(dropout: Dropout, row: u64, mask: &mut [f32]) {
    let key = mix(dropout.key, row);
    let (low, high) = (key as u32, (key >> 32) as u32);
    // 2^32 · p, so that bits below it are dropped.
    let threshold = (f64::from(dropout.probability) * 4_294_967_296.0) as u32;
    let kept = 1.0 / (1.0 - dropout.probability);
    for (column, m) in mask.iter_mut().enumerate() {
        let mut x = (column as u32).wrapping_mul(0x9E37_79B9).wrapping_add(low);
        x = (x ^ (x >> 16)).wrapping_mul(0x7FEB_352D) ^ high;
        x = (x ^ (x >> 15)).wrapping_mul(0x846C_A68B);
        x ^= x >> 16;
        *m = if x < threshold { 0.0 } else { kept };
    }
}

pub(super) fn apply(level: Level, dropout: Dropout, x: &mut [f32], width: usize) {
    parallel_chunks(x, ROWS * width, |chunk, x| {
        run(level, Apply { dropout, x, width, first_row: chunk * ROWS });
    });
}

/// Whole rows, the first of them row `first_row` of all.
struct Apply<'a> {
    dropout: Dropout,
    x: &'a mut [f32],
    width: usize,
    first_row: usize,
}

impl Kernel for Apply<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let mut mask = vec![0.0; self.width];
        for (i, row) in self.x.chunks_exact_mut(self.width).enumerate() {
            fill_mask(self.dropout, (self.first_row + i) as u64, &mut mask);
            row.iter_mut().zip(&mask).for_each(|(x, m)| *x *= m);
        }
    }
}
