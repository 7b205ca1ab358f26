//! The attention part of a block: queries, keys and values of all tokens, what they give, and the dense layer after it.

use super::block::{Masked, Pass, Site};
use super::linear::{Dense, Linear, LinearSpec, PackedLinear};
use super::norm::Norm;
use super::{Builder, walk_fields};
use crate::dtype::ComputeDtype;
use crate::slot::{GradientSum, Parameter};
use crate::spec::EncoderSpec;
use bertlab_compute::Buffer;
use bertlab_compute::ops::attention::{self, Attended, AttentionGradient};

/// What the attention part of a block is made of.
#[derive(Clone, Copy)]
pub(crate) struct AttentionSpec<'a> {
    pub encoder: &'a EncoderSpec,
}

impl AttentionSpec<'_> {
    /// From the hidden state to itself.
    fn linear(&self) -> LinearSpec {
        let width = self.encoder.width;
        LinearSpec { n_inputs: width, n_outputs: width, initial: self.encoder.initial() }
    }

    pub(crate) fn build<P>(&self, mut at: Builder<'_, P>) -> Attention<P> {
        let linear = self.linear();
        Attention {
            query: linear.build(at.at("self.query")),
            key: linear.build(at.at("self.key")),
            value: linear.build(at.at("self.value")),
            output: linear.build(at.at("output.dense")),
            norm: Norm::build(self.encoder.width, at.at("output.LayerNorm")),
        }
    }

    /// Bytes of its dense layers, packed for the kernels.
    pub(crate) fn packed_bytes(&self, dtype: ComputeDtype) -> usize {
        let width = self.encoder.width;
        dtype.packed_bytes(width, 3 * width) + self.linear().packed_bytes(dtype)
    }

    /// Floating-point operations over a row of `s` tokens, `n_queries` of which have an output.
    pub(crate) fn flops(&self, s: f64, n_queries: f64) -> f64 {
        let linear = self.linear();
        let products = 4.0 * n_queries * self.encoder.width as f64 * s;
        3.0 * linear.flops(s) + linear.flops(n_queries) + products
    }

    /// Numbers kept of every token: the input, queries, keys and values, and a figure per head.
    pub(crate) fn kept_of_tokens(&self) -> usize {
        4 * self.encoder.width + self.encoder.n_heads
    }

    /// Numbers kept of every token that has an output: what attention gave, and the sum before the norm.
    pub(crate) fn kept_of_queries(&self) -> usize {
        2 * self.encoder.width
    }

    /// Numbers of a token that come and go in a forward pass that keeps nothing: input, queries, keys, values, output.
    pub(crate) fn numbers_forward(&self) -> usize {
        5 * self.encoder.width
    }

    /// Numbers of a token that come and go in a backward pass: the gradient and its dropped copy, those of the output and
    /// of queries, keys and values, and the packed input.
    pub(crate) fn numbers_backward(&self, dtype: ComputeDtype) -> usize {
        6 * self.encoder.width + dtype.packed_numbers(self.encoder.width)
    }
}

/// The parameters of the attention part.
#[derive(Clone, Debug)]
pub struct Attention<P = Parameter> {
    /// `[D, D]`, its heads stacked
    pub query: Linear<P>,
    /// `[D, D]`
    pub key: Linear<P>,
    /// `[D, D]`
    pub value: Linear<P>,
    /// `[D, D]`
    pub output: Linear<P>,
    /// After the residual sum.
    pub norm: Norm<P>,
}

walk_fields!(Attention { query, key, value, output, norm });

impl Attention {
    fn qkv(&self) -> [Dense<'_>; 3] {
        [&self.query, &self.key, &self.value].map(Dense::from)
    }
}

/// Its dense layers, packed.
#[derive(Clone)]
pub(crate) struct PackedAttention {
    /// Query, key and value side by side: `[D, 3 D]`
    qkv: PackedLinear,
    output: PackedLinear,
}

impl PackedAttention {
    pub(crate) fn new(params: &Attention, dtype: ComputeDtype) -> Self {
        Self {
            qkv: PackedLinear::new(&params.qkv(), dtype),
            output: PackedLinear::new(&[(&params.output).into()], dtype),
        }
    }

    pub(crate) fn fill(&mut self, params: &Attention) {
        self.qkv.fill(&params.qkv());
        self.output.fill(&[(&params.output).into()]);
    }
}

/// What the forward pass leaves for the backward pass, beside the input.
pub(crate) struct KeptAttention {
    /// `[T, 3 D]`
    qkv: Buffer,
    attended: Attended,
}

/// The attention part, ready to run.
#[derive(Clone, Copy)]
pub(crate) struct AttentionPart<'a> {
    pub params: &'a Attention,
    pub packed: &'a PackedAttention,
    pub pass: Pass<'a>,
}

impl AttentionPart<'_> {
    /// `[T, D]` to `[Q, D]`, and the attention maps when asked for.
    pub(crate) fn forward(&self, x: &[f32], keep_maps: bool) -> (Buffer, Option<Vec<Vec<f32>>>) {
        let qkv = self.packed.qkv.forward(x);
        let attended = attention::forward(self.pass.heads(), &qkv, None, keep_maps);
        (self.packed.output.forward(&attended.out), attended.maps)
    }

    /// As [`Self::forward`], with dropout, keeping what the backward pass needs.
    pub(crate) fn forward_keeping(&self, x: &[f32]) -> (Buffer, KeptAttention) {
        let qkv = self.packed.qkv.forward(x);
        let dropout = self.pass.dropout(Site::Attention);
        let attended = attention::forward(self.pass.heads(), &qkv, dropout, false);
        (self.packed.output.forward(&attended.out), KeptAttention { qkv, attended })
    }

    /// `d [Q, D]` of the output to that of queries, keys and values, `[T, 3 D]`; adds to the gradients, if they are not
    /// frozen.
    pub(crate) fn backward(
        &self,
        d: Masked<'_>,
        x: &[f32],
        kept: KeptAttention,
        gradients: Option<&mut Attention<GradientSum>>,
    ) -> Buffer {
        let KeptAttention { qkv, attended } = kept;
        let mut gradients = gradients;
        if let Some(gradients) = gradients.as_deref_mut() {
            self.packed.output.add_gradients(&d, &attended.out, [&mut gradients.output]);
        }
        let d_attended = self.packed.output.backward(&d, &[&self.params.output.weight]);
        drop(d);
        let job = AttentionGradient {
            qkv: &qkv,
            out: &attended.out,
            log_sums: &attended.log_sums,
            d_out: &d_attended,
            dropout: self.pass.dropout(Site::Attention),
        };
        let d_qkv = attention::backward(self.pass.heads(), job);
        drop((qkv, attended, d_attended));
        if let Some(Attention { query, key, value, .. }) = gradients {
            self.packed.qkv.add_gradients(&d_qkv, x, [query, key, value]);
        }
        d_qkv
    }

    /// `d [T, 3 D]` of queries, keys and values to `sum` plus that of the input. `[T, D]`
    pub(crate) fn input_gradient(&self, d_qkv: &[f32], sum: Buffer) -> Buffer {
        let Attention { query, key, value, .. } = self.params;
        self.packed.qkv.backward_adding(d_qkv, &[&query.weight, &key.weight, &value.weight], sum)
    }
}
