//! Softmax of every row: `p_j = e^(x_j - max) / Σ e^(x_i - max)`, and the logarithm of the sum.

mod cpu;
#[cfg(test)]
mod tests;

pub(crate) use cpu::softmax_row;

use crate::device::Device;
use crate::simd::Level;
use crate::view::ViewMut;

/// The softmax of one row in host memory.
pub fn softmax(row: &[f32]) -> Vec<f32> {
    let mut probabilities = row.to_vec();
    softmax_rows(&mut probabilities, row.len());
    probabilities
}

/// Replaces every row of `width` numbers by its softmax; gives `ln Σ e^x` of every row.
pub fn softmax_rows<'a>(x: impl Into<ViewMut<'a>>, width: usize) -> Vec<f32> {
    let x = x.into();
    match x.device() {
        Device::Cpu => cpu::softmax_rows(Level::current(), x.cpu(), width),
    }
}
