//! At the speed of memory: 0 times a number is 0, times NaN or an infinity NaN.

use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::parallel_for;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Numbers in one task.
pub(super) const CHUNK: usize = 64 * 1024;
/// Vectors that are read together, so that one sum does not wait for the other.
const SUMS: usize = 4;

pub(super) fn first_non_finite(level: Level, x: &[f32]) -> Option<usize> {
    let first = AtomicUsize::new(usize::MAX);
    parallel_for(x.len().div_ceil(CHUNK), |chunk| {
        let start = chunk * CHUNK;
        let part = &x[start..x.len().min(start + CHUNK)];
        if !run(level, IsFinite { x: part }) {
            let place = part.iter().position(|x| !x.is_finite()).expect("the kernel found one");
            first.fetch_min(start + place, Ordering::Relaxed);
        }
    });
    Some(first.into_inner()).filter(|&place| place != usize::MAX)
}

struct IsFinite<'a> {
    x: &'a [f32],
}

impl Kernel for IsFinite<'_> {
    type Output = bool;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> bool {
        let whole = self.x.len() / (SUMS * LANES) * (SUMS * LANES);
        // SAFETY: SUMS * LANES numbers from i < whole, and n from i >= whole, lie inside x.
        unsafe {
            let (zero, mut sums) = (S::splat(0.0), [S::splat(0.0); SUMS]);
            let x = self.x.as_ptr();
            for i in (0..whole).step_by(SUMS * LANES) {
                for (v, sum) in sums.iter_mut().enumerate() {
                    *sum = S::fma(S::load(x.add(i + v * LANES)), zero, *sum);
                }
            }
            for i in (whole..self.x.len()).step_by(LANES) {
                let n = (self.x.len() - i).min(LANES);
                sums[0] = S::fma(S::load_part(x.add(i), n), zero, sums[0]);
            }
            S::sum(S::add(S::add(sums[0], sums[1]), S::add(sums[2], sums[3]))) == 0.0
        }
    }
}
