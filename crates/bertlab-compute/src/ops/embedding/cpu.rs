//! Rows of tokens forward, blocks of columns backward.

use super::Lookup;
use crate::buffer::Buffer;
use crate::device::Device;
use crate::threads::{SharedPointer, parallel_chunks, parallel_for};

/// Rows in one task.
const ROWS: usize = 64;
/// Columns in one task of the backward pass.
const COLUMNS: usize = 128;

pub(super) fn forward(lookups: &[Lookup<'_>], n_tokens: usize, width: usize) -> Buffer {
    let mut out = Buffer::zeros(Device::Cpu, n_tokens * width);
    parallel_chunks(out.cpu_mut(), ROWS * width, |chunk, out| {
        for (i, row) in out.chunks_exact_mut(width).enumerate() {
            for lookup in lookups {
                let entry = lookup.indices[chunk * ROWS + i] as usize;
                let entry = &lookup.table.cpu()[entry * width..(entry + 1) * width];
                row.iter_mut().zip(entry).for_each(|(sum, x)| *sum += x);
            }
        }
    });
    out
}

pub(super) fn backward(d: &[f32], indices: &[u32], skip: Option<u32>, d_table: &mut [f32], width: usize) {
    let target = SharedPointer::new(d_table);
    parallel_for(width.div_ceil(COLUMNS), |task| {
        let first = task * COLUMNS;
        let n = COLUMNS.min(width - first);
        for (token, &index) in indices.iter().enumerate().filter(|&(_, &index)| Some(index) != skip) {
            // SAFETY: index < V by the check in `backward`; the tasks' columns are disjoint.
            let row = unsafe {
                std::slice::from_raw_parts_mut(target.get().add(index as usize * width + first), n)
            };
            row.iter_mut().zip(&d[token * width + first..][..n]).for_each(|(sum, d)| *sum += d);
        }
    });
}
