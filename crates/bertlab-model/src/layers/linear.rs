//! Dense layers: `y = x Wᵀ + b`, packed once, used many times; their backward pass.

use super::{Builder, walk_fields};
use crate::dtype::ComputeDtype;
use crate::slot::{GradientSum, Initial, Parameter, Role};
use bertlab_compute::ops::activation::Activation;
use bertlab_compute::ops::matmul::{
    Epilogue, Matmul, MatrixView, PackedMatrix, linear, linear_keeping, matmul,
};
use bertlab_compute::ops::sum::add_column_sums;
use bertlab_compute::{Buffer, ElementType, Tensor, View, ViewMut};

/// What a dense layer is made of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LinearSpec {
    pub n_inputs: usize,
    pub n_outputs: usize,
    pub has_bias: bool,
    /// Of the weight; a bias begins as zeros.
    pub initial: Initial,
}

impl LinearSpec {
    pub(crate) fn build<P>(&self, mut at: Builder<'_, P>) -> Linear<P> {
        Linear {
            weight: at.slot("weight", &[self.n_outputs, self.n_inputs], Role::Matrix, self.initial),
            bias: self.has_bias.then(|| at.slot("bias", &[self.n_outputs], Role::Bias, Initial::Zeros)),
        }
    }

    /// Bytes of its weight, packed for the kernels.
    pub(crate) fn packed_bytes(&self, dtype: ComputeDtype) -> usize {
        dtype.packed_bytes(self.n_inputs, self.n_outputs)
    }

    /// Floating-point operations over so many rows, two for every multiply-add.
    pub(crate) fn flops(&self, n_rows: f64) -> f64 {
        2.0 * n_rows * self.n_inputs as f64 * self.n_outputs as f64
    }
}

/// The parameters of a dense layer.
#[derive(Clone, Debug)]
pub struct Linear<P = Parameter> {
    /// `[out, in]`
    pub weight: P,
    /// `[out]`
    pub bias: Option<P>,
}

walk_fields!(Linear { weight, bias });

/// One dense layer, or several over the same input side by side, packed for the kernels.
#[derive(Clone)]
pub(crate) struct PackedLinear {
    /// Wᵀ: `[in, out]`
    weight: PackedMatrix,
    /// Zeros where there is none. `[out]`
    bias: Buffer,
}

/// A dense layer's weights, where they lie.
#[derive(Clone, Copy)]
pub(crate) struct Dense<'a> {
    /// W: `[out, in]`
    pub weight: &'a Tensor,
    /// `[out]`
    pub bias: Option<&'a Tensor>,
}

impl<'a> From<&'a Linear> for Dense<'a> {
    fn from(Linear { weight, bias }: &'a Linear) -> Self {
        Self { weight, bias: bias.as_deref() }
    }
}

/// Where a dense layer's gradients are summed.
pub(crate) struct DenseGradient<'a> {
    /// `[out, in]`
    pub weight: &'a mut GradientSum,
    /// `[out]`
    pub bias: Option<&'a mut GradientSum>,
}

impl<'a> From<&'a mut Linear<GradientSum>> for DenseGradient<'a> {
    fn from(Linear { weight, bias }: &'a mut Linear<GradientSum>) -> Self {
        Self { weight, bias: bias.as_mut() }
    }
}

impl PackedLinear {
    /// Packs layers of the same input side by side.
    pub(crate) fn new(parts: &[Dense<'_>], dtype: ComputeDtype) -> Self {
        let n_inputs = parts[0].weight.width();
        let n_outputs = parts.iter().map(|part| part.weight.n_rows()).sum();
        let device = parts[0].weight.device();
        let weight = PackedMatrix::uninitialised(device, dtype.dense_precision(), n_inputs, n_outputs);
        let mut packed = Self { weight, bias: Buffer::zeros(device, n_outputs) };
        packed.fill(parts);
        packed
    }

    /// Packs the weights of the layers it was made of again.
    pub(crate) fn fill(&mut self, parts: &[Dense<'_>]) {
        let mut first = 0;
        for part in parts {
            let n = part.weight.n_rows();
            let weight = MatrixView::new(part.weight, n, part.weight.width());
            self.weight.put(0, first, weight.transposed());
            if let Some(bias) = part.bias {
                self.bias.view_mut().part(first..first + n).copy_from(bias);
            }
            first += n;
        }
    }

    /// `x Wᵀ + b`: `[rows, out]`
    pub(crate) fn forward(&self, x: View<'_>) -> Buffer {
        linear(self.inputs(x), &self.weight, Some(self.bias.view()), None)
    }

    /// `f(x Wᵀ + b)`: `[rows, out]`
    pub(crate) fn forward_activated(&self, x: View<'_>, activation: Activation) -> Buffer {
        linear(self.inputs(x), &self.weight, Some(self.bias.view()), Some(activation))
    }

    /// As [`Self::forward_activated`]; also the numbers before the activation.
    pub(crate) fn forward_activated_keeping(&self, x: View<'_>, activation: Activation) -> (Buffer, Buffer) {
        linear_keeping(self.inputs(x), &self.weight, Some(self.bias.view()), activation)
    }

    /// `[rows, in]`
    fn inputs<'x>(&self, x: View<'x>) -> MatrixView<'x> {
        let n_inputs = self.weight.n_rows();
        MatrixView::new(x, x.len() / n_inputs, n_inputs)
    }

