//! The driver: it cuts `out` into tasks and tiles and packs what they read; a [`Tile`] computes each.
//!
//! After Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication": a block of `a` is
//! packed so that it stays in the second cache, beside the panel of `b` that its tiles read one after the
//! other.

use super::tiles::{Inputs, Prefetch, Scales, Store, Tile, TileKernel, with_tile};
use super::{Epilogue, Matmul, MatrixView, Panels};
use crate::ops::activation::Activation;
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, n_threads, parallel_for};
use std::cell::RefCell;
use std::ops::Range;

/// Rows of `a` in one task at most: with a K block they fill a part of the second cache, and are enough for a
/// panel of `b` to arrive while the panel before it is used.
const ROWS_MAX: usize = 144;
/// Numbers of a row of `a` that are packed at once where they lie far apart, a multiple of a unit: few
/// enough that the caches, which hold few lines that are a power of two apart, still have them for the next
/// tile.
const SCATTERED: usize = 16;
/// Columns of `out` in one task at least, so that packing `a` stays cheap beside the product.
const COLUMNS_MIN: usize = 64;

/// A block of `a`, packed.
#[derive(Default)]
struct PackedRows {
    units: Vec<f32>,
    /// Of every row, where `b` is quantized.
    scales: Vec<f32>,
}

thread_local! {
    /// Kept from call to call.
    static PACKED_ROWS: RefCell<PackedRows> = RefCell::default();
}

/// The whole product, cut into tasks.
pub(super) fn multiply(level: Level, job: Matmul<'_>) {
    let Matmul { a, b, out, accumulate, epilogue } = job;
    let b = b.cpu();
    let (m, n) = (a.n_rows(), b.n_columns());
    if m == 0 || n == 0 {
        return;
    }
    let Epilogue { bias, activation, before_activation } = epilogue;
    let out = SharedPointer::new(out.cpu());
    let before = before_activation.map(|kept| SharedPointer::new(kept.cpu()));
    let width = b.layout().panel_width;
    let (n_row_parts, n_panel_parts) = partition(m, n, width);
    parallel_for(n_row_parts * n_panel_parts, |task| {
        let rows = part(m, n_row_parts, task / n_panel_parts);
        let panels = part(n.div_ceil(width), n_panel_parts, task % n_panel_parts);
        // SAFETY: the tasks' rectangles of `out` (and of `before`) are disjoint and inside its m x n.
        let block = unsafe {
            Block {
                a: a.rows(rows.start, rows.len()),
                b,
                panels,
                out: out.get().add(rows.start * n),
                out_stride: n,
                accumulate,
                bias: bias.map(|bias| bias.cpu().as_ptr()),
                activation,
                before_activation: before.map(|kept| kept.get().add(rows.start * n)),
            }
        };
        run(level, block);
    });
}

/// How many parts rows and panels are cut into: whole rows first, then panels until all threads work.
fn partition(m: usize, n: usize, panel_width: usize) -> (usize, usize) {
    let threads = n_threads();
    let n_row_parts = m.div_ceil(ROWS_MAX);
    let n_row_parts =
        if m >= threads * ROWS_MAX { n_row_parts.next_multiple_of(threads) } else { n_row_parts };
    let n_panel_parts_max = (n / COLUMNS_MIN.max(panel_width)).max(1);
    let wanted = if n_row_parts.is_multiple_of(threads) { 1 } else { (2 * threads).div_ceil(n_row_parts) };
    (n_row_parts, wanted.min(n_panel_parts_max))
}

/// Part `index` of `0..n` cut into `n_parts` nearly equal parts.
fn part(n: usize, n_parts: usize, index: usize) -> Range<usize> {
    n * index / n_parts..n * (index + 1) / n_parts
}

/// A product on the calling thread, inside another kernel: attention's small matrices.
pub(crate) struct SerialProduct<'a> {
    /// `[M, K]`
    pub a: MatrixView<'a>,
    /// `[K, N]`
    pub b: &'a Panels,
    /// `[M, N]`, its rows `out_stride` apart
    pub out: *mut f32,
    pub out_stride: usize,
    pub accumulate: bool,
}

/// # Safety
/// The contract of [`Simd`]; `out` must be valid for M rows of N numbers, `out_stride` apart.
#[inline(always)]
pub(crate) unsafe fn multiply_serial<S: Simd>(job: SerialProduct<'_>) {
    let SerialProduct { a, b, out, out_stride, accumulate } = job;
    assert_eq!(a.n_columns(), b.n_rows());
    let block = Block {
        a,
        b,
        panels: 0..b.n_columns().div_ceil(b.layout().panel_width),
        out,
        out_stride,
        accumulate,
        bias: None,
        activation: None,
        before_activation: None,
    };
    // SAFETY: the caller's contract.
    unsafe { S::call(block) }
}

/// A rectangle of `out`: all rows of `a`, the columns of `panels`.
struct Block<'a> {
    a: MatrixView<'a>,
    b: &'a Panels,
    panels: Range<usize>,
    out: *mut f32,
    out_stride: usize,
    accumulate: bool,
    bias: Option<*const f32>,
    activation: Option<Activation>,
    before_activation: Option<*mut f32>,
}

impl Kernel for Block<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        // SAFETY: the caller's contract.
        unsafe { with_tile::<S, _>(self.b.precision(), self) }
    }
}

