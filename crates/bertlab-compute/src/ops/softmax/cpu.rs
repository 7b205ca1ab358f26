//! One row, in the first cache.

use crate::simd::{LANES, Simd, math};

/// `x = softmax(scale · x)` in place; gives `ln Σ e^(scale · x)`.
///
/// # Safety
/// The contract of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn softmax_row<S: Simd>(x: &mut [f32], scale: f32) -> f32 {
    let whole = x.len() / LANES * LANES;
    // SAFETY: sixteen numbers from i < whole, and the rest from whole, lie inside x.
    unsafe {
        // Subtract the row maximum first: exp overflows f32 above 88.
        let mut greatest = S::splat(f32::NEG_INFINITY);
        for i in (0..whole).step_by(LANES) {
            greatest = S::max(greatest, S::load(x.as_ptr().add(i)));
        }
        let max = x[whole..].iter().copied().fold(S::greatest(greatest), f32::max) * scale;
        let (scales, maxima) = (S::splat(scale), S::splat(-max));
        let mut sums = S::splat(0.0);
        let p = x.as_mut_ptr();
        for i in (0..whole).step_by(LANES) {
            let e = math::exp::<S>(S::fma(S::load(p.add(i)), scales, maxima));
            sums = S::add(sums, e);
            S::store(p.add(i), e);
        }
        let mut sum = S::sum(sums);
        let n_rest = x.len() - whole;
        if n_rest > 0 {
            let e = math::exp::<S>(S::fma(S::load_part(p.add(whole), n_rest), scales, maxima));
            S::store_part(p.add(whole), e, n_rest);
            sum += x[whole..].iter().sum::<f32>();
        }
        let share = S::splat(1.0 / sum);
        for i in (0..x.len()).step_by(LANES) {
            let n = (x.len() - i).min(LANES);
            S::store_part(p.add(i), S::mul(S::load_part(p.add(i), n), share), n);
        }
        max + sum.ln()
    }
}
