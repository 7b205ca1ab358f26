//! Copies a matrix into units: f32 as it is, or rounded to bf16, two neighbours along k in each.

use super::super::MatrixView;
use crate::simd::{LANES, Simd, math};

/// Copies `from` `[K, N]` to `to`: one unit of k after the other, `stride` units apart. `PAIRS`: as pairs of
/// bf16.
///
/// # Safety
/// The contract of [`Simd`]; `to` must be valid for as many rows as K has units, of `stride` units each but
/// for the last row's end; N <= `stride`.
#[inline(always)]
pub(super) unsafe fn copy<S: Simd, const PAIRS: bool>(from: MatrixView<'_>, to: *mut f32, stride: usize) {
    // SAFETY: the caller's contract.
    unsafe {
        if from.column_stride() == 1 {
            copy_rows::<S, PAIRS>(from, to, stride);
        } else if from.row_stride() == 1 {
            copy_columns::<S, PAIRS>(from, to, stride);
        } else {
            copy_elements::<PAIRS>(from, to, stride);
        }
    }
}

/// Contiguous rows: weight gradients, values of attention.
#[inline(always)]
unsafe fn copy_rows<S: Simd, const PAIRS: bool>(from: MatrixView<'_>, to: *mut f32, stride: usize) {
    let (k, n) = (from.n_rows(), from.n_columns());
    // SAFETY: rows k and k + 1 of `from`, and of `to` by the caller's contract.
    unsafe {
        let row = |k: usize| from.pointer().add(k * from.row_stride());
        if !PAIRS {
            return (0..k).for_each(|k| std::ptr::copy_nonoverlapping(row(k), to.add(k * stride), n));
        }
        for unit in 0..k.div_ceil(2) {
            for j in (0..n).step_by(LANES) {
                let part = (n - j).min(LANES);
                let first = S::load_part(from.pointer().add(2 * unit * from.row_stride() + j), part);
                let second = if 2 * unit + 1 < k {
                    S::load_part(from.pointer().add((2 * unit + 1) * from.row_stride() + j), part)
                } else {
                    S::splat(0.0)
                };
                S::store_part(to.add(unit * stride + j), S::pair(first, second), part);
            }
        }
    }
}

/// Contiguous columns, transposed in squares of sixteen units: weights, activations.
#[inline(always)]
unsafe fn copy_columns<S: Simd, const PAIRS: bool>(from: MatrixView<'_>, to: *mut f32, stride: usize) {
    let (k, n, per_unit) = (from.n_rows(), from.n_columns(), if PAIRS { 2 } else { 1 });
    for j in (0..n).step_by(LANES) {
        let n_part = (n - j).min(LANES);
        for k0 in (0..k).step_by(LANES * per_unit) {
            let k_part = (k - k0).min(LANES * per_unit);
            // SAFETY: k_part numbers of n_part columns lie inside `from`; the rows written, inside `to`.
            unsafe {
                let mut square = [S::splat(0.0); LANES];
                for (i, column) in square.iter_mut().enumerate().take(n_part) {
                    let numbers = from.pointer().add((j + i) * from.column_stride() + k0);
                    let low = S::load_part(numbers, k_part.min(LANES));
                    *column = if PAIRS {
                        let n_high = k_part.saturating_sub(LANES);
                        S::pairs(low, S::load_part(numbers.wrapping_add(LANES), n_high))
                    } else {
                        low
                    };
                }
                let units = S::transpose(square);
                for (i, unit) in units.into_iter().enumerate().take(k_part.div_ceil(per_unit)) {
                    S::store_part(to.add((k0 / per_unit + i) * stride + j), unit, n_part);
                }
            }
        }
    }
}

/// Any strides, one number after the other.
unsafe fn copy_elements<const PAIRS: bool>(from: MatrixView<'_>, to: *mut f32, stride: usize) {
    let (k, n) = (from.n_rows(), from.n_columns());
    for unit in 0..k.div_ceil(if PAIRS { 2 } else { 1 }) {
        for j in 0..n {
            // SAFETY: elements of `from`, and of `to` by the caller's contract.
            unsafe {
                let at = |k: usize| *from.pointer().add(k * from.row_stride() + j * from.column_stride());
                *to.add(unit * stride + j) = if PAIRS {
                    let second = if 2 * unit + 1 < k { at(2 * unit + 1) } else { 0.0 };
                    f32::from_bits(math::pair_bits(at(2 * unit), second))
                } else {
                    at(unit)
                };
            }
        }
    }
}
