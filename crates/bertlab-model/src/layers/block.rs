//! One transformer layer: attention and feed-forward, each with residual and layer norm.

use super::attention::{Attention, AttentionPart, AttentionSpec, KeptAttention, PackedAttention};
use super::feed_forward::{FeedForward, FeedForwardPart, FeedForwardSpec, PackedFeedForward};
use super::norm::Norm;
use super::{Builder, walk_fields};
use crate::dtype::ComputeDtype;
use crate::slot::{GradientSum, Parameter};
use crate::spec::EncoderSpec;
use bertlab_compute::Buffer;
use bertlab_compute::ops::attention::{Heads, Queries};
use bertlab_compute::ops::dropout::{self, Dropout};
use bertlab_compute::ops::matmul::Precision;
use bertlab_compute::random::mix;
use std::borrow::Cow;
use std::ops::Deref;

/// What one layer is made of.
#[derive(Clone, Copy)]
pub(crate) struct BlockSpec<'a> {
    pub attention: AttentionSpec<'a>,
    pub feed_forward: FeedForwardSpec<'a>,
}

impl BlockSpec<'_> {
    pub(crate) fn build<P>(&self, mut at: Builder<'_, P>) -> Layer<P> {
        Layer {
            attention: self.attention.build(at.at("attention")),
            feed_forward: self.feed_forward.build(at),
        }
    }

    /// Bytes of its dense layers, packed for the kernels.
    pub(crate) fn packed_bytes(&self, dtype: ComputeDtype) -> usize {
        self.attention.packed_bytes(dtype) + self.feed_forward.packed_bytes(dtype)
    }

    /// Floating-point operations over a row of `s` tokens, `n_queries` of which have an output.
    pub(crate) fn flops(&self, s: f64, n_queries: f64) -> f64 {
        self.attention.flops(s, n_queries) + self.feed_forward.flops(n_queries)
    }

    /// Numbers kept of every token for the backward pass, and of every token that has an output.
    pub(crate) fn kept(&self) -> (usize, usize) {
        let of_queries = self.attention.kept_of_queries() + self.feed_forward.kept();
        (self.attention.kept_of_tokens(), of_queries)
    }
}

/// The parameters of one transformer layer.
#[derive(Clone, Debug)]
pub struct Layer<P = Parameter> {
    /// The attention part.
    pub attention: Attention<P>,
    /// The feed-forward part.
    pub feed_forward: FeedForward<P>,
}

walk_fields!(Layer { attention, feed_forward });

/// Its dense layers, packed.
#[derive(Clone)]
pub(crate) struct PackedLayer {
    attention: PackedAttention,
    feed_forward: PackedFeedForward,
}

impl PackedLayer {
    pub(crate) fn new(layer: &Layer, dtype: ComputeDtype) -> Self {
        Self {
            attention: PackedAttention::new(&layer.attention, dtype),
            feed_forward: PackedFeedForward::new(&layer.feed_forward, dtype),
        }
    }

    pub(crate) fn fill(&mut self, layer: &Layer) {
        self.attention.fill(&layer.attention);
        self.feed_forward.fill(&layer.feed_forward);
    }
}

/// How one layer is run.
#[derive(Clone, Copy)]
pub(crate) struct Pass<'a> {
    pub spec: &'a EncoderSpec,
    /// `[B + 1]`
    pub row_starts: &'a [usize],
    /// Of which tokens there is an output.
    pub outputs: Queries,
    /// Of attention's products.
    pub precision: Precision,
    /// Where dropout falls; none when the model is used, not trained.
    pub dropout_key: Option<u64>,
}

/// The places in a layer where numbers are dropped.
#[derive(Clone, Copy)]
pub(crate) enum Site {
    Attention,
    AttentionOutput,
    Output,
}

impl Pass<'_> {
    pub(crate) fn heads(&self) -> Heads<'_> {
        Heads {
            row_starts: self.row_starts,
            n_heads: self.spec.n_heads,
            width: self.spec.width,
            queries: self.outputs,
            window: None,
            precision: self.precision,
        }
    }

    pub(crate) fn dropout(&self, site: Site) -> Option<Dropout> {
        let (probability, number) = match site {
            Site::Attention => (self.spec.attention_dropout, 0),
            Site::AttentionOutput => (self.spec.hidden_dropout, 1),
            Site::Output => (self.spec.hidden_dropout, 2),
        };
        self.dropout_key.and_then(|key| Dropout::new(probability, mix(key, number)))
    }

    /// `d` with the site's mask.
    fn masked<'d>(&self, site: Site, d: &'d [f32]) -> Masked<'d> {
        let Some(dropout) = self.dropout(site) else { return Masked::Same(d) };
        let mut masked = Buffer::copy_of(d);
        dropout::apply(dropout, &mut masked, self.spec.width);
        Masked::Own(masked)
    }

    /// The rows of tokens that have an output: `[T, D]` to `[Q, D]`.
    fn outputs_of<'h>(&self, hidden: &'h [f32]) -> Cow<'h, [f32]> {
        match self.outputs {
            Queries::All => Cow::Borrowed(hidden),
            Queries::Firsts => {
                let width = self.spec.width;
                let firsts = self.row_starts[..self.row_starts.len() - 1].iter();
                Cow::Owned(firsts.flat_map(|&first| &hidden[first * width..][..width]).copied().collect())
            }
        }
    }

    /// Back to the rows of all tokens, zero where there was no output: `[Q, D]` to `[T, D]`.
    fn spread(&self, d: Buffer) -> Buffer {
        if self.outputs == Queries::All {
            return d;
        }
        let (width, n_rows) = (self.spec.width, self.row_starts.len() - 1);
        let mut all = Buffer::zeros(self.row_starts[n_rows] * width);
        for (row, &first) in self.row_starts[..n_rows].iter().enumerate() {
            all[first * width..][..width].copy_from_slice(&d[row * width..][..width]);
        }
        all
    }

    /// The norm of `dropout(x) + residual`, which is left in `x`.
    fn add_norm(&self, norm: &Norm, x: &mut [f32], residual: &[f32], site: Site) -> Buffer {
        norm.forward(self.spec.norm_epsilon, x, Some(residual), self.dropout(site))
    }
}

