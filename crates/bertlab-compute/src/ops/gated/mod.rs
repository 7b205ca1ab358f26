//! A gated activation (Shazeer 2020): `y = f(a) · b`, where a and b are the two halves of a row.
//!
//! Axes: T tokens, F inner width; a row holds 2 F numbers.

mod cpu;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use crate::buffer::Buffer;
use crate::device::Device;
use crate::ops::activation::Activation;
use crate::simd::Level;
use crate::view::{View, ViewMut};

/// Which half of a row goes through the activation; the other one is its factor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activated {
    /// Numbers 0 to F.
    FirstHalf,
    /// Numbers F to 2 F.
    SecondHalf,
}

/// One gate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gate {
    /// f
    pub activation: Activation,
    /// Where f applies.
    pub activated: Activated,
}

/// `[T, 2 F]` to `[T, F]`. Panics when `inner_width` does not fit.
pub fn forward<'a>(gate: Gate, x: impl Into<View<'a>>, inner_width: usize) -> Buffer {
    let x = x.into();
    assert!(x.len().is_multiple_of(2 * inner_width));
    match x.device() {
        Device::Cpu => cpu::forward(Level::current(), gate, x.cpu(), inner_width),
    }
}

/// `d_y [T, F]` to `d_x [T, 2 F]`, and y, the same bits as [`forward`] gives, in place of `d_y`. Panics when
/// shapes do not fit.
pub fn backward<'a, 'b>(
    gate: Gate,
    x: impl Into<View<'a>>,
    d: impl Into<ViewMut<'b>>,
    inner_width: usize,
) -> Buffer {
    let (x, d) = (x.into(), d.into());
    assert!(x.len() == 2 * d.len() && d.len().is_multiple_of(inner_width));
    match Device::common([x.device(), d.device()]) {
        Device::Cpu => cpu::backward(Level::current(), gate, x.cpu(), d.cpu(), inner_width),
    }
}
