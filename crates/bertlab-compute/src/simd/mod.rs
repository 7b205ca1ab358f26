//! Vectors of sixteen f32, whatever the machine: one AVX-512 register, two of AVX2, four of NEON, or
//! plain arrays. Sixteen everywhere, fused multiply-add everywhere and one order of reduction
//! everywhere: every level gives the same bits.
//!
//! A kernel is written once, generic over `Simd`, as a `Kernel`; `run` enters it through a
//! function that switches the instructions on.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
pub(crate) mod math;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;

use std::sync::OnceLock;

/// Numbers in one vector.
pub const LANES: usize = 16;

/// The instruction sets that kernels exist for, slowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Plain Rust, any machine.
    Portable,
    /// 64-bit ARM.
    Neon,
    /// x86-64 with AVX2 and FMA.
    Avx2,
    /// x86-64 with AVX-512 (F, BW, DQ, VL).
    Avx512,
    /// The same with products of bf16 pairs (AVX512_BF16) and of quads of bytes (AVX512_VNNI).
    Avx512Bf16,
}

impl Level {
    /// Every level that this machine has, slowest first.
    pub fn available() -> Vec<Self> {
        let mut levels = vec![Self::Portable];
        #[cfg(target_arch = "aarch64")]
        levels.push(Self::Neon);
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                levels.push(Self::Avx2);
            }
            if is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
            {
                levels.push(Self::Avx512);
                if is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512vnni") {
                    levels.push(Self::Avx512Bf16);
                }
            }
        }
        levels
    }

    /// The level in use: the fastest that the machine has, or what `BERTLAB_SIMD` asks for
    /// (`portable`, `neon`, `avx2`, `avx512`, `avx512bf16`; one that the machine lacks is ignored).
    pub fn current() -> Self {
        static CURRENT: OnceLock<Level> = OnceLock::new();
        *CURRENT.get_or_init(|| {
            let available = Self::available();
            let wanted = std::env::var("BERTLAB_SIMD").unwrap_or_default().to_lowercase();
            let asked = available.iter().find(|level| level.name() == wanted);
            *asked.or(available.last()).expect("the portable level is always there")
        })
    }

    /// Its name, as `BERTLAB_SIMD` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Portable => "portable",
            Self::Neon => "neon",
            Self::Avx2 => "avx2",
            Self::Avx512 => "avx512",
            Self::Avx512Bf16 => "avx512bf16",
        }
    }
}

