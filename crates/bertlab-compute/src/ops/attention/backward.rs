//! Backward: one task per row and head, P computed again from the scores and their log-sums
//! (as in Dao et al. 2022, "FlashAttention").
//!
//! With M the dropout mask: `d_V = (P∘M)ᵀ d_out`, `d_P = M∘(d_out Vᵀ)`,
//! `d_S = P∘(d_P - rowsum(d_out∘out)) / √d`, `d_Q = d_S K`, `d_K = d_Sᵀ Q`.

use super::Heads;
use super::cpu::{Place, STRIP, seen};
use crate::buffer::Buffer;
use crate::device::Device;
use crate::ops::dropout::{Dropout, cpu::fill_mask};
use crate::ops::matmul::{MatrixView, Panels, SerialProduct, multiply_serial};
use crate::simd::{Kernel, LANES, Level, Simd, math, run};
use crate::threads::{SharedPointer, parallel_for};
use std::cell::RefCell;
use std::ops::Range;

/// [`AttentionGradient`](super::AttentionGradient) in host memory.
#[derive(Clone, Copy)]
pub(super) struct Job<'a> {
    pub qkv: &'a [f32],
    pub out: &'a [f32],
    pub log_sums: &'a [f32],
    pub d_out: &'a [f32],
    pub dropout: Option<Dropout>,
}

pub(super) fn backward(level: Level, heads: Heads<'_>, job: Job<'_>) -> Buffer {
    let mut d_qkv = Buffer::uninitialised(Device::Cpu, job.qkv.len());
    let target = SharedPointer::new(d_qkv.cpu_mut());
    parallel_for(heads.n_rows() * heads.n_heads, |task| {
        let place = Place::new(heads, task / heads.n_heads, task % heads.n_heads);
        run(level, HeadBackward { place, job, d_qkv: target });
    });
    d_qkv
}

struct HeadBackward<'a> {
    place: Place<'a>,
    job: Job<'a>,
    d_qkv: SharedPointer,
}

/// Memory kept from task to task.
#[derive(Default)]
struct Scratch {
    /// Kᵀ `[d, s]`, Vᵀ `[d, s]`, K `[s, d]`
    keys_across: Panels,
    values_across: Panels,
    keys: Panels,
    /// A strip of queries and of d_out. `[n, d]`
    queries: Panels,
    d_out: Panels,
    /// `[n, s]`: P, later P∘M; and d_P, later d_S
    p: Vec<f32>,
    d_p: Vec<f32>,
    mask: Vec<f32>,
}

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Kernel for HeadBackward<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (place, s) = (self.place, self.place.n_tokens);
        let mut scratch = SCRATCH.take();
        scratch.p.resize(STRIP * s, 0.0);
        scratch.d_p.resize(STRIP * s, 0.0);
        scratch.mask.clear();
        scratch.mask.resize(s, 1.0);
        let (n_queries, mut packed) = (place.n_queries(), 0..0);
        if place.heads.window.is_some() {
            // A strip adds to the keys that it sees: no strip is the first for all of them.
            for token in 0..s {
                // SAFETY: as below, of this head's columns of d_K and d_V.
                unsafe {
                    self.clear(1, token);
                    self.clear(2, token);
                }
            }
        }
        for first in (0..n_queries).step_by(STRIP) {
            let n = STRIP.min(n_queries - first);
            let keys = place.keys_of(first, n);
            if keys != packed {
                packed = keys.clone();
                scratch.refill_keys::<S>(place, self.job.qkv, &keys);
            }
            // SAFETY: the level is on, by `run`'s contract; queries first.. lie inside the row.
            unsafe { self.strip::<S>(first, n, keys, &mut scratch) };
        }
        for unread in n_queries..s {
            // SAFETY: this head's columns of d_Q at a token of the row, which no other task touches.
            unsafe { self.clear(0, unread) };
        }
        SCRATCH.set(scratch);
    }
}

impl Scratch {
    /// Packs these keys and their values.
    #[inline(always)]
    fn refill_keys<S: Simd>(&mut self, place: Place<'_>, qkv: &[f32], keys: &Range<usize>) {
        let of = |part| place.of(qkv, part, 3).rows(keys.start, keys.len());
        let precision = place.heads.precision;
        self.keys_across.refill::<S>(precision, of(1).transposed());
        self.values_across.refill::<S>(precision, of(2).transposed());
        self.keys.refill::<S>(precision, of(1));
    }
}

