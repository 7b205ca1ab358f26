//! `Panels`: the right-hand matrix of a product in host memory, laid out as the tile of its precision reads
//! it.

use super::MatrixView;
use super::tiles::{Layout, PanelPart, Tile, TileKernel, WithTile, with_tile};
use crate::buffer::Buffer;
use crate::element::ElementType;
use crate::simd::{Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};
use std::ops::Range;

/// A matrix `[K, N]` in panels of columns, in the element type of its products.
// Invariant: `units` holds all panels of the layout; `scales` and `offsets` a number for each of their
// columns, or none where the layout is not quantized. Columns beyond N are zero.
#[derive(Clone, Default)]
pub(crate) struct Panels {
    n_rows: usize,
    n_columns: usize,
    layout: Layout,
    units: Buffer,
    /// What a column's integers are multiplied by.
    scales: Vec<f32>,
    /// What is subtracted from a column's integer sums first, as the bits of an i32.
    offsets: Vec<f32>,
}

struct LayoutOf;

impl TileKernel for LayoutOf {
    type Output = Layout;
    #[inline(always)]
    unsafe fn run_with<S: Simd, T: Tile<S>>(self) -> Layout {
        T::LAYOUT
    }
}

/// Columns of one panel.
struct PackPanel<'a> {
    from: MatrixView<'a>,
    to: PanelPart,
}

impl TileKernel for PackPanel<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run_with<S: Simd, T: Tile<S>>(self) {
        // SAFETY: whoever makes one gives places of its own, large enough for `from`.
        unsafe { T::pack_b(self.from, self.to) }
    }
}

fn layout_at(level: Level, precision: ElementType) -> Layout {
    run(level, WithTile(precision, LayoutOf))
}

impl Panels {
    /// A matrix of no meaning, all to be overwritten with [`Self::put`].
    pub(super) fn uninitialised(
        level: Level,
        precision: ElementType,
        n_rows: usize,
        n_columns: usize,
    ) -> Self {
        let layout = layout_at(level, precision);
        let n_padded = layout.n_padded(n_columns);
        let mut units = Buffer::uninitialised_units(precision, n_padded * layout.n_units(n_rows));
        if n_padded > n_columns {
            let units = units.units_mut();
            let last = units.len() - layout.panel_width * layout.n_units(n_rows);
            units[last..].fill(0.0);
        }
        let n_scales = if layout.is_quantized { n_padded } else { 0 };
        let (scales, offsets) = (vec![0.0; n_scales], vec![0.0; n_scales]);
        Self { n_rows, n_columns, layout, units, scales, offsets }
    }

    /// Bytes that such a matrix takes.
    pub(super) fn size_bytes(level: Level, precision: ElementType, n_rows: usize, n_columns: usize) -> usize {
        let layout = layout_at(level, precision);
        let n_scales = if layout.is_quantized { 2 } else { 0 };
        layout.n_padded(n_columns) * (layout.n_units(n_rows) + n_scales) * size_of::<f32>()
    }

    /// Writes `matrix` over the part that starts at (`row`, `column`). Panics as
    /// [`PackedMatrix::put`](super::PackedMatrix::put) does.
    pub(super) fn put(&mut self, level: Level, row: usize, column: usize, matrix: MatrixView<'_>) {
        assert!(row + matrix.n_rows() <= self.n_rows && column + matrix.n_columns() <= self.n_columns);
        assert!(row.is_multiple_of(self.layout.per_unit), "row {row} is inside a unit");
        if matrix.n_rows() == 0 || matrix.n_columns() == 0 {
            return;
        }
        if self.layout.is_quantized {
            assert_eq!(matrix.n_rows(), self.n_rows, "in int8 columns are packed whole");
            assert!(matrix.has_contiguous_columns(), "in int8 the right matrix must have contiguous columns");
        }
        let (precision, width) = (self.precision(), self.layout.panel_width);
        let first_unit = row / self.layout.per_unit;
        let first_panel = column / width;
        let last_panel = (column + matrix.n_columns() - 1) / width;
        let target = self.target();
        parallel_for(last_panel + 1 - first_panel, |i| {
            let panel = first_panel + i;
            let start = (panel * width).max(column);
            let end = ((panel + 1) * width).min(column + matrix.n_columns());
            let from = matrix.columns(start - column, end - start);
            // Every task writes another panel, inside `self` by the assertions.
            run(level, WithTile(precision, PackPanel { from, to: target.part(first_unit, start) }));
        });
    }

    /// Becomes `matrix`, on the calling thread, keeping the memory: for kernels that pack small matrices
    /// again and again.
    #[inline(always)]
    pub(crate) fn refill<S: Simd>(&mut self, precision: ElementType, matrix: MatrixView<'_>) {
        // SAFETY: `with_tile` is entered at the level that is on, by the caller.
        let layout = unsafe { with_tile::<S, _>(precision, LayoutOf) };
        assert!(!layout.is_quantized, "matrices that are packed anew for every product are not quantized");
        (self.n_rows, self.n_columns) = (matrix.n_rows(), matrix.n_columns());
        self.layout = layout;
        // Zeros first: the columns beyond N must stay zero.
        self.units.reset_units(precision, layout.n_padded(self.n_columns) * layout.n_units(self.n_rows));
        let target = self.target();
        for start in (0..self.n_columns).step_by(layout.panel_width) {
            let from = matrix.columns(start, layout.panel_width.min(self.n_columns - start));
            // SAFETY: as above; the panel lies inside `units`, sized above.
            unsafe { with_tile::<S, _>(precision, PackPanel { from, to: target.part(0, start) }) };
        }
    }

    fn target(&mut self) -> Target {
        Target {
            n_units: self.layout.n_units(self.n_rows),
            width: self.layout.panel_width,
            units: SharedPointer::new(self.units.units_mut()),
            scales: SharedPointer::new(&mut self.scales),
            offsets: SharedPointer::new(&mut self.offsets),
        }
    }

    /// K
    pub(crate) fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// N
    pub(crate) fn n_columns(&self) -> usize {
        self.n_columns
    }

    /// How its numbers are held.
    pub(crate) fn precision(&self) -> ElementType {
        self.units.element()
    }

    pub(super) fn layout(&self) -> Layout {
        self.layout
    }

    /// These units of a panel. `[units, panel_width]`
    #[inline(always)]
    pub(super) fn panel(&self, panel: usize, units: Range<usize>) -> &[f32] {
        let (width, n_units) = (self.layout.panel_width, self.layout.n_units(self.n_rows));
        &self.units.units()[(panel * n_units + units.start) * width..][..units.len() * width]
    }

    /// Scales and offsets of all columns, where it is quantized.
    pub(super) fn scales(&self) -> (&[f32], &[f32]) {
        (&self.scales, &self.offsets)
    }
}

/// A matrix that is being packed.
#[derive(Clone, Copy)]
struct Target {
    n_units: usize,
    width: usize,
    units: SharedPointer,
    scales: SharedPointer,
    offsets: SharedPointer,
}

impl Target {
    /// The place of a column from a unit on.
    #[inline(always)]
    fn part(self, unit: usize, column: usize) -> PanelPart {
        let first = (column / self.width * self.n_units + unit) * self.width + column % self.width;
        PanelPart {
            units: self.units.get().wrapping_add(first),
            stride: self.width,
            scales: self.scales.get().wrapping_add(column),
            offsets: self.offsets.get().wrapping_add(column),
        }
    }
}
