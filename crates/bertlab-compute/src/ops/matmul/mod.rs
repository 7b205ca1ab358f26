//! Matrix product: `out[i, j] = Σ_k a[i, k] · b[k, j]`, with what usually follows it.
//!
//! Axes: M rows of a and out, N columns of b and out, K the inner axis.
//!
//! `b` is packed once into panels ([`PackedMatrix`]) and used many times: a weight is packed when it is
//! opened, in the precision of the products. In f32 and bf16 every number of `out` is a chain of fused
//! multiply-adds over k in ascending order, in blocks of fixed length, whatever M, N and the number of
//! threads are; in int8 sums are exact. So a row's result does not depend on the rows beside it.

mod cpu;
mod packed;
mod panels;
#[cfg(test)]
mod reference;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_int8;
mod tiles;
mod view;

pub(crate) use cpu::{SerialProduct, multiply_serial};
pub use packed::PackedMatrix;
pub(crate) use panels::Panels;
pub use view::MatrixView;

use crate::buffer::Buffer;
use crate::device::Device;
use crate::element::ElementType;
use crate::ops::activation::Activation;
use crate::simd::Level;
use crate::view::{View, ViewMut};

/// What is done to every number of the product before it is stored.
#[derive(Default)]
pub struct Epilogue<'a> {
    /// Added to every row. `[N]`
    pub bias: Option<View<'a>>,
    /// Applied after the bias.
    pub activation: Option<Activation>,
    /// Receives the numbers before the activation. `[M, N]`
    pub before_activation: Option<ViewMut<'a>>,
}

/// One product.
pub struct Matmul<'a> {
    /// `[M, K]`
    pub a: MatrixView<'a>,
    /// `[K, N]`
    pub b: &'a PackedMatrix,
    /// `[M, N]`, row by row
    pub out: ViewMut<'a>,
    /// Add to what `out` holds, instead of replacing it.
    pub accumulate: bool,
    /// What follows.
    pub epilogue: Epilogue<'a>,
}

/// Computes a product in the precision of its packed matrix. Panics when shapes do not fit; in int8, when the
/// numbers of a row of a do not lie side by side.
pub fn matmul(job: Matmul<'_>) {
    let (m, n) = (job.a.n_rows(), job.b.n_columns());
    assert_eq!(job.a.n_columns(), job.b.n_rows(), "inner sizes");
    assert_eq!(job.out.len(), m * n, "size of out");
    assert!(job.epilogue.bias.is_none_or(|bias| bias.len() == n), "size of bias");
    assert!(job.epilogue.before_activation.as_ref().is_none_or(|kept| kept.len() == m * n));
    assert!(job.epilogue.before_activation.is_none() || job.epilogue.activation.is_some());
    assert!(
        job.b.precision() != ElementType::Int8 || job.a.has_contiguous_rows(),
        "in int8 the left matrix must have contiguous rows"
    );
    match job.device() {
        Device::Cpu => cpu::multiply(Level::current(), job),
    }
}

impl Matmul<'_> {
    fn device(&self) -> Device {
        let Epilogue { bias, before_activation, .. } = &self.epilogue;
        let others =
            bias.map(View::device).into_iter().chain(before_activation.as_ref().map(ViewMut::device));
        Device::common([self.a.device(), self.b.device(), self.out.device()].into_iter().chain(others))
    }
}

/// `f(a · b + bias)` into a new buffer: `[M, N]`. Panics as [`matmul`] does.
pub fn linear(
    a: MatrixView<'_>,
    b: &PackedMatrix,
    bias: Option<View<'_>>,
    activation: Option<Activation>,
) -> Buffer {
    let mut out = Buffer::uninitialised(a.device(), a.n_rows() * b.n_columns());
    let epilogue = Epilogue { bias, activation, before_activation: None };
    matmul(Matmul { a, b, out: out.view_mut(), accumulate: false, epilogue });
    out
}

/// As [`linear`] with an activation; also the numbers before it.
pub fn linear_keeping(
    a: MatrixView<'_>,
    b: &PackedMatrix,
    bias: Option<View<'_>>,
    activation: Activation,
) -> (Buffer, Buffer) {
    let mut out = Buffer::uninitialised(a.device(), a.n_rows() * b.n_columns());
    let mut before = Buffer::uninitialised(a.device(), out.len());
    let epilogue =
        Epilogue { bias, activation: Some(activation), before_activation: Some(before.view_mut()) };
    matmul(Matmul { a, b, out: out.view_mut(), accumulate: false, epilogue });
    (out, before)
}
