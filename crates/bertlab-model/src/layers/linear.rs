//! Dense layers: `y = x Wᵀ + b`, packed once, used many times; their backward pass.

use super::{Builder, walk_fields};
use crate::dtype::ComputeDtype;
use crate::slot::{GradientSum, Initial, Parameter, Role};
use bertlab_compute::ops::activation::Activation;
use bertlab_compute::ops::matmul::{Epilogue, Matmul, MatrixView, PackedMatrix, Precision, linear, matmul};
use bertlab_compute::ops::matmul_int8::{QuantizedMatrix, linear_int8};
use bertlab_compute::ops::sum::add_column_sums;
use bertlab_compute::{Buffer, Tensor};

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
    weight: Weight,
    /// Zeros where there is none. `[out]`
    bias: Vec<f32>,
}

/// Wᵀ: `[in, out]`
#[derive(Clone)]
enum Weight {
    Packed(PackedMatrix),
    Quantized(QuantizedMatrix),
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
        let weight = match dtype {
            ComputeDtype::Int8 => Weight::Quantized(QuantizedMatrix::zeros(n_inputs, n_outputs)),
            _ => Weight::Packed(PackedMatrix::stale(dtype.precision(), n_inputs, n_outputs)),
        };
        let mut packed = Self { weight, bias: vec![0.0; n_outputs] };
        packed.fill(parts);
        packed
    }

    /// Packs the weights of the layers it was made of again.
    pub(crate) fn fill(&mut self, parts: &[Dense<'_>]) {
        let mut first = 0;
        for part in parts {
            let n = part.weight.n_rows();
            let weight = MatrixView::new(part.weight.as_slice(), n, part.weight.width());
            match &mut self.weight {
                Weight::Packed(packed) => packed.put(0, first, weight.transposed()),
                Weight::Quantized(quantized) => quantized.put(first, weight),
            }
            if let Some(bias) = part.bias {
                self.bias[first..first + n].copy_from_slice(bias.as_slice());
            }
            first += n;
        }
    }

    /// `x Wᵀ + b`: `[rows, out]`
    pub(crate) fn forward(&self, x: &[f32]) -> Buffer {
        match &self.weight {
            Weight::Packed(weight) => linear(view(x, weight.n_rows()), weight, Some(&self.bias)),
            Weight::Quantized(weight) => linear_int8(view(x, weight.n_rows()), weight, &self.bias, None),
        }
    }

    /// `f(x Wᵀ + b)`: `[rows, out]`
    pub(crate) fn forward_activated(&self, x: &[f32], activation: Activation) -> Buffer {
        let b = match &self.weight {
            Weight::Packed(weight) => weight,
            Weight::Quantized(weight) => {
                return linear_int8(view(x, weight.n_rows()), weight, &self.bias, Some(activation));
            }
        };
        let a = view(x, b.n_rows());
        let mut out = Buffer::stale(a.n_rows() * self.bias.len());
        let epilogue =
            Epilogue { bias: Some(&self.bias), activation: Some(activation), before_activation: None };
        matmul(Matmul { a, b, out: &mut out, accumulate: false, epilogue });
        out
    }

    /// As [`Self::forward_activated`]; also what stood before the activation.
    pub(crate) fn forward_activated_keeping(&self, x: &[f32], activation: Activation) -> (Buffer, Buffer) {
        let b = self.packed();
        let a = view(x, b.n_rows());
        let mut out = Buffer::stale(a.n_rows() * self.bias.len());
        let mut before = Buffer::stale(out.len());
        let epilogue = Epilogue {
            bias: Some(&self.bias),
            activation: Some(activation),
            before_activation: Some(&mut before),
        };
        matmul(Matmul { a, b, out: &mut out, accumulate: false, epilogue });
        (out, before)
    }

    /// `d_x = d W`: `[rows, in]`, of the weights that were packed.
    pub(crate) fn backward(&self, d: &[f32], weights: &[&Tensor]) -> Buffer {
        let mut d_x = Buffer::stale(d.len() / self.bias.len() * self.packed().n_rows());
        self.backward_into(d, weights, &mut d_x, false);
        d_x
    }

    /// `d W`, of the weights that were packed; added to `sum` where there is one.
    pub(crate) fn input_gradient(&self, d: &[f32], weights: &[&Tensor], sum: Option<Buffer>) -> Buffer {
        let Some(mut sum) = sum else { return self.backward(d, weights) };
        self.backward_into(d, weights, &mut sum, true);
        sum
    }

    fn backward_into(&self, d: &[f32], weights: &[&Tensor], d_x: &mut [f32], accumulate: bool) {
        let (a, b) = (view(d, self.bias.len()), &self.pack_across(weights));
        matmul(Matmul { a, b, out: d_x, accumulate, epilogue: Epilogue::default() });
    }

    /// W: `[out, in]`. Packed for one product only: kept, it would take the memory of another model, and each is used
    /// once in a backward pass.
    fn pack_across(&self, weights: &[&Tensor]) -> PackedMatrix {
        // Parts of odd height would share a pair of bf16 where they meet.
        let is_even = weights.iter().all(|weight| weight.n_rows().is_multiple_of(2));
        let (precision, n_inputs) = (self.packed().precision(), self.packed().n_rows());
        let precision = if weights.len() == 1 || is_even { precision } else { Precision::F32 };
        let mut packed = PackedMatrix::stale(precision, self.bias.len(), n_inputs);
        let mut first = 0;
        for weight in weights {
            packed.put(first, 0, MatrixView::new(weight.as_slice(), weight.n_rows(), n_inputs));
            first += weight.n_rows();
        }
        packed
    }

    /// The weight of a layer that is trained.
    fn packed(&self) -> &PackedMatrix {
        match &self.weight {
            Weight::Packed(weight) => weight,
            Weight::Quantized(_) => panic!("a model opened in int8 is for inference"),
        }
    }

    /// Adds `dᵀ x` and the column sums of `d` to the gradients of these layers, in the order in which they
    /// were packed. `d [rows, out of all]`, `x [rows, in]`
    pub(crate) fn add_gradients<'g>(
        &self,
        d: &[f32],
        x: &[f32],
        gradients: impl IntoIterator<Item = impl Into<DenseGradient<'g>>>,
    ) {
        let (n_outputs, n_inputs) = (self.bias.len(), self.packed().n_rows());
        let n_rows = x.len() / n_inputs;
        let d_view = MatrixView::new(d, n_rows, n_outputs);
        let packed = PackedMatrix::pack(self.packed().precision(), MatrixView::new(x, n_rows, n_inputs));
        let mut bias = vec![0.0; n_outputs];
        add_column_sums(d, &mut bias);
        let mut first = 0;
        for gradient in gradients {
            let gradient: DenseGradient<'_> = gradient.into();
            let n = gradient.weight.n_rows();
            let a = d_view.columns(first, n).transposed();
            let (out, accumulate) = gradient.weight.for_pass();
            matmul(Matmul { a, b: &packed, out, accumulate, epilogue: Epilogue::default() });
            if let Some(sums) = gradient.bias {
                let sums = sums.as_mut_slice().iter_mut();
                sums.zip(&bias[first..first + n]).for_each(|(sum, d)| *sum += d);
            }
            first += n;
        }
    }
}

fn view(x: &[f32], width: usize) -> MatrixView<'_> {
    MatrixView::new(x, x.len() / width, width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::slot::Place;

    #[test]
    fn a_layer_that_runs_twice_in_an_update_sums_both_gradients() {
        let spec = LinearSpec { n_inputs: 3, n_outputs: 2, has_bias: true, initial: Initial::Ones };
        let weights = spec.build(Builder::new("shared", Place::Layer(0), &mut Parameter::zeros));
        let mut new_sum = |slot| GradientSum::zeros(slot, true);
        let mut sums = spec.build(Builder::new("shared", Place::Layer(0), &mut new_sum));
        let packed = PackedLinear::new(&[(&weights).into()], ComputeDtype::F32);
        for _update in 0..2 {
            sums.weight.begin();
            sums.bias.as_mut().expect("it has one").begin();
            for _layer in 0..2 {
                packed.add_gradients(&[1.0, -1.0], &[1.0, 2.0, 3.0], [&mut sums]);
            }
            assert_eq!(sums.weight.as_slice(), [2.0, 4.0, 6.0, -2.0, -4.0, -6.0]);
            assert_eq!(sums.bias.as_ref().expect("it has one").as_slice(), [2.0, -2.0]);
        }
    }
}
