//! Sixteen numbers in four NEON registers.

use super::{LANES, Simd};
use std::arch::aarch64::*;

#[derive(Clone, Copy)]
pub(crate) struct Neon;

type V = [float32x4_t; 4];

// SAFETY: sixteen lanes, and every method does what the trait says; 64-bit ARM always has NEON.
#[allow(unsafe_op_in_unsafe_fn)] // Each body is an intrinsic for every quarter, under the trait's contract.
unsafe impl Simd for Neon {
    type V = V;
    const TILE_ROWS: usize = 6;
    const TILE_VECTORS: usize = 1;

    unsafe fn call<K: super::Kernel>(kernel: K) -> K::Output {
        kernel.run::<Self>()
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> V {
        [vdupq_n_f32(x); 4]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> V {
        [vld1q_f32(from), vld1q_f32(from.add(4)), vld1q_f32(from.add(8)), vld1q_f32(from.add(12))]
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: V) {
        for i in 0..4 {
            vst1q_f32(to.add(4 * i), x[i]);
        }
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
    unsafe fn add(a: V, b: V) -> V {
        std::array::from_fn(|i| vaddq_f32(a[i], b[i]))
    }
    #[inline(always)]
    unsafe fn sub(a: V, b: V) -> V {
        std::array::from_fn(|i| vsubq_f32(a[i], b[i]))
    }
    #[inline(always)]
    unsafe fn mul(a: V, b: V) -> V {
        std::array::from_fn(|i| vmulq_f32(a[i], b[i]))
    }
    #[inline(always)]
    unsafe fn div(a: V, b: V) -> V {
        std::array::from_fn(|i| vdivq_f32(a[i], b[i]))
    }
    #[inline(always)]
    unsafe fn max(a: V, b: V) -> V {
        std::array::from_fn(|i| vbslq_f32(vcgtq_f32(a[i], b[i]), a[i], b[i]))
    }
    #[inline(always)]
    unsafe fn min(a: V, b: V) -> V {
        std::array::from_fn(|i| vbslq_f32(vcltq_f32(a[i], b[i]), a[i], b[i]))
    }
    #[inline(always)]
    unsafe fn sqrt(a: V) -> V {
        a.map(|x| vsqrtq_f32(x))
    }
    #[inline(always)]
    unsafe fn fma(a: V, b: V, c: V) -> V {
        std::array::from_fn(|i| vfmaq_f32(c[i], a[i], b[i]))
    }
    #[inline(always)]
    unsafe fn round(a: V) -> V {
        a.map(|x| vrndnq_f32(x))
    }
    #[inline(always)]
    unsafe fn exp2_integer(n: V) -> V {
        n.map(|n| {
            let biased = vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127));
            vreinterpretq_f32_s32(vshlq_n_s32::<23>(biased))
        })
    }
    #[inline(always)]
    unsafe fn fma_pairs(a: V, b: V, c: V) -> V {
        let upper = vdupq_n_u32(0xFFFF_0000);
        let mut sums = c;
        for i in 0..4 {
            let (a, b) = (vreinterpretq_u32_f32(a[i]), vreinterpretq_u32_f32(b[i]));
            let (a_low, b_low) = (vshlq_n_u32::<16>(a), vshlq_n_u32::<16>(b));
            let (a_high, b_high) = (vandq_u32(a, upper), vandq_u32(b, upper));
            sums[i] = vfmaq_f32(sums[i], vreinterpretq_f32_u32(a_low), vreinterpretq_f32_u32(b_low));
            sums[i] = vfmaq_f32(sums[i], vreinterpretq_f32_u32(a_high), vreinterpretq_f32_u32(b_high));
        }
        sums
    }
    #[inline(always)]
    unsafe fn select_less(a: V, b: V, then: V, otherwise: V) -> V {
        std::array::from_fn(|i| vbslq_f32(vcltq_f32(a[i], b[i]), then[i], otherwise[i]))
    }
}
