//! Embedding: rows of tables, looked up and added.
//!
//! Axes: T tokens, V entries of a table, D width.

use crate::buffer::Buffer;
use crate::threads::{SharedPointer, parallel_chunks, parallel_for};

/// Rows in one task.
const ROWS: usize = 64;
/// Columns in one task of the backward pass.
const COLUMNS: usize = 128;

/// A table and which of its rows each token takes.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// `[V, D]`
    pub table: &'a [f32],
    /// `[T]`
    pub indices: &'a [u32],
}

/// The sum of the looked-up rows, in the order of `lookups`: `[T, D]`. Panics when an index lies
/// outside its table.
pub fn forward(lookups: &[Lookup<'_>], width: usize) -> Buffer {
    let n_tokens = lookups.first().map_or(0, |lookup| lookup.indices.len());
    let mut out = Buffer::zeros(n_tokens * width);
    parallel_chunks(&mut out, ROWS * width, |chunk, out| {
        for (i, row) in out.chunks_exact_mut(width).enumerate() {
            for lookup in lookups {
                let entry = lookup.indices[chunk * ROWS + i] as usize;
                let entry = &lookup.table[entry * width..(entry + 1) * width];
                row.iter_mut().zip(entry).for_each(|(sum, x)| *sum += x);
            }
        }
    });
    out
}

/// Adds every token's gradient to its row of the table's. `d [T, D]`, `d_table [V, D]`. Tokens whose
/// index is `skip` are left out, as PyTorch does for a padding index.
pub fn backward(d: &[f32], indices: &[u32], skip: Option<u32>, d_table: &mut [f32], width: usize) {
    assert_eq!(d.len(), indices.len() * width);
    let n_entries = d_table.len() / width;
    assert!(indices.iter().all(|&index| (index as usize) < n_entries));
    let target = SharedPointer::new(d_table);
    parallel_for(width.div_ceil(COLUMNS), |task| {
        let first = task * COLUMNS;
        let n = COLUMNS.min(width - first);
        for (token, &index) in indices.iter().enumerate().filter(|&(_, &index)| Some(index) != skip) {
            // SAFETY: index < V by the assertion; the tasks' columns are disjoint.
            let row = unsafe {
                std::slice::from_raw_parts_mut(target.get().add(index as usize * width + first), n)
            };
            row.iter_mut().zip(&d[token * width + first..][..n]).for_each(|(sum, d)| *sum += d);
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::normals;

    #[test]
    fn rows_are_looked_up_added_and_given_back() {
        let width = 131;
        let (words, positions) = (normals(5 * width, 1), normals(3 * width, 2));
        let ids = [4, 0, 4];
        let lookups =
            [Lookup { table: &words, indices: &ids }, Lookup { table: &positions, indices: &[0, 1, 2] }];
        let out = forward(&lookups, width);
        assert_eq!(out[2 * width + 7], words[4 * width + 7] + positions[2 * width + 7]);
        let mut d_table = vec![0.0; words.len()];
        backward(&out, &ids, Some(0), &mut d_table, width);
        assert_eq!(d_table[4 * width + 130], out[130] + out[2 * width + 130]);
        assert!(d_table[..4 * width].iter().all(|&d| d == 0.0));
    }
}
