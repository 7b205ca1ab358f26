//! AdamW: Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019).
//!
//! As PyTorch computes it: `p *= 1 - lr·decay`; `m += (1 - β1)(g - m)`; `v = β2·v + (1 - β2)·g²`;
//! `p -= lr / (1 - β1^t) · m / (√v / √(1 - β2^t) + ε)`.

use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};

/// Numbers in one task.
const CHUNK: usize = 32 * 1024;

/// The settings of one step.
#[derive(Clone, Copy, Debug)]
pub struct AdamW {
    /// Of this step.
    pub learning_rate: f64,
    /// β1
    pub beta1: f64,
    /// β2
    pub beta2: f64,
    /// ε, outside the square root.
    pub epsilon: f64,
    /// Of this parameter's group.
    pub weight_decay: f64,
    /// Every gradient is multiplied by this first (clipping).
    pub gradient_scale: f64,
    /// t, from 1.
    pub step: u64,
}

/// One parameter and what belongs to it; all four equally long.
pub struct Moments<'a> {
    /// p
    pub parameter: &'a mut [f32],
    /// g
    pub gradient: &'a [f32],
    /// m
    pub first: &'a mut [f32],
    /// v
    pub second: &'a mut [f32],
}

/// One step of one parameter, on all threads.
pub fn step(adamw: AdamW, job: Moments<'_>) {
    step_at(Level::current(), adamw, job);
}

fn step_at(level: Level, adamw: AdamW, job: Moments<'_>) {
    let n = job.parameter.len();
    assert!(job.gradient.len() == n && job.first.len() == n && job.second.len() == n);
    let pointers = [job.parameter, job.first, job.second].map(SharedPointer::new);
    parallel_for(n.div_ceil(CHUNK), |chunk| {
        let first = chunk * CHUNK;
        let length = CHUNK.min(n - first);
        // SAFETY: the chunks are disjoint and inside all three buffers.
        let [parameter, m, v] =
            pointers.map(|p| unsafe { std::slice::from_raw_parts_mut(p.get().add(first), length) });
        let gradient = &job.gradient[first..first + length];
        if adamw.step == 1 {
            // They are zeros. Memory that is read before it is written to costs the system twice, and stops all threads.
            m.fill(0.0);
            v.fill(0.0);
        }
        run(level, Step { adamw, job: Moments { parameter, gradient, first: m, second: v } });
    });
}

/// A table, of which few rows have a gradient.
pub struct RowMoments<'a> {
    /// p, m and v of the whole table, `[V, D]`; g of the rows that have one, `[n, D]`.
    pub moments: Moments<'a>,
    /// Where each row's gradient stands in g. `[V]`
    pub rows: &'a [Option<u32>],
    /// Whether a row has, or ever had, a gradient: m and v of the others are 0. `[V]`
    pub is_moved: &'a [bool],
}

/// One step of a table, on all threads: as [`step`] with gradients of 0 where there are none, bit for bit, but a row
/// that never had one is left alone, except for its decay.
pub fn step_rows(adamw: AdamW, job: RowMoments<'_>) {
    step_rows_at(Level::current(), adamw, job);
}

fn step_rows_at(level: Level, adamw: AdamW, job: RowMoments<'_>) {
    let RowMoments { moments, rows, is_moved } = job;
    let (n, n_rows) = (moments.parameter.len(), rows.len());
    assert!(moments.first.len() == n && moments.second.len() == n && is_moved.len() == n_rows);
    let width = n.checked_div(n_rows).unwrap_or(0);
    assert!(width * n_rows == n && moments.gradient.len().is_multiple_of(width.max(1)));
    let pointers = [moments.parameter, moments.first, moments.second].map(SharedPointer::new);
    let (none, decay) = (vec![0.0; width], decay(adamw));
    let rows_per_task = (CHUNK / width.max(1)).max(1);
    parallel_for(n_rows.div_ceil(rows_per_task), |task| {
        for row in task * rows_per_task..((task + 1) * rows_per_task).min(n_rows) {
            // SAFETY: the rows are disjoint and inside all three tables.
            let [parameter, first, second] =
                pointers.map(|p| unsafe { std::slice::from_raw_parts_mut(p.get().add(row * width), width) });
            if !is_moved[row] {
                if decay != 1.0 {
                    parameter.iter_mut().for_each(|p| *p *= decay);
                }
                continue;
            }
            let gradient = rows[row].map(|place| &moments.gradient[place as usize * width..][..width]);
            let gradient = gradient.unwrap_or(&none);
            run(level, Step { adamw, job: Moments { parameter, gradient, first, second } });
        }
    });
}

/// What a step without a gradient multiplies a parameter by.
fn decay(adamw: AdamW) -> f32 {
    (1.0 - adamw.learning_rate * adamw.weight_decay) as f32
}

