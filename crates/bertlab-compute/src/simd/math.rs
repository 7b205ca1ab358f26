//! exp, tanh and the normal distribution on vectors, from polynomials.

use super::Simd;

/// Two numbers as bf16, rounded to nearest even: `a` in the lower half, `b` in the upper.
#[inline(always)]
pub(crate) fn pair_bits(a: f32, b: f32) -> u32 {
    rounded(a) >> 16 | rounded(b) & 0xFFFF_0000
}

/// The bits of x with the upper half rounded to nearest even; NaN stays NaN.
#[inline(always)]
fn rounded(x: f32) -> u32 {
    let bits = x.to_bits();
    if x.is_nan() { bits | 0x0040_0000 } else { bits.wrapping_add(0x7FFF + (bits >> 16 & 1)) }
}

/// e^x within 2 units in the last place. x is limited to -87.3..=88, against overflow; NaN stays NaN.
///
/// x = n·ln 2 + r with |r| <= ln 2 / 2, e^r by its Taylor polynomial of degree 7 (remainder below
/// 6e-9 relative), scaled by 2^n. ln 2 is split in two so that n·ln 2 is exact (Cody and Waite 1980).
///
/// # Safety
/// The contract of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn exp<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's contract is this function's.
    unsafe {
        // x comes second: `max` and `min` give their second number where one is NaN.
        let x = S::min(S::splat(88.0), S::max(S::splat(-87.3), x));
        let n = S::round(S::mul(x, S::splat(std::f32::consts::LOG2_E)));
        let r = S::fma(n, S::splat(-0.693_359_4), x);
        let r = S::fma(n, S::splat(2.121_944_4e-4), r);
        let mut sum = S::splat(1.0 / 5040.0);
        for coefficient in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
            sum = S::fma(sum, r, S::splat(coefficient));
        }
        S::mul(sum, S::exp2_integer(n))
    }
}

/// tanh x = 1 - 2 / (e^2x + 1), within 2e-7.
///
/// # Safety
/// The contract of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn tanh<S: Simd>(x: S::V) -> S::V {
    // SAFETY: the caller's contract is this function's.
    unsafe {
        let e = exp::<S>(S::add(x, x));
        S::sub(S::splat(1.0), S::div(S::splat(2.0), S::add(e, S::splat(1.0))))
    }
}

/// The standard normal's distribution function Φ(x), within 1e-7, and its density φ(x).
///
/// erfc by Abramowitz and Stegun 7.1.26 (absolute error 1.5e-7 in erf); for negative x the small tail
/// is computed directly, without the cancellation of 1 - erf.
///
/// # Safety
/// The contract of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn normal<S: Simd>(x: S::V) -> (S::V, S::V) {
    // SAFETY: the caller's contract is this function's.
    unsafe {
        let zero = S::splat(0.0);
        let size = S::max(x, S::sub(zero, x));
        let e = exp::<S>(S::mul(S::mul(x, x), S::splat(-0.5)));
        let scaled = S::fma(size, S::splat(0.327_591_1 * std::f32::consts::FRAC_1_SQRT_2), S::splat(1.0));
        let t = S::div(S::splat(1.0), scaled);
        let mut sum = S::splat(1.061_405_4);
        for coefficient in [-1.453_152, 1.421_413_8, -0.284_496_72, 0.254_829_6] {
            sum = S::fma(sum, t, S::splat(coefficient));
        }
        let tail = S::mul(S::mul(S::mul(sum, t), e), S::splat(0.5));
        let below = S::select_less(x, zero, tail, S::sub(S::splat(1.0), tail));
        (below, S::mul(e, S::splat(0.398_942_3)))
    }
}

/// y, but NaN where x is NaN.
///
/// # Safety
/// The contract of [`Simd`].
#[inline(always)]
pub(crate) unsafe fn keep_nan<S: Simd>(x: S::V, y: S::V) -> S::V {
    // SAFETY: the caller's contract is the methods'.
    unsafe { S::select_less(x, S::splat(f32::INFINITY), y, S::min(y, x)) }
}

/// What [`Simd::dot_quads`](super::Simd::dot_quads) does to one lane: a sum's bits, with four products of
/// bytes added.
pub(crate) fn dot_quad_bits(a: f32, b: f32, sum: f32) -> f32 {
    let (a, b) = (a.to_bits().to_le_bytes(), b.to_bits().to_le_bytes());
    let products = a.iter().zip(b).map(|(&a, b)| i32::from(a) * i32::from(b as i8));
    f32::from_bits((sum.to_bits() as i32).wrapping_add(products.sum()) as u32)
}
