//! `Buffer`: numbers in memory that is used again and again.
//!
//! Every pass of an encoder makes and drops the same large buffers. Given back to the system each time, their
//! pages would be mapped, zeroed and unmapped anew, with both cores interrupted: a tenth of a training step. A
//! buffer that is dropped is kept for the next one instead. All of them together never hold more than those in use
//! at one time once did. What is too much goes back to the system at once: large buffers are mappings of their own,
//! as an allocator's heap of them would be full of holes.

use memmap2::MmapMut;
use std::ops::{Deref, DerefMut};
use std::sync::Mutex;

use crate::simd::LANES;

/// One cache line of numbers; a vector of them is aligned for every instruction set.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
pub(crate) struct Line(pub(crate) [f32; LANES]);

/// Smaller buffers than this many lines (64 KiB) are left to the allocator, which is good at them.
const LINES_MIN: usize = 1024;
/// A buffer serves a request if it is at most so many times as large: passes over more and over fewer tokens take turns, and
/// what is left over is mapped already.
const TIMES_MAX: usize = 4;

/// `len` numbers, 64-byte aligned.
// Invariant: `lines` holds at least `len` numbers.
#[derive(Default)]
pub struct Buffer {
    lines: Lines,
    len: usize,
}

/// Memory of lines.
enum Lines {
    Allocated(Vec<Line>),
    /// From the system; its pages are there when they are first written to.
    Mapped(MmapMut),
}

impl Default for Lines {
    fn default() -> Self {
        Self::Allocated(Vec::new())
    }
}

impl Lines {
    /// `n` lines of zeros.
    fn zeros(n: usize) -> Self {
        if n < LINES_MIN {
            return Self::Allocated(vec![Line([0.0; LANES]); n]);
        }
        let n_bytes = n * size_of::<Line>();
        let map = MmapMut::map_anon(n_bytes);
        Self::Mapped(map.unwrap_or_else(|error| panic!("{n_bytes} bytes of memory: {error}")))
    }

    /// As [`Self::zeros`], all to be written to soon: large pages are less work for the system and the processor (a
    /// training step takes 2 % less time).
    fn to_be_filled(n: usize) -> Self {
        let lines = Self::zeros(n);
        #[cfg(target_os = "linux")]
        if let Self::Mapped(map) = &lines {
            // A system without them has refused nothing that matters.
            let _ = map.advise(memmap2::Advice::HugePage);
        }
        lines
    }

    fn len(&self) -> usize {
        match self {
            Self::Allocated(lines) => lines.len(),
            Self::Mapped(map) => map.len() / size_of::<Line>(),
        }
    }

    fn as_ptr(&self) -> *const Line {
        match self {
            Self::Allocated(lines) => lines.as_ptr(),
            Self::Mapped(map) => map.as_ptr().cast(), // A page is aligned for a line.
        }
    }

    fn as_mut_ptr(&mut self) -> *mut Line {
        match self {
            Self::Allocated(lines) => lines.as_mut_ptr(),
            Self::Mapped(map) => map.as_mut_ptr().cast(),
        }
    }
}

/// Buffers that nobody uses.
struct Idle {
    buffers: Vec<Lines>,
    /// Lines in `buffers`, lines in use, and the most that ever were in use.
    n_idle: usize,
    n_used: usize,
    n_used_max: usize,
}

static IDLE: Mutex<Idle> = Mutex::new(Idle { buffers: Vec::new(), n_idle: 0, n_used: 0, n_used_max: 0 });

impl Idle {
    /// The smallest buffer that holds `n` lines without much waste.
    fn take(&mut self, n: usize) -> Option<Lines> {
        let fits = |lines: &Lines| (n..=TIMES_MAX * n).contains(&lines.len());
        let candidates = self.buffers.iter().enumerate().filter(|(_, lines)| fits(lines));
        let (index, _) = candidates.min_by_key(|(_, lines)| lines.len())?;
        let lines = self.buffers.swap_remove(index);
        self.n_idle -= lines.len();
        self.use_more(lines.len());
        Some(lines)
    }

    fn use_more(&mut self, n: usize) {
        self.n_used += n;
        self.n_used_max = self.n_used_max.max(self.n_used);
    }

    /// Takes idle buffers out, the largest first, until all together are no more than were ever in use.
    fn excess(&mut self) -> Vec<Lines> {
        let mut excess = Vec::new();
        while self.n_used + self.n_idle > self.n_used_max {
            let sizes = self.buffers.iter().map(Lines::len).enumerate();
            let Some((largest, _)) = sizes.max_by_key(|&(_, size)| size) else { break };
            let lines = self.buffers.swap_remove(largest);
            self.n_idle -= lines.len();
            excess.push(lines);
        }
        excess
    }
}

