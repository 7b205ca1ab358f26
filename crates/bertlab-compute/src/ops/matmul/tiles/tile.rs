//! `Tile`: what a way to multiply must supply; the driver calls it.

use super::super::MatrixView;
use super::prefetch::Prefetch;
use super::store::{Finish, Store};
use crate::simd::Simd;

/// Units of k that tiles with f32 sums add up before the sums go to `out`: the same for all of them, so that
/// their results are the same bits.
pub(crate) const K_BLOCK: usize = 768;

/// How the right-hand matrix lies in memory: panels of columns; within a panel, one unit of k after the
/// other, a run of `panel_width` units of four bytes. What fills up the last panel and the last units is
/// zero.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Layout {
    /// Columns of a panel: a whole number of vectors.
    pub panel_width: usize,
    /// Numbers in a unit, neighbours along k.
    pub per_unit: usize,
    /// K is filled up to a multiple of this.
    pub k_multiple: usize,
    /// Whether every column has a scale and an offset.
    pub is_quantized: bool,
}

impl Layout {
    /// Units of a column of `k` numbers.
    pub(crate) fn n_units(&self, k: usize) -> usize {
        k.next_multiple_of(self.k_multiple) / self.per_unit
    }

    /// Columns with those that fill up the last panel.
    pub(crate) fn n_padded(&self, n_columns: usize) -> usize {
        n_columns.next_multiple_of(self.panel_width)
    }
}

/// Where columns of the right-hand matrix are packed to: inside one panel, at their first unit.
#[derive(Clone, Copy)]
pub(crate) struct PanelPart {
    pub units: *mut f32,
    /// From unit to unit of a column.
    pub stride: usize,
    /// Of these columns; unused where the layout is not quantized.
    pub scales: *mut f32,
    pub offsets: *mut f32,
}

/// What a tile reads.
#[derive(Clone, Copy)]
pub(crate) struct Inputs {
    /// Rows of this tile.
    pub n_rows: usize,
    /// Units of k.
    pub depth: usize,
    /// As [`Tile::pack_a`] left it.
    pub a: *const f32,
    /// A panel's units from the first of these. `[depth, panel_width]`
    pub b: *const f32,
    pub prefetch: Prefetch,
}

/// One way to multiply: rows of `a`, packed in a tile's own order, with one panel of `b`.
///
/// # Safety
/// `multiply` must read and write only what its contract names, and store sums that depend on their row of
/// `a` and their column of `b` alone.
pub(crate) unsafe trait Tile<S: Simd>: Finish<S> {
    /// Rows of one tile at most.
    const ROWS: usize;
    /// How it reads the right-hand matrix.
    const LAYOUT: Layout;
    /// Units of k that it adds up at most before the sums go to `out`.
    const K_BLOCK: usize;

    /// Packs `a`, the rows of one tile with some columns of its K block, from unit `first_unit` of the block
    /// on. `to`: the tile's place, `a.n_rows()` times the block's units; `scales`: of its rows, where the
    /// layout is quantized.
    ///
    /// # Safety
    /// The contract of [`Simd`]; `to` and `scales` must be valid for the tile's units and rows.
    unsafe fn pack_a(a: MatrixView<'_>, first_unit: usize, to: *mut f32, scales: *mut f32);

    /// Packs columns of `b` that lie in one panel.
    ///
    /// # Safety
    /// The contract of [`Simd`]; `to` must be valid for the columns' units, scales and offsets.
    unsafe fn pack_b(b: MatrixView<'_>, to: PanelPart);

    /// Computes the tile's sums and stores them; the activation comes after.
    ///
    /// # Safety
    /// The contract of [`Simd`]; `inputs` must hold `depth` units of `n_rows <= ROWS` rows and of a panel;
    /// the store's rectangle must be valid.
    unsafe fn multiply(inputs: Inputs, store: Store);
}
