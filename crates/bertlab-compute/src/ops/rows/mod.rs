//! Rows of a matrix: gathered, put back, added; means of runs of them.
//!
//! Axes: T rows of the whole, n chosen rows, B runs, D width.

mod cpu;
#[cfg(test)]
mod tests;

use crate::buffer::Buffer;
use crate::device::Device;
use crate::view::{View, ViewMut};

/// The rows `indices` of `x`, in that order: `[T, D]` to `[n, D]`. Panics when one lies outside.
pub fn gather<'a>(x: impl Into<View<'a>>, width: usize, indices: &[usize]) -> Buffer {
    let x = x.into();
    match x.device() {
        Device::Cpu => cpu::gather(x.cpu(), width, indices),
    }
}

/// Row `i` of `rows` in row `indices[i]` of `n_rows`, zeros elsewhere: `[n, D]` to `[T, D]`. Panics when
/// shapes do not fit or an index lies outside.
pub fn scatter<'a>(rows: impl Into<View<'a>>, width: usize, indices: &[usize], n_rows: usize) -> Buffer {
    let rows = rows.into();
    assert_eq!(rows.len(), indices.len() * width);
    match rows.device() {
        Device::Cpu => cpu::scatter(rows.cpu(), width, indices, n_rows),
    }
}

/// Adds row `i` of `rows` to row `indices[i]` of `sum`, in order. `rows [n, D]`, `sum [T, D]`. Panics when
/// shapes do not fit or an index lies outside.
pub fn scatter_add<'a, 'b>(
    rows: impl Into<View<'a>>,
    width: usize,
    indices: &[usize],
    sum: impl Into<ViewMut<'b>>,
) {
    let (rows, sum) = (rows.into(), sum.into());
    assert_eq!(rows.len(), indices.len() * width);
    match Device::common([rows.device(), sum.device()]) {
        Device::Cpu => cpu::scatter_add(rows.cpu(), width, indices, sum.cpu()),
    }
}

/// The mean of the rows of every run, which begins at one of `starts` and ends at the next: `[T, D]` to `[B,
/// D]`, with `starts [B + 1]`. Panics when a run lies outside.
pub fn means<'a>(x: impl Into<View<'a>>, width: usize, starts: &[usize]) -> Buffer {
    let x = x.into();
    match x.device() {
        Device::Cpu => cpu::means(x.cpu(), width, starts),
    }
}

/// The backward pass of [`means`]: adds `d / n` to the n rows of every run of `sum`. `d [B, D]`, `sum [T,
/// D]`. Panics when shapes do not fit or a run lies outside.
pub fn means_backward<'a, 'b>(
    d: impl Into<View<'a>>,
    width: usize,
    starts: &[usize],
    sum: impl Into<ViewMut<'b>>,
) {
    let (d, sum) = (d.into(), sum.into());
    assert_eq!(d.len(), (starts.len() - 1) * width);
    match Device::common([d.device(), sum.device()]) {
        Device::Cpu => cpu::means_backward(d.cpu(), width, starts, sum.cpu()),
    }
}
