//! Sixteen numbers in two AVX registers.

use super::{Kernel, LANES, Simd};
use std::arch::x86_64::*;

#[derive(Clone, Copy)]
pub(crate) struct Avx2;

/// Enters a kernel with AVX2 and FMA switched on.
///
/// # Safety
/// The machine must have avx2 and fma.
#[target_feature(enable = "avx2,fma")]
pub(crate) unsafe fn call<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the instructions are on here.
    unsafe { kernel.run::<Avx2>() }
}

/// All eight: 0+4 … 3+7, then twos, then one.
///
/// # Safety
/// AVX must be on.
#[inline(always)]
pub(crate) unsafe fn sum_eight(x: __m256) -> f32 {
    // SAFETY: AVX is on, by the caller's contract.
    unsafe {
        let four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps::<1>(x));
        let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
        _mm_cvtss_f32(_mm_add_ss(two, _mm_shuffle_ps::<1>(two, two)))
    }
}

type V = [__m256; 2];

// SAFETY: sixteen lanes, and every method does what the trait says.
#[allow(unsafe_op_in_unsafe_fn)] // Each body is an intrinsic for either half, under the trait's contract.
unsafe impl Simd for Avx2 {
    type V = V;
    const TILE_ROWS: usize = 6;
    const TILE_VECTORS: usize = 1;

