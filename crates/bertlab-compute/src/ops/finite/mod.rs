//! A search for NaN and infinities.

mod cpu;
#[cfg(test)]
mod tests;

use crate::device::Device;
use crate::simd::Level;
use crate::view::View;

/// The place of the first number that is NaN or infinite.
pub fn first_non_finite<'a>(x: impl Into<View<'a>>) -> Option<usize> {
    let x = x.into();
    match x.device() {
        Device::Cpu => cpu::first_non_finite(Level::current(), x.cpu()),
    }
}
