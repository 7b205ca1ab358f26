//! What a tile brings into the caches while it works: its share of the panel after the one that it reads.

use crate::simd::{LANES, Simd};

/// Units of k between two prefetches.
const EVERY: usize = 4;

/// Cache lines to prefetch, a few at a time.
#[derive(Clone, Copy)]
pub(crate) struct Prefetch {
    first: *const f32,
    /// Lines each time: where tiles are few, every one has a large share.
    n_at_once: usize,
}

impl Prefetch {
    /// For tile `tile` of `n_tiles` over the same panel, which has `depth` units of `n_vectors` lines;
    /// `next`: the panel after it.
    #[inline(always)]
    pub(crate) fn new(next: *const f32, depth: usize, n_vectors: usize, tile: usize, n_tiles: usize) -> Self {
        let n_at_once = (EVERY * n_vectors).div_ceil(n_tiles);
        let share = n_at_once * depth.div_ceil(EVERY);
        Self { first: next.wrapping_add(tile * share * LANES), n_at_once }
    }

    /// Prefetches what is due at this unit of k.
    ///
    /// # Safety
    /// The contract of [`Simd`].
    #[inline(always)]
    pub(crate) unsafe fn next<S: Simd>(self, unit: usize) {
        if unit.is_multiple_of(EVERY) {
            for i in 0..self.n_at_once {
                let line = unit / EVERY * self.n_at_once + i;
                // SAFETY: the caller's contract; any address may be prefetched.
                unsafe { S::prefetch_far(self.first.wrapping_add(line * LANES)) };
            }
        }
    }
}
