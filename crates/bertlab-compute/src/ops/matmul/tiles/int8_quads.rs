//! int8: four products of bytes, neighbours along k, for every integer sum.
//!
//! Every column of `b` is rounded to integers in -127..=127 with a scale of its own when it is packed;
//! every row of `a` likewise, each time. The sums are exact, so that all levels give the same bits. After
//! Jacob et al. 2018, "Quantization and training of neural networks for efficient integer-arithmetic-only
//! inference", with symmetric scales. Instructions multiply a byte without a sign by one with a sign: the
//! left bytes are 128 too large, and each column's offset, 128 times the sum of its bytes, is subtracted at
//! the end.

use super::super::MatrixView;
use super::quantize::{GROUP, PER_UNIT, quantize_column, quantize_row};
use super::register::{RegisterTile, multiply};
use super::store::{Finish, Scales, Store};
use super::tile::{Inputs, Layout, PanelPart, Tile};
use crate::simd::{LANES, Simd};

/// Products of quads of bytes with integer sums, at any level.
pub(crate) struct Int8Quads;

impl<S: Simd> Finish<S> for Int8Quads {
    #[inline(always)]
    unsafe fn finish(
        sums: S::V,
        out: Option<S::V>,
        bias: Option<S::V>,
        scales: Scales,
        (row, column): (usize, usize),
    ) -> S::V {
        // SAFETY: the caller's contract.
        unsafe {
            let sum = S::integer_difference(sums, S::load(scales.offsets.add(column)));
            let scale = S::mul(S::load(scales.columns.add(column)), S::splat(*scales.rows.add(row)));
            let x = if let Some(bias) = bias { S::fma(sum, scale, bias) } else { S::mul(sum, scale) };
            if let Some(out) = out { S::add(out, x) } else { x }
        }
    }
}

// SAFETY: `multiply` is that of register tiles, with exact sums.
unsafe impl<S: Simd> Tile<S> for Int8Quads {
    const ROWS: usize = S::TILE_ROWS;
    const LAYOUT: Layout = Layout {
        panel_width: S::TILE_VECTORS * LANES,
        per_unit: PER_UNIT,
        k_multiple: GROUP,
        is_quantized: true,
    };
    // Sums of bytes cannot be kept in `out` between two blocks.
    const K_BLOCK: usize = usize::MAX;

    #[inline(always)]
    unsafe fn pack_a(a: MatrixView<'_>, _first_unit: usize, to: *mut f32, scales: *mut f32) {
        for row in 0..a.n_rows() {
            // SAFETY: the caller's contract; a row's units stand `n_rows` apart.
            unsafe { *scales.add(row) = quantize_row::<S>(a.rows(row, 1), to.add(row), a.n_rows()) };
        }
    }
    #[inline(always)]
    unsafe fn pack_b(b: MatrixView<'_>, to: PanelPart) {
        for column in 0..b.n_columns() {
            // SAFETY: the caller's contract.
            unsafe {
                let from = b.columns(column, 1).transposed();
                let (scale, offset) = quantize_column::<S>(from, to.units.add(column), to.stride);
                (*to.scales.add(column), *to.offsets.add(column)) = (scale, offset);
            }
        }
    }
    #[inline(always)]
    unsafe fn multiply(inputs: Inputs, store: Store) {
        // SAFETY: the caller's contract.
        unsafe { multiply::<S, Self>(inputs, store) }
    }
}

impl<S: Simd> RegisterTile<S> for Int8Quads {
    #[inline(always)]
    unsafe fn multiply_add(a: S::V, b: S::V, c: S::V) -> S::V {
        // SAFETY: the caller's contract.
        unsafe { S::dot_quads(a, b, c) }
    }
}