fn idle() -> std::sync::MutexGuard<'static, Idle> {
    // Whoever panicked while holding it left whole numbers behind: every change is a single step.
    IDLE.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// `n` lines of an earlier buffer, if one fits; else there is room for new ones now.
fn idle_lines(n: usize) -> Option<Lines> {
    if n < LINES_MIN {
        return None;
    }
    let mut idle = idle();
    if let Some(lines) = idle.take(n) {
        return Some(lines);
    }
    idle.use_more(n);
    let excess = idle.excess();
    // Given back before more is asked for, and not while others wait.
    drop(idle);
    drop(excess);
    None
}

impl Buffer {
    /// `len` numbers of no meaning, all to be overwritten. In debug builds they are NaN, so that one which is not shows.
    pub fn stale(len: usize) -> Self {
        let n = len.div_ceil(LANES);
        let mut buffer = Self { lines: idle_lines(n).unwrap_or_else(|| Lines::to_be_filled(n)), len };
        if cfg!(debug_assertions) {
            buffer.fill(f32::NAN);
        }
        buffer
    }

    /// `len` zeros.
    pub fn zeros(len: usize) -> Self {
        Self::zeros_of(len, Lines::zeros)
    }

    /// `len` zeros, all to be written to soon.
    pub fn zeros_to_be_filled(len: usize) -> Self {
        Self::zeros_of(len, Lines::to_be_filled)
    }

    fn zeros_of(len: usize, new: impl FnOnce(usize) -> Lines) -> Self {
        let n = len.div_ceil(LANES);
        let Some(lines) = idle_lines(n) else { return Self { lines: new(n), len } };
        let mut buffer = Self { lines, len };
        buffer.fill(0.0);
        buffer
    }

    /// Becomes `len` zeros, in the same memory where that is enough.
    pub(crate) fn reset(&mut self, len: usize) {
        if len.div_ceil(LANES) > self.lines.len() {
            *self = Self::zeros(len);
        } else {
            self.len = len;
            self.fill(0.0);
        }
    }

    /// The same numbers.
    pub fn copy_of(numbers: &[f32]) -> Self {
        let mut buffer = Self::stale(numbers.len());
        buffer.copy_from_slice(numbers);
        buffer
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let lines = std::mem::take(&mut self.lines);
        if lines.len() < LINES_MIN {
            return;
        }
        let mut idle = idle();
        idle.n_used -= lines.len();
        idle.n_idle += lines.len();
        idle.buffers.push(lines);
    }
}

impl Clone for Buffer {
    fn clone(&self) -> Self {
        Self::copy_of(self)
    }
}

impl Deref for Buffer {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        // SAFETY: `Line` is sixteen f32 without padding, and `lines` holds at least `len` of them.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        // SAFETY: as in `deref`.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.len) }
    }
}

impl std::fmt::Debug for Buffer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Buffer[{}]", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bookkeeper of its own: the global one serves other tests at the same time.
    fn idle_of(sizes: &[usize], n_used_max: usize) -> Idle {
        let buffers: Vec<Lines> = sizes.iter().map(|&n| Lines::zeros(n)).collect();
        Idle { buffers, n_idle: sizes.iter().sum(), n_used: 0, n_used_max }
    }

    #[test]
    fn the_smallest_that_fits_is_taken_and_none_that_wastes_much() {
        let mut idle = idle_of(&[8000, 2000, 6000], 16_000);
        assert_eq!(idle.take(1900).map(|lines| lines.len()), Some(2000));
        assert_eq!((idle.n_idle, idle.n_used), (14_000, 2000));
        assert!(idle.take(1499).is_none(), "6000 lines are more than four times as many");
        assert!(idle.take(8001).is_none());
    }

    #[test]
    fn idle_buffers_make_room_for_new_ones() {
        let mut idle = idle_of(&[4000, 2000], 6000);
        idle.use_more(1500);
        assert_eq!(idle.excess().iter().map(Lines::len).collect::<Vec<_>>(), [4000]);
        assert_eq!((idle.n_idle, idle.n_used, idle.n_used_max), (2000, 1500, 6000));
    }

    #[test]
    fn numbers_are_as_long_as_asked_for_and_aligned() {
        for len in [0, 1, 17, LINES_MIN * LANES + 3] {
            let zeros = Buffer::zeros(len);
            assert_eq!((zeros.len(), zeros.iter().filter(|&&x| x == 0.0).count()), (len, len));
            assert!(zeros.as_ptr().cast::<Line>().is_aligned());
        }
        let numbers: Vec<f32> = (0..40_000).map(|i| i as f32).collect();
        let copy = Buffer::copy_of(&numbers);
        assert_eq!(&copy.clone()[..], &numbers[..]);
    }
}
