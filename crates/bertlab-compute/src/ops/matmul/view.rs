//! `MatrixView`: a matrix read in place, in any stride.

/// A matrix inside a slice: element (i, j) lies at `i · row_stride + j · column_stride`.
// Invariant: the last element lies inside `data` (or the matrix is empty).
#[derive(Clone, Copy)]
pub struct MatrixView<'a> {
    data: &'a [f32],
    n_rows: usize,
    n_columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> MatrixView<'a> {
    /// Row by row, without gaps. Panics when `data` is not `n_rows · n_columns` long.
    pub fn new(data: &'a [f32], n_rows: usize, n_columns: usize) -> Self {
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
        let data = if self.n_rows == 0 || n == 0 { &[] } else { &self.data[start * self.column_stride..] };
        Self { data, n_columns: n, ..self }
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

    pub(crate) fn row_stride(&self) -> usize {
        self.row_stride
    }

    pub(crate) fn column_stride(&self) -> usize {
        self.column_stride
    }

    pub(crate) fn pointer(&self) -> *const f32 {
        self.data.as_ptr()
    }
}
