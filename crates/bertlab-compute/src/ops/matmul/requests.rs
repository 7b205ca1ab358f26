//! What a tile asks for while it works: its share of the panel after the one that it reads.

use crate::simd::{LANES, Simd};

/// Units of k between two times of asking.
const EVERY: usize = 4;

/// Cache lines to ask for, a few at a time.
#[derive(Clone, Copy)]
pub(crate) struct Requests {
    first: *const f32,
    /// Lines each time: with few tiles every one has a large share.
    n_at_once: usize,
}

impl Requests {
    /// Of tile `tile` of `n_tiles` over the same panel, which has `depth` units of `n_vectors` lines; `next`: the panel
    /// after it.
    #[inline(always)]
    pub(crate) fn new(next: *const f32, depth: usize, n_vectors: usize, tile: usize, n_tiles: usize) -> Self {
        let n_at_once = (EVERY * n_vectors).div_ceil(n_tiles);
        let share = n_at_once * depth.div_ceil(EVERY);
        Self { first: next.wrapping_add(tile * share * LANES), n_at_once }
    }

    /// Asks for what is due at this unit of k.
    ///
    /// # Safety
    /// The contract of [`Simd`].
    #[inline(always)]
    pub(crate) unsafe fn ask<S: Simd>(self, k: usize) {
        if k.is_multiple_of(EVERY) {
            for i in 0..self.n_at_once {
                let line = k / EVERY * self.n_at_once + i;
                // SAFETY: the caller's contract; any address may be asked for.
                unsafe { S::prefetch_far(self.first.wrapping_add(line * LANES)) };
            }
        }
    }
}
