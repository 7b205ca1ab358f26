//! Dropout: each number is zero with probability p, else divided by 1 - p (Srivastava et al. 2014).
//!
//! The mask is a function of (key, row, column), so the backward pass computes it again instead of
//! storing it, and it does not depend on how the work was spread.

pub(crate) mod cpu;
#[cfg(test)]
mod tests;

use crate::device::Device;
use crate::simd::Level;
use crate::view::ViewMut;

/// One place where numbers are dropped, in one step.
// Invariant: 0 < probability < 1.
#[derive(Clone, Copy, Debug)]
pub struct Dropout {
    probability: f32,
    key: u64,
}

impl Dropout {
    /// None where nothing is dropped. Panics when `probability` is not in [0, 1).
    pub fn new(probability: f32, key: u64) -> Option<Self> {
        assert!((0.0..1.0).contains(&probability), "dropout probability {probability}");
        (probability > 0.0).then_some(Self { probability, key })
    }
}

/// Multiplies `x` by the mask: forward and backward are the same. `[rows, width]`
pub fn apply<'a>(dropout: Dropout, x: impl Into<ViewMut<'a>>, width: usize) {
    let x = x.into();
    match x.device() {
        Device::Cpu => cpu::apply(Level::current(), dropout, x.cpu(), width),
    }
}