impl TileKernel for Block<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run_with<S: Simd, T: Tile<S>>(self) {
        assert_eq!(self.b.layout(), T::LAYOUT, "packed for another instruction set");
        // Taken out for the time of use: a kernel may run another product on this thread.
        let mut packed = PACKED_ROWS.take();
        let (m, n_units) = (self.a.n_rows(), T::LAYOUT.n_units(self.a.n_columns()));
        packed.units.resize(packed.units.len().max(m * n_units.min(T::K_BLOCK)), 0.0);
        packed.scales.clear();
        packed.scales.resize(if T::LAYOUT.is_quantized { m } else { 0 }, 0.0);
        // SAFETY: the caller's contract.
        unsafe { self.over_k::<S, T>(&mut packed) };
        PACKED_ROWS.set(packed);
    }
}

/// One block of k.
#[derive(Clone, Copy)]
struct KBlock {
    first_unit: usize,
    n_units: usize,
    is_last: bool,
}

impl Block<'_> {
    #[inline(always)]
    unsafe fn over_k<S: Simd, T: Tile<S>>(&self, packed: &mut PackedRows) {
        let n_units = T::LAYOUT.n_units(self.a.n_columns());
        // An inner axis of length zero still stores zeros, bias and activation.
        for first_unit in (0..n_units.max(1)).step_by(T::K_BLOCK) {
            let depth = T::K_BLOCK.min(n_units - first_unit);
            let k = KBlock { first_unit, n_units: depth, is_last: first_unit + depth == n_units };
            // SAFETY: `packed` holds the block's units of every row.
            unsafe {
                self.pack::<S, T>(k, packed);
                self.over_panels::<S, T>(k, packed);
            }
        }
    }

    /// Packs these columns of `a`, tile by tile. Where a row's numbers lie far apart (weights' gradients) it
    /// is a few of them for every tile in turn: what is read for one tile brings the next one's along.
    #[inline(always)]
    unsafe fn pack<S: Simd, T: Tile<S>>(&self, k: KBlock, packed: &mut PackedRows) {
        let (m, per_unit) = (self.a.n_rows(), T::LAYOUT.per_unit);
        let n_tiles = m.div_ceil(T::ROWS);
        let columns =
            k.first_unit * per_unit..((k.first_unit + k.n_units) * per_unit).min(self.a.n_columns());
        let is_scattered = self.a.row_stride() == 1 && !T::LAYOUT.is_quantized;
        let step = if is_scattered { SCATTERED } else { columns.len().max(1) };
        for start in columns.clone().step_by(step) {
            let n = step.min(columns.end - start);
            for tile in 0..n_tiles {
                let rows = part(m, n_tiles, tile);
                let from = self.a.rows(rows.start, rows.len()).columns(start, n);
                // SAFETY: a tile's rows have `k.n_units` units each; so many fit, by the caller's contract.
                unsafe {
                    let to = packed.units.as_mut_ptr().add(rows.start * k.n_units);
                    let scales = packed.scales.as_mut_ptr().wrapping_add(rows.start);
                    T::pack_a(from, (start - columns.start) / per_unit, to, scales);
                }
            }
        }
    }

    #[inline(always)]
    unsafe fn over_panels<S: Simd, T: Tile<S>>(&self, k: KBlock, packed: &PackedRows) {
        let (m, width) = (self.a.n_rows(), T::LAYOUT.panel_width);
        let n_tiles = m.div_ceil(T::ROWS);
        let n_units = T::LAYOUT.n_units(self.a.n_columns());
        for panel in self.panels.clone() {
            let b = self.b.panel(panel, k.first_unit..k.first_unit + k.n_units);
            for tile in 0..n_tiles {
                let rows = part(m, n_tiles, tile);
                let a = &packed.units[rows.start * k.n_units..rows.end * k.n_units];
                let next = b.as_ptr().wrapping_add(n_units * width);
                let prefetch = Prefetch::new(next, k.n_units, width / LANES, tile, n_tiles);
                let inputs =
                    Inputs { n_rows: rows.len(), depth: k.n_units, a: a.as_ptr(), b: b.as_ptr(), prefetch };
                let scales = self.scales(panel * width, packed.scales.as_ptr().wrapping_add(rows.start));
                let store = self.store(rows.start, panel * width, k, scales);
                // SAFETY: `a` and `b` hold `depth` runs; the store lies inside `out`, by the caller.
                unsafe {
                    T::multiply(inputs, store);
                    store.activate::<S>(rows.len());
                }
            }
        }
    }

    /// Of the columns from `column` on.
    #[inline(always)]
    fn scales(&self, column: usize, rows: *const f32) -> Scales {
        let (scales, offsets) = self.b.scales();
        Scales {
            rows,
            columns: scales.as_ptr().wrapping_add(column),
            offsets: offsets.as_ptr().wrapping_add(column),
        }
    }

    /// Of the tile at this row and column.
    #[inline(always)]
    fn store(&self, row: usize, column: usize, k: KBlock, scales: Scales) -> Store {
        let offset = row * self.out_stride + column;
        Store {
            out: self.out.wrapping_add(offset),
            out_stride: self.out_stride,
            n_columns: self.b.layout().panel_width.min(self.b.n_columns() - column),
            add_to_out: k.first_unit > 0 || self.accumulate,
            bias: self.bias.filter(|_| k.is_last).map(|bias| bias.wrapping_add(column)),
            activation: self.activation.filter(|_| k.is_last),
            before_activation: self.before_activation.map(|kept| kept.wrapping_add(offset)),
            scales,
        }
    }
}
