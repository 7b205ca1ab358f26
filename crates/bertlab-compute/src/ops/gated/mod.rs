//! A gated activation (Shazeer 2020): `y = f(a) · b`, where a and b are the two halves of a row.
//!
//! Axes: T tokens, F inner width; a row holds 2 F numbers.

mod cpu;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use crate::buffer::Buffer;
use crate::ops::activation::Activation;
use crate::simd::Level;

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
pub fn forward(gate: Gate, x: &[f32], inner_width: usize) -> Buffer {
    assert!(x.len().is_multiple_of(2 * inner_width));
    cpu::forward(Level::current(), gate, x, inner_width)
}

/// `d_y [T, F]` to `d_x [T, 2 F]`, and y, the same bits as [`forward`] gives, in place of `d_y`. Panics when shapes do not
/// fit.
pub fn backward(gate: Gate, x: &[f32], d: &mut [f32], inner_width: usize) -> Buffer {
    assert!(x.len() == 2 * d.len() && d.len().is_multiple_of(inner_width));
    cpu::backward(Level::current(), gate, x, d, inner_width)
}
