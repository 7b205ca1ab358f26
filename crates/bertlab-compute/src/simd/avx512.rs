//! Sixteen numbers in one AVX-512 register.

use super::{Kernel, Simd};
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Avx512;

/// Enters a kernel with AVX-512 switched on.
///
/// # Safety
/// The machine must have avx512f, bw, dq and vl, and fma.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(crate) unsafe fn call<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the instructions are on here.
    unsafe { kernel.run::<Avx512>() }
}

#[inline(always)]
fn first(n: usize) -> __mmask16 {
    debug_assert!(n <= 16);
    ((1u32 << n) - 1) as __mmask16
}

// SAFETY: sixteen lanes, and every method does what the trait says.
#[allow(unsafe_op_in_unsafe_fn)] // Each body is one intrinsic under the trait's contract.
unsafe impl Simd for Avx512 {
    type V = __m512;
    const TILE_ROWS: usize = 14;
    const TILE_VECTORS: usize = 2;

    unsafe fn call<K: Kernel>(kernel: K) -> K::Output {
        call(kernel)
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> __m512 {
        _mm512_set1_ps(x)
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> __m512 {
        _mm512_loadu_ps(from)
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: __m512) {
        _mm512_storeu_ps(to, x)
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, n: usize) -> __m512 {
        _mm512_maskz_loadu_ps(first(n), from)
    }
    #[inline(always)]
    unsafe fn store_part(to: *mut f32, x: __m512, n: usize) {
        _mm512_mask_storeu_ps(to, first(n), x)
    }
    #[inline(always)]
    unsafe fn add(a: __m512, b: __m512) -> __m512 {
        _mm512_add_ps(a, b)
    }
    #[inline(always)]
    unsafe fn sub(a: __m512, b: __m512) -> __m512 {
        _mm512_sub_ps(a, b)
    }
    #[inline(always)]
    unsafe fn mul(a: __m512, b: __m512) -> __m512 {
        _mm512_mul_ps(a, b)
    }
    #[inline(always)]
    unsafe fn div(a: __m512, b: __m512) -> __m512 {
        _mm512_div_ps(a, b)
    }
    #[inline(always)]
    unsafe fn max(a: __m512, b: __m512) -> __m512 {
        _mm512_max_ps(a, b)
    }
    #[inline(always)]
    unsafe fn min(a: __m512, b: __m512) -> __m512 {
        _mm512_min_ps(a, b)
    }
    #[inline(always)]
    unsafe fn sqrt(a: __m512) -> __m512 {
        _mm512_sqrt_ps(a)
    }
    #[inline(always)]
    unsafe fn fma(a: __m512, b: __m512, c: __m512) -> __m512 {
        _mm512_fmadd_ps(a, b, c)
    }
    #[inline(always)]
    unsafe fn round(a: __m512) -> __m512 {
        _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>(a)
    }
    #[inline(always)]
    unsafe fn exp2_whole(n: __m512) -> __m512 {
        let biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
        _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
    }
    #[inline(always)]
    unsafe fn select_less(a: __m512, b: __m512, then: __m512, otherwise: __m512) -> __m512 {
        _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), otherwise, then)
    }
    #[inline(always)]
    unsafe fn sum(x: __m512) -> f32 {
        let high = _mm512_extractf32x8_ps::<1>(x);
        super::avx2::sum_eight(_mm256_add_ps(_mm512_castps512_ps256(x), high))
    }
}
