//! Embedding: rows of tables, looked up and added.
//!
//! Axes: T tokens, V entries of a table, D width.

mod cpu;
#[cfg(test)]
mod tests;

use crate::buffer::Buffer;
use crate::device::Device;
use crate::view::{View, ViewMut};

/// A table and which of its rows each token takes.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// `[V, D]`
    pub table: View<'a>,
    /// `[T]`
    pub indices: &'a [u32],
}

/// The sum of the looked-up rows, in the order of `lookups`: `[T, D]`. Panics when an index lies outside its
/// table.
pub fn forward(lookups: &[Lookup<'_>], width: usize) -> Buffer {
    let n_tokens = lookups.first().map_or(0, |lookup| lookup.indices.len());
    assert!(lookups.iter().all(|lookup| lookup.indices.len() == n_tokens));
    match Device::common(lookups.iter().map(|lookup| lookup.table.device())) {
        Device::Cpu => cpu::forward(lookups, n_tokens, width),
    }
}

/// Adds every token's gradient to its row of the table's. `d [T, D]`, `d_table [V, D]`. Tokens whose index is
/// `skip` are left out, as PyTorch does for a padding index. Panics when shapes do not fit or an index lies
/// outside the table.
pub fn backward<'a, 'b>(
    d: impl Into<View<'a>>,
    indices: &[u32],
    skip: Option<u32>,
    d_table: impl Into<ViewMut<'b>>,
    width: usize,
) {
    let (d, d_table) = (d.into(), d_table.into());
    assert_eq!(d.len(), indices.len() * width);
    let n_entries = d_table.len() / width;
    assert!(indices.iter().all(|&index| (index as usize) < n_entries));
    match Device::common([d.device(), d_table.device()]) {
        Device::Cpu => cpu::backward(d.cpu(), indices, skip, d_table.cpu(), width),
    }
}
