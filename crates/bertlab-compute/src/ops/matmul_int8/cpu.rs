//! The kernel: as that of [`matmul`](super::super::matmul), with bytes in fours, and whole sums that become f32 at the end.

use super::QuantizedMatrix;
use super::quantize::quantize_row;
use crate::ops::activation::Activation;
use crate::ops::matmul::{MatrixView, Requests, part, partition};
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};
use std::cell::RefCell;
use std::ops::Range;

thread_local! {
    /// The block of `a` in bytes, kept from call to call.
    static QUANTIZED_A: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// One product.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    /// `[M, K]`, rows without gaps
    pub a: MatrixView<'a>,
    /// `[K, N]`
    pub b: &'a QuantizedMatrix,
    /// `[N]`
    pub bias: &'a [f32],
    pub activation: Option<Activation>,
}

/// The whole product, cut into tasks. `out [M, N]`
pub(super) fn multiply(level: Level, job: Job<'_>, out: &mut [f32]) {
    let (m, n, width) = (job.a.n_rows(), job.b.n_columns(), job.b.panel_width());
    assert_eq!(out.len(), m * n);
    if m == 0 || n == 0 {
        return;
    }
    let out = SharedPointer::new(out);
    let (n_row_parts, n_panel_parts) = partition(m, n, width);
    parallel_for(n_row_parts * n_panel_parts, |task| {
        let rows = part(m, n_row_parts, task / n_panel_parts);
        let panels = part(n.div_ceil(width), n_panel_parts, task % n_panel_parts);
        let job = Job { a: job.a.rows(rows.start, rows.len()), ..job };
        // SAFETY: the tasks' rectangles of `out` are disjoint and inside its m x n.
        run(level, Block { job, panels, out: unsafe { out.get().add(rows.start * n) } });
    });
}

/// A rectangle of `out`: all rows of `a`, the columns of `panels`.
struct Block<'a> {
    job: Job<'a>,
    panels: Range<usize>,
    out: *mut f32,
}

impl Kernel for Block<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let Job { a, b, .. } = self.job;
        assert_eq!(b.panel_width(), S::TILE_VECTORS * LANES, "quantized for another instruction set");
        let (m, n_units) = (a.n_rows(), b.n_units());
        let n_tiles = m.div_ceil(S::TILE_ROWS);
        let mut quantized = QUANTIZED_A.take();
        // The rows' scales stand behind their units.
        quantized.resize(quantized.len().max(m * (n_units + 1)), 0.0);
        let (units, scales) = quantized.split_at_mut(m * n_units);
        // SAFETY: row `row` of a tile of `n` rows has the units `row`, `row + n`, …, after those of the tiles before it;
        // the store lies inside `out`, by the caller's contract.
        unsafe {
            for tile in 0..n_tiles {
                let rows = part(m, n_tiles, tile);
                for (i, row) in rows.clone().enumerate() {
                    let to = units.as_mut_ptr().add(rows.start * n_units + i);
                    let from = a.pointer().add(row * a.row_stride());
                    scales[row] = quantize_row::<S>(from, a.n_columns(), to, rows.len());
                }
            }
            for panel in self.panels.clone() {
                for tile in 0..n_tiles {
                    let rows = part(m, n_tiles, tile);
                    let a = &units[rows.start * n_units..rows.end * n_units];
                    let b = &b.units()[panel * n_units * b.panel_width()..][..n_units * b.panel_width()];
                    let next = b.as_ptr().wrapping_add(b.len());
                    let requests = Requests::new(next, n_units, S::TILE_VECTORS, tile, n_tiles);
                    let inputs = Inputs { n_units, a: a.as_ptr(), b: b.as_ptr(), requests };
                    let store = self.store(rows.start, panel, &scales[rows.clone()]);
                    tile_of::<S>(rows.len(), inputs, store);
                }
            }
        }
        QUANTIZED_A.set(quantized);
    }
}

impl Block<'_> {
    #[inline(always)]
    fn store<'s>(&'s self, row: usize, panel: usize, row_scales: &'s [f32]) -> Store<'s> {
        let Job { b, bias, activation, .. } = self.job;
        let (column, width) = (panel * b.panel_width(), b.panel_width());
        let n_columns = width.min(b.n_columns() - column);
        Store {
            out: self.out.wrapping_add(row * b.n_columns() + column),
            out_stride: b.n_columns(),
            row_scales,
            scales: &b.scales()[column..column + width],
            offsets: &b.offsets()[column..column + width],
            bias: &bias[column..column + n_columns],
            activation,
        }
    }
}

