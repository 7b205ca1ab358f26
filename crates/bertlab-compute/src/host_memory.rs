//! `HostMemory`: cache lines of the processor's memory, used again and again.
//!
//! Every pass of an encoder makes and drops the same large buffers. Given back to the system each time, their
//! pages would be mapped, zeroed and unmapped anew, with both cores interrupted: a tenth of a training step.
//! Memory that is dropped is kept for the next buffer instead. All of it together never exceeds what was in
//! use at one time before. What is too much goes back to the system at once: large pieces are mappings of
//! their own, as an allocator's heap of them would be full of holes.

use crate::simd::LANES;
use memmap2::MmapMut;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One cache line of numbers; a vector of them is aligned for every instruction set.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([f32; LANES]);

/// Less than this many lines (64 KiB) are left to the allocator, which is good at them.
const LINES_MIN: usize = 1024;
/// Memory serves a request if it is at most so many times as large: passes over more and over fewer tokens
/// take turns, and what is left over is mapped already.
const TIMES_MAX: usize = 4;

/// Cache lines.
pub(crate) struct HostMemory(Lines);

enum Lines {
    Allocated(Vec<Line>),
    /// From the system; its pages are there when they are first written to.
    Mapped(MmapMut),
}

impl Default for HostMemory {
    fn default() -> Self {
        Self(Lines::Allocated(Vec::new()))
    }
}

/// How new memory is used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Perhaps little of it is written to.
    Sparse,
    /// All is written to soon: large pages are less work for the system and the processor (a training step
    /// takes 2 % less time).
    Dense,
}

impl Lines {
    /// `n` lines of zeros.
    fn zeros(n: usize, use_: Use) -> Self {
        if n < LINES_MIN {
            return Self::Allocated(vec![Line([0.0; LANES]); n]);
        }
        let n_bytes = n * size_of::<Line>();
        let map = MmapMut::map_anon(n_bytes);
        let map = map.unwrap_or_else(|error| panic!("{n_bytes} bytes of memory: {error}"));
        #[cfg(target_os = "linux")]
        if use_ == Use::Dense {
            // A system without large pages has refused nothing that matters.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        Self::Mapped(map)
    }

    fn len(&self) -> usize {
        match self {
            Self::Allocated(lines) => lines.len(),
            Self::Mapped(map) => map.len() / size_of::<Line>(),
        }
    }
}

impl HostMemory {
    /// Room for `n` words of four bytes, of no meaning.
    pub(crate) fn uninitialised(n: usize) -> Self {
        let n = n.div_ceil(LANES);
        pooled_lines(n).unwrap_or_else(|| Self(Lines::zeros(n, Use::Dense)))
    }

    /// `n` words of zeros.
    pub(crate) fn zeros(n: usize, use_: Use) -> Self {
        let n_lines = n.div_ceil(LANES);
        let Some(mut memory) = pooled_lines(n_lines) else { return Self(Lines::zeros(n_lines, use_)) };
        memory.words_mut(n).fill(0.0);
        memory
    }

    /// Words that it has room for.
    pub(crate) fn capacity(&self) -> usize {
        self.0.len() * LANES
    }

    /// The first `n` words. Panics when there are fewer.
    #[inline(always)]
    pub(crate) fn words(&self, n: usize) -> &[f32] {
        assert!(n <= self.capacity());
        let first = match &self.0 {
            Lines::Allocated(lines) => lines.as_ptr(),
            Lines::Mapped(map) => map.as_ptr().cast(), // A page is aligned for a line.
        };
        // SAFETY: `Line` is sixteen f32 without padding, and there are enough of them by the assertion.
        unsafe { std::slice::from_raw_parts(first.cast(), n) }
    }

