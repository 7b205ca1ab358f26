//! The attention part of a block: queries, keys and values of all tokens, what they give, and the dense layer after it.

use super::block::{Numbers, Pass, Site};
use super::linear::{Dense, Linear, LinearSpec, PackedLinear};
use super::norm::Norm;
use super::{Builder, Walk, walk_fields};
use crate::dtype::ComputeDtype;
use crate::slot::{GradientSum, Parameter};
use crate::spec::{EncoderSpec, NormPlace};
use bertlab_compute::ops::attention::{self, Attended, AttentionGradient};
use bertlab_compute::ops::rotary::{self, Turn};
use bertlab_compute::{Buffer, Tensor, View};

/// What the attention part of a block is made of.
#[derive(Clone, Copy)]
pub(crate) struct AttentionSpec<'a> {
    pub encoder: &'a EncoderSpec,
    /// The block's number, from 0.
    pub index: usize,
}

impl AttentionSpec<'_> {
    /// Queries, keys or values; `n_parts` of them in one.
    fn projection(&self, n_parts: usize) -> LinearSpec {
        let (width, initial) = (self.encoder.width, self.encoder.initial());
        let has_bias = self.encoder.biases.qkv;
        LinearSpec { n_inputs: width, n_outputs: n_parts * width, has_bias, initial }
    }

    fn output(&self) -> LinearSpec {
        let (width, initial) = (self.encoder.width, self.encoder.initial_of_outputs());
        let has_bias = self.encoder.biases.attention_output;
        LinearSpec { n_inputs: width, n_outputs: width, has_bias, initial }
    }

    fn has_norm(&self) -> bool {
        self.index > 0 || self.encoder.norms.place != NormPlace::Pre { first: false }
    }

    pub(crate) fn build<P>(&self, mut at: Builder<'_, P>) -> Attention<P> {
        let qkv = if self.encoder.has_fused_qkv {
            Qkv::Fused(self.projection(3).build(at.at("self.qkv")))
        } else {
            let names = ["self.query", "self.key", "self.value"];
            Qkv::Apart(names.map(|name| self.projection(1).build(at.at(name))))
        };
        let output = self.output().build(at.at("output.dense"));
        let norm =
            self.has_norm().then(|| self.encoder.norms.build(self.encoder.width, at.at("output.LayerNorm")));
        Attention { qkv, output, norm }
    }

    /// How far a token sees to either side.
    fn window(&self) -> Option<usize> {
        self.encoder.windows.of(self.index)
    }

    /// Bytes of its dense layers, packed for the kernels.
    pub(crate) fn packed_bytes(&self, dtype: ComputeDtype) -> usize {
        self.projection(3).packed_bytes(dtype) + self.output().packed_bytes(dtype)
    }

    /// Floating-point operations over a row of `s` tokens, `n_queries` of which have an output.
    pub(crate) fn flops(&self, s: f64, n_queries: f64) -> f64 {
        let n_keys = self.window().map_or(s, |reach| s.min(2.0 * reach as f64 + 1.0));
        let products = 4.0 * n_queries * self.encoder.width as f64 * n_keys;
        self.projection(3).flops(s) + self.output().flops(n_queries) + products
    }

    /// Numbers kept of every token: the input and its norm, queries, keys and values, and a figure per head.
    pub(crate) fn kept_of_tokens(&self) -> usize {
        let n_inputs = if self.norm_is_before() { 2 } else { 1 };
        (n_inputs + 3) * self.encoder.width + self.encoder.n_heads
    }

    /// Numbers kept of every token that has an output: what attention gave, and the sum before a norm that follows.
    pub(crate) fn kept_of_queries(&self) -> usize {
        if self.encoder.norms.place == NormPlace::Post { 2 * self.encoder.width } else { self.encoder.width }
    }

    fn norm_is_before(&self) -> bool {
        self.encoder.norms.place != NormPlace::Post && self.has_norm()
    }

    /// Numbers of a token that come and go in a forward pass that keeps nothing: input, queries, keys, values, output.
    pub(crate) fn numbers_forward(&self) -> usize {
        let n_norms = usize::from(self.norm_is_before());
        (5 + n_norms) * self.encoder.width
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
    /// Of the input.
    pub qkv: Qkv<P>,
    /// `[D, D]`
    pub output: Linear<P>,
    /// Before or after; none where the embeddings' serves.
    pub norm: Option<Norm<P>>,
}

walk_fields!(Attention { qkv, output, norm });

