//! One pass over each row while it is in the first cache.

use super::{AddNorm, Affine, NormGradient};
use crate::ops::dropout::{Dropout, cpu::fill_mask};
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};
use crate::view::{View, ViewMut};

/// Rows in one task: fixed, so that the order in which gradients are summed is too.
const ROWS: usize = 32;

pub(crate) fn forward(level: Level, affine: Affine<'_>, job: AddNorm<'_>) {
    let width = affine.weight.len();
    let n_rows = job.x.len() / width;
    let (x, out) = (SharedPointer::new(job.x.cpu()), SharedPointer::new(job.out.cpu()));
    parallel_for(n_rows.div_ceil(ROWS), |chunk| {
        let first = chunk * ROWS;
        let n = ROWS.min(n_rows - first);
        // SAFETY: the chunks' rows are disjoint and inside x and out.
        let (x, out) = unsafe {
            (
                std::slice::from_raw_parts_mut(x.get().add(first * width), n * width),
                std::slice::from_raw_parts_mut(out.get().add(first * width), n * width),
            )
        };
        let residual = job.residual.map(|residual| &residual.cpu()[first * width..(first + n) * width]);
        run(level, Forward { affine, x, residual, dropout: job.dropout, out, first_row: first });
    });
}

struct Forward<'a> {
    affine: Affine<'a>,
    x: &'a mut [f32],
    residual: Option<&'a [f32]>,
    dropout: Option<Dropout>,
    out: &'a mut [f32],
    first_row: usize,
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let (weights, biases) = (self.affine.weight.cpu(), self.affine.bias.map(View::cpu));
        let width = weights.len();
        let mut mask = vec![0.0; if self.dropout.is_some() { width } else { 0 }];
        for (i, (x, out)) in self.x.chunks_exact_mut(width).zip(self.out.chunks_exact_mut(width)).enumerate()
        {
            if let Some(dropout) = self.dropout {
                fill_mask(dropout, (self.first_row + i) as u64, &mut mask);
                x.iter_mut().zip(&mask).for_each(|(x, m)| *x *= m);
            }
            if let Some(residual) = self.residual {
                let residual = &residual[i * width..(i + 1) * width];
                x.iter_mut().zip(residual).for_each(|(x, r)| *x += r);
            }
            // SAFETY: the level is on, by `run`'s contract.
            unsafe {
                let (mean, scale) = moments::<S>(x, self.affine.epsilon);
                for column in (0..width).step_by(LANES) {
                    let n = (width - column).min(LANES);
                    let centred = S::sub(S::load_part(x.as_ptr().add(column), n), S::splat(mean));
                    let weight = S::load_part(weights.as_ptr().add(column), n);
                    let bias = match biases {
                        Some(biases) => S::load_part(biases.as_ptr().add(column), n),
                        None => S::splat(0.0),
                    };
                    let y = S::fma(S::mul(centred, S::splat(scale)), weight, bias);
                    S::store_part(out.as_mut_ptr().add(column), y, n);
                }
            }
        }
    }
}

/// The mean and 1 / √(variance + ε), the variance from centred numbers in a second pass.
#[inline(always)]
unsafe fn moments<S: Simd>(x: &[f32], epsilon: f32) -> (f32, f32) {
    // SAFETY: n numbers from i lie inside x; the level is on, by the caller's contract.
    unsafe {
        let mut sum = S::splat(0.0);
        for i in (0..x.len()).step_by(LANES) {
            sum = S::add(sum, S::load_part(x.as_ptr().add(i), (x.len() - i).min(LANES)));
        }
        let mean = S::sum(sum) / x.len() as f32;
        let mut squares = S::splat(0.0);
        let whole = x.len() / LANES * LANES;
        for i in (0..whole).step_by(LANES) {
            let centred = S::sub(S::load(x.as_ptr().add(i)), S::splat(mean));
            squares = S::fma(centred, centred, squares);
        }
        let rest: f32 = x[whole..].iter().map(|x| (x - mean) * (x - mean)).sum();
        let variance = (S::sum(squares) + rest) / x.len() as f32;
        (mean, 1.0 / (variance + epsilon).sqrt())
    }
}