    /// As [`Self::words`], to be changed.
    #[inline(always)]
    pub(crate) fn words_mut(&mut self, n: usize) -> &mut [f32] {
        assert!(n <= self.capacity());
        let first = match &mut self.0 {
            Lines::Allocated(lines) => lines.as_mut_ptr(),
            Lines::Mapped(map) => map.as_mut_ptr().cast(),
        };
        // SAFETY: as in `words`.
        unsafe { std::slice::from_raw_parts_mut(first.cast(), n) }
    }
}

impl Drop for HostMemory {
    fn drop(&mut self) {
        if self.0.len() < LINES_MIN {
            return;
        }
        let lines = std::mem::replace(&mut self.0, Lines::Allocated(Vec::new()));
        let mut pool = pool();
        pool.n_used -= lines.len();
        pool.n_idle += lines.len();
        pool.idle.push(lines);
    }
}

/// Memory that nobody uses.
struct Pool {
    idle: Vec<Lines>,
    /// Lines in `idle`, lines in use, and the most that ever were in use.
    n_idle: usize,
    n_used: usize,
    n_used_max: usize,
}

static POOL: Mutex<Pool> = Mutex::new(Pool { idle: Vec::new(), n_idle: 0, n_used: 0, n_used_max: 0 });

fn pool() -> MutexGuard<'static, Pool> {
    // Whoever panicked while holding it left integers behind: every change is a single step.
    POOL.lock().unwrap_or_else(PoisonError::into_inner)
}

/// `n` lines of an earlier buffer, if one fits; else there is room for new ones now.
fn pooled_lines(n: usize) -> Option<HostMemory> {
    if n < LINES_MIN {
        return None;
    }
    let mut pool = pool();
    if let Some(lines) = pool.take(n) {
        return Some(HostMemory(lines));
    }
    pool.count_used(n);
    let excess = pool.excess();
    // Given back before more is requested, and not while others wait.
    drop(pool);
    drop(excess);
    None
}

impl Pool {
    /// The smallest piece that holds `n` lines without much waste.
    fn take(&mut self, n: usize) -> Option<Lines> {
        let fits = |lines: &Lines| (n..=TIMES_MAX * n).contains(&lines.len());
        let candidates = self.idle.iter().enumerate().filter(|(_, lines)| fits(lines));
        let (index, _) = candidates.min_by_key(|(_, lines)| lines.len())?;
        let lines = self.idle.swap_remove(index);
        self.n_idle -= lines.len();
        self.count_used(lines.len());
        Some(lines)
    }

    fn count_used(&mut self, n: usize) {
        self.n_used += n;
        self.n_used_max = self.n_used_max.max(self.n_used);
    }

    /// Takes idle pieces out, the largest first, until all together are no more than were ever in use.
    fn excess(&mut self) -> Vec<Lines> {
        let mut excess = Vec::new();
        while self.n_used + self.n_idle > self.n_used_max {
            let sizes = self.idle.iter().map(Lines::len).enumerate();
            let Some((largest, _)) = sizes.max_by_key(|&(_, size)| size) else { break };
            let lines = self.idle.swap_remove(largest);
            self.n_idle -= lines.len();
            excess.push(lines);
        }
        excess
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A pool of its own: the global one serves other tests at the same time.
    fn pool_of(sizes: &[usize], n_used_max: usize) -> Pool {
        let idle: Vec<Lines> = sizes.iter().map(|&n| Lines::zeros(n, Use::Sparse)).collect();
        Pool { idle, n_idle: sizes.iter().sum(), n_used: 0, n_used_max }
    }

    #[test]
    fn the_smallest_that_fits_is_taken_and_none_that_wastes_much() {
        let mut pool = pool_of(&[8000, 2000, 6000], 16_000);
        assert_eq!(pool.take(1900).map(|lines| lines.len()), Some(2000));
        assert_eq!((pool.n_idle, pool.n_used), (14_000, 2000));
        assert!(pool.take(1499).is_none(), "6000 lines are more than four times as many");
        assert!(pool.take(8001).is_none());
    }

    #[test]
    fn idle_memory_makes_room_for_new() {
        let mut pool = pool_of(&[4000, 2000], 6000);
        pool.count_used(1500);
        assert_eq!(pool.excess().iter().map(Lines::len).collect::<Vec<_>>(), [4000]);
        assert_eq!((pool.n_idle, pool.n_used, pool.n_used_max), (2000, 1500, 6000));
    }

    #[test]
    fn words_are_as_many_as_asked_for_and_aligned() {
        for n in [0, 1, 17, LINES_MIN * LANES + 3] {
            let memory = HostMemory::zeros(n, Use::Dense);
            let words = memory.words(n);
            assert_eq!((words.len(), words.iter().filter(|&&x| x == 0.0).count()), (n, n));
            assert!(words.as_ptr().cast::<Line>().is_aligned());
        }
    }
}
