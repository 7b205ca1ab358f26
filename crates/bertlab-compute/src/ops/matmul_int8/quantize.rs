//! `QuantizedMatrix`: the right-hand matrix in bytes, laid out as the kernel reads it; and how numbers become bytes.

use super::{GROUP, LARGEST, PER_UNIT};
use crate::buffer::Buffer;
use crate::ops::matmul::{MatrixView, panel_width};
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};

/// A matrix `[K, N]` of bytes, each column with its scale.
///
/// Panels of `panel_width` columns; within a panel, four k after four k, a run of `panel_width` units of four bytes.
// Invariant: `units` holds `n_panels * n_units * panel_width` units; `scales` and `offsets` one number for each column of
// the panels. Columns beyond N are zero.
#[derive(Clone)]
pub struct QuantizedMatrix {
    n_rows: usize,
    n_columns: usize,
    panel_width: usize,
    units: Buffer,
    /// What a column's whole numbers are multiplied by.
    scales: Vec<f32>,
    /// 128 times the sum of a column's whole numbers, as the bits of an i32: the left matrix's bytes are 128 too large.
    offsets: Vec<f32>,
}

impl QuantizedMatrix {
    /// Zeros, to be filled with [`Self::put`].
    pub fn zeros(n_rows: usize, n_columns: usize) -> Self {
        Self::zeros_at(Level::current(), n_rows, n_columns)
    }

    pub(super) fn zeros_at(level: Level, n_rows: usize, n_columns: usize) -> Self {
        let panel_width = panel_width(level);
        let n_padded = n_columns.next_multiple_of(panel_width);
        let units = Buffer::zeros(n_padded * n_units(n_rows));
        let column = || vec![0.0; n_padded];
        Self { n_rows, n_columns, panel_width, units, scales: column(), offsets: column() }
    }

    /// Bytes that a matrix of this size takes.
    pub fn size_bytes(n_rows: usize, n_columns: usize) -> usize {
        let n_padded = n_columns.next_multiple_of(panel_width(Level::current()));
        n_padded * (n_units(n_rows) * PER_UNIT + 2 * size_of::<f32>())
    }

    /// Rounds `rows` `[n, K]`, the columns of this matrix from `first_column` on as they lie in a dense layer's weight.
    /// Panics when they do not fit.
    pub fn put(&mut self, first_column: usize, rows: MatrixView<'_>) {
        self.put_at(Level::current(), first_column, rows);
    }

    pub(super) fn put_at(&mut self, level: Level, first_column: usize, rows: MatrixView<'_>) {
        assert!(rows.n_columns() == self.n_rows && first_column + rows.n_rows() <= self.n_columns);
        assert!(rows.column_stride() == 1 || rows.n_rows() == 0, "rows without gaps");
        let (n_units, width) = (self.n_units(), self.panel_width);
        let pointers = [&mut self.units[..], &mut self.scales, &mut self.offsets].map(SharedPointer::new);
        parallel_for(rows.n_rows(), |row| {
            let column = first_column + row;
            let [units, scale, offset] = pointers.map(SharedPointer::get);
            // SAFETY: every task writes another column's units, scale and offset, inside by the assertion and the
            // invariant.
            unsafe {
                let to = units.add(column / width * n_units * width + column % width);
                let put = PutColumn { from: rows.rows(row, 1), to, stride: width };
                (*scale.add(column), *offset.add(column)) = run(level, put);
            }
        });
    }

    /// K
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// N
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    pub(super) fn n_units(&self) -> usize {
        n_units(self.n_rows)
    }

    pub(super) fn panel_width(&self) -> usize {
        self.panel_width
    }

    pub(super) fn units(&self) -> &[f32] {
        &self.units
    }

    pub(super) fn scales(&self) -> &[f32] {
        &self.scales
    }

    pub(super) fn offsets(&self) -> &[f32] {
        &self.offsets
    }
}

/// Units of four bytes for `k` numbers.
pub(super) fn n_units(k: usize) -> usize {
    k.next_multiple_of(GROUP) / PER_UNIT
}

/// One column's copy. Gives its scale and its offset.
struct PutColumn<'a> {
    /// `[1, K]`
    from: MatrixView<'a>,
    to: *mut f32,
    stride: usize,
}

impl Kernel for PutColumn<'_> {
    type Output = (f32, f32);
    #[inline(always)]
    unsafe fn run<S: Simd>(self) -> (f32, f32) {
        // SAFETY: `put_at` gives a column of its own, with a place for every unit of `from`.
        unsafe {
            let scale = quantize_row::<S>(self.from.pointer(), self.from.n_columns(), self.to, self.stride);
            let mut sum = 0;
            for unit in 0..n_units(self.from.n_columns()) {
                let to = self.to.add(unit * self.stride);
                // Less 128: bytes with a sign.
                let bytes = ((*to).to_bits() ^ 0x8080_8080).to_le_bytes();
                *to = f32::from_bits(u32::from_le_bytes(bytes));
                sum += bytes.iter().map(|&byte| i32::from(byte as i8)).sum::<i32>();
            }
            (scale, f32::from_bits((128 * sum) as u32))
        }
    }
}

/// Rounds `n` numbers to whole ones of one scale, which is given back; writes them plus 128, as units of four bytes
/// `stride` apart. What fills the last group up is 0, plus 128.
/// The scale is NaN where a number is NaN or infinite, so that every product with the row is NaN.
///
/// # Safety
/// The contract of [`Simd`]; `from` must be valid for `n` numbers, `to` for [`n_units`] units.
#[inline(always)]
pub(super) unsafe fn quantize_row<S: Simd>(from: *const f32, n: usize, to: *mut f32, stride: usize) -> f32 {
    // SAFETY: reads stay below `n`, writes below the units of `n`.
    unsafe {
        let load = |i: usize| S::load_part(from.add(i.min(n)), n.saturating_sub(i).min(LANES));
        let zero = S::splat(0.0);
        let (mut largest, mut zeros) = (zero, zero);
        for i in (0..n).step_by(LANES) {
            let x = load(i);
            largest = S::max(largest, S::max(x, S::sub(zero, x)));
            zeros = S::fma(x, zero, zeros); // NaN from the first number that is not finite.
        }
        let scale = S::greatest(largest) / LARGEST + S::sum(zeros);
        let factor = S::splat(if scale > 0.0 { 1.0 / scale } else { 0.0 });
        let limit = S::splat(LARGEST);
        for (group, i) in (0..n).step_by(GROUP).enumerate() {
            // 1 / scale is rounded: a largest number times it may lie above the limit.
            let whole = |v: usize| S::round(S::min(S::mul(load(i + v * LANES), factor), limit));
            let mut quads = [0.0f32; LANES];
            S::store(quads.as_mut_ptr(), S::quads([whole(0), whole(1), whole(2), whole(3)]));
            for (unit, quad) in quads.into_iter().enumerate() {
                *to.add((group * LANES + unit) * stride) = quad;
            }
        }
        scale
    }
}
