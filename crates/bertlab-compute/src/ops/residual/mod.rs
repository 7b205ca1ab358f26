//! A residual sum without a norm: `z = dropout(x) + residual`.
//!
//! Axes: T tokens, D width.

mod cpu;
#[cfg(test)]
mod tests;

use super::dropout::{self, Dropout};
use crate::device::Device;
use crate::view::{View, ViewMut};

/// `x = dropout(x) + residual` in place. Both `[T, D]`; panics when they differ in length.
pub fn add<'a, 'b>(
    x: impl Into<ViewMut<'a>>,
    residual: impl Into<View<'b>>,
    dropout: Option<Dropout>,
    width: usize,
) {
    let (mut x, residual) = (x.into(), residual.into());
    assert_eq!(x.len(), residual.len());
    if let Some(dropout) = dropout {
        dropout::apply(dropout, x.reborrow(), width);
    }
    match Device::common([x.device(), residual.device()]) {
        Device::Cpu => cpu::add(x.cpu(), residual.cpu()),
    }
}