/// Sixteen numbers at a time.
///
/// # Safety
/// Every method may only be called where the level's instructions are switched on, that is inside
/// [`Kernel::run`]; pointers must be valid for sixteen numbers, or for `n <= 16` in the `_part` forms.
#[allow(clippy::missing_safety_doc)] // One contract for all of them, stated above.
pub(crate) unsafe trait Simd: Copy + 'static {
    /// Sixteen f32.
    type V: Copy;
    /// Rows and vectors of the matrix kernel's tile, as many as the registers hold.
    const TILE_ROWS: usize;
    const TILE_VECTORS: usize;

    /// Runs a kernel of this level as a function of its own: the program holds its code once, however many other
    /// kernels call it.
    unsafe fn call<K: Kernel>(kernel: K) -> K::Output;

    unsafe fn splat(x: f32) -> Self::V;
    unsafe fn load(from: *const f32) -> Self::V;
    unsafe fn store(to: *mut f32, x: Self::V);
    /// The first `n`; the others read as zero.
    unsafe fn load_part(from: *const f32, n: usize) -> Self::V;
    unsafe fn store_part(to: *mut f32, x: Self::V, n: usize);
    /// Asks for a cache line that is needed soon; any address.
    #[inline(always)]
    unsafe fn prefetch(_address: *const f32) {}
    /// The same for later: into the second cache.
    #[inline(always)]
    unsafe fn prefetch_far(_address: *const f32) {}
    unsafe fn add(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sub(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn mul(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn div(a: Self::V, b: Self::V) -> Self::V;
    /// The greater; `b` where either is NaN.
    unsafe fn max(a: Self::V, b: Self::V) -> Self::V;
    /// The smaller; `b` where either is NaN.
    unsafe fn min(a: Self::V, b: Self::V) -> Self::V;
    unsafe fn sqrt(a: Self::V) -> Self::V;
    /// a · b + c, rounded once.
    unsafe fn fma(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// To the nearest whole number, ties to even.
    unsafe fn round(a: Self::V) -> Self::V;
    /// 2^n for whole numbers n in -126..=127.
    unsafe fn exp2_whole(n: Self::V) -> Self::V;
    /// `then` where a < b, else `otherwise`.
    unsafe fn select_less(a: Self::V, b: Self::V, then: Self::V, otherwise: Self::V) -> Self::V;

    /// `c + a₀·b₀ + a₁·b₁` where every lane of `a` and `b` holds two bf16, the first in its lower half.
    /// Without bf16 instructions: two fused multiply-adds, the same products summed in another order.
    unsafe fn fma_pairs(a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// Two bf16 in every lane: `a`, rounded to nearest even, in the lower half, `b` in the upper.
    #[inline(always)]
    unsafe fn pair(a: Self::V, b: Self::V) -> Self::V {
        let (mut low, mut high) = ([0.0f32; LANES], [0.0f32; LANES]);
        // SAFETY: the arrays hold sixteen; the level is on, by the caller's contract.
        unsafe {
            Self::store(low.as_mut_ptr(), a);
            Self::store(high.as_mut_ptr(), b);
            for (x, y) in low.iter_mut().zip(&high) {
                *x = f32::from_bits(math::pair_bits(*x, *y));
            }
            Self::load(low.as_ptr())
        }
    }
    /// Thirty-two neighbours, `low` before `high`, as bf16: two in every lane.
    #[inline(always)]
    unsafe fn pairs(low: Self::V, high: Self::V) -> Self::V {
        let mut all = [0.0f32; 2 * LANES];
        // SAFETY: the arrays hold what is stored and loaded; the level is on, by the caller's contract.
        unsafe {
            Self::store(all.as_mut_ptr(), low);
            Self::store(all.as_mut_ptr().add(LANES), high);
            let even: [f32; LANES] = std::array::from_fn(|i| all[2 * i]);
            let odd: [f32; LANES] = std::array::from_fn(|i| all[2 * i + 1]);
            Self::pair(Self::load(even.as_ptr()), Self::load(odd.as_ptr()))
        }
    }

    /// `c + a₀·b₀ + a₁·b₁ + a₂·b₂ + a₃·b₃`, exactly, where every lane of `a` holds four bytes, of `b` four bytes with
    /// a sign, of `c` a whole number of 32 bits.
    #[inline(always)]
    unsafe fn dot_quads(a: Self::V, b: Self::V, c: Self::V) -> Self::V {
        let (mut left, mut right, mut sums) = ([0.0f32; LANES], [0.0f32; LANES], [0.0f32; LANES]);
        // SAFETY: the arrays hold sixteen; the level is on, by the caller's contract.
        unsafe {
            Self::store(left.as_mut_ptr(), a);
            Self::store(right.as_mut_ptr(), b);
            Self::store(sums.as_mut_ptr(), c);
            for ((sum, a), b) in sums.iter_mut().zip(left).zip(right) {
                *sum = math::dot_quad_bits(a, b, *sum);
            }
            Self::load(sums.as_ptr())
        }
    }
    /// Sixty-four whole numbers in -127..=127, each plus 128, as four bytes in every lane.
    #[inline(always)]
    unsafe fn quads(numbers: [Self::V; 4]) -> Self::V {
        let mut all = [[0.0f32; LANES]; 4];
        // SAFETY: the arrays hold sixteen; the level is on, by the caller's contract.
        unsafe {
            for (to, from) in all.iter_mut().zip(numbers) {
                Self::store(to.as_mut_ptr(), from);
            }
            let byte = |i: usize| (all[i / LANES][i % LANES] as i32 + 128) as u8;
            let quads: [f32; LANES] = std::array::from_fn(|lane| {
                let bytes = std::array::from_fn(|i| byte(4 * lane + i));
                f32::from_bits(u32::from_le_bytes(bytes))
            });
            Self::load(quads.as_ptr())
        }
    }
    /// `a - b`, where both hold whole numbers of 32 bits, as f32.
    #[inline(always)]
    unsafe fn whole_difference(a: Self::V, b: Self::V) -> Self::V {
        let (mut left, mut right) = ([0.0f32; LANES], [0.0f32; LANES]);
        // SAFETY: the arrays hold sixteen; the level is on, by the caller's contract.
        unsafe {
            Self::store(left.as_mut_ptr(), a);
            Self::store(right.as_mut_ptr(), b);
            for (a, b) in left.iter_mut().zip(right) {
                *a = (a.to_bits() as i32).wrapping_sub(b.to_bits() as i32) as f32;
            }
            Self::load(left.as_ptr())
        }
    }
    /// Rows become columns.
    #[inline(always)]
    unsafe fn transpose(rows: [Self::V; LANES]) -> [Self::V; LANES] {
        let mut table = [[0.0f32; LANES]; LANES];
        let mut columns = rows;
        // SAFETY: the arrays hold sixteen; the level is on, by the caller's contract.
        unsafe {
            for (to, row) in table.iter_mut().zip(rows) {
                Self::store(to.as_mut_ptr(), row);
            }
            for (i, column) in columns.iter_mut().enumerate() {
                let numbers: [f32; LANES] = std::array::from_fn(|j| table[j][i]);
                *column = Self::load(numbers.as_ptr());
            }
        }
        columns
    }

    /// All sixteen, halves added to halves: (0+8 … 7+15), then fours, twos, one.
    #[inline(always)]
    unsafe fn sum(x: Self::V) -> f32 {
        let mut lanes = [0.0f32; LANES];
        // SAFETY: the array holds sixteen; the level is on, by the caller's contract.
        unsafe { Self::store(lanes.as_mut_ptr(), x) };
        let mut half = LANES / 2;
        while half > 0 {
            for i in 0..half {
                lanes[i] += lanes[i + half];
            }
            half /= 2;
        }
        lanes[0]
    }

    /// The greatest of the sixteen; NaN is skipped.
    #[inline(always)]
    unsafe fn greatest(x: Self::V) -> f32 {
        let mut lanes = [0.0f32; LANES];
        // SAFETY: as in `sum`.
        unsafe { Self::store(lanes.as_mut_ptr(), x) };
        lanes.iter().copied().fold(f32::NEG_INFINITY, f32::max)
    }
}

/// Work that is written once for every level.
pub(crate) trait Kernel {
    /// What it gives back.
    type Output;
    /// The work. Must be `#[inline(always)]`, or the level's instructions are not switched on in it.
    ///
    /// # Safety
    /// Only [`run`] calls it, which has checked that the machine has the level.
    unsafe fn run<S: Simd>(self) -> Self::Output;
}

/// Runs a kernel at a level. Panics when the machine does not have it.
pub(crate) fn run<K: Kernel>(level: Level, kernel: K) -> K::Output {
    // SAFETY: `Level::current` and the tests give only levels from `Level::available`, which asked
    // the processor; the portable level needs nothing.
    unsafe {
        match level {
            Level::Portable => kernel.run::<portable::Portable>(),
            #[cfg(target_arch = "aarch64")]
            Level::Neon => kernel.run::<neon::Neon>(),
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => avx2::call(kernel),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => avx512::call(kernel),
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Bf16 => avx512::call_bf16(kernel),
            #[allow(unreachable_patterns)]
            _ => panic!("this machine has no {}", level.name()),
        }
    }
}
