//! Row by row, both halves in step.

use super::{Activated, Gate};
use crate::buffer::Buffer;
use crate::device::Device;
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};

/// Rows in one task.
const ROWS: usize = 16;

pub(super) fn forward(level: Level, gate: Gate, x: &[f32], inner_width: usize) -> Buffer {
    let mut out = Buffer::uninitialised(Device::Cpu, x.len() / 2);
    let to = SharedPointer::new(out.cpu_mut());
    for_rows(x, inner_width, |first, x| {
        // SAFETY: the tasks' rows are disjoint and inside out.
        let out = unsafe { std::slice::from_raw_parts_mut(to.get().add(first * inner_width), x.len() / 2) };
        run(level, Forward { gate, x, out, inner_width });
    });
    out
}

pub(super) fn backward(level: Level, gate: Gate, x: &[f32], d: &mut [f32], inner_width: usize) -> Buffer {
    let mut d_x = Buffer::uninitialised(Device::Cpu, x.len());
    let (to, d) = (SharedPointer::new(d_x.cpu_mut()), SharedPointer::new(d));
    for_rows(x, inner_width, |first, x| {
        // SAFETY: the tasks' rows are disjoint and inside d and d_x.
        let (d, d_x) = unsafe {
            let d = d.get().add(first * inner_width);
            let d_x = to.get().add(first * 2 * inner_width);
            (std::slice::from_raw_parts_mut(d, x.len() / 2), std::slice::from_raw_parts_mut(d_x, x.len()))
        };
        run(level, Backward { gate, x, d, d_x, inner_width });
    });
    d_x
}

/// Calls `work` with the first row and the numbers of every task.
fn for_rows(x: &[f32], inner_width: usize, work: impl Fn(usize, &[f32]) + Sync + Send) {
    let n_rows = x.len() / (2 * inner_width);
    parallel_for(n_rows.div_ceil(ROWS), |task| {
        let first = task * ROWS;
        let n = ROWS.min(n_rows - first);
        work(first, &x[first * 2 * inner_width..(first + n) * 2 * inner_width]);
    });
}

impl Gate {
    /// The half that is activated, and the factor.
    #[inline(always)]
    fn halves<T>(self, (first, second): (T, T)) -> (T, T) {
        match self.activated {
            Activated::FirstHalf => (first, second),
            Activated::SecondHalf => (second, first),
        }
    }
}

struct Forward<'a> {
    gate: Gate,
    x: &'a [f32],
    out: &'a mut [f32],
    inner_width: usize,
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let width = self.inner_width;
        for (x, out) in self.x.chunks_exact(2 * width).zip(self.out.chunks_exact_mut(width)) {
            let (a, b) = self.gate.halves(x.split_at(width));
            for i in (0..width).step_by(LANES) {
                let n = (width - i).min(LANES);
                // SAFETY: n numbers from i lie inside all slices, each `width` long.
                unsafe {
                    let f = self.gate.activation.apply::<S>(S::load_part(a.as_ptr().add(i), n));
                    let y = S::mul(f, S::load_part(b.as_ptr().add(i), n));
                    S::store_part(out.as_mut_ptr().add(i), y, n);
                }
            }
        }
    }
}

struct Backward<'a> {
    gate: Gate,
    x: &'a [f32],
    /// In: `d_y`; out: y
    d: &'a mut [f32],
    d_x: &'a mut [f32],
    inner_width: usize,
}

impl Kernel for Backward<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let width = self.inner_width;
        let rows = self.x.chunks_exact(2 * width).zip(self.d_x.chunks_exact_mut(2 * width));
        for ((x, d_x), d) in rows.zip(self.d.chunks_exact_mut(width)) {
            let (a, b) = self.gate.halves(x.split_at(width));
            let (d_a, d_b) = self.gate.halves(d_x.split_at_mut(width));
            for i in (0..width).step_by(LANES) {
                let n = (width - i).min(LANES);
                // SAFETY: n numbers from i lie inside all slices, each `width` long.
                unsafe {
                    let a = S::load_part(a.as_ptr().add(i), n);
                    let (f, slope) = self.gate.activation.apply_with_slope::<S>(a);
                    let (b, to) = (S::load_part(b.as_ptr().add(i), n), d.as_mut_ptr().add(i));
                    let d_y = S::load_part(to, n);
                    S::store_part(d_a.as_mut_ptr().add(i), S::mul(S::mul(d_y, b), slope), n);
                    S::store_part(d_b.as_mut_ptr().add(i), S::mul(d_y, f), n);
                    S::store_part(to, S::mul(f, b), n);
                }
            }
        }
    }
}
