//! The kernel: a tile of `out` stays in registers while k runs.
//!
//! After Goto and van de Geijn 2008, "Anatomy of high-performance matrix multiplication": a block of `a` is
//! packed so that it stays in the second cache, beside the panel of `b` that its tiles read one after the
//! other. What is needed next (the tile's place in `out`, the panel after this one) is asked for meanwhile.

use super::copy::copy;
use super::{Epilogue, K_BLOCK, Matmul, MatrixView, PackedMatrix, Precision, Requests};
use crate::ops::activation::Activation;
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, n_threads, parallel_for};
use std::cell::RefCell;
use std::ops::Range;

/// Rows of `a` in one task at most: with `K_BLOCK` columns they fill a part of the second cache, and are enough
/// for a panel of `b` to arrive while the panel before it is used.
const ROWS_MAX: usize = 144;
/// Numbers of a row of `a` that are packed at once where they lie far apart, an even number: few enough that the caches, which
/// hold few lines that are a power of two apart, still have them for the next tile.
const SCATTERED: usize = 16;
/// Columns of `out` in one task at least, so that packing `a` stays cheap beside the product.
const COLUMNS_MIN: usize = 64;

thread_local! {
    /// The packed block of `a`, kept from call to call.
    static PACKED_A: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// The whole product, cut into tasks.
pub(crate) fn multiply(level: Level, job: Matmul<'_>) {
    let Matmul { a, b, out, accumulate, epilogue } = job;
    let (m, n) = (a.n_rows(), b.n_columns());
    if m == 0 || n == 0 {
        return;
    }
    let Epilogue { bias, activation, before_activation } = epilogue;
    let out = SharedPointer::new(out);
    let before = before_activation.map(SharedPointer::new);
    let (n_row_parts, n_panel_parts) = partition(m, n, b.panel_width());
    let n_panels = n.div_ceil(b.panel_width());
    parallel_for(n_row_parts * n_panel_parts, |task| {
        let rows = part(m, n_row_parts, task / n_panel_parts);
        let panels = part(n_panels, n_panel_parts, task % n_panel_parts);
        // SAFETY: the tasks' rectangles of `out` (and of `before`) are disjoint and inside its m x n.
        let job = unsafe {
            Block {
                a: a.rows(rows.start, rows.len()),
                b: b.as_slice(),
                precision: b.precision(),
                panel_width: b.panel_width(),
                n_columns: n,
                panels,
                out: out.get().add(rows.start * n),
                out_stride: n,
                accumulate,
                bias: bias.map(<[f32]>::as_ptr),
                activation,
                before_activation: before.map(|kept| kept.get().add(rows.start * n)),
            }
        };
        run(level, job);
    });
}

/// How many parts rows and panels are cut into: whole rows first, then panels until all threads work.
pub(crate) fn partition(m: usize, n: usize, panel_width: usize) -> (usize, usize) {
    let threads = n_threads();
    let n_row_parts = m.div_ceil(ROWS_MAX);
    let n_row_parts =
        if m >= threads * ROWS_MAX { n_row_parts.next_multiple_of(threads) } else { n_row_parts };
    let n_panel_parts_max = (n / COLUMNS_MIN.max(panel_width)).max(1);
    let wanted = if n_row_parts.is_multiple_of(threads) { 1 } else { (2 * threads).div_ceil(n_row_parts) };
    (n_row_parts, wanted.min(n_panel_parts_max))
}

/// Part `index` of `0..n` cut into `n_parts` nearly equal parts.
pub(crate) fn part(n: usize, n_parts: usize, index: usize) -> Range<usize> {
    n * index / n_parts..n * (index + 1) / n_parts
}

/// A product on the calling thread, inside another kernel: attention's small matrices.
pub(crate) struct SerialProduct<'a> {
    /// `[M, K]`
    pub a: MatrixView<'a>,
    /// `[K, N]`
    pub b: &'a PackedMatrix,
    /// `[M, N]`, its rows `out_stride` apart
    pub out: *mut f32,
    pub out_stride: usize,
    pub accumulate: bool,
}

/// # Safety
/// The contract of [`Simd`]; `out` must be valid for M rows of N numbers, `out_stride` apart.
#[inline(always)]
pub(crate) unsafe fn multiply_serial<S: Simd>(job: SerialProduct<'_>) {
    assert_eq!(job.a.n_columns(), job.b.n_rows());
    let block = Block {
        a: job.a,
        b: job.b.as_slice(),
        precision: job.b.precision(),
        panel_width: job.b.panel_width(),
        n_columns: job.b.n_columns(),
        panels: 0..job.b.n_columns().div_ceil(job.b.panel_width()),
        out: job.out,
        out_stride: job.out_stride,
        accumulate: job.accumulate,
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
    b: &'a [f32],
    precision: Precision,
    panel_width: usize,
    n_columns: usize,
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
        assert_eq!(self.panel_width, S::TILE_VECTORS * LANES, "packed for another instruction set");
        // Taken out for the time of use: a kernel may run another product on this thread.
        let mut packed = PACKED_A.take();
        packed.resize(packed.len().max(self.a.n_rows() * K_BLOCK), 0.0);
        // SAFETY: the caller's contract.
        unsafe { self.over_k::<S>(&mut packed) };
        PACKED_A.set(packed);
    }
}

