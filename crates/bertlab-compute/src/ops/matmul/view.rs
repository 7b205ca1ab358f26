//! `MatrixView`: a matrix read in place, in any stride.

use crate::device::Device;
use crate::view::View;

/// A matrix inside a run of numbers: element (i, j) lies at `i · row_stride + j · column_stride`.
// Invariant: the last element lies inside `data` (or the matrix is empty).
#[derive(Clone, Copy)]
pub struct MatrixView<'a> {
    data: View<'a>,
    n_rows: usize,
    n_columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> MatrixView<'a> {
    /// Contiguous, row by row. Panics when `data` is not `n_rows · n_columns` long.
    pub fn new(data: impl Into<View<'a>>, n_rows: usize, n_columns: usize) -> Self {
        let data = data.into();
        assert_eq!(data.len(), n_rows * n_columns, "{n_rows} x {n_columns}");
        Self { data, n_rows, n_columns, row_stride: n_columns, column_stride: 1 }
    }

    /// The same numbers with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        Self {
            n_rows: self.n_columns,
            n_columns: self.n_rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }

    /// The columns `start .. start + n`.
    pub fn columns(self, start: usize, n: usize) -> Self {
        assert!(start + n <= self.n_columns, "columns {start}..{} of {}", start + n, self.n_columns);
        let first = if self.n_rows == 0 || n == 0 { self.data.len() } else { start * self.column_stride };
        Self { data: self.data.part(first..self.data.len()), n_columns: n, ..self }
    }

    /// The rows `start .. start + n`.
    pub fn rows(self, start: usize, n: usize) -> Self {
        self.transposed().columns(start, n).transposed()
    }

    /// M
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// K or N
    pub fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// Whether every row is contiguous.
    pub(crate) fn has_contiguous_rows(&self) -> bool {
        self.column_stride == 1 || self.n_columns <= 1 || self.n_rows == 0
    }

    /// Whether every column is contiguous.
    pub(crate) fn has_contiguous_columns(&self) -> bool {
        self.transposed().has_contiguous_rows()
    }

    pub(crate) fn row_stride(&self) -> usize {
        self.row_stride
    }

    pub(crate) fn column_stride(&self) -> usize {
        self.column_stride
    }

    /// Where it is.
    pub fn device(&self) -> Device {
        self.data.device()
    }

    /// Its first number in host memory.
    #[inline(always)]
    pub(crate) fn pointer(&self) -> *const f32 {
        self.data.cpu().as_ptr()
    }

    /// A row in host memory. Panics when rows are not contiguous.
    #[inline(always)]
    pub(crate) fn row(&self, index: usize) -> &'a [f32] {
        assert!(self.has_contiguous_rows());
        &self.data.cpu()[index * self.row_stride..][..self.n_columns]
    }
}