    /// `[rows, out]`
    fn outputs<'d>(&self, d: View<'d>) -> MatrixView<'d> {
        let n_outputs = self.weight.n_columns();
        MatrixView::new(d, d.len() / n_outputs, n_outputs)
    }

    /// `d_x = d W`: `[rows, in]`, of the weights that were packed.
    pub(crate) fn backward(&self, d: View<'_>, weights: &[&Tensor]) -> Buffer {
        linear(self.outputs(d), &self.pack_across(weights), None, None)
    }

    /// `d W`, of the weights that were packed; added to `sum` where there is one.
    pub(crate) fn input_gradient(&self, d: View<'_>, weights: &[&Tensor], sum: Option<Buffer>) -> Buffer {
        let Some(mut sum) = sum else { return self.backward(d, weights) };
        product(self.outputs(d), &self.pack_across(weights), sum.view_mut(), true);
        sum
    }

    /// W: `[out, in]`. Packed for one product only: kept, it would take the memory of another model, and each is used
    /// once in a backward pass.
    fn pack_across(&self, weights: &[&Tensor]) -> PackedMatrix {
        // Parts of odd height would share a pair of bf16 where they meet.
        let is_even = weights.iter().all(|weight| weight.n_rows().is_multiple_of(2));
        let (precision, n_inputs) = (self.trained_precision(), self.weight.n_rows());
        let precision = if weights.len() == 1 || is_even { precision } else { ElementType::F32 };
        let mut packed =
            PackedMatrix::uninitialised(self.weight.device(), precision, self.bias.len(), n_inputs);
        let mut first = 0;
        for weight in weights {
            packed.put(first, 0, MatrixView::new(*weight, weight.n_rows(), n_inputs));
            first += weight.n_rows();
        }
        packed
    }

    /// Of a backward pass's products.
    fn trained_precision(&self) -> ElementType {
        assert_ne!(self.weight.precision(), ElementType::Int8, "a model opened in int8 is for inference");
        self.weight.precision()
    }

    /// Adds `dᵀ x` and the column sums of `d` to the gradients of these layers, in the order in which they
    /// were packed. `d [rows, out of all]`, `x [rows, in]`
    pub(crate) fn add_gradients<'g>(
        &self,
        d: View<'_>,
        x: View<'_>,
        gradients: impl IntoIterator<Item = impl Into<DenseGradient<'g>>>,
    ) {
        let (d, x) = (self.outputs(d), PackedMatrix::pack(self.trained_precision(), self.inputs(x)));
        let mut first = 0;
        for gradient in gradients {
            let gradient: DenseGradient<'_> = gradient.into();
            let n = gradient.weight.n_rows();
            let d = d.columns(first, n);
            let (out, accumulate) = gradient.weight.for_pass();
            product(d.transposed(), &x, out, accumulate);
            if let Some(bias) = gradient.bias {
                add_column_sums(d, bias.view_mut());
            }
            first += n;
        }
    }
}

/// `a · b`, or added to `out`.
fn product(a: MatrixView<'_>, b: &PackedMatrix, out: ViewMut<'_>, accumulate: bool) {
    matmul(Matmul { a, b, out, accumulate, epilogue: Epilogue::default() });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::Place;
    use bertlab_compute::Device;

    #[test]
    fn a_layer_that_runs_twice_in_an_update_sums_both_gradients() {
        let spec = LinearSpec { n_inputs: 3, n_outputs: 2, has_bias: true, initial: Initial::Ones };
        let weights = spec.build(Builder::new("shared", Place::Layer(0), &mut Parameter::zeros));
        let mut new_sum = |slot| GradientSum::zeros(slot, true, Device::default());
        let mut sums = spec.build(Builder::new("shared", Place::Layer(0), &mut new_sum));
        let packed = PackedLinear::new(&[(&weights).into()], ComputeDtype::F32);
        for _update in 0..2 {
            sums.weight.begin();
            sums.bias.as_mut().expect("it has one").begin();
            for _layer in 0..2 {
                let (d, x) = ([1.0, -1.0], [1.0, 2.0, 3.0]);
                packed.add_gradients(d[..].into(), x[..].into(), [&mut sums]);
            }
            assert_eq!(sums.weight.as_slice(), [2.0, 4.0, 6.0, -2.0, -4.0, -6.0]);
            assert_eq!(sums.bias.as_ref().expect("it has one").as_slice(), [2.0, -2.0]);
        }
    }
}
