//! Sixteen numbers in one AVX-512 register.

use super::{Kernel, LANES, Simd};
use std::arch::x86_64::*;

/// The bits of x with the upper half rounded to nearest even; NaN stays NaN.
///
/// # Safety
/// AVX-512 must be on.
#[inline(always)]
unsafe fn rounded(x: __m512) -> __m512i {
    // SAFETY: AVX-512 is on, by the caller's contract.
    unsafe {
        let bits = _mm512_castps_si512(x);
        let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
        let sum = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7FFF)));
        let is_nan = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(x, x);
        _mm512_mask_or_epi32(sum, is_nan, bits, _mm512_set1_epi32(0x0040_0000))
    }
}

/// The first pair of numbers of every quarter of a, then of b.
///
/// # Safety
/// AVX-512 must be on.
#[inline(always)]
unsafe fn unpacklo_pairs(a: __m512, b: __m512) -> __m512 {
    // SAFETY: AVX-512 is on, by the caller's contract.
    unsafe { _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(a), _mm512_castps_pd(b))) }
}

/// The second pair of numbers of every quarter of a, then of b.
///
/// # Safety
/// AVX-512 must be on.
#[inline(always)]
unsafe fn unpackhi_pairs(a: __m512, b: __m512) -> __m512 {
    // SAFETY: AVX-512 is on, by the caller's contract.
    unsafe { _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(a), _mm512_castps_pd(b))) }
}

/// Sixteen integers as bytes.
///
/// # Safety
/// AVX-512 must be on.
#[inline(always)]
unsafe fn bytes(x: __m512) -> __m128i {
    // SAFETY: AVX-512 is on, by the caller's contract.
    unsafe { _mm512_cvtepi32_epi8(_mm512_cvtps_epi32(x)) }
}

/// `BF16`: with products of bf16 pairs and of quads of bytes.
#[derive(Clone, Copy)]
pub(crate) struct Avx512<const BF16: bool>;

/// Enters a kernel with AVX-512 switched on.
///
/// # Safety
/// The machine must have avx512f, bw, dq and vl, and fma.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx2,fma")]
pub(crate) unsafe fn call<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the instructions are on here.
    unsafe { kernel.run::<Avx512<false>>() }
}

/// Enters a kernel with AVX-512 and its products of bf16 and of bytes switched on.
///
/// # Safety
/// The machine must have avx512f, bw, dq, vl, bf16 and vnni, and fma.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512bf16,avx512vnni,avx2,fma")]
pub(crate) unsafe fn call_bf16<K: Kernel>(kernel: K) -> K::Output {
    // SAFETY: the instructions are on here.
    unsafe { kernel.run::<Avx512<true>>() }
}

#[inline(always)]
fn first(n: usize) -> __mmask16 {
    debug_assert!(n <= 16);
    ((1u32 << n) - 1) as __mmask16
}

// SAFETY: sixteen lanes, and every method does what the trait says.
#[allow(unsafe_op_in_unsafe_fn)] // Each body is one intrinsic under the trait's contract.
unsafe impl<const BF16: bool> Simd for Avx512<BF16> {
    type V = __m512;
    const TILE_ROWS: usize = 8;
    const TILE_VECTORS: usize = 3;

