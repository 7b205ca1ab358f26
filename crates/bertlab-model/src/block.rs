//! One transformer layer: attention and feed-forward, each with residual and layer norm.

use crate::gradients::LayerSums;
use crate::packed::PackedLayer;
use crate::params::{Layer, Norm};
use crate::spec::EncoderSpec;
use bertlab_compute::Buffer;
use bertlab_compute::ops::activation;
use bertlab_compute::ops::attention::{self, Attended, AttentionGradient, Heads, Queries};
use bertlab_compute::ops::dropout::{self, Dropout};
use bertlab_compute::ops::layer_norm::{self, AddNorm, Affine, NormGradient};
use bertlab_compute::ops::matmul::Precision;
use bertlab_compute::random::mix;
use std::borrow::Cow;

/// One layer with all that it needs to run.
#[derive(Clone, Copy)]
pub(crate) struct Block<'a> {
    pub spec: &'a EncoderSpec,
    pub layer: &'a Layer,
    pub packed: &'a PackedLayer,
    /// `[B + 1]`
    pub row_starts: &'a [usize],
    /// Of which tokens there is an output.
    pub outputs: Queries,
    /// Of attention's products.
    pub precision: Precision,
    /// Where dropout falls; none when the model is used, not trained.
    pub dropout_key: Option<u64>,
}

/// What the forward pass leaves for the backward pass. Q: tokens that have an output, T, or B where only each row's first
/// has.
pub(crate) struct KeptBlock {
    /// `[T, D]`
    hidden: Buffer,
    /// `[T, 3 D]`
    qkv: Buffer,
    attended: Attended,
    /// Before the first norm. `[Q, D]`
    attention_sum: Buffer,
    /// After it. `[Q, D]`
    middle: Buffer,
    /// Before the activation. `[Q, F]`
    inner: Buffer,
    /// Before the second norm. `[Q, D]`
    output_sum: Buffer,
}

/// The part of it that the feed-forward part needs; each piece is given back as soon as it was used.
struct KeptFeedForward {
    middle: Buffer,
    inner: Buffer,
    sum: Buffer,
}

/// The part of it that the attention part needs.
struct KeptAttention {
    hidden: Buffer,
    qkv: Buffer,
    attended: Attended,
    sum: Buffer,
}

/// The places in a layer where numbers are dropped.
enum Site {
    Attention,
    AttentionOutput,
    Output,
}

