//! Matrix product: `out[i, j] = Σ_k a[i, k] · b[k, j]`, with what usually follows it.
//!
//! Axes: M rows of a and out, N columns of b and out, K the inner axis.
//!
//! `b` is packed once into panels ([`PackedMatrix`]) and used many times: a weight is packed when it is
//! opened. Every number of `out` is a chain of fused multiply-adds over k in ascending order, in blocks
//! of `K_BLOCK`, whatever M, N, the instruction set and the number of threads are; so a row's result
//! does not depend on the rows beside it.

mod copy;
mod cpu;
mod pack;
#[cfg(test)]
mod reference;
mod requests;
#[cfg(test)]
mod tests;
mod view;

pub(crate) use cpu::{SerialProduct, multiply_serial, part, partition};
pub use pack::PackedMatrix;
pub(crate) use pack::panel_width;
pub(crate) use requests::Requests;
pub use view::MatrixView;

use crate::buffer::Buffer;
use crate::ops::activation::Activation;
use crate::simd::Level;

/// How the numbers of a product are held while they are multiplied; sums are always f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Precision {
    /// As they are.
    #[default]
    F32,
    /// Both matrices rounded to bf16 (8 bits of mantissa), two numbers in the place of one.
    Bf16,
}

impl Precision {
    /// Numbers in four bytes, neighbours along k.
    pub(crate) fn per_unit(self) -> usize {
        match self {
            Self::F32 => 1,
            Self::Bf16 => 2,
        }
    }
}

/// Inner products are summed in blocks of this many units of four bytes.
pub(crate) const K_BLOCK: usize = 768;

/// What is done to every number of the product before it is stored.
#[derive(Default)]
pub struct Epilogue<'a> {
    /// Added to every row. `[N]`
    pub bias: Option<&'a [f32]>,
    /// Applied after the bias.
    pub activation: Option<Activation>,
    /// Receives the numbers before the activation. `[M, N]`
    pub before_activation: Option<&'a mut [f32]>,
}

/// One product.
pub struct Matmul<'a> {
    /// `[M, K]`
    pub a: MatrixView<'a>,
    /// `[K, N]`
    pub b: &'a PackedMatrix,
    /// `[M, N]`, row by row
    pub out: &'a mut [f32],
    /// Add to what `out` holds, instead of replacing it.
    pub accumulate: bool,
    /// What follows.
    pub epilogue: Epilogue<'a>,
}

/// Computes a product on all threads. Panics when shapes do not fit.
pub fn matmul(job: Matmul<'_>) {
    let (m, n) = (job.a.n_rows(), job.b.n_columns());
    assert_eq!(job.a.n_columns(), job.b.n_rows(), "inner sizes");
    assert_eq!(job.out.len(), m * n, "size of out");
    assert!(job.epilogue.bias.is_none_or(|bias| bias.len() == n), "size of bias");
    assert!(job.epilogue.before_activation.as_ref().is_none_or(|kept| kept.len() == m * n));
    assert!(job.epilogue.before_activation.is_none() || job.epilogue.activation.is_some());
    cpu::multiply(Level::current(), job);
}

/// `a · b + bias` into a new buffer: `[M, N]`.
pub fn linear(a: MatrixView<'_>, b: &PackedMatrix, bias: Option<&[f32]>) -> Buffer {
    let mut out = Buffer::stale(a.n_rows() * b.n_columns());
    let epilogue = Epilogue { bias, ..Epilogue::default() };
    matmul(Matmul { a, b, out: &mut out, accumulate: false, epilogue });
    out
}
