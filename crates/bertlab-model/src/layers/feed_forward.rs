//! The feed-forward part of a block: a wider dense layer, the activation with or without a gate, and a dense layer back.

use super::block::{Numbers, Pass, Site};
use super::linear::{Linear, LinearSpec, PackedLinear};
use super::norm::Norm;
use super::{Builder, walk_fields};
use crate::dtype::ComputeDtype;
use crate::slot::{GradientSum, Parameter};
use crate::spec::EncoderSpec;
use bertlab_compute::ops::gated::{self, Gate};
use bertlab_compute::ops::{activation, dropout};
use bertlab_compute::{Buffer, View};

/// What the feed-forward part of a block is made of.
#[derive(Clone, Copy)]
pub(crate) struct FeedForwardSpec<'a> {
    pub encoder: &'a EncoderSpec,
}

impl FeedForwardSpec<'_> {
    fn intermediate(&self) -> LinearSpec {
        let EncoderSpec { width, biases, .. } = *self.encoder;
        let (n_outputs, initial) = (self.encoder.intermediate_width(), self.encoder.initial());
        LinearSpec { n_inputs: width, n_outputs, has_bias: biases.intermediate, initial }
    }

    fn output(&self) -> LinearSpec {
        let EncoderSpec { width, inner_width, biases, .. } = *self.encoder;
        let initial = self.encoder.initial_of_outputs();
        LinearSpec { n_inputs: inner_width, n_outputs: width, has_bias: biases.output, initial }
    }

    pub(crate) fn build<P>(&self, mut at: Builder<'_, P>) -> FeedForward<P> {
        FeedForward {
            intermediate: self.intermediate().build(at.at("intermediate.dense")),
            output: self.output().build(at.at("output.dense")),
            norm: self.encoder.norms.build(self.encoder.width, at.at("output.LayerNorm")),
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

    /// Numbers kept of every token: the input, the inner part before its activation, and the sum before a norm that follows
    /// or the norm of the input.
    pub(crate) fn kept(&self) -> usize {
        2 * self.encoder.width + self.intermediate().n_outputs
    }

    /// Numbers of a token that come and go in a forward pass that keeps nothing: input, output, sum, inner part.
    pub(crate) fn numbers_forward(&self) -> usize {
        3 * self.encoder.width + self.intermediate().n_outputs + self.gated_width()
    }

    /// Numbers of a token that come and go in a backward pass: the gradient and its dropped copy, the inner part's gradient,
    /// the activation and its packed copy.
    pub(crate) fn numbers_backward(&self, dtype: ComputeDtype) -> usize {
        let EncoderSpec { width, inner_width, .. } = *self.encoder;
        let inner = self.intermediate().n_outputs + self.gated_width();
        2 * width + inner + dtype.packed_numbers(inner_width)
    }

    /// Numbers of a token behind a gate.
    fn gated_width(&self) -> usize {
        self.intermediate().n_outputs - self.encoder.inner_width
    }
}

/// The parameters of the feed-forward part.
#[derive(Clone, Debug)]
pub struct FeedForward<P = Parameter> {
    /// `[F, D]`, or `[2 F, D]` where it is gated
    pub intermediate: Linear<P>,
    /// `[D, F]`
    pub output: Linear<P>,
    /// Before or after.
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

/// What the forward pass leaves for the backward pass, beside the input: the inner part before its activation. `[Q, F]`, or
/// `[Q, 2 F]` where it is gated.
pub(crate) struct KeptFeedForward(Buffer);

/// The feed-forward part, ready to run.
#[derive(Clone, Copy)]
pub(crate) struct FeedForwardPart<'a> {
    pub params: &'a FeedForward,
    pub packed: &'a PackedFeedForward,
    pub pass: Pass<'a>,
}

impl FeedForwardPart<'_> {
    /// `[Q, D]` to `[Q, D]`
    pub(crate) fn forward(&self, x: View<'_>) -> Buffer {
        let Self { packed, pass: Pass { spec, .. }, .. } = self;
        let inner = match self.gate() {
            None => packed.intermediate.forward_activated(x, spec.activation),
            Some(gate) => gated::forward(gate, &packed.intermediate.forward(x), spec.inner_width),
        };
        packed.output.forward(inner.view())
    }

    /// As [`Self::forward`], with dropout, keeping what the backward pass needs.
    pub(crate) fn forward_keeping(&self, x: View<'_>) -> (Buffer, KeptFeedForward) {
        let Self { packed, pass: Pass { spec, .. }, .. } = self;
        let (mut activated, inner) = match self.gate() {
            None => packed.intermediate.forward_activated_keeping(x, spec.activation),
            Some(gate) => {
                let inner = packed.intermediate.forward(x);
                (gated::forward(gate, &inner, spec.inner_width), inner)
            }
        };
        self.drop_inner(&mut activated);
        (packed.output.forward(activated.view()), KeptFeedForward(inner))
    }

    /// `d [Q, D]` of the output to that of the inner part before its activation; adds to the gradients, if they are not
    /// frozen.
    pub(crate) fn backward(
        &self,
        d: Numbers<'_>,
        x: View<'_>,
        kept: KeptFeedForward,
        mut gradients: Option<&mut FeedForward<GradientSum>>,
    ) -> Buffer {
        let mut d_inner = self.packed.output.backward(d.view(), &[&self.params.output.weight]);
        self.drop_inner(&mut d_inner);
        let (mut activated, d_inner) = self.activation_gradient(kept, d_inner);
        if let Some(gradients) = gradients.as_deref_mut() {
            self.drop_inner(&mut activated);
            self.packed.output.add_gradients(d.view(), activated.view(), [&mut gradients.output]);
        }
        drop((activated, d));
        if let Some(gradients) = gradients {
            self.packed.intermediate.add_gradients(d_inner.view(), x, [&mut gradients.intermediate]);
        }
        d_inner
    }

    /// What stood after the activation, and the gradient before it of the one after it.
    fn activation_gradient(&self, kept: KeptFeedForward, mut d: Buffer) -> (Buffer, Buffer) {
        let (KeptFeedForward(mut inner), spec) = (kept, self.pass.spec);
        match self.gate() {
            None => {
                activation::backward(spec.activation, &mut inner, &mut d);
                (inner, d)
            }
            Some(gate) => {
                let d_inner = gated::backward(gate, &inner, &mut d, spec.inner_width);
                (d, d_inner)
            }
        }
    }

    /// The gradient of the inner part to that of the input, added to `sum` where there is one. `[Q, D]`
    pub(crate) fn input_gradient(&self, d_inner: View<'_>, sum: Option<Buffer>) -> Buffer {
        self.packed.intermediate.input_gradient(d_inner, &[&self.params.intermediate.weight], sum)
    }

    fn gate(&self) -> Option<Gate> {
        let EncoderSpec { activation, gate, .. } = *self.pass.spec;
        gate.map(|activated| Gate { activation, activated })
    }

    fn drop_inner(&self, activated: &mut Buffer) {
        if let Some(dropout) = self.pass.dropout(Site::Inner) {
            dropout::apply(dropout, activated, self.pass.spec.inner_width);
        }
    }
}