impl Block<'_> {
    /// `[T, D]` to `[Q, D]`, and the attention maps when asked for.
    pub(crate) fn forward(&self, hidden: &[f32], keep_maps: bool) -> (Buffer, Option<Vec<Vec<f32>>>) {
        let qkv = self.packed.qkv.forward(hidden);
        let attended = attention::forward(self.heads(), &qkv, None, keep_maps);
        let mut sum = self.packed.attention_output.forward(&attended.out);
        let middle = self.add_norm(&self.layer.attention_norm, &mut sum, &self.asking(hidden), None);
        let inner = self.packed.intermediate.forward_activated(&middle, self.spec.activation);
        let mut sum = self.packed.output.forward(&inner);
        (self.add_norm(&self.layer.output_norm, &mut sum, &middle, None), attended.maps)
    }

    /// As [`Self::forward`], with dropout, keeping what the backward pass needs.
    pub(crate) fn forward_keeping(&self, hidden: Buffer) -> (Buffer, KeptBlock) {
        let qkv = self.packed.qkv.forward(&hidden);
        let attended = attention::forward(self.heads(), &qkv, self.dropout(Site::Attention), false);
        let mut attention_sum = self.packed.attention_output.forward(&attended.out);
        let dropout = self.dropout(Site::AttentionOutput);
        let middle =
            self.add_norm(&self.layer.attention_norm, &mut attention_sum, &self.asking(&hidden), dropout);
        let (activated, inner) =
            self.packed.intermediate.forward_activated_keeping(&middle, self.spec.activation);
        let mut output_sum = self.packed.output.forward(&activated);
        let dropout = self.dropout(Site::Output);
        let out = self.add_norm(&self.layer.output_norm, &mut output_sum, &middle, dropout);
        (out, KeptBlock { hidden, qkv, attended, attention_sum, middle, inner, output_sum })
    }

    /// `d_out [Q, D]` to `d_hidden [T, D]`; adds to the layer's gradients, if it is not frozen.
    pub(crate) fn backward(
        &self,
        d_out: Buffer,
        kept: KeptBlock,
        mut sums: Option<&mut LayerSums<'_>>,
    ) -> Buffer {
        let KeptBlock { hidden, qkv, attended, attention_sum, middle, inner, output_sum } = kept;
        let feed_forward = KeptFeedForward { middle, inner, sum: output_sum };
        let d_middle = self.feed_forward_backward(d_out, feed_forward, sums.as_deref_mut());
        let attention = KeptAttention { hidden, qkv, attended, sum: attention_sum };
        self.attention_backward(d_middle, attention, sums)
    }

    fn feed_forward_backward(
        &self,
        mut d: Buffer,
        kept: KeptFeedForward,
        mut sums: Option<&mut LayerSums<'_>>,
    ) -> Buffer {
        let KeptFeedForward { middle, mut inner, sum } = kept;
        let norm_gradient = sums.as_deref_mut().map(|sums| &mut sums.layer.output_norm);
        self.norm_backward(&self.layer.output_norm, &sum, &mut d, norm_gradient);
        drop(sum);
        let dropped = self.dropped(Site::Output, &d);
        let d_output = dropped.as_deref().unwrap_or(&d);
        let mut d_inner = self.packed.output.backward(d_output, &[&self.layer.output.weight]);
        activation::backward(self.spec.activation, &mut inner, &mut d_inner);
        if let Some(LayerSums { layer, are_fresh }) = sums.as_deref_mut() {
            // Now `inner` is what stood after the activation.
            self.packed.output.add_gradients(d_output, &inner, &mut [&mut layer.output], *are_fresh);
        }
        drop((inner, dropped));
        if let Some(LayerSums { layer, are_fresh }) = sums {
            let parts = &mut [&mut layer.intermediate];
            self.packed.intermediate.add_gradients(&d_inner, &middle, parts, *are_fresh);
        }
        self.packed.intermediate.backward_adding(&d_inner, &[&self.layer.intermediate.weight], d)
    }

    fn attention_backward(
        &self,
        mut d: Buffer,
        kept: KeptAttention,
        mut sums: Option<&mut LayerSums<'_>>,
    ) -> Buffer {
        let KeptAttention { hidden, qkv, attended, sum } = kept;
        let norm_gradient = sums.as_deref_mut().map(|sums| &mut sums.layer.attention_norm);
        self.norm_backward(&self.layer.attention_norm, &sum, &mut d, norm_gradient);
        drop(sum);
        let dropped = self.dropped(Site::AttentionOutput, &d);
        let d_output = dropped.as_deref().unwrap_or(&d);
        if let Some(LayerSums { layer, are_fresh }) = sums.as_deref_mut() {
            let parts = &mut [&mut layer.attention_output];
            self.packed.attention_output.add_gradients(d_output, &attended.out, parts, *are_fresh);
        }
        let weights = [&self.layer.attention_output.weight];
        let d_attended = self.packed.attention_output.backward(d_output, &weights);
        drop(dropped);
        let job = AttentionGradient {
            qkv: &qkv,
            out: &attended.out,
            log_sums: &attended.log_sums,
            d_out: &d_attended,
            dropout: self.dropout(Site::Attention),
        };
        let d_qkv = attention::backward(self.heads(), job);
        drop((qkv, attended, d_attended));
        if let Some(LayerSums { layer, are_fresh }) = sums {
            let parts = &mut [&mut layer.query, &mut layer.key, &mut layer.value];
            self.packed.qkv.add_gradients(&d_qkv, &hidden, parts, *are_fresh);
        }
        let Layer { query, key, value, .. } = self.layer;
        let d = self.spread(d);
        self.packed.qkv.backward_adding(&d_qkv, &[&query.weight, &key.weight, &value.weight], d)
    }

    /// The rows of tokens that have an output: `[T, D]` to `[Q, D]`.
    fn asking<'h>(&self, hidden: &'h [f32]) -> Cow<'h, [f32]> {
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

    fn heads(&self) -> Heads<'_> {
        Heads {
            row_starts: self.row_starts,
            n_heads: self.spec.n_heads,
            width: self.spec.width,
            queries: self.outputs,
            precision: self.precision,
        }
    }

    fn dropout(&self, site: Site) -> Option<Dropout> {
        let (probability, number) = match site {
            Site::Attention => (self.spec.attention_dropout, 0),
            Site::AttentionOutput => (self.spec.hidden_dropout, 1),
            Site::Output => (self.spec.hidden_dropout, 2),
        };
        self.dropout_key.and_then(|key| Dropout::new(probability, mix(key, number)))
    }

    /// `d` with the site's mask, where something is dropped.
    fn dropped(&self, site: Site, d: &[f32]) -> Option<Buffer> {
        let dropout = self.dropout(site)?;
        let mut dropped = Buffer::copy_of(d);
        dropout::apply(dropout, &mut dropped, self.spec.width);
        Some(dropped)
    }

    fn add_norm(&self, norm: &Norm, x: &mut [f32], residual: &[f32], dropout: Option<Dropout>) -> Buffer {
        let mut out = Buffer::stale(x.len());
        let job = AddNorm { x, residual: Some(residual), dropout, out: &mut out };
        layer_norm::forward(affine(norm, self.spec.norm_epsilon), job);
        out
    }

    fn norm_backward(&self, norm: &Norm, z: &[f32], d: &mut [f32], gradient: Option<&mut Norm>) {
        norm_backward(norm, self.spec.norm_epsilon, z, d, gradient);
    }
}

/// A norm's weights as the operation takes them.
pub(crate) fn affine(norm: &Norm, epsilon: f32) -> Affine<'_> {
    Affine { weight: norm.weight.as_slice(), bias: norm.bias.as_slice(), epsilon }
}

/// `d_y` to `d_z` in place; adds to the norm's gradients, if it is not frozen.
pub(crate) fn norm_backward(
    norm: &Norm,
    epsilon: f32,
    z: &[f32],
    d: &mut [f32],
    gradient: Option<&mut Norm>,
) {
    // The operation sums the norm's gradients on its way; of a frozen one they are thrown away.
    let mut unused;
    let gradient = match gradient {
        Some(gradient) => gradient,
        None => {
            unused = Norm::zeros(norm.bias.len());
            &mut unused
        }
    };
    let job =
        NormGradient { z, d, d_weight: gradient.weight.as_mut_slice(), d_bias: gradient.bias.as_mut_slice() };
    layer_norm::backward(affine(norm, epsilon), job);
}