pub(crate) fn backward(level: Level, affine: Affine<'_>, job: NormGradient<'_>) {
    let width = affine.weight.len();
    let z = job.z.cpu();
    let n_rows = z.len() / width;
    let n_chunks = n_rows.div_ceil(ROWS);
    // Every chunk sums into rows of its own, added up in order afterwards.
    let mut partial = vec![0.0; n_chunks * 2 * width];
    let (sums, d) = (SharedPointer::new(&mut partial), SharedPointer::new(job.d.cpu()));
    parallel_for(n_chunks, |chunk| {
        let first = chunk * ROWS;
        let n = ROWS.min(n_rows - first);
        // SAFETY: the chunks' rows of d and of the partial sums are disjoint and inside them.
        let (d, sums) = unsafe {
            (
                std::slice::from_raw_parts_mut(d.get().add(first * width), n * width),
                std::slice::from_raw_parts_mut(sums.get().add(chunk * 2 * width), 2 * width),
            )
        };
        run(level, Backward { affine, z: &z[first * width..(first + n) * width], d, sums });
    });
    for (part, sum) in [job.d_weight, job.d_bias].into_iter().enumerate() {
        let Some(sum) = sum.map(ViewMut::cpu) else { continue };
        for partial in partial.chunks_exact(2 * width) {
            sum.iter_mut().zip(&partial[part * width..]).for_each(|(d, s)| *d += s);
        }
    }
}

struct Backward<'a> {
    affine: Affine<'a>,
    z: &'a [f32],
    d: &'a mut [f32],
    /// d_weight, then d_bias
    sums: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let width = self.affine.weight.len();
        let (d_weight, d_bias) = self.sums.split_at_mut(width);
        for (z, d) in self.z.chunks_exact(width).zip(self.d.chunks_exact_mut(width)) {
            // SAFETY: all slices are `width` long; the level is on, by `run`'s contract.
            unsafe {
                let (mean, scale) = moments::<S>(z, self.affine.epsilon);
                let row = Row { z, weight: self.affine.weight.cpu(), mean, scale };
                let (d_mean, d_slope) = row.reduce::<S>(d, d_weight, d_bias);
                row.finish::<S>(d, d_mean, d_slope);
            }
        }
    }
}

/// One row of the backward pass: with x̂ = (z - mean)·scale and g = d_y·weight,
/// `d_z = scale · (g - mean(g) - x̂ · mean(g·x̂))`.
struct Row<'a> {
    z: &'a [f32],
    weight: &'a [f32],
    mean: f32,
    scale: f32,
}

impl Row<'_> {
    /// Adds to d_weight and d_bias; gives mean(g) and mean(g·x̂).
    #[inline(always)]
    unsafe fn reduce<S: Simd>(&self, d: &[f32], d_weight: &mut [f32], d_bias: &mut [f32]) -> (f32, f32) {
        let width = self.z.len();
        // SAFETY: n numbers from i lie inside every slice, all `width` long.
        unsafe {
            let (mut sum, mut sum_slope) = (S::splat(0.0), S::splat(0.0));
            for i in (0..width).step_by(LANES) {
                let n = (width - i).min(LANES);
                let dy = S::load_part(d.as_ptr().add(i), n);
                let g = S::mul(dy, S::load_part(self.weight.as_ptr().add(i), n));
                let centred = S::sub(S::load_part(self.z.as_ptr().add(i), n), S::splat(self.mean));
                let normal = S::mul(centred, S::splat(self.scale));
                // Lanes beyond the row hold g = 0, so they add nothing.
                sum = S::add(sum, g);
                sum_slope = S::fma(g, normal, sum_slope);
                let weight_to = d_weight.as_mut_ptr().add(i);
                S::store_part(weight_to, S::fma(dy, normal, S::load_part(weight_to, n)), n);
                let bias_to = d_bias.as_mut_ptr().add(i);
                S::store_part(bias_to, S::add(dy, S::load_part(bias_to, n)), n);
            }
            (S::sum(sum) / width as f32, S::sum(sum_slope) / width as f32)
        }
    }

    #[inline(always)]
    unsafe fn finish<S: Simd>(&self, d: &mut [f32], d_mean: f32, d_slope: f32) {
        let width = self.z.len();
        // SAFETY: n numbers from i lie inside every slice, all `width` long.
        unsafe {
            for i in (0..width).step_by(LANES) {
                let n = (width - i).min(LANES);
                let to = d.as_mut_ptr().add(i);
                let g = S::mul(S::load_part(to, n), S::load_part(self.weight.as_ptr().add(i), n));
                let centred = S::sub(S::load_part(self.z.as_ptr().add(i), n), S::splat(self.mean));
                let normal = S::mul(centred, S::splat(self.scale));
                let inner = S::sub(S::sub(g, S::splat(d_mean)), S::mul(normal, S::splat(d_slope)));
                S::store_part(to, S::mul(inner, S::splat(self.scale)), n);
            }
        }
    }
}
