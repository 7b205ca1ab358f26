//! Sixteen numbers at a time.

use super::Activation;
use crate::simd::{Kernel, LANES, Level, Simd, math, run};
use crate::threads::{SharedPointer, parallel_chunks};

/// Numbers in one task.
const CHUNK: usize = 16 * 1024;

pub(crate) fn backward(level: Level, activation: Activation, x: &mut [f32], d: &mut [f32]) {
    let x = SharedPointer::new(x);
    parallel_chunks(d, CHUNK, |i, d| {
        // SAFETY: the chunks are disjoint and inside x, which is as long as d.
        let x = unsafe { std::slice::from_raw_parts_mut(x.get().add(i * CHUNK), d.len()) };
        run(level, Backward { activation, x, d });
    });
}

struct Backward<'a> {
    activation: Activation,
    x: &'a mut [f32],
    d: &'a mut [f32],
}

impl Kernel for Backward<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        for i in (0..self.x.len()).step_by(LANES) {
            let n = (self.x.len() - i).min(LANES);
            // SAFETY: n numbers from i lie inside x and d, which are equally long.
            unsafe {
                let (x, d) = (self.x.as_mut_ptr().add(i), self.d.as_mut_ptr().add(i));
                let (y, slope) = self.activation.apply_with_slope::<S>(S::load_part(x, n));
                S::store_part(x, y, n);
                S::store_part(d, S::mul(S::load_part(d, n), slope), n);
            }
        }
    }
}

/// √(2/π)
const GELU_NEW_SCALE: f32 = 0.797_884_6;
const GELU_NEW_CUBIC: f32 = 0.044_715;

impl Activation {
    /// f(x)
    ///
    /// # Safety
    /// The contract of [`Simd`].
    #[inline(always)]
    pub(crate) unsafe fn apply<S: Simd>(self, x: S::V) -> S::V {
        // SAFETY: the caller's contract is the methods'.
        unsafe {
            match self {
                Self::Gelu => S::mul(x, math::normal::<S>(x).0),
                Self::GeluNew => {
                    let half = S::mul(x, S::splat(0.5));
                    S::fma(half, gelu_new_tanh::<S>(x), half)
                }
                Self::Relu => math::keep_nan::<S>(x, S::max(x, S::splat(0.0))),
                Self::Tanh => math::tanh::<S>(x),
            }
        }
    }

    /// f(x), the same bits as [`Self::apply`] gives, and f'(x)
    ///
    /// # Safety
    /// The contract of [`Simd`].
    #[inline(always)]
    pub(crate) unsafe fn apply_with_slope<S: Simd>(self, x: S::V) -> (S::V, S::V) {
        // SAFETY: the caller's contract is the methods'.
        unsafe {
            let one = S::splat(1.0);
            match self {
                Self::Gelu => {
                    let (below, density) = math::normal::<S>(x);
                    (S::mul(x, below), S::fma(x, density, below))
                }
                Self::GeluNew => {
                    let t = gelu_new_tanh::<S>(x);
                    let half = S::mul(x, S::splat(0.5));
                    let inner = S::fma(
                        S::mul(x, x),
                        S::splat(3.0 * GELU_NEW_CUBIC * GELU_NEW_SCALE),
                        S::splat(GELU_NEW_SCALE),
                    );
                    let bend = S::mul(S::mul(x, S::sub(one, S::mul(t, t))), inner);
                    (S::fma(half, t, half), S::mul(S::add(S::add(one, t), bend), S::splat(0.5)))
                }
                Self::Relu => {
                    let slope = S::select_less(S::splat(0.0), x, one, S::splat(0.0));
                    (self.apply::<S>(x), math::keep_nan::<S>(x, slope))
                }
                Self::Tanh => {
                    let t = math::tanh::<S>(x);
                    (t, S::sub(one, S::mul(t, t)))
                }
            }
        }
    }
}

#[inline(always)]
unsafe fn gelu_new_tanh<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's contract is the methods'.
    unsafe {
        let cubic = S::fma(S::mul(x, x), S::splat(GELU_NEW_CUBIC * GELU_NEW_SCALE), S::splat(GELU_NEW_SCALE));
        math::tanh::<S>(S::mul(x, cubic))
    }
}
