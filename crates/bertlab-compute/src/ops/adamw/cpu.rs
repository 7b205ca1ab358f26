//! Sixteen numbers at a time.

use super::{AdamW, Moments, RowMoments};
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::{SharedPointer, parallel_for};

/// Numbers in one task.
const CHUNK: usize = 32 * 1024;

pub(super) fn step(level: Level, adamw: AdamW, job: Moments<'_>) {
    let (n, gradient) = (job.parameter.len(), job.gradient.cpu());
    let pointers = [job.parameter, job.first, job.second].map(|numbers| SharedPointer::new(numbers.cpu()));
    parallel_for(n.div_ceil(CHUNK), |chunk| {
        let first = chunk * CHUNK;
        let length = CHUNK.min(n - first);
        // SAFETY: the chunks are disjoint and inside all three buffers.
        let [parameter, m, v] =
            pointers.map(|p| unsafe { std::slice::from_raw_parts_mut(p.get().add(first), length) });
        let gradient = &gradient[first..first + length];
        if adamw.step == 1 {
            // They are zeros. Memory that is read before it is written to costs the system twice, and stops
            // all threads.
            m.fill(0.0);
            v.fill(0.0);
        }
        run(level, Step { adamw, parameter, gradient, first: m, second: v });
    });
}

pub(super) fn step_rows(level: Level, adamw: AdamW, job: RowMoments<'_>) {
    let RowMoments { moments, rows, is_moved } = job;
    let n_rows = rows.len();
    let width = moments.parameter.len().checked_div(n_rows).unwrap_or(0);
    let gradients = moments.gradient.cpu();
    let pointers =
        [moments.parameter, moments.first, moments.second].map(|numbers| SharedPointer::new(numbers.cpu()));
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
            let gradient = rows[row].map(|place| &gradients[place as usize * width..][..width]);
            let gradient = gradient.unwrap_or(&none);
            run(level, Step { adamw, parameter, gradient, first, second });
        }
    });
}

/// What a step without a gradient multiplies a parameter by.
fn decay(adamw: AdamW) -> f32 {
    (1.0 - adamw.learning_rate * adamw.weight_decay) as f32
}

struct Step<'a> {
    adamw: AdamW,
    parameter: &'a mut [f32],
    gradient: &'a [f32],
    first: &'a mut [f32],
    second: &'a mut [f32],
}

impl Kernel for Step<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let AdamW { learning_rate, beta1, beta2, epsilon, gradient_scale, step, .. } = self.adamw;
        let t = step as i32;
        let root2 = (1.0 - beta2.powi(t)).sqrt();
        let rate = learning_rate / (1.0 - beta1.powi(t));
        // SAFETY: n numbers from i lie inside all four, equally long by `step`'s assertion.
        unsafe {
            for i in (0..self.parameter.len()).step_by(LANES) {
                let n = (self.parameter.len() - i).min(LANES);
                let g =
                    S::mul(S::load_part(self.gradient.as_ptr().add(i), n), S::splat(gradient_scale as f32));
                let (to_p, to_m, to_v) = (
                    self.parameter.as_mut_ptr().add(i),
                    self.first.as_mut_ptr().add(i),
                    self.second.as_mut_ptr().add(i),
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
