//! Matrix product of bytes: `out[i, j] = f(Σ_k a[i, k] · b[k, j] + bias[j])`, for inference.
//!
//! Axes: M rows of a and out, N columns of b and out, K the inner axis.
//!
//! Every column of b is rounded once to whole numbers in -127..=127 of its own scale ([`QuantizedMatrix`]); every row of
//! a likewise, each time. The sums of their products are exact, so all levels give the same bits, and a row's result
//! does not depend on the rows beside it. After Jacob et al. 2018, "Quantization and training of neural networks for
//! efficient integer-arithmetic-only inference", with symmetric scales.

mod cpu;
mod quantize;
#[cfg(test)]
mod tests;

pub use quantize::QuantizedMatrix;

use crate::buffer::Buffer;
use crate::ops::activation::Activation;
use crate::ops::matmul::MatrixView;
use crate::simd::Level;

/// Whole numbers go from minus this to this.
const LARGEST: f32 = 127.0;
/// Bytes in a unit of four, neighbours along k.
const PER_UNIT: usize = 4;
/// Numbers that are rounded together: four vectors. K is filled up to a multiple of it.
const GROUP: usize = 64;

/// `f(a · b + bias)` into a new buffer, `[M, N]`, on all threads. Panics when shapes do not fit, or when a's rows have
/// gaps between their numbers.
pub fn linear_int8(
    a: MatrixView<'_>,
    b: &QuantizedMatrix,
    bias: &[f32],
    activation: Option<Activation>,
) -> Buffer {
    assert_eq!(a.n_columns(), b.n_rows(), "inner sizes");
    assert_eq!(bias.len(), b.n_columns(), "size of bias");
    assert!(a.column_stride() == 1 || a.n_rows() == 0, "rows without gaps");
    let mut out = Buffer::stale(a.n_rows() * b.n_columns());
    cpu::multiply(Level::current(), cpu::Job { a, b, bias, activation }, &mut out);
    out
}
