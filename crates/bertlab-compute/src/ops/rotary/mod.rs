//! Rotary position embedding (Su et al. 2021): queries and keys are rotated by an angle that grows with the
//! position.
//!
//! In the half-rotation form: of a head's d numbers, number i and number i + d/2 are a point of the plane; at
//! position p it is rotated by `p · θ^(-2i/d)`. Scores then depend on the distance of two tokens alone.
//!
//! Axes: T packed tokens, D width, H heads, d = D / H, P positions.

mod cpu;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;

use crate::device::Device;
use crate::simd::Level;
use crate::view::ViewMut;

/// Cosines and sines of the angles of every position, for one θ.
#[derive(Clone, Debug)]
pub struct Rotation {
    /// `[P, d/2]`
    cosines: Vec<f32>,
    /// `[P, d/2]`
    sines: Vec<f32>,
    /// d/2
    half: usize,
}

impl Rotation {
    /// Of `n_positions` positions, for heads of `head_width` numbers. Angles are rounded as PyTorch's f32
    /// rounds them.
    ///
    /// # Panics
    /// When the heads' width is odd.
    pub fn new(theta: f32, n_positions: usize, head_width: usize) -> Self {
        assert!(head_width.is_multiple_of(2), "heads of width {head_width} have no halves");
        let half = head_width / 2;
        let frequency = |i: usize| {
            let exponent = (2 * i) as f32 / head_width as f32;
            let wavelength = f64::from(theta).powf(f64::from(exponent)) as f32;
            1.0 / wavelength
        };
        let frequencies: Vec<f32> = (0..half).map(frequency).collect();
        let angles = || {
            let of_position = |p: usize| frequencies.iter().map(move |f| f64::from(p as f32 * f));
            (0..n_positions).flat_map(of_position)
        };
        let cosines = angles().map(|angle| angle.cos() as f32).collect();
        Self { cosines, sines: angles().map(|angle| angle.sin() as f32).collect(), half }
    }

    /// d
    pub fn head_width(&self) -> usize {
        2 * self.half
    }

    /// P
    pub fn n_positions(&self) -> usize {
        self.cosines.len() / self.half
    }
}

/// Which way a rotation turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// By the angle of the position.
    Forward,
    /// By as much in the other direction: the gradient's way.
    Backward,
}

/// Turns queries and keys of every head in `qkv`, in place; values stay. `qkv [T, 3 D]`, `positions [T]`
///
/// # Panics
/// When shapes do not fit, or a position lies beyond the rotation's.
pub fn rotate<'a>(rotation: &Rotation, turn: Turn, qkv: impl Into<ViewMut<'a>>, positions: &[u32]) {
    let qkv = qkv.into();
    let n_tokens = positions.len();
    if n_tokens == 0 {
        return;
    }
    assert!(qkv.len().is_multiple_of(3 * n_tokens), "three parts for every token");
    let width = qkv.len() / (3 * n_tokens);
    assert!(width.is_multiple_of(rotation.head_width()), "whole heads");
    let highest = positions.iter().copied().max().map_or(0, |position| position as usize);
    assert!(highest < rotation.n_positions(), "position {highest} of {}", rotation.n_positions());
    match qkv.device() {
        Device::Cpu => cpu::rotate(Level::current(), rotation, turn, qkv.cpu(), positions),
    }
}
