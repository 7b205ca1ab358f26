//! Forward: one task per row and head.

use super::{Attended, Heads, Queries};
use crate::buffer::Buffer;
use crate::device::Device;
use crate::ops::dropout::{Dropout, cpu::fill_mask};
use crate::ops::matmul::{MatrixView, Panels, SerialProduct, multiply_serial};
use crate::ops::softmax::softmax_row;
use crate::simd::{Kernel, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};
use std::cell::RefCell;
use std::ops::Range;

/// Queries whose scores are formed at once: a whole number of tiles.
pub(super) const STRIP: usize = 56;

pub(super) fn forward(
    level: Level,
    heads: Heads<'_>,
    qkv: &[f32],
    dropout: Option<Dropout>,
    keep_maps: bool,
) -> Attended {
    let (n_queries, n_heads) = (heads.n_queries(), heads.n_heads);
    let mut out = Buffer::uninitialised(Device::Cpu, n_queries * heads.width);
    let mut log_sums = Buffer::uninitialised(Device::Cpu, n_queries * n_heads);
    let lengths = || heads.row_starts.windows(2).map(|row| row[1] - row[0]);
    let mut maps: Option<Vec<Buffer>> =
        keep_maps.then(|| lengths().map(|s| Buffer::zeros(Device::Cpu, n_heads * s * s)).collect());
    let map_pointers: Option<Vec<SharedPointer>> =
        maps.as_mut().map(|maps| maps.iter_mut().map(|map| SharedPointer::new(map.cpu_mut())).collect());
    let (out_pointer, sums_pointer) =
        (SharedPointer::new(out.cpu_mut()), SharedPointer::new(log_sums.cpu_mut()));
    parallel_for(heads.n_rows() * n_heads, |task| {
        let (row, head) = (task / n_heads, task % n_heads);
        let job = HeadForward {
            place: Place::new(heads, row, head),
            qkv,
            dropout,
            out: out_pointer,
            log_sums: sums_pointer,
            map: map_pointers.as_ref().map(|maps| maps[row]),
        };
        run(level, job);
    });
    Attended { out, log_sums, maps }
}

/// Which tokens and columns one task works on.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub heads: Heads<'a>,
    pub row: usize,
    pub head: usize,
    pub first_token: usize,
    /// s
    pub n_tokens: usize,
}

impl<'a> Place<'a> {
    pub(super) fn new(heads: Heads<'a>, row: usize, head: usize) -> Self {
        let (first_token, end) = (heads.row_starts[row], heads.row_starts[row + 1]);
        Self { heads, row, head, first_token, n_tokens: end - first_token }
    }

    /// Queries of this row.
    pub(super) fn n_queries(&self) -> usize {
        match self.heads.queries {
            Queries::All => self.n_tokens,
            Queries::Firsts => 1,
        }
    }

    /// The keys that any of `n` queries from `first` sees.
    pub(super) fn keys_of(&self, first: usize, n: usize) -> Range<usize> {
        match self.heads.window {
            None => 0..self.n_tokens,
            Some(reach) => first.saturating_sub(reach)..(first + n).saturating_add(reach).min(self.n_tokens),
        }
    }

    /// Where a query of this row stands among all.
    pub(super) fn place_of(&self, query: usize) -> usize {
        match self.heads.queries {
            Queries::All => self.first_token + query,
            Queries::Firsts => self.row,
        }
    }

    /// This row's and head's part of a matrix `[Q, D]`. `[queries, d]`
    pub(super) fn of_queries<'b>(&self, data: &'b [f32]) -> MatrixView<'b> {
        let (width, d) = (self.heads.width, self.heads.head_width());
        MatrixView::new(data, self.heads.n_queries(), width)
            .rows(self.place_of(0), self.n_queries())
            .columns(self.head * d, d)
    }

    /// This row's and head's part of a matrix `[T, n_parts * D]`: part 0, 1, 2 of qkv. `[s, d]`
    pub(super) fn of<'b>(&self, data: &'b [f32], part: usize, n_parts: usize) -> MatrixView<'b> {
        let (width, d) = (self.heads.width, self.heads.head_width());
        MatrixView::new(data, self.heads.n_tokens(), n_parts * width)
            .rows(self.first_token, self.n_tokens)
            .columns(part * width + self.head * d, d)
    }

    /// The number that a dropout mask's row is made from.
    pub(super) fn mask_row(&self, query: usize) -> u64 {
        ((self.first_token + query) * self.heads.n_heads + self.head) as u64
    }
}

