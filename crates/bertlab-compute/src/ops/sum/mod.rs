//! Sums over many numbers, in an order that depends on the sizes alone.

mod cpu;
#[cfg(test)]
mod tests;

use crate::device::Device;
use crate::ops::matmul::MatrixView;
use crate::simd::Level;
use crate::view::{View, ViewMut};

/// Adds the sum of every column of `x` to `out`: the gradient of a bias. `x [T, N]`, `out [N]`. Panics when
/// shapes do not fit, or when the numbers of a row do not lie side by side.
pub fn add_column_sums<'a>(x: MatrixView<'_>, out: impl Into<ViewMut<'a>>) {
    let out = out.into();
    assert_eq!(x.n_columns(), out.len());
    assert!(x.has_contiguous_rows());
    if x.n_rows() == 0 {
        return;
    }
    match Device::common([x.device(), out.device()]) {
        Device::Cpu => cpu::add_column_sums(Level::current(), x, out.cpu()),
    }
}

/// The sum of squares, in f64.
pub fn sum_of_squares<'a>(x: impl Into<View<'a>>) -> f64 {
    let x = x.into();
    match x.device() {
        Device::Cpu => cpu::sum_of_squares(Level::current(), x.cpu()),
    }
}