/// A gradient behind a dropout: a masked copy, or the same numbers where nothing is dropped.
pub(crate) enum Masked<'a> {
    Same(&'a [f32]),
    Own(Buffer),
}

impl Deref for Masked<'_> {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        match self {
            Self::Same(d) => d,
            Self::Own(d) => d,
        }
    }
}

/// One layer with all that it needs to run.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub layer: &'a Layer,
    pub packed: &'a PackedLayer,
    pub pass: Pass<'a>,
}

/// What the forward pass leaves for the backward pass. Q: tokens that have an output, T, or B where only each row's first
/// has.
pub(crate) struct KeptBlock {
    /// `[T, D]`
    hidden: Buffer,
    attention: KeptAttention,
    /// Before the first norm. `[Q, D]`
    attention_sum: Buffer,
    /// After it. `[Q, D]`
    middle: Buffer,
    /// Before the activation. `[Q, F]`
    inner: Buffer,
    /// Before the second norm. `[Q, D]`
    output_sum: Buffer,
}

impl Block<'_> {
    /// `[T, D]` to `[Q, D]`, and the attention maps when asked for.
    pub(crate) fn forward(&self, hidden: &[f32], keep_maps: bool) -> (Buffer, Option<Vec<Vec<f32>>>) {
        let (attention, feed_forward) = (self.attention(), self.feed_forward());
        let (mut sum, maps) = attention.forward(hidden, keep_maps);
        let residual = self.pass.outputs_of(hidden);
        let middle = self.pass.add_norm(&attention.params.norm, &mut sum, &residual, Site::AttentionOutput);
        let mut sum = feed_forward.forward(&middle);
        (self.pass.add_norm(&feed_forward.params.norm, &mut sum, &middle, Site::Output), maps)
    }

    /// As [`Self::forward`], with dropout, keeping what the backward pass needs.
    pub(crate) fn forward_keeping(&self, hidden: Buffer) -> (Buffer, KeptBlock) {
        let (part, feed_forward) = (self.attention(), self.feed_forward());
        let (mut attention_sum, attention) = part.forward_keeping(&hidden);
        let (residual, site) = (self.pass.outputs_of(&hidden), Site::AttentionOutput);
        let middle = self.pass.add_norm(&part.params.norm, &mut attention_sum, &residual, site);
        drop(residual);
        let (mut output_sum, inner) = feed_forward.forward_keeping(&middle);
        let out = self.pass.add_norm(&feed_forward.params.norm, &mut output_sum, &middle, Site::Output);
        (out, KeptBlock { hidden, attention, attention_sum, middle, inner, output_sum })
    }

    /// `d_out [Q, D]` to `d_hidden [T, D]`; adds to the layer's gradients, if it is not frozen. What was kept is given back
    /// piece by piece, as soon as it was used.
    pub(crate) fn backward(
        &self,
        mut d: Buffer,
        kept: KeptBlock,
        mut gradients: Option<&mut Layer<GradientSum>>,
    ) -> Buffer {
        let KeptBlock { hidden, attention, attention_sum, middle, inner, output_sum } = kept;
        let epsilon = self.pass.spec.norm_epsilon;

        let (part, mut sums) = (self.feed_forward(), gradients.as_deref_mut().map(|it| &mut it.feed_forward));
        let of_norm = sums.as_deref_mut().map(|it| &mut it.norm);
        part.params.norm.backward(epsilon, &output_sum, &mut d, of_norm);
        drop(output_sum);
        let d_inner = part.backward(self.pass.masked(Site::Output, &d), &middle, inner, sums);
        drop(middle);
        let mut d = part.input_gradient(&d_inner, d);
        drop(d_inner);

        let (part, mut sums) = (self.attention(), gradients.map(|it| &mut it.attention));
        let of_norm = sums.as_deref_mut().map(|it| &mut it.norm);
        part.params.norm.backward(epsilon, &attention_sum, &mut d, of_norm);
        drop(attention_sum);
        let d_qkv = part.backward(self.pass.masked(Site::AttentionOutput, &d), &hidden, attention, sums);
        part.input_gradient(&d_qkv, self.pass.spread(d))
    }

    fn attention(&self) -> AttentionPart<'_> {
        AttentionPart { params: &self.layer.attention, packed: &self.packed.attention, pass: self.pass }
    }

    fn feed_forward(&self) -> FeedForwardPart<'_> {
        FeedForwardPart {
            params: &self.layer.feed_forward,
            packed: &self.packed.feed_forward,
            spec: self.pass.spec,
        }
    }
}
