//! Work spread over the machine's cores.
//!
//! Every operation cuts its work into pieces by the problem's size alone and gives each piece to one
//! thread, so results do not depend on how many threads there are.

use rayon::prelude::*;

/// How many threads work at once.
pub fn n_threads() -> usize {
    rayon::current_num_threads()
}

/// Uses `n` threads from now on. Only the first call has an effect; returns whether it had one.
pub fn set_n_threads(n: usize) -> bool {
    rayon::ThreadPoolBuilder::new().num_threads(n).build_global().is_ok()
}

/// Runs `work` on one of these threads. Whatever it spreads over all of them begins there; from outside each
/// part would be handed over and waited for, and a pass has hundreds.
pub fn inside<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

/// Runs `task(0)`, `task(1)`, … `task(n - 1)`, in any order, on all threads.
pub fn parallel_for(n: usize, task: impl Fn(usize) + Sync + Send) {
    if n == 1 {
        return task(0);
    }
    (0..n).into_par_iter().with_max_len(1).for_each(task);
}

/// Runs `task(i, chunk)` for every chunk of `size` numbers of `data` (the last may be shorter).
pub fn parallel_chunks(data: &mut [f32], size: usize, task: impl Fn(usize, &mut [f32]) + Sync + Send) {
    if data.len() <= size {
        return if data.is_empty() {
        } else {
            task(0, data)
        };
    }
    data.par_chunks_mut(size).enumerate().with_max_len(1).for_each(|(i, chunk)| task(i, chunk));
}

/// A pointer that may cross threads: for pieces of one buffer that are disjoint but not contiguous.
/// Whoever writes through it proves that no two tasks touch the same number.
#[derive(Clone, Copy)]
pub(crate) struct SharedPointer(*mut f32);

// SAFETY: a pointer is only an address; the tasks that dereference it argue their disjointness there.
unsafe impl Send for SharedPointer {}
// SAFETY: as above.
unsafe impl Sync for SharedPointer {}

impl SharedPointer {
    pub(crate) fn new(data: &mut [f32]) -> Self {
        Self(data.as_mut_ptr())
    }

    pub(crate) fn get(self) -> *mut f32 {
        self.0
    }
}