struct Step<'a> {
    adamw: AdamW,
    job: Moments<'a>,
}

impl Kernel for Step<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let AdamW { learning_rate, beta1, beta2, epsilon, gradient_scale, step, .. } = self.adamw;
        let t = step as i32;
        let root2 = (1.0 - beta2.powi(t)).sqrt();
        let rate = learning_rate / (1.0 - beta1.powi(t));
        let job = self.job;
        // SAFETY: n numbers from i lie inside all four, equally long by `step_at`'s assertion.
        unsafe {
            for i in (0..job.parameter.len()).step_by(LANES) {
                let n = (job.parameter.len() - i).min(LANES);
                let g =
                    S::mul(S::load_part(job.gradient.as_ptr().add(i), n), S::splat(gradient_scale as f32));
                let (to_p, to_m, to_v) = (
                    job.parameter.as_mut_ptr().add(i),
                    job.first.as_mut_ptr().add(i),
                    job.second.as_mut_ptr().add(i),
                );
                let m = S::load_part(to_m, n);
                let m = S::fma(S::sub(g, m), S::splat((1.0 - beta1) as f32), m);
                let v = S::mul(S::load_part(to_v, n), S::splat(beta2 as f32));
                let v = S::fma(S::mul(g, g), S::splat((1.0 - beta2) as f32), v);
                let size = S::add(S::div(S::sqrt(v), S::splat(root2 as f32)), S::splat(epsilon as f32));
                let p = S::mul(S::load_part(to_p, n), S::splat(decay(self.adamw)));
                let p = S::fma(S::div(m, size), S::splat(-rate as f32), p);
                S::store_part(to_p, p, n);
                S::store_part(to_m, m, n);
                S::store_part(to_v, v, n);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::testing::{assert_close, normals, wide};

    const SETTINGS: AdamW = AdamW {
        learning_rate: 0.01,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weight_decay: 0.1,
        gradient_scale: 0.5,
        step: 0,
    };

    #[test]
    fn steps_agree_with_the_formula() {
        let n = 77;
        for level in Level::available() {
            let mut p = normals(n, 1);
            let (mut m, mut v) = (vec![0.0; n], vec![0.0; n]);
            let (mut p64, mut m64, mut v64) = (wide(&p), vec![0.0; n], vec![0.0; n]);
            for t in 1..=5 {
                let g = normals(n, 10 + t);
                let adamw = AdamW { step: t, ..SETTINGS };
                let job = Moments { parameter: &mut p, gradient: &g, first: &mut m, second: &mut v };
                step_at(level, adamw, job);
                for i in 0..n {
                    let g = 0.5 * f64::from(g[i]);
                    p64[i] *= 1.0 - 0.01 * 0.1;
                    m64[i] = 0.9 * m64[i] + 0.1 * g;
                    v64[i] = 0.999 * v64[i] + 0.001 * g * g;
                    let root: f64 = v64[i] / (1.0 - 0.999f64.powi(t as i32));
                    p64[i] -= 0.01 * (m64[i] / (1.0 - 0.9f64.powi(t as i32))) / (root.sqrt() + 1e-8);
                }
            }
            assert_close(&p, &p64, 1e-6, "parameters");
            assert_close(&v, &v64, 1e-6, "second moments");
        }
    }

    #[test]
    fn rows_without_gradients_step_as_if_they_were_zero() {
        let (width, n_rows) = (21, 9);
        let start = normals(n_rows * width, 1);
        for level in Level::available() {
            let zeros = || vec![0.0; n_rows * width];
            let (mut p, mut m, mut v) = (start.clone(), zeros(), zeros());
            let (mut all_p, mut all_m, mut all_v) = (start.clone(), zeros(), zeros());
            let mut is_moved = vec![false; n_rows];
            for (t, words) in [(1, [4, 2]), (2, [2, 8])] {
                let g = normals(2 * width, 10 + t);
                let (mut rows, mut all_g) = (vec![None; n_rows], zeros());
                for (place, word) in words.into_iter().enumerate() {
                    (rows[word], is_moved[word]) = (Some(place as u32), true);
                    all_g[word * width..][..width].copy_from_slice(&g[place * width..][..width]);
                }
                let adamw = AdamW { step: t, ..SETTINGS };
                let moments = Moments { parameter: &mut p, gradient: &g, first: &mut m, second: &mut v };
                step_rows_at(level, adamw, RowMoments { moments, rows: &rows, is_moved: &is_moved });
                let all = Moments {
                    parameter: &mut all_p,
                    gradient: &all_g,
                    first: &mut all_m,
                    second: &mut all_v,
                };
                step_at(level, adamw, all);
            }
            let bits = |numbers: &[f32]| numbers.iter().map(|x| x.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&p), bits(&all_p), "{level:?}");
            assert_eq!((m, v), (all_m, all_v), "{level:?}");
        }
    }
}
