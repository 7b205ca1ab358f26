//! Token by token, a head's halves in step.

use super::{Rotation, Turn};
use crate::simd::{Kernel, LANES, Level, Simd, run};
use crate::threads::parallel_chunks;

/// Tokens in one task.
const TOKENS: usize = 32;

pub(super) fn rotate(level: Level, rotation: &Rotation, turn: Turn, qkv: &mut [f32], positions: &[u32]) {
    let stride = qkv.len() / positions.len();
    parallel_chunks(qkv, TOKENS * stride, |chunk, qkv| {
        let positions = &positions[chunk * TOKENS..][..qkv.len() / stride];
        run(level, Rotate { rotation, turn, qkv, positions, stride });
    });
}

struct Rotate<'a> {
    rotation: &'a Rotation,
    turn: Turn,
    /// `[tokens, stride]`
    qkv: &'a mut [f32],
    positions: &'a [u32],
    /// 3 D
    stride: usize,
}

impl Kernel for Rotate<'_> {
    type Output = ();
    #[inline(always)]
    unsafe fn run<S: Simd>(self) {
        let half = self.rotation.half;
        let sign = if self.turn == Turn::Forward { 1.0 } else { -1.0 };
        for (token, &position) in self.qkv.chunks_exact_mut(self.stride).zip(self.positions) {
            let row = position as usize * half..(position as usize + 1) * half;
            let (cosines, sines) = (&self.rotation.cosines[row.clone()], &self.rotation.sines[row]);
            for head in token[..self.stride / 3 * 2].chunks_exact_mut(2 * half) {
                let (low, high) = head.split_at_mut(half);
                for i in (0..half).step_by(LANES) {
                    let n = (half - i).min(LANES);
                    // SAFETY: n numbers from i lie inside all four slices, each `half` long.
                    unsafe {
                        let cos = S::load_part(cosines.as_ptr().add(i), n);
                        let sin = S::mul(S::load_part(sines.as_ptr().add(i), n), S::splat(sign));
                        let (to_low, to_high) = (low.as_mut_ptr().add(i), high.as_mut_ptr().add(i));
                        let (x, y) = (S::load_part(to_low, n), S::load_part(to_high, n));
                        let turned = S::sub(S::mul(x, cos), S::mul(y, sin));
                        S::store_part(to_high, S::fma(y, cos, S::mul(x, sin)), n);
                        S::store_part(to_low, turned, n);
                    }
                }
            }
        }
    }
}
