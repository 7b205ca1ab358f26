//! The feed-forward part of a block: a wider dense layer, the activation, and a dense layer back.

use super::block::Masked;
use super::linear::{Linear, LinearSpec, PackedLinear};
use super::norm::Norm;
use super::{Builder, walk_fields};
use crate::dtype::ComputeDtype;
use crate::slot::{GradientSum, Parameter};
use crate::spec::EncoderSpec;
use bertlab_compute::Buffer;
use bertlab_compute::ops::activation;

/// What the feed-forward part of a block is made of.
#[derive(Clone, Copy)]
pub(crate) struct FeedForwardSpec<'a> {
    pub encoder: &'a EncoderSpec,
}

impl FeedForwardSpec<'_> {
    fn intermediate(&self) -> LinearSpec {
        let EncoderSpec { width, inner_width, .. } = *self.encoder;
        LinearSpec { n_inputs: width, n_outputs: inner_width, initial: self.encoder.initial() }
    }

    fn output(&self) -> LinearSpec {
        let EncoderSpec { width, inner_width, .. } = *self.encoder;
        LinearSpec { n_inputs: inner_width, n_outputs: width, initial: self.encoder.initial() }
    }

    pub(crate) fn build<P>(&self, mut at: Builder<'_, P>) -> FeedForward<P> {
        FeedForward {
            intermediate: self.intermediate().build(at.at("intermediate.dense")),
            output: self.output().build(at.at("output.dense")),
            norm: Norm::build(self.encoder.width, at.at("output.LayerNorm")),
        }
    }

    /// Bytes of its dense layers, packed for the kernels.
    pub(crate) fn packed_bytes(&self, dtype: ComputeDtype) -> usize {
        self.intermediate().packed_bytes(dtype) + self.output().packed_bytes(dtype)
    }

    /// Floating-point operations over so many tokens.
    pub(crate) fn flops(&self, n_tokens: f64) -> f64 {
        self.intermediate().flops(n_tokens) + self.output().flops(n_tokens)
    }

    /// Numbers kept of every token: the input, the inner part before its activation, and the sum before the norm.
    pub(crate) fn kept(&self) -> usize {
        2 * self.encoder.width + self.encoder.inner_width
    }

    /// Numbers of a token that come and go in a forward pass that keeps nothing: input, output, sum, inner part.
    pub(crate) fn numbers_forward(&self) -> usize {
        3 * self.encoder.width + self.encoder.inner_width
    }

    /// Numbers of a token that come and go in a backward pass: the gradient and its dropped copy, the activation and its
    /// packed copy.
    pub(crate) fn numbers_backward(&self, dtype: ComputeDtype) -> usize {
        let EncoderSpec { width, inner_width, .. } = *self.encoder;
        2 * width + inner_width + dtype.packed_numbers(inner_width)
    }
}

/// The parameters of the feed-forward part.
#[derive(Clone, Debug)]
pub struct FeedForward<P = Parameter> {
    /// `[F, D]`
    pub intermediate: Linear<P>,
    /// `[D, F]`
    pub output: Linear<P>,
    /// After the residual sum.
    pub norm: Norm<P>,
}

walk_fields!(FeedForward { intermediate, output, norm });

/// Its dense layers, packed.
#[derive(Clone)]
pub(crate) struct PackedFeedForward {
    intermediate: PackedLinear,
    output: PackedLinear,
}

impl PackedFeedForward {
    pub(crate) fn new(params: &FeedForward, dtype: ComputeDtype) -> Self {
        let pack = |linear: &Linear| PackedLinear::new(&[linear.into()], dtype);
        Self { intermediate: pack(&params.intermediate), output: pack(&params.output) }
    }

    pub(crate) fn fill(&mut self, params: &FeedForward) {
        self.intermediate.fill(&[(&params.intermediate).into()]);
        self.output.fill(&[(&params.output).into()]);
    }
}

/// The feed-forward part, ready to run.
#[derive(Clone, Copy)]
pub(crate) struct FeedForwardPart<'a> {
    pub params: &'a FeedForward,
    pub packed: &'a PackedFeedForward,
    pub spec: &'a EncoderSpec,
}

impl FeedForwardPart<'_> {
    /// `[Q, D]` to `[Q, D]`
    pub(crate) fn forward(&self, x: &[f32]) -> Buffer {
        let inner = self.packed.intermediate.forward_activated(x, self.spec.activation);
        self.packed.output.forward(&inner)
    }

    /// As [`Self::forward`]; also the inner part before its activation. `[Q, F]`
    pub(crate) fn forward_keeping(&self, x: &[f32]) -> (Buffer, Buffer) {
        let (activated, inner) = self.packed.intermediate.forward_activated_keeping(x, self.spec.activation);
        (self.packed.output.forward(&activated), inner)
    }

    /// `d [Q, D]` of the output to that of the inner part; adds to the gradients, if they are not frozen. `[Q, F]`
    pub(crate) fn backward(
        &self,
        d: Masked<'_>,
        x: &[f32],
        mut inner: Buffer,
        mut gradients: Option<&mut FeedForward<GradientSum>>,
    ) -> Buffer {
        let mut d_inner = self.packed.output.backward(&d, &[&self.params.output.weight]);
        activation::backward(self.spec.activation, &mut inner, &mut d_inner);
        if let Some(gradients) = gradients.as_deref_mut() {
            // Now `inner` is what stood after the activation.
            self.packed.output.add_gradients(&d, &inner, [&mut gradients.output]);
        }
        drop((inner, d));
        if let Some(gradients) = gradients {
            self.packed.intermediate.add_gradients(&d_inner, x, [&mut gradients.intermediate]);
        }
        d_inner
    }

    /// `d [Q, F]` of the inner part to `sum` plus that of the input. `[Q, D]`
    pub(crate) fn input_gradient(&self, d_inner: &[f32], sum: Buffer) -> Buffer {
        self.packed.intermediate.backward_adding(d_inner, &[&self.params.intermediate.weight], sum)
    }
}
