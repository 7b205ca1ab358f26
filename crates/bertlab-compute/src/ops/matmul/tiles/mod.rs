//! Tiles: one file for each way to multiply numbers of one type.
//!
//! A [`Tile`] gives its size, packs both matrices, and computes one rectangle of sums. What the tiles share:
//! the loop over k of those whose sums stay in vector registers ([`register`]), the epilogue ([`store`]), and
//! how f32 is copied or rounded into units ([`copy`], [`quantize`]). A new instruction is one more file here
//! and a line in [`with_tile`].

mod bf16_pairs;
mod copy;
mod fma;
mod int8_quads;
mod prefetch;
mod quantize;
mod register;
mod store;
mod tile;

pub(super) use prefetch::Prefetch;
pub(super) use store::{Scales, Store};
pub(super) use tile::{Inputs, Layout, PanelPart, Tile};

use crate::element::ElementType;
use crate::simd::{Kernel, Simd};
use bf16_pairs::Bf16Pairs;
use fma::Fma;
use int8_quads::Int8Quads;

/// Work that is written once for every tile.
pub(super) trait TileKernel {
    /// What it gives back.
    type Output;
    /// The work. Must be `#[inline(always)]`, as [`Kernel::run`].
    ///
    /// # Safety
    /// The contract of [`Simd`].
    unsafe fn run_with<S: Simd, T: Tile<S>>(self) -> Self::Output;
}

/// Work with the tile that serves a precision at the level in which it runs.
pub(super) struct WithTile<K>(pub ElementType, pub K);

impl<K: TileKernel> Kernel for WithTile<K> {
    type Output = K::Output;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> K::Output {
        // SAFETY: the caller's contract.
        unsafe { with_tile::<S, K>(self.0, self.1) }
    }
}

/// As [`WithTile`], inside another kernel.
///
/// # Safety
/// The contract of [`Simd`].
#[inline(always)]
pub(super) unsafe fn with_tile<S: Simd, K: TileKernel>(precision: ElementType, work: K) -> K::Output {
    // SAFETY: the caller's contract.
    unsafe {
        match precision {
            ElementType::F32 => work.run_with::<S, Fma>(),
            ElementType::Bf16 => work.run_with::<S, Bf16Pairs>(),
            ElementType::Int8 => work.run_with::<S, Int8Quads>(),
        }
    }
}