/// What a tile reads.
#[derive(Clone, Copy)]
struct Inputs {
    depth: usize,
    /// `[depth, ROWS]`, in bf16 two in each
    a: *const f32,
    /// `[depth, TILE_VECTORS * LANES]`
    b: *const f32,
    requests: Requests,
}

/// Where a tile's numbers go and what happens to them on the way.
#[derive(Clone, Copy)]
struct Store {
    out: *mut f32,
    out_stride: usize,
    /// Valid columns of the tile.
    n_columns: usize,
    add_to_out: bool,
    bias: Option<*const f32>,
    activation: Option<Activation>,
    before_activation: Option<*mut f32>,
}

impl Block<'_> {
    #[inline(always)]
    unsafe fn over_k<S: Simd>(&self, packed: &mut [f32]) {
        let (m, k, per_unit) = (self.a.n_rows(), self.a.n_columns(), self.precision.per_unit());
        let (n_units, n_tiles) = (k.div_ceil(per_unit), m.div_ceil(S::TILE_ROWS));
        // An inner axis of length zero still stores zeros, bias and activation.
        for first in (0..n_units.max(1)).step_by(K_BLOCK) {
            let depth = K_BLOCK.min(n_units - first);
            let columns = first * per_unit..((first + depth) * per_unit).min(k);
            // SAFETY: `packed` holds m * K_BLOCK units.
            unsafe { self.pack::<S>(columns, depth, n_tiles, packed) };
            let is_last = first + depth == n_units;
            for panel in self.panels.clone() {
                let b = &self.b[(panel * n_units + first) * self.panel_width..][..depth * self.panel_width];
                for tile in 0..n_tiles {
                    let rows = part(m, n_tiles, tile);
                    let a = &packed[rows.start * depth..rows.end * depth];
                    let next = b.as_ptr().wrapping_add(n_units * self.panel_width);
                    let requests = Requests::new(next, depth, S::TILE_VECTORS, tile, n_tiles);
                    let inputs = Inputs { depth, a: a.as_ptr(), b: b.as_ptr(), requests };
                    let store = self.store(rows.start, panel, first > 0, is_last);
                    // SAFETY: `a` and `b` hold `depth` runs; the store lies inside `out`, by the caller.
                    unsafe { tile_of::<S>(self.precision, rows.len(), inputs, store) };
                }
            }
        }
    }

    /// Packs these columns of `a`, tile by tile. Where a row's numbers lie far apart (weights' gradients) it is a few of them
    /// for every tile in turn: what is read for one tile brings the next one's along.
    #[inline(always)]
    unsafe fn pack<S: Simd>(&self, columns: Range<usize>, depth: usize, n_tiles: usize, packed: &mut [f32]) {
        let (m, per_unit) = (self.a.n_rows(), self.precision.per_unit());
        let step = if self.a.row_stride() == 1 { SCATTERED } else { columns.len().max(1) };
        for start in columns.clone().step_by(step) {
            let n = step.min(columns.end - start);
            for tile in 0..n_tiles {
                let rows = part(m, n_tiles, tile);
                let source = self.a.rows(rows.start, rows.len()).columns(start, n).transposed();
                let at = rows.start * depth + (start - columns.start) / per_unit * rows.len();
                // SAFETY: rows.len() * depth units fit after rows.start * depth, by the caller's contract.
                unsafe { copy::<S>(self.precision, source, packed.as_mut_ptr().add(at), rows.len()) };
            }
        }
    }

    #[inline(always)]
    fn store(&self, row: usize, panel: usize, continues: bool, is_last: bool) -> Store {
        let column = panel * self.panel_width;
        let offset = row * self.out_stride + column;
        Store {
            out: self.out.wrapping_add(offset),
            out_stride: self.out_stride,
            n_columns: self.panel_width.min(self.n_columns - column),
            add_to_out: continues || self.accumulate,
            bias: self.bias.filter(|_| is_last).map(|bias| bias.wrapping_add(column)),
            activation: self.activation.filter(|_| is_last),
            before_activation: self.before_activation.map(|kept| kept.wrapping_add(offset)),
        }
    }
}