    unsafe fn call<K: Kernel>(kernel: K) -> K::Output {
        if BF16 { call_bf16(kernel) } else { call(kernel) }
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
    unsafe fn prefetch(address: *const f32) {
        _mm_prefetch::<_MM_HINT_T0>(address.cast())
    }
    #[inline(always)]
    unsafe fn prefetch_far(address: *const f32) {
        _mm_prefetch::<_MM_HINT_T1>(address.cast())
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
    unsafe fn exp2_integer(n: __m512) -> __m512 {
        let biased = _mm512_add_epi32(_mm512_cvtps_epi32(n), _mm512_set1_epi32(127));
        _mm512_castsi512_ps(_mm512_slli_epi32::<23>(biased))
    }
    #[inline(always)]
    unsafe fn select_less(a: __m512, b: __m512, then: __m512, otherwise: __m512) -> __m512 {
        _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), otherwise, then)
    }
    #[inline(always)]
    unsafe fn fma_pairs(a: __m512, b: __m512, c: __m512) -> __m512 {
        let (a, b) = (_mm512_castps_si512(a), _mm512_castps_si512(b));
        if BF16 {
            return _mm512_dpbf16_ps(
                c,
                std::mem::transmute::<__m512i, __m512bh>(a),
                std::mem::transmute::<__m512i, __m512bh>(b),
            );
        }
        let upper = _mm512_set1_epi32(0xFFFF_0000_u32 as i32);
        let (a_low, b_low) = (_mm512_slli_epi32::<16>(a), _mm512_slli_epi32::<16>(b));
        let (a_high, b_high) = (_mm512_and_si512(a, upper), _mm512_and_si512(b, upper));
        let sum = _mm512_fmadd_ps(_mm512_castsi512_ps(a_low), _mm512_castsi512_ps(b_low), c);
        _mm512_fmadd_ps(_mm512_castsi512_ps(a_high), _mm512_castsi512_ps(b_high), sum)
    }
    #[inline(always)]
    unsafe fn pair(a: __m512, b: __m512) -> __m512 {
        if BF16 {
            let order = _mm512_set_epi16(
                31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19,
                3, 18, 2, 17, 1, 16, 0,
            );
            let halves = _mm512_castps_si512(Self::pairs(a, b));
            return _mm512_castsi512_ps(_mm512_permutexvar_epi16(order, halves));
        }
        let upper = _mm512_and_si512(rounded(b), _mm512_set1_epi32(0xFFFF_0000_u32 as i32));
        _mm512_castsi512_ps(_mm512_or_si512(_mm512_srli_epi32::<16>(rounded(a)), upper))
    }
    #[inline(always)]
    unsafe fn pairs(low: __m512, high: __m512) -> __m512 {
        if BF16 {
            return std::mem::transmute::<__m512bh, __m512>(_mm512_cvtne2ps_pbh(high, low));
        }
        let even = _mm512_set_epi32(30, 28, 26, 24, 22, 20, 18, 16, 14, 12, 10, 8, 6, 4, 2, 0);
        let odd = _mm512_add_epi32(even, _mm512_set1_epi32(1));
        Self::pair(_mm512_permutex2var_ps(low, even, high), _mm512_permutex2var_ps(low, odd, high))
    }
    #[inline(always)]
    unsafe fn dot_quads(a: __m512, b: __m512, c: __m512) -> __m512 {
        let (a, b, c) = (_mm512_castps_si512(a), _mm512_castps_si512(b), _mm512_castps_si512(c));
        if BF16 {
            return _mm512_castsi512_ps(_mm512_dpbusd_epi32(c, a, b));
        }
        // Two products of 16 bits at a time: the bytes at even places, then those at odd ones.
        let even = _mm512_set1_epi16(0x00FF);
        let b_even = _mm512_srai_epi16::<8>(_mm512_slli_epi16::<8>(b));
        let of_even = _mm512_madd_epi16(_mm512_and_si512(a, even), b_even);
        let of_odd = _mm512_madd_epi16(_mm512_srli_epi16::<8>(a), _mm512_srai_epi16::<8>(b));
        _mm512_castsi512_ps(_mm512_add_epi32(c, _mm512_add_epi32(of_even, of_odd)))
    }
    #[inline(always)]
    unsafe fn quads(x: [__m512; 4]) -> __m512 {
        let low = _mm256_set_m128i(bytes(x[1]), bytes(x[0]));
        let high = _mm256_set_m128i(bytes(x[3]), bytes(x[2]));
        let all = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high);
        _mm512_castsi512_ps(_mm512_xor_si512(all, _mm512_set1_epi8(-128)))
    }
    #[inline(always)]
    unsafe fn integer_difference(a: __m512, b: __m512) -> __m512 {
        _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)))
    }
    #[inline(always)]
    unsafe fn transpose(mut r: [__m512; LANES]) -> [__m512; LANES] {
        // Pairs of rows, then fours inside every quarter register, then the quarters across registers.
        let mut t = r;
        for i in 0..8 {
            t[2 * i] = _mm512_unpacklo_ps(r[2 * i], r[2 * i + 1]);
            t[2 * i + 1] = _mm512_unpackhi_ps(r[2 * i], r[2 * i + 1]);
        }
        for i in 0..4 {
            r[4 * i] = unpacklo_pairs(t[4 * i], t[4 * i + 2]);
            r[4 * i + 1] = unpackhi_pairs(t[4 * i], t[4 * i + 2]);
            r[4 * i + 2] = unpacklo_pairs(t[4 * i + 1], t[4 * i + 3]);
            r[4 * i + 3] = unpackhi_pairs(t[4 * i + 1], t[4 * i + 3]);
        }
        for j in 0..4 {
            let even = _mm512_shuffle_f32x4::<0x88>(r[j], r[4 + j]);
            let odd = _mm512_shuffle_f32x4::<0xDD>(r[j], r[4 + j]);
            let even_below = _mm512_shuffle_f32x4::<0x88>(r[8 + j], r[12 + j]);
            let odd_below = _mm512_shuffle_f32x4::<0xDD>(r[8 + j], r[12 + j]);
            t[j] = _mm512_shuffle_f32x4::<0x88>(even, even_below);
            t[8 + j] = _mm512_shuffle_f32x4::<0xDD>(even, even_below);
            t[4 + j] = _mm512_shuffle_f32x4::<0x88>(odd, odd_below);
            t[12 + j] = _mm512_shuffle_f32x4::<0xDD>(odd, odd_below);
        }
        t
    }
    #[inline(always)]
    unsafe fn sum(x: __m512) -> f32 {
        let high = _mm512_extractf32x8_ps::<1>(x);
        super::avx2::sum_eight(_mm256_add_ps(_mm512_castps512_ps256(x), high))
    }
}
