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
use crate::simd::Level;

/// What is learned.
#[derive(Clone, Copy)]
pub struct Affine<'a> {
    /// `[D]`
    pub weight: &'a [f32],
    /// `[D]`
    pub bias: &'a [f32],
    /// Added to the variance.
    pub epsilon: f32,
}

/// One normalisation.
pub struct AddNorm<'a> {
    /// In: x; out: z, which the backward pass needs. `[T, D]`
    pub x: &'a mut [f32],
    /// `[T, D]`
    pub residual: Option<&'a [f32]>,
    /// Applied to x alone.
    pub dropout: Option<Dropout>,
    /// `[T, D]`
    pub out: &'a mut [f32],
}

/// Normalises on all threads. Panics when shapes do not fit.
pub fn forward(affine: Affine<'_>, job: AddNorm<'_>) {
    assert_eq!(job.x.len(), job.out.len());
    assert!(job.residual.is_none_or(|residual| residual.len() == job.x.len()));
    assert_eq!(affine.weight.len(), affine.bias.len());
    assert!(job.x.len().is_multiple_of(affine.weight.len()));
    cpu::forward(Level::current(), affine, job);
}

/// The backward pass of one normalisation.
pub struct NormGradient<'a> {
    /// What the forward pass left in `x`. `[T, D]`
    pub z: &'a [f32],
    /// In: `d_y`; out: `d_z`. `[T, D]`
    pub d: &'a mut [f32],
    /// Added to. `[D]`
    pub d_weight: &'a mut [f32],
    /// Added to. `[D]`
    pub d_bias: &'a mut [f32],
}

/// `d_z` in place of `d_y`, and the gradients of weight and bias. Panics when shapes do not fit.
pub fn backward(affine: Affine<'_>, job: NormGradient<'_>) {
    assert_eq!(job.z.len(), job.d.len());
    assert!(job.d_weight.len() == affine.weight.len() && job.d_bias.len() == affine.weight.len());
    cpu::backward(Level::current(), affine, job);
}
