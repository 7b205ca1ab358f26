//! f32: a fused multiply-add for every number.

use super::super::MatrixView;
use super::copy::copy;
use super::register::{RegisterTile, multiply};
use super::store::{Finish, Store};
use super::tile::{Inputs, K_BLOCK, Layout, PanelPart, Tile};
use crate::simd::{LANES, Simd};

/// Products of f32, at any level.
pub(crate) struct Fma;

impl<S: Simd> Finish<S> for Fma {}

// SAFETY: `multiply` is that of register tiles, with one chain of fused multiply-adds for every sum.
unsafe impl<S: Simd> Tile<S> for Fma {
    const ROWS: usize = S::TILE_ROWS;
    const LAYOUT: Layout =
        Layout { panel_width: S::TILE_VECTORS * LANES, per_unit: 1, k_multiple: 1, is_quantized: false };
    const K_BLOCK: usize = K_BLOCK;

    #[inline(always)]
    unsafe fn pack_a(a: MatrixView<'_>, first_unit: usize, to: *mut f32, _scales: *mut f32) {
        let n_rows = a.n_rows();
        // SAFETY: the caller's contract.
        unsafe { copy::<S, false>(a.transposed(), to.add(first_unit * n_rows), n_rows) }
    }
    #[inline(always)]
    unsafe fn pack_b(b: MatrixView<'_>, to: PanelPart) {
        // SAFETY: the caller's contract.
        unsafe { copy::<S, false>(b, to.units, to.stride) }
    }
    #[inline(always)]
    unsafe fn multiply(inputs: Inputs, store: Store) {
        // SAFETY: the caller's contract.
        unsafe { multiply::<S, Self>(inputs, store) }
    }
}

impl<S: Simd> RegisterTile<S> for Fma {
    #[inline(always)]
    unsafe fn multiply_add(a: S::V, b: S::V, c: S::V) -> S::V {
        // SAFETY: the caller's contract.
        unsafe { S::fma(a, b, c) }
    }
}
