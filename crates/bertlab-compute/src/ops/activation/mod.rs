//! Activations, elementwise: `y = f(x)` and `d_x = d_y · f'(x)`.
//!
//! gelu: `x · Φ(x)`, exact (Hendrycks and Gimpel 2016); gelu_new: `x/2 · (1 + tanh(√(2/π)(x + 0.044715
//! x³)))`, the approximation that GPT-2 made common; relu; tanh. Each is within 1e-6 of the exact value.

mod cpu;
#[cfg(test)]
pub(crate) mod reference;
#[cfg(test)]
mod tests;

use crate::device::Device;
use crate::simd::Level;
use crate::view::ViewMut;

/// A function applied to every number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// `x · Φ(x)`
    Gelu,
    /// The tanh approximation of gelu.
    GeluNew,
    /// `max(x, 0)`
    Relu,
    /// The hyperbolic tangent.
    Tanh,
}

/// `d = d · f'(x)` in place, where `x` is what the activation was applied to; and `x = f(x)` in place, which
/// costs little beside the slope. Panics when they are not equally long.
pub fn backward<'a, 'b>(activation: Activation, x: impl Into<ViewMut<'a>>, d: impl Into<ViewMut<'b>>) {
    let (x, d) = (x.into(), d.into());
    assert_eq!(x.len(), d.len());
    match Device::common([x.device(), d.device()]) {
        Device::Cpu => cpu::backward(Level::current(), activation, x.cpu(), d.cpu()),
    }
}
