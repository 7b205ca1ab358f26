//! `PackedMatrix`: the right-hand matrix of a product, laid out as the kernel reads it.
//!
//! Panels of `panel_width` columns; within a panel, k after k, a run of `panel_width` numbers. The last
//! panel is filled up with zeros.

use super::MatrixView;
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};

/// One cache line of numbers; a vector of them is aligned for every instruction set.
#[repr(C, align(64))]
#[derive(Clone, Copy)]
struct Line([f32; LANES]);

/// A matrix `[K, N]` packed for products from the left.
// Invariant: `lines` holds `n_panels * n_rows * panel_width` numbers, columns beyond N are zero.
#[derive(Clone, Default)]
pub struct PackedMatrix {
    n_rows: usize,
    n_columns: usize,
    panel_width: usize,
    lines: Vec<Line>,
}

struct PanelWidth;

impl Kernel for PanelWidth {
    type Output = usize;
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> usize {
        S::TILE_VECTORS * LANES
    }
}

impl PackedMatrix {
    /// All zeros, to be filled with [`Self::put`].
    pub fn zeros(n_rows: usize, n_columns: usize) -> Self {
        Self::zeros_at(Level::current(), n_rows, n_columns)
    }

    pub(crate) fn zeros_at(level: Level, n_rows: usize, n_columns: usize) -> Self {
        let panel_width = run(level, PanelWidth);
        let n_lines = n_columns.div_ceil(panel_width) * n_rows * (panel_width / LANES);
        Self { n_rows, n_columns, panel_width, lines: vec![Line([0.0; LANES]); n_lines] }
    }

    /// Packs `matrix`. `[K, N]`
    pub fn pack(matrix: MatrixView<'_>) -> Self {
        let mut packed = Self::zeros(matrix.n_rows(), matrix.n_columns());
        packed.put(0, 0, matrix);
        packed
    }

    /// Writes `matrix` over the part that starts at (`row`, `column`). Panics when it does not fit.
    pub fn put(&mut self, row: usize, column: usize, matrix: MatrixView<'_>) {
        assert!(row + matrix.n_rows() <= self.n_rows && column + matrix.n_columns() <= self.n_columns);
        if matrix.n_rows() == 0 || matrix.n_columns() == 0 {
            return;
        }
        let (width, n_rows) = (self.panel_width, self.n_rows);
        let first_panel = column / width;
        let last_panel = (column + matrix.n_columns() - 1) / width;
        let target = SharedPointer::new(self.as_mut_slice());
        parallel_for(last_panel + 1 - first_panel, |i| {
            let panel = first_panel + i;
            let start = (panel * width).max(column);
            let end = ((panel + 1) * width).min(column + matrix.n_columns());
            let part = matrix.columns(start - column, end - start);
            // SAFETY: every task writes another panel of `self`, inside its length by the assertion.
            unsafe {
                let to = target.get().add((panel * n_rows + row) * width + start - panel * width);
                copy_strided(part, to, width);
            }
        });
    }

    /// The same matrix sizes anew, keeping the memory: for kernels that pack small matrices again and again.
    /// Fills it with `matrix` on the calling thread.
    #[inline(always)]
    pub(crate) fn refill<S: Simd>(&mut self, matrix: MatrixView<'_>) {
        let (k, n) = (matrix.n_rows(), matrix.n_columns());
        let width = S::TILE_VECTORS * LANES;
        (self.n_rows, self.n_columns, self.panel_width) = (k, n, width);
        // Zeros first: the columns beyond N must stay zero.
        self.lines.clear();
        self.lines.resize(n.div_ceil(width) * k * S::TILE_VECTORS, Line([0.0; LANES]));
        for start in (0..n).step_by(width) {
            let part = matrix.columns(start, width.min(n - start));
            // SAFETY: the panel's k rows of `width` numbers lie inside `lines`, sized above.
            unsafe { copy_strided(part, self.as_mut_slice().as_mut_ptr().add(start * k), width) };
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

    pub(crate) fn panel_width(&self) -> usize {
        self.panel_width
    }

    pub(crate) fn as_slice(&self) -> &[f32] {
        // SAFETY: `Line` is sixteen f32 without padding.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.lines.len() * LANES) }
    }

    fn as_mut_slice(&mut self) -> &mut [f32] {
        // SAFETY: `Line` is sixteen f32 without padding.
        unsafe { std::slice::from_raw_parts_mut(self.lines.as_mut_ptr().cast(), self.lines.len() * LANES) }
    }
}

/// Copies `from` to `to`, whose rows lie `stride` apart, in squares that stay in the first cache.
///
/// # Safety
/// `to` must be valid for `n_rows` rows of `stride` numbers, but for the last row's end.
#[inline(always)]
pub(crate) unsafe fn copy_strided(from: MatrixView<'_>, to: *mut f32, stride: usize) {
    let (row_stride, column_stride) = (from.row_stride(), from.column_stride());
    for k0 in (0..from.n_rows()).step_by(LANES) {
        let k1 = (k0 + LANES).min(from.n_rows());
        if column_stride == 1 {
            for k in k0..k1 {
                // SAFETY: row k of `from`, and row k of `to` by the caller's contract.
                unsafe {
                    let source = from.pointer().add(k * row_stride);
                    std::ptr::copy_nonoverlapping(source, to.add(k * stride), from.n_columns());
                }
            }
        } else {
            for j in 0..from.n_columns() {
                for k in k0..k1 {
                    // SAFETY: element (k, j) of `from`, and of `to` by the caller's contract.
                    unsafe {
                        *to.add(k * stride + j) = *from.pointer().add(k * row_stride + j * column_stride);
                    }
                }
            }
        }
    }
}
