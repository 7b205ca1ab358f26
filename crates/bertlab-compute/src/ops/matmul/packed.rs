//! `PackedMatrix`: the right-hand matrix of a product, as its device reads it.

use super::MatrixView;
use super::panels::Panels;
use crate::device::Device;
use crate::element::ElementType;
use crate::simd::Level;

/// A matrix `[K, N]` packed for products from the left, in their precision.
#[derive(Clone)]
pub struct PackedMatrix(Held);

#[derive(Clone)]
enum Held {
    Cpu(Panels),
}

impl From<Panels> for PackedMatrix {
    fn from(panels: Panels) -> Self {
        Self(Held::Cpu(panels))
    }
}

impl PackedMatrix {
    /// A matrix of no meaning, all to be overwritten with [`Self::put`].
    pub fn uninitialised(device: Device, precision: ElementType, n_rows: usize, n_columns: usize) -> Self {
        match device {
            Device::Cpu => Panels::uninitialised(Level::current(), precision, n_rows, n_columns).into(),
        }
    }

    /// Bytes that a packed matrix of this size takes in host memory.
    pub fn size_bytes(precision: ElementType, n_rows: usize, n_columns: usize) -> usize {
        Panels::size_bytes(Level::current(), precision, n_rows, n_columns)
    }

    /// Packs `matrix`, on its device. `[K, N]`
    pub fn pack(precision: ElementType, matrix: MatrixView<'_>) -> Self {
        let mut packed = Self::uninitialised(matrix.device(), precision, matrix.n_rows(), matrix.n_columns());
        packed.put(0, 0, matrix);
        packed
    }

    /// Writes `matrix` over the part that starts at (`row`, `column`).
    ///
    /// Panics when it does not fit or when `row` is inside a unit (a pair of bf16); in int8, when it is not
    /// whole contiguous columns: a dense layer's weight, transposed.
    pub fn put(&mut self, row: usize, column: usize, matrix: MatrixView<'_>) {
        match &mut self.0 {
            Held::Cpu(panels) => panels.put(Level::current(), row, column, matrix),
        }
    }

    /// K
    pub fn n_rows(&self) -> usize {
        match &self.0 {
            Held::Cpu(panels) => panels.n_rows(),
        }
    }

    /// N
    pub fn n_columns(&self) -> usize {
        match &self.0 {
            Held::Cpu(panels) => panels.n_columns(),
        }
    }

    /// The element type of both factors of its products.
    pub fn precision(&self) -> ElementType {
        match &self.0 {
            Held::Cpu(panels) => panels.precision(),
        }
    }

    /// Where it is.
    pub fn device(&self) -> Device {
        match &self.0 {
            Held::Cpu(_) => Device::Cpu,
        }
    }

    /// Its panels in host memory.
    pub(super) fn cpu(&self) -> &Panels {
        match &self.0 {
            Held::Cpu(panels) => panels,
        }
    }
}