/// What a tile reads.
#[derive(Clone, Copy)]
struct Inputs {
    n_units: usize,
    /// `[n_units, ROWS]`
    a: *const f32,
    /// `[n_units, TILE_VECTORS * LANES]`
    b: *const f32,
    requests: Requests,
}

/// Where a tile's sums go, and what becomes of them.
#[derive(Clone, Copy)]
struct Store<'a> {
    out: *mut f32,
    out_stride: usize,
    row_scales: &'a [f32],
    /// Of the panel's columns, as wide as it is.
    scales: &'a [f32],
    offsets: &'a [f32],
    /// Of the columns that there are.
    bias: &'a [f32],
    activation: Option<Activation>,
}

/// Enters the tile kernel of the right size.
#[inline(always)]
unsafe fn tile_of<S: Simd>(n_rows: usize, inputs: Inputs, store: Store<'_>) {
    macro_rules! by_size {
        ($($rows:literal)*) => {
            match (n_rows, store.bias.len().div_ceil(LANES)) {
                $(
                    // SAFETY: the caller's contract; the sizes are the tile's.
                    ($rows, 1) => unsafe { tile::<S, $rows, 1>(inputs, store) },
                    // SAFETY: as above.
                    ($rows, 2) => unsafe { tile::<S, $rows, 2>(inputs, store) },
                    // SAFETY: as above.
                    ($rows, _) => unsafe { tile::<S, $rows, 3>(inputs, store) },
                )*
                _ => unreachable!("tiles have at most {} rows", S::TILE_ROWS),
            }
        };
    }
    by_size!(1 2 3 4 5 6 7 8)
}

/// `ROWS` rows of `NV` vectors: sums of products, then the store.
#[allow(clippy::needless_range_loop)] // Indices of known range keep every sum in its register.
#[inline(always)]
unsafe fn tile<S: Simd, const ROWS: usize, const NV: usize>(inputs: Inputs, store: Store<'_>) {
    if ROWS > S::TILE_ROWS || NV > S::TILE_VECTORS {
        return; // Never taken: keeps tiles of other sizes than the registers hold out of the program.
    }
    let Inputs { n_units, a, b, requests } = inputs;
    // SAFETY: the caller's contract gives `n_units` runs of `a` and `b`.
    unsafe {
        let mut sums = [[S::splat(0.0); NV]; ROWS]; // The bits of 0, whole or not.
        for unit in 0..n_units {
            requests.ask::<S>(unit);
            let mut right = [S::splat(0.0); NV];
            for v in 0..NV {
                right[v] = S::load(b.add((unit * S::TILE_VECTORS + v) * LANES));
            }
            for row in 0..ROWS {
                let left = S::splat(*a.add(unit * ROWS + row));
                for v in 0..NV {
                    sums[row][v] = S::dot_quads(left, right[v], sums[row][v]);
                }
            }
        }
        for row in 0..ROWS {
            for v in 0..NV {
                store_vector::<S>(sums[row][v], row, v, store);
            }
        }
    }
}

/// Sixteen sums, perhaps the last of a row, as f32.
#[inline(always)]
unsafe fn store_vector<S: Simd>(sums: S::V, row: usize, v: usize, store: Store<'_>) {
    let column = v * LANES;
    let n = (store.bias.len() - column).min(LANES);
    // SAFETY: scales and offsets are as wide as the tile; n numbers of the bias and of `out` at this row and column are
    // there by the caller's contract.
    unsafe {
        let x = S::whole_difference(sums, S::load(store.offsets.as_ptr().add(column)));
        let scale = S::mul(S::load(store.scales.as_ptr().add(column)), S::splat(store.row_scales[row]));
        let x = S::fma(x, scale, S::load_part(store.bias.as_ptr().add(column), n));
        let x = match store.activation {
            Some(activation) => activation.apply::<S>(x),
            None => x,
        };
        S::store_part(store.out.add(row * store.out_stride + column), x, n);
    }
}