/// Enters the tile kernel of the right size: as many rows as there are, as many vectors as hold columns.
#[inline(always)]
unsafe fn tile_of<S: Simd>(precision: Precision, n_rows: usize, inputs: Inputs, store: Store) {
    use Precision::{Bf16, F32};
    macro_rules! by_size {
        ($($rows:literal)*) => {
            match (n_rows, store.n_columns.div_ceil(LANES), precision) {
                $(
                    // SAFETY: the caller's contract; the sizes are the tile's.
                    ($rows, 1, F32) => unsafe { tile::<S, $rows, 1, false>(inputs, store) },
                    // SAFETY: as above.
                    ($rows, 1, Bf16) => unsafe { tile::<S, $rows, 1, true>(inputs, store) },
                    // SAFETY: as above.
                    ($rows, 2, F32) => unsafe { tile::<S, $rows, 2, false>(inputs, store) },
                    // SAFETY: as above.
                    ($rows, 2, Bf16) => unsafe { tile::<S, $rows, 2, true>(inputs, store) },
                    // SAFETY: as above.
                    ($rows, _, F32) => unsafe { tile::<S, $rows, 3, false>(inputs, store) },
                    // SAFETY: as above.
                    ($rows, _, Bf16) => unsafe { tile::<S, $rows, 3, true>(inputs, store) },
                )*
                _ => unreachable!("tiles have at most {} rows", S::TILE_ROWS),
            }
        };
    }
    by_size!(1 2 3 4 5 6 7 8)
}

/// `ROWS` rows of `NV` vectors: products over `depth`, then the store.
#[allow(clippy::needless_range_loop)] // Indices of known range keep every sum in its register.
#[inline(always)]
unsafe fn tile<S: Simd, const ROWS: usize, const NV: usize, const PAIRS: bool>(inputs: Inputs, store: Store) {
    if ROWS > S::TILE_ROWS || NV > S::TILE_VECTORS {
        return; // Never taken: keeps tiles of other sizes than the registers hold out of the program.
    }
    let Inputs { depth, a, b, requests } = inputs;
    // SAFETY: the caller's contract gives `depth` runs of `a` and `b`.
    unsafe {
        for row in 0..ROWS {
            for v in 0..NV {
                S::prefetch(store.out.wrapping_add(row * store.out_stride + v * LANES));
            }
        }
        let mut sums = [[S::splat(0.0); NV]; ROWS];
        for k in 0..depth {
            requests.ask::<S>(k);
            let mut right = [S::splat(0.0); NV];
            for v in 0..NV {
                right[v] = S::load(b.add((k * S::TILE_VECTORS + v) * LANES));
            }
            for row in 0..ROWS {
                let left = S::splat(*a.add(k * ROWS + row));
                for v in 0..NV {
                    sums[row][v] = if PAIRS {
                        S::fma_pairs(left, right[v], sums[row][v])
                    } else {
                        S::fma(left, right[v], sums[row][v])
                    };
                }
            }
        }
        if store.n_columns == NV * LANES {
            store_whole::<S, ROWS, NV>(&sums, store);
        } else {
            for row in 0..ROWS {
                for v in 0..NV {
                    store_part::<S>(sums[row][v], row, v, store);
                }
            }
        }
        if let Some(activation) = store.activation {
            activate::<S>(ROWS, activation, store);
        }
    }
}

/// Every vector whole, so that the sums go from their registers to memory.
#[allow(clippy::needless_range_loop)] // As in `tile`.
#[inline(always)]
unsafe fn store_whole<S: Simd, const ROWS: usize, const NV: usize>(sums: &[[S::V; NV]; ROWS], store: Store) {
    // SAFETY: the tile's ROWS x NV * LANES numbers lie inside the caller's rectangle, and the bias is as wide.
    unsafe {
        let mut bias = [S::splat(0.0); NV];
        if let Some(from) = store.bias {
            for v in 0..NV {
                bias[v] = S::load(from.add(v * LANES));
            }
        }
        for row in 0..ROWS {
            for v in 0..NV {
                let to = store.out.add(row * store.out_stride + v * LANES);
                let sum = if store.add_to_out { S::add(S::load(to), sums[row][v]) } else { sums[row][v] };
                S::store(to, if store.bias.is_some() { S::add(sum, bias[v]) } else { sum });
            }
        }
    }
}

/// One vector, perhaps the last of a row.
#[inline(always)]
unsafe fn store_part<S: Simd>(sum: S::V, row: usize, v: usize, store: Store) {
    let column = v * LANES;
    let n = (store.n_columns - column).min(LANES);
    // SAFETY: n numbers at this row and column lie inside the caller's rectangle.
    unsafe {
        let to = store.out.add(row * store.out_stride + column);
        let mut x = sum;
        if store.add_to_out {
            x = S::add(S::load_part(to, n), x);
        }
        if let Some(bias) = store.bias {
            x = S::add(x, S::load_part(bias.add(column), n));
        }
        S::store_part(to, x, n);
    }
}

/// Applies the activation to a tile that was just stored, while it is in the first cache.
#[inline(always)]
unsafe fn activate<S: Simd>(n_rows: usize, activation: Activation, store: Store) {
    for row in 0..n_rows {
        for column in (0..store.n_columns).step_by(LANES) {
            let n = (store.n_columns - column).min(LANES);
            let offset = row * store.out_stride + column;
            // SAFETY: n numbers at this row and column lie inside the caller's rectangle.
            unsafe {
                let x = S::load_part(store.out.add(offset), n);
                if let Some(kept) = store.before_activation {
                    S::store_part(kept.add(offset), x, n);
                }
                S::store_part(store.out.add(offset), activation.apply::<S>(x), n);
            }
        }
    }
}