impl HeadBackward<'_> {
    /// What `n` queries from `first` give to d_Q, and add to d_K and d_V, over the packed keys.
    #[inline(always)]
    unsafe fn strip<S: Simd>(&self, first: usize, n: usize, keys: Range<usize>, scratch: &mut Scratch) {
        let (place, s) = (self.place, keys.len());
        let queries = self.place.of(self.job.qkv, 0, 3).rows(first, n);
        let d_out = self.place.of_queries(self.job.d_out).rows(first, n);
        let precision = self.place.heads.precision;
        scratch.queries.refill::<S>(precision, queries);
        scratch.d_out.refill::<S>(precision, d_out);
        let (p, d_p) = (scratch.p.as_mut_ptr(), scratch.d_p.as_mut_ptr());
        // SAFETY: p and d_p hold n x s; `gradient` points to this head's columns of d_qkv at this row's
        // tokens, which no other task touches.
        unsafe {
            product::<S>(queries, &scratch.keys_across, p, s, false);
            product::<S>(d_out, &scratch.values_across, d_p, s, false);
            for i in 0..n {
                let (row, own) = (i * s..(i + 1) * s, place.keys_of(first + i, 1));
                let p = seen(own.clone(), &keys, &mut scratch.p[row.clone()]);
                let d_p = seen(own.clone(), &keys, &mut scratch.d_p[row]);
                self.query::<S>(first + i, own, p, d_p, &mut scratch.mask);
            }
            let stride = 3 * self.place.heads.width;
            let p = MatrixView::new(&scratch.p[..n * s], n, s);
            let d_s = MatrixView::new(&scratch.d_p[..n * s], n, s);
            let adds = first > 0 || place.heads.window.is_some();
            product::<S>(p.transposed(), &scratch.d_out, self.gradient(2, keys.start), stride, adds);
            product::<S>(d_s, &scratch.keys, self.gradient(0, first), stride, false);
            product::<S>(d_s.transposed(), &scratch.queries, self.gradient(1, keys.start), stride, adds);
        }
    }

    /// One query and the keys that it sees: scores to P∘M in `p`, d_P to d_S in `d_p`.
    #[inline(always)]
    unsafe fn query<S: Simd>(
        &self,
        query: usize,
        keys: Range<usize>,
        p: &mut [f32],
        d_p: &mut [f32],
        mask: &mut [f32],
    ) {
        let (place, job) = (self.place, self.job);
        let (d, scale) = (place.heads.head_width(), place.heads.scale());
        let at = place.place_of(query);
        let columns = at * place.heads.width + place.head * d..at * place.heads.width + (place.head + 1) * d;
        let weighted: f32 =
            job.out[columns.clone()].iter().zip(&job.d_out[columns]).map(|(out, d_out)| out * d_out).sum();
        if let Some(dropout) = job.dropout {
            fill_mask(dropout, place.mask_row(query), &mut mask[..keys.end]);
        }
        let mask = &mask[keys];
        let log_sum = job.log_sums[at * place.heads.n_heads + place.head];
        // SAFETY: n numbers from i lie inside all three slices, each as long as the keys.
        unsafe {
            for i in (0..p.len()).step_by(LANES) {
                let n = (p.len() - i).min(LANES);
                let (to_p, to_d) = (p.as_mut_ptr().add(i), d_p.as_mut_ptr().add(i));
                let m = S::load_part(mask.as_ptr().add(i), n);
                let score = S::fma(S::load_part(to_p, n), S::splat(scale), S::splat(-log_sum));
                let probability = math::exp::<S>(score);
                let inner = S::sub(S::mul(S::load_part(to_d, n), m), S::splat(weighted));
                S::store_part(to_d, S::mul(S::mul(probability, inner), S::splat(scale)), n);
                S::store_part(to_p, S::mul(probability, m), n);
            }
        }
    }

    /// Sets part 0, 1 or 2 of d_qkv to 0 for this head, at a token of the row.
    ///
    /// # Safety
    /// The token lies inside the row.
    unsafe fn clear(&self, part: usize, token: usize) {
        let d = self.place.heads.head_width();
        // SAFETY: this head's columns at a token of the row, which no other task touches.
        unsafe { std::slice::from_raw_parts_mut(self.gradient(part, token), d).fill(0.0) };
    }

    /// Where part 0, 1 or 2 of d_qkv starts for this head, at a token of the row.
    #[inline(always)]
    fn gradient(&self, part: usize, token: usize) -> *mut f32 {
        let (width, d) = (self.place.heads.width, self.place.heads.head_width());
        let offset = (self.place.first_token + token) * 3 * width + part * width + self.place.head * d;
        self.d_qkv.get().wrapping_add(offset)
    }
}

/// # Safety
/// The contract of [`multiply_serial`]. A function and not a closure: only then is it inlined to where the
/// instructions are on.
#[inline(always)]
unsafe fn product<S: Simd>(
    a: MatrixView<'_>,
    b: &Panels,
    out: *mut f32,
    out_stride: usize,
    accumulate: bool,
) {
    // SAFETY: the caller's contract.
    unsafe { multiply_serial::<S>(SerialProduct { a, b, out, out_stride, accumulate }) }
}
