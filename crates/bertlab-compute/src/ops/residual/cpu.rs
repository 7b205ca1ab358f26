//! In chunks, on all threads.

use crate::threads::parallel_chunks;

/// Numbers in one task.
const CHUNK: usize = 16 * 1024;

pub(super) fn add(x: &mut [f32], residual: &[f32]) {
    parallel_chunks(x, CHUNK, |chunk, x| {
        let residual = &residual[chunk * CHUNK..][..x.len()];
        x.iter_mut().zip(residual).for_each(|(x, r)| *x += r);
    });
}
