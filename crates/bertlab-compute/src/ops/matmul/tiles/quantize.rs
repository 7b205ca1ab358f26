//! How rows and columns of f32 become bytes: integers in -127..=127 of one scale.

use super::super::MatrixView;
use crate::simd::{LANES, Simd};

/// Whole numbers go from minus this to this.
const LARGEST: f32 = 127.0;
/// Bytes in a unit.
pub(super) const PER_UNIT: usize = 4;
/// Numbers that are rounded together: four vectors. K is filled up to a multiple of it.
pub(super) const GROUP: usize = 64;

/// Rounds a column, given as a row, `[1, K]`, to bytes with a sign, `stride` units apart. Gives its scale,
/// and its offset: 128 times the sum of its bytes, as the bits of an i32.
///
/// # Safety
/// The contract of [`quantize_row`].
#[inline(always)]
pub(super) unsafe fn quantize_column<S: Simd>(
    from: MatrixView<'_>,
    to: *mut f32,
    stride: usize,
) -> (f32, f32) {
    // SAFETY: the caller's contract.
    unsafe {
        let scale = quantize_row::<S>(from, to, stride);
        let mut sum = 0;
        for unit in 0..from.n_columns().next_multiple_of(GROUP) / PER_UNIT {
            let to = to.add(unit * stride);
            // Less 128: bytes with a sign.
            let bytes = ((*to).to_bits() ^ 0x8080_8080).to_le_bytes();
            *to = f32::from_bits(u32::from_le_bytes(bytes));
            sum += bytes.iter().map(|&byte| i32::from(byte as i8)).sum::<i32>();
        }
        (scale, f32::from_bits((128 * sum) as u32))
    }
}

/// Rounds a row, `[1, K]`, to integers of one scale, which is given back; writes them plus 128, as units
/// of four bytes `stride` apart. What fills up the last group is 0, plus 128.
/// The scale is NaN where a number is NaN or infinite, so that every product with the row is NaN.
///
/// # Safety
/// The contract of [`Simd`]; `from` must be contiguous; `to` must be valid for the units of K,
/// filled up to a multiple of [`GROUP`].
#[inline(always)]
pub(super) unsafe fn quantize_row<S: Simd>(from: MatrixView<'_>, to: *mut f32, stride: usize) -> f32 {
    let (from, n) = (from.pointer(), from.n_columns());
    // SAFETY: reads stay below `n`, writes below the units of `n`.
    unsafe {
        let load = |i: usize| S::load_part(from.add(i.min(n)), n.saturating_sub(i).min(LANES));
        let zero = S::splat(0.0);
        let (mut largest, mut zeros) = (zero, zero);
        for i in (0..n).step_by(LANES) {
            let x = load(i);
            largest = S::max(largest, S::max(x, S::sub(zero, x)));
            zeros = S::fma(x, zero, zeros); // NaN from the first number that is not finite.
        }
        let scale = S::greatest(largest) / LARGEST + S::sum(zeros);
        let factor = S::splat(if scale > 0.0 { 1.0 / scale } else { 0.0 });
        let limit = S::splat(LARGEST);
        for (group, i) in (0..n).step_by(GROUP).enumerate() {
            // 1 / scale is rounded: a largest number times it may lie above the limit.
            let whole = |v: usize| S::round(S::min(S::mul(load(i + v * LANES), factor), limit));
            let mut quads = [0.0f32; LANES];
            S::store(quads.as_mut_ptr(), S::quads([whole(0), whole(1), whole(2), whole(3)]));
            for (unit, quad) in quads.into_iter().enumerate() {
                *to.add((group * LANES + unit) * stride) = quad;
            }
        }
        scale
    }
}
