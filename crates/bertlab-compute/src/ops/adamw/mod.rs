//! AdamW: Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019).
//!
//! As PyTorch computes it: `p *= 1 - lr·decay`; `m += (1 - β1)(g - m)`; `v = β2·v + (1 - β2)·g²`;
//! `p -= lr / (1 - β1^t) · m / (√v / √(1 - β2^t) + ε)`.

mod cpu;
#[cfg(test)]
mod tests;

use crate::device::Device;
use crate::simd::Level;
use crate::view::{View, ViewMut};

/// The settings of one step.
#[derive(Clone, Copy, Debug)]
pub struct AdamW {
    /// Of this step.
    pub learning_rate: f64,
    /// β1
    pub beta1: f64,
    /// β2
    pub beta2: f64,
    /// ε, outside the square root.
    pub epsilon: f64,
    /// Of this parameter's group.
    pub weight_decay: f64,
    /// Every gradient is multiplied by this first (clipping).
    pub gradient_scale: f64,
    /// t, from 1.
    pub step: u64,
}

/// One parameter and what belongs to it; all four equally long.
pub struct Moments<'a> {
    /// p
    pub parameter: ViewMut<'a>,
    /// g
    pub gradient: View<'a>,
    /// m
    pub first: ViewMut<'a>,
    /// v
    pub second: ViewMut<'a>,
}

impl Moments<'_> {
    fn device(&self) -> Device {
        let moments = [self.first.device(), self.second.device()];
        Device::common([self.parameter.device(), self.gradient.device()].into_iter().chain(moments))
    }
}

/// One step of one parameter. Panics when its numbers are not equally many.
pub fn step(adamw: AdamW, job: Moments<'_>) {
    let n = job.parameter.len();
    assert!(job.gradient.len() == n && job.first.len() == n && job.second.len() == n);
    match job.device() {
        Device::Cpu => cpu::step(Level::current(), adamw, job),
    }
}

/// A table, of which few rows have a gradient.
pub struct RowMoments<'a> {
    /// p, m and v of the whole table, `[V, D]`; g of the rows that have one, `[n, D]`.
    pub moments: Moments<'a>,
    /// Where each row's gradient stands in g. `[V]`
    pub rows: &'a [Option<u32>],
    /// Whether a row has, or ever had, a gradient: m and v of the others are 0. `[V]`
    pub is_moved: &'a [bool],
}

/// One step of a table: as [`step`] with gradients of 0 where there are none, bit for bit, but a row
/// that never had one is left alone, except for its decay.
/// Panics when sizes do not fit.
pub fn step_rows(adamw: AdamW, job: RowMoments<'_>) {
    let (n, n_rows) = (job.moments.parameter.len(), job.rows.len());
    assert!(job.moments.first.len() == n && job.moments.second.len() == n && job.is_moved.len() == n_rows);
    let width = n.checked_div(n_rows).unwrap_or(0);
    assert!(width * n_rows == n && job.moments.gradient.len().is_multiple_of(width.max(1)));
    match job.moments.device() {
        Device::Cpu => cpu::step_rows(Level::current(), adamw, job),
    }
}