struct HeadForward<'a> {
    place: Place<'a>,
    qkv: &'a [f32],
    dropout: Option<Dropout>,
    out: SharedPointer,
    log_sums: SharedPointer,
    map: Option<SharedPointer>,
}

/// Memory kept from task to task.
#[derive(Default)]
struct Scratch {
    keys: Panels,
    values: Panels,
    scores: Vec<f32>,
    mask: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Kernel for HeadForward<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (place, s) = (self.place, self.place.n_tokens);
        let mut scratch = SCRATCH.take();
        scratch.scores.resize(STRIP * s, 0.0);
        scratch.mask.resize(s, 0.0);
        let (n_queries, mut packed) = (place.n_queries(), 0..0);
        for first in (0..n_queries).step_by(STRIP) {
            let n = STRIP.min(n_queries - first);
            let keys = place.keys_of(first, n);
            if keys != packed {
                packed = keys.clone();
                let of = |part| place.of(self.qkv, part, 3).rows(keys.start, keys.len());
                scratch.keys.refill::<S>(place.heads.precision, of(1).transposed());
                scratch.values.refill::<S>(place.heads.precision, of(2));
            }
            // SAFETY: the level is on, by `run`'s contract; queries first.. lie inside the row.
            unsafe { self.strip::<S>(first, n, keys, &mut scratch) };
        }
        SCRATCH.set(scratch);
    }
}

impl HeadForward<'_> {
    /// `n` queries from `first`, over the packed keys.
    #[inline(always)]
    unsafe fn strip<S: Simd>(&self, first: usize, n: usize, keys: Range<usize>, scratch: &mut Scratch) {
        let (place, s, n_keys) = (self.place, self.place.n_tokens, keys.len());
        let (width, d, n_heads) = (place.heads.width, place.heads.head_width(), place.heads.n_heads);
        let queries = place.of(self.qkv, 0, 3).rows(first, n);
        let scores = &mut scratch.scores[..n * n_keys];
        // SAFETY: scores holds n x n_keys; every task writes its own head's columns of `out` and `log_sums`
        // at its own row's queries, and its own head's part of the row's map.
        unsafe {
            let to_scores = scores.as_mut_ptr();
            multiply_serial::<S>(SerialProduct {
                a: queries,
                b: &scratch.keys,
                out: to_scores,
                out_stride: n_keys,
                accumulate: false,
            });
            for (i, row) in scores.chunks_exact_mut(n_keys).enumerate() {
                let seen = seen(place.keys_of(first + i, 1), &keys, row);
                let log_sum = softmax_row::<S>(seen, place.heads.scale());
                *self.log_sums.get().add(place.place_of(first + i) * n_heads + place.head) = log_sum;
                if let Some(map) = self.map {
                    let to = map.get().add((place.head * s + first + i) * s + keys.start);
                    std::ptr::copy_nonoverlapping(row.as_ptr(), to, n_keys);
                }
                if let Some(dropout) = self.dropout {
                    let mask = &mut scratch.mask[..keys.end];
                    fill_mask(dropout, place.mask_row(first + i), mask);
                    row.iter_mut().zip(&mask[keys.start..]).for_each(|(p, m)| *p *= m);
                }
            }
            let out = self.out.get().add(place.place_of(first) * width + place.head * d);
            let weights = MatrixView::new(&*scores, n, n_keys);
            multiply_serial::<S>(SerialProduct {
                a: weights,
                b: &scratch.values,
                out,
                out_stride: width,
                accumulate: false,
            });
        }
    }
}

/// The scores of the keys that a query sees, in its row of scores of `keys`; those of the others become 0.
#[inline(always)]
pub(super) fn seen<'r>(own: Range<usize>, keys: &Range<usize>, row: &'r mut [f32]) -> &'r mut [f32] {
    let (start, end) = (own.start - keys.start, own.end - keys.start);
    row[..start].fill(0.0);
    row[end..].fill(0.0);
    &mut row[start..end]
}