    unsafe fn call<K: Kernel>(kernel: K) -> K::Output {
        call(kernel)
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> V {
        [_mm256_set1_ps(x); 2]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> V {
        [_mm256_loadu_ps(from), _mm256_loadu_ps(from.add(8))]
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: V) {
        _mm256_storeu_ps(to, x[0]);
        _mm256_storeu_ps(to.add(8), x[1]);
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, n: usize) -> V {
        let mut lanes = [0.0f32; LANES];
        std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), n);
        Self::load(lanes.as_ptr())
    }
    #[inline(always)]
    unsafe fn store_part(to: *mut f32, x: V, n: usize) {
        let mut lanes = [0.0f32; LANES];
        Self::store(lanes.as_mut_ptr(), x);
        std::ptr::copy_nonoverlapping(lanes.as_ptr(), to, n);
    }
    #[inline(always)]
    unsafe fn prefetch(address: *const f32) {
        _mm_prefetch::<_MM_HINT_T0>(address.cast())
    }
    #[inline(always)]
    unsafe fn prefetch_far(address: *const f32) {
        _mm_prefetch::<_MM_HINT_T1>(address.cast())
    }
    #[inline(always)]
    unsafe fn add(a: V, b: V) -> V {
        [_mm256_add_ps(a[0], b[0]), _mm256_add_ps(a[1], b[1])]
    }
    #[inline(always)]
    unsafe fn sub(a: V, b: V) -> V {
        [_mm256_sub_ps(a[0], b[0]), _mm256_sub_ps(a[1], b[1])]
    }
    #[inline(always)]
    unsafe fn mul(a: V, b: V) -> V {
        [_mm256_mul_ps(a[0], b[0]), _mm256_mul_ps(a[1], b[1])]
    }
    #[inline(always)]
    unsafe fn div(a: V, b: V) -> V {
        [_mm256_div_ps(a[0], b[0]), _mm256_div_ps(a[1], b[1])]
    }
    #[inline(always)]
    unsafe fn max(a: V, b: V) -> V {
        [_mm256_max_ps(a[0], b[0]), _mm256_max_ps(a[1], b[1])]
    }
    #[inline(always)]
    unsafe fn min(a: V, b: V) -> V {
        [_mm256_min_ps(a[0], b[0]), _mm256_min_ps(a[1], b[1])]
    }
    #[inline(always)]
    unsafe fn sqrt(a: V) -> V {
        [_mm256_sqrt_ps(a[0]), _mm256_sqrt_ps(a[1])]
    }
    #[inline(always)]
    unsafe fn fma(a: V, b: V, c: V) -> V {
        [_mm256_fmadd_ps(a[0], b[0], c[0]), _mm256_fmadd_ps(a[1], b[1], c[1])]
    }
    #[inline(always)]
    unsafe fn round(a: V) -> V {
        const NEAREST: i32 = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        [_mm256_round_ps::<NEAREST>(a[0]), _mm256_round_ps::<NEAREST>(a[1])]
    }
    #[inline(always)]
    unsafe fn exp2_integer(n: V) -> V {
        let bias = _mm256_set1_epi32(127);
        let low = _mm256_add_epi32(_mm256_cvtps_epi32(n[0]), bias);
        let high = _mm256_add_epi32(_mm256_cvtps_epi32(n[1]), bias);
        [
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(low)),
            _mm256_castsi256_ps(_mm256_slli_epi32::<23>(high)),
        ]
    }
    #[inline(always)]
    unsafe fn fma_pairs(a: V, b: V, c: V) -> V {
        let upper = _mm256_set1_epi32(0xFFFF_0000_u32 as i32);
        let mut sums = c;
        for i in 0..2 {
            let (a, b) = (_mm256_castps_si256(a[i]), _mm256_castps_si256(b[i]));
            let (a_low, b_low) = (_mm256_slli_epi32::<16>(a), _mm256_slli_epi32::<16>(b));
            let (a_high, b_high) = (_mm256_and_si256(a, upper), _mm256_and_si256(b, upper));
            sums[i] = _mm256_fmadd_ps(_mm256_castsi256_ps(a_low), _mm256_castsi256_ps(b_low), sums[i]);
            sums[i] = _mm256_fmadd_ps(_mm256_castsi256_ps(a_high), _mm256_castsi256_ps(b_high), sums[i]);
        }
        sums
    }
    #[inline(always)]
    unsafe fn select_less(a: V, b: V, then: V, otherwise: V) -> V {
        let low = _mm256_cmp_ps::<_CMP_LT_OQ>(a[0], b[0]);
        let high = _mm256_cmp_ps::<_CMP_LT_OQ>(a[1], b[1]);
        [_mm256_blendv_ps(otherwise[0], then[0], low), _mm256_blendv_ps(otherwise[1], then[1], high)]
    }
    #[inline(always)]
    unsafe fn pairs(low: V, high: V) -> V {
        // Shuffles work inside either half; the permutation puts the quarters in order again.
        let in_order =
            |x: __m256| _mm256_castpd_ps(_mm256_permute4x64_pd::<0b11_01_10_00>(_mm256_castps_pd(x)));
        let even = |x: V| in_order(_mm256_shuffle_ps::<0b10_00_10_00>(x[0], x[1]));
        let odd = |x: V| in_order(_mm256_shuffle_ps::<0b11_01_11_01>(x[0], x[1]));
        Self::pair([even(low), even(high)], [odd(low), odd(high)])
    }
    #[inline(always)]
    unsafe fn dot_quads(a: V, b: V, c: V) -> V {
        let half = |i: usize| {
            let (a, b) = (_mm256_castps_si256(a[i]), _mm256_castps_si256(b[i]));
            // Two products of 16 bits at a time: the bytes at even places, then those at odd ones.
            let b_even = _mm256_srai_epi16::<8>(_mm256_slli_epi16::<8>(b));
            let of_even = _mm256_madd_epi16(_mm256_and_si256(a, _mm256_set1_epi16(0x00FF)), b_even);
            let of_odd = _mm256_madd_epi16(_mm256_srli_epi16::<8>(a), _mm256_srai_epi16::<8>(b));
            let sum = _mm256_add_epi32(of_even, of_odd);
            _mm256_castsi256_ps(_mm256_add_epi32(_mm256_castps_si256(c[i]), sum))
        };
        [half(0), half(1)]
    }
    #[inline(always)]
    unsafe fn quads(x: [V; 4]) -> V {
        // Packing works inside either half; the permutation puts the quarters in order again.
        let words = |x: V| {
            let [low, high] = x.map(|half| _mm256_cvtps_epi32(half));
            _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(low, high))
        };
        let bytes = |low: V, high: V| {
            let bytes = _mm256_packs_epi16(words(low), words(high));
            let bytes = _mm256_permute4x64_epi64::<0b11_01_10_00>(bytes);
            _mm256_castsi256_ps(_mm256_xor_si256(bytes, _mm256_set1_epi8(-128)))
        };
        [bytes(x[0], x[1]), bytes(x[2], x[3])]
    }
    #[inline(always)]
    unsafe fn integer_difference(a: V, b: V) -> V {
        let half = |i: usize| {
            let (a, b) = (_mm256_castps_si256(a[i]), _mm256_castps_si256(b[i]));
            _mm256_cvtepi32_ps(_mm256_sub_epi32(a, b))
        };
        [half(0), half(1)]
    }
    #[inline(always)]
    unsafe fn sum(x: V) -> f32 {
        sum_eight(_mm256_add_ps(x[0], x[1]))
    }
}
