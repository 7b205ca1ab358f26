//! Layer normalisation of a residual sum (Ba, Kiros and Hinton 2016).
//!
//! `z = dropout(x) + residual`, `y = (z - mean z) / √(var z + ε) · weight + bias`, over the last axis.
//! Axes: T tokens, D width.

mod cpu;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use super::dropout::Dropout;
use crate::device::Device;
use crate::simd::Level;
use crate::view::{View, ViewMut};

/// What is learned.
#[derive(Clone, Copy)]
pub struct Affine<'a> {
    /// `[D]`
    pub weight: View<'a>,
    /// `[D]`, where there is one.
    pub bias: Option<View<'a>>,
    /// Added to the variance.
    pub epsilon: f32,
}

/// One normalisation.
pub struct AddNorm<'a> {
    /// In: x; out: z, which the backward pass needs. `[T, D]`
    pub x: ViewMut<'a>,
    /// `[T, D]`
    pub residual: Option<View<'a>>,
    /// Applied to x alone.
    pub dropout: Option<Dropout>,
    /// `[T, D]`
    pub out: ViewMut<'a>,
}

/// Normalises. Panics when shapes do not fit.
pub fn forward(affine: Affine<'_>, job: AddNorm<'_>) {
    assert_eq!(job.x.len(), job.out.len());
    assert!(job.residual.is_none_or(|residual| residual.len() == job.x.len()));
    assert!(affine.bias.is_none_or(|bias| bias.len() == affine.weight.len()));
    assert!(job.x.len().is_multiple_of(affine.weight.len()));
    let operands = [affine.weight.device(), job.x.device(), job.out.device()].into_iter();
    match Device::common(operands.chain([affine.bias, job.residual].into_iter().flatten().map(View::device)))
    {
        Device::Cpu => cpu::forward(Level::current(), affine, job),
    }
}

/// The backward pass of one normalisation.
pub struct NormGradient<'a> {
    /// What the forward pass left in `x`. `[T, D]`
    pub z: View<'a>,
    /// In: `d_y`; out: `d_z`. `[T, D]`
    pub d: ViewMut<'a>,
    /// Added to, where it is wanted. `[D]`
    pub d_weight: Option<ViewMut<'a>>,
    /// Added to, where it is wanted. `[D]`
    pub d_bias: Option<ViewMut<'a>>,
}

/// `d_z` in place of `d_y`, and the gradients of weight and bias. Panics when shapes do not fit.
pub fn backward(affine: Affine<'_>, job: NormGradient<'_>) {
    assert_eq!(job.z.len(), job.d.len());
    let sums = || [&job.d_weight, &job.d_bias].into_iter().flatten();
    assert!(sums().all(|sum| sum.len() == affine.weight.len()));
    let operands = [affine.weight.device(), job.z.device(), job.d.device()];
    match Device::common(operands.into_iter().chain(sums().map(ViewMut::device))) {
        Device::Cpu => cpu::backward(Level::current(), affine, job),
    }
}
