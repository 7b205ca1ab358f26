//! Sixteen numbers in a plain array: right on any machine, fast on none.

use super::{LANES, Simd};

#[derive(Clone, Copy)]
pub(crate) struct Portable;

type V = [f32; LANES];

#[inline(always)]
fn zip(a: V, b: V, f: impl Fn(f32, f32) -> f32) -> V {
    std::array::from_fn(|i| f(a[i], b[i]))
}

// SAFETY: sixteen lanes, and every method does what the trait says.
#[allow(unsafe_op_in_unsafe_fn)] // Only the pointer reads and writes are unsafe, under the trait's contract.
unsafe impl Simd for Portable {
    type V = V;
    const TILE_ROWS: usize = 4;
    const TILE_VECTORS: usize = 1;

    unsafe fn call<K: super::Kernel>(kernel: K) -> K::Output {
        kernel.run::<Self>()
    }
    #[inline(always)]
    unsafe fn splat(x: f32) -> V {
        [x; LANES]
    }
    #[inline(always)]
    unsafe fn load(from: *const f32) -> V {
        from.cast::<V>().read_unaligned()
    }
    #[inline(always)]
    unsafe fn store(to: *mut f32, x: V) {
        to.cast::<V>().write_unaligned(x)
    }
    #[inline(always)]
    unsafe fn load_part(from: *const f32, n: usize) -> V {
        let mut lanes = [0.0f32; LANES];
        std::ptr::copy_nonoverlapping(from, lanes.as_mut_ptr(), n);
        lanes
    }
    #[inline(always)]
    unsafe fn store_part(to: *mut f32, x: V, n: usize) {
        std::ptr::copy_nonoverlapping(x.as_ptr(), to, n);
    }
    #[inline(always)]
    unsafe fn add(a: V, b: V) -> V {
        zip(a, b, |a, b| a + b)
    }
    #[inline(always)]
    unsafe fn sub(a: V, b: V) -> V {
        zip(a, b, |a, b| a - b)
    }
    #[inline(always)]
    unsafe fn mul(a: V, b: V) -> V {
        zip(a, b, |a, b| a * b)
    }
    #[inline(always)]
    unsafe fn div(a: V, b: V) -> V {
        zip(a, b, |a, b| a / b)
    }
    #[inline(always)]
    unsafe fn max(a: V, b: V) -> V {
        // As the x86 instruction has it: b where either is NaN.
        zip(a, b, |a, b| if a > b { a } else { b })
    }
    #[inline(always)]
    unsafe fn min(a: V, b: V) -> V {
        zip(a, b, |a, b| if a < b { a } else { b })
    }
    #[inline(always)]
    unsafe fn sqrt(a: V) -> V {
        a.map(f32::sqrt)
    }
    #[inline(always)]
    unsafe fn fma(a: V, b: V, c: V) -> V {
        std::array::from_fn(|i| a[i].mul_add(b[i], c[i]))
    }
    #[inline(always)]
    unsafe fn round(a: V) -> V {
        a.map(f32::round_ties_even)
    }
    #[inline(always)]
    unsafe fn exp2_integer(n: V) -> V {
        n.map(|n| f32::from_bits(((n as i32 + 127) as u32) << 23))
    }
    #[inline(always)]
    unsafe fn fma_pairs(a: V, b: V, c: V) -> V {
        let low = |x: f32| f32::from_bits(x.to_bits() << 16);
        let high = |x: f32| f32::from_bits(x.to_bits() & 0xFFFF_0000);
        std::array::from_fn(|i| high(a[i]).mul_add(high(b[i]), low(a[i]).mul_add(low(b[i]), c[i])))
    }
    #[inline(always)]
    unsafe fn select_less(a: V, b: V, then: V, otherwise: V) -> V {
        std::array::from_fn(|i| if a[i] < b[i] { then[i] } else { otherwise[i] })
    }
}
