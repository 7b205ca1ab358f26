//! `PackedMatrix`: the right-hand matrix of a product, laid out as the kernel reads it.
//!
//! Panels of `panel_width` columns; within a panel, k after k (in bf16: pair after pair), a run of
//! `panel_width` units of four bytes. The last panel is filled up with zeros.

use super::copy::copy;
use super::{MatrixView, Precision};
use crate::buffer::Buffer;
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};

/// A matrix `[K, N]` packed for products from the left.
// Invariant: `units` holds `n_panels * n_units * panel_width` units, columns beyond N are zero.
#[derive(Clone, Default)]
pub struct PackedMatrix {
    n_rows: usize,
    n_columns: usize,
    panel_width: usize,
    precision: Precision,
    units: Buffer,
}

/// Columns of a panel.
pub(crate) fn panel_width(level: Level) -> usize {
    run(level, PanelWidth)
}

struct PanelWidth;

impl Kernel for PanelWidth {
    type Output = usize;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> usize {
        S::TILE_VECTORS * LANES
    }
}

/// One panel's copy.
struct Put<'a> {
    precision: Precision,
    from: MatrixView<'a>,
    to: *mut f32,
    stride: usize,
}

impl Kernel for Put<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: `put_at` gives a panel of its own, large enough for `from`.
        unsafe { copy::<S>(self.precision, self.from, self.to, self.stride) }
    }
}

impl PackedMatrix {
    /// Numbers of no meaning, all to be overwritten with [`Self::put`].
    pub fn stale(precision: Precision, n_rows: usize, n_columns: usize) -> Self {
        Self::stale_at(Level::current(), precision, n_rows, n_columns)
    }

    pub(crate) fn stale_at(level: Level, precision: Precision, n_rows: usize, n_columns: usize) -> Self {
        let panel_width = panel_width(level);
        let panel_units = n_rows.div_ceil(precision.per_unit()) * panel_width;
        let mut units = Buffer::stale(n_columns.div_ceil(panel_width) * panel_units);
        if !n_columns.is_multiple_of(panel_width) {
            let last = units.len() - panel_units;
            units[last..].fill(0.0);
        }
        Self { n_rows, n_columns, panel_width, precision, units }
    }

    /// Bytes that a packed matrix of this size takes.
    pub fn size_bytes(precision: Precision, n_rows: usize, n_columns: usize) -> usize {
        let panel_width = panel_width(Level::current());
        n_columns.div_ceil(panel_width)
            * panel_width
            * n_rows.div_ceil(precision.per_unit())
            * size_of::<f32>()
    }

    /// Packs `matrix`. `[K, N]`
    pub fn pack(precision: Precision, matrix: MatrixView<'_>) -> Self {
        let mut packed = Self::stale(precision, matrix.n_rows(), matrix.n_columns());
        packed.put(0, 0, matrix);
        packed
    }

    /// Writes `matrix` over the part that starts at (`row`, `column`). Panics when it does not fit, or
    /// when `row` halves a pair of bf16.
    pub fn put(&mut self, row: usize, column: usize, matrix: MatrixView<'_>) {
        self.put_at(Level::current(), row, column, matrix);
    }

    pub(crate) fn put_at(&mut self, level: Level, row: usize, column: usize, matrix: MatrixView<'_>) {
        assert!(row + matrix.n_rows() <= self.n_rows && column + matrix.n_columns() <= self.n_columns);
        assert!(row.is_multiple_of(self.precision.per_unit()), "row {row} halves a pair");
        if matrix.n_rows() == 0 || matrix.n_columns() == 0 {
            return;
        }
        let (width, precision, n_units) = (self.panel_width, self.precision, self.n_units());
        let first_panel = column / width;
        let last_panel = (column + matrix.n_columns() - 1) / width;
        let first_unit = row / precision.per_unit();
        let target = SharedPointer::new(self.as_mut_slice());
        parallel_for(last_panel + 1 - first_panel, |i| {
            let panel = first_panel + i;
            let start = (panel * width).max(column);
            let end = ((panel + 1) * width).min(column + matrix.n_columns());
            let from = matrix.columns(start - column, end - start);
            // SAFETY: every task writes another panel of `self`, inside its length by the assertions.
            let to =
                unsafe { target.get().add((panel * n_units + first_unit) * width + start - panel * width) };
            run(level, Put { precision, from, to, stride: width });
        });
    }

    /// Becomes `matrix`, on the calling thread, keeping the memory: for kernels that pack small matrices
    /// again and again.
    #[inline(always)]
    pub(crate) fn refill<S: Simd>(&mut self, precision: Precision, matrix: MatrixView<'_>) {
        let (k, n) = (matrix.n_rows(), matrix.n_columns());
        let width = S::TILE_VECTORS * LANES;
        (self.n_rows, self.n_columns, self.panel_width) = (k, n, width);
        self.precision = precision;
        let n_units = self.n_units();
        // Zeros first: the columns beyond N must stay zero.
        self.units.reset(n.div_ceil(width) * n_units * width);
        for start in (0..n).step_by(width) {
            let part = matrix.columns(start, width.min(n - start));
            // SAFETY: the panel's rows of `width` units lie inside `units`, sized above.
            unsafe {
                copy::<S>(precision, part, self.as_mut_slice().as_mut_ptr().add(start * n_units), width)
            };
        }
    }

    /// K
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// N
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// K in units of four bytes.
    pub(crate) fn n_units(&self) -> usize {
        self.n_rows.div_ceil(self.precision.per_unit())
    }

    /// How its numbers are held.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    pub(crate) fn panel_width(&self) -> usize {
        self.panel_width
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        &self.units
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        &mut self.units
    }
}