/// Queries, keys and values, their heads stacked.
#[derive(Clone, Debug)]
pub enum Qkv<P = Parameter> {
    /// Three tensors: `[D, D]` each.
    Apart([Linear<P>; 3]),
    /// One: `[3 D, D]`.
    Fused(Linear<P>),
}

impl<P> Qkv<P> {
    fn parts(&self) -> &[Linear<P>] {
        match self {
            Self::Apart(parts) => parts,
            Self::Fused(all) => std::slice::from_ref(all),
        }
    }

    fn parts_mut(&mut self) -> &mut [Linear<P>] {
        match self {
            Self::Apart(parts) => parts,
            Self::Fused(all) => std::slice::from_mut(all),
        }
    }
}

impl<P: Walk<P>> Walk<P> for Qkv<P> {
    fn walk<'a>(&'a self, out: &mut Vec<&'a P>) {
        self.parts().iter().for_each(|part| part.walk(out));
    }
    fn walk_mut<'a>(&'a mut self, out: &mut Vec<&'a mut P>) {
        self.parts_mut().iter_mut().for_each(|part| part.walk_mut(out));
    }
}

impl Qkv {
    fn dense(&self) -> Vec<Dense<'_>> {
        self.parts().iter().map(Dense::from).collect()
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
            qkv: PackedLinear::new(&params.qkv.dense(), dtype),
            output: PackedLinear::new(&[(&params.output).into()], dtype),
        }
    }

    pub(crate) fn fill(&mut self, params: &Attention) {
        self.qkv.fill(&params.qkv.dense());
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
    pub(crate) fn forward(&self, x: View<'_>, keep_maps: bool) -> (Buffer, Option<Vec<Buffer>>) {
        let qkv = self.project(x);
        let attended = attention::forward(self.pass.heads(), &qkv, None, keep_maps);
        (self.packed.output.forward(attended.out.view()), attended.maps)
    }

    /// As [`Self::forward`], with dropout, keeping what the backward pass needs.
    pub(crate) fn forward_keeping(&self, x: View<'_>) -> (Buffer, KeptAttention) {
        let qkv = self.project(x);
        let dropout = self.pass.dropout(Site::Attention);
        let attended = attention::forward(self.pass.heads(), &qkv, dropout, false);
        (self.packed.output.forward(attended.out.view()), KeptAttention { qkv, attended })
    }

    /// Queries, keys and values, turned where positions are rotations. `[T, 3 D]`
    fn project(&self, x: View<'_>) -> Buffer {
        let mut qkv = self.packed.qkv.forward(x);
        if let Some(rotation) = self.pass.rotation {
            rotary::rotate(rotation, Turn::Forward, &mut qkv, self.pass.positions);
        }
        qkv
    }

    /// `d [Q, D]` of the output to that of queries, keys and values, `[T, 3 D]`; adds to the gradients, if they are not
    /// frozen.
    pub(crate) fn backward(
        &self,
        d: Numbers<'_>,
        x: View<'_>,
        kept: KeptAttention,
        gradients: Option<&mut Attention<GradientSum>>,
    ) -> Buffer {
        let KeptAttention { qkv, attended } = kept;
        let mut gradients = gradients;
        if let Some(gradients) = gradients.as_deref_mut() {
            self.packed.output.add_gradients(d.view(), attended.out.view(), [&mut gradients.output]);
        }
        let d_attended = self.packed.output.backward(d.view(), &[&self.params.output.weight]);
        drop(d);
        let job = AttentionGradient {
            qkv: qkv.view(),
            out: attended.out.view(),
            log_sums: attended.log_sums.view(),
            d_out: d_attended.view(),
            dropout: self.pass.dropout(Site::Attention),
        };
        let mut d_qkv = attention::backward(self.pass.heads(), job);
        drop((qkv, attended, d_attended));
        if let Some(rotation) = self.pass.rotation {
            rotary::rotate(rotation, Turn::Backward, &mut d_qkv, self.pass.positions);
        }
        if let Some(gradients) = gradients {
            self.packed.qkv.add_gradients(d_qkv.view(), x, gradients.qkv.parts_mut());
        }
        d_qkv
    }

    /// `d [T, 3 D]` of queries, keys and values to that of the input, added to `sum` where there is one. `[T, D]`
    pub(crate) fn input_gradient(&self, d_qkv: View<'_>, sum: Option<Buffer>) -> Buffer {
        let weights: Vec<&Tensor> = self.params.qkv.parts().iter().map(|part| &*part.weight).collect();
        self.packed.qkv.input_gradient(d_qkv, &weights, sum)
    }
}
