//! One transformer layer: attention and feed-forward, each with its residual and a layer norm before or after.

use super::attention::{Attention, AttentionPart, AttentionSpec, KeptAttention, PackedAttention};
use super::feed_forward::{
    FeedForward, FeedForwardPart, FeedForwardSpec, KeptFeedForward, PackedFeedForward,
};
use super::norm::Norm;
use super::{Builder, walk_fields};
use crate::dtype::ComputeDtype;
use crate::slot::{GradientSum, Parameter};
use crate::spec::{EncoderSpec, NormPlace};
use bertlab_compute::ops::attention::{Heads, Queries};
use bertlab_compute::ops::dropout::{self, Dropout};
use bertlab_compute::ops::rotary::Rotation;
use bertlab_compute::ops::{residual, rows};
use bertlab_compute::random::mix;
use bertlab_compute::{Buffer, ElementType, View};

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
    pub(crate) fn kept(&self) -> Kept {
        let of_queries = self.attention.kept_of_queries() + self.feed_forward.kept();
        Kept { of_tokens: self.attention.kept_of_tokens(), of_queries }
    }
}

/// How many numbers a layer keeps.
pub(crate) struct Kept {
    /// Of every token.
    pub of_tokens: usize,
    /// Of every token that has an output.
    pub of_queries: usize,
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
    /// `[T]`
    pub positions: &'a [u32],
    /// How far a token sees to either side.
    pub window: Option<usize>,
    /// Where positions are rotations.
    pub rotation: Option<&'a Rotation>,
    /// Of attention's products.
    pub precision: ElementType,
    /// Where dropout falls; none when the model is used, not trained.
    pub dropout_key: Option<u64>,
}

/// The places in a layer where numbers are dropped.
#[derive(Clone, Copy)]
pub(crate) enum Site {
    Attention,
    AttentionOutput,
    Output,
    Inner,
}

impl Pass<'_> {
    pub(crate) fn heads(&self) -> Heads<'_> {
        Heads {
            row_starts: self.row_starts,
            n_heads: self.spec.n_heads,
            width: self.spec.width,
            queries: self.outputs,
            window: self.window,
            precision: self.precision,
        }
    }

    pub(crate) fn dropout(&self, site: Site) -> Option<Dropout> {
        let dropout = &self.spec.dropout;
        let (probability, number) = match site {
            Site::Attention => (dropout.attention, 0),
            Site::AttentionOutput => (dropout.attention_output, 1),
            Site::Output => (dropout.output?, 2),
            Site::Inner => (dropout.inner?, 3),
        };
        self.dropout_key.and_then(|key| Dropout::new(probability, mix(key, number)))
    }

    /// `d` with the site's mask.
    fn masked<'d>(&self, site: Site, d: View<'d>) -> Numbers<'d> {
        let Some(dropout) = self.dropout(site) else { return Numbers::Borrowed(d) };
        let mut masked = Buffer::copy_of(d);
        dropout::apply(dropout, &mut masked, self.spec.width);
        Numbers::Owned(masked)
    }

    /// The rows of tokens that have an output: `[T, D]` to `[Q, D]`.
    fn outputs_of<'h>(&self, hidden: View<'h>) -> Numbers<'h> {
        match self.outputs {
            Queries::All => Numbers::Borrowed(hidden),
            Queries::Firsts => {
                let (firsts, _) = self.first_tokens();
                Numbers::Owned(rows::gather(hidden, self.spec.width, firsts))
            }
        }
    }

    /// Back to the rows of all tokens, zero where there was no output: `[Q, D]` to `[T, D]`.
    fn spread(&self, d: Buffer) -> Buffer {
        if self.outputs == Queries::All {
            return d;
        }
        let (firsts, n_tokens) = self.first_tokens();
        rows::scatter(&d, self.spec.width, firsts, n_tokens)
    }

    /// Each row's first token, and how many tokens there are.
    fn first_tokens(&self) -> (&[usize], usize) {
        let (&n_tokens, firsts) = self.row_starts.split_last().expect("row_starts holds at least the end");
        (firsts, n_tokens)
    }

    /// What a part reads of the residual stream: a norm of it, where that stands before.
    fn before(&self, norm: Option<&Norm>, x: View<'_>) -> Option<Buffer> {
        let norm = norm.filter(|_| self.norms_are_before())?;
        Some(norm.forward(self.spec.norms.epsilon, &mut Buffer::copy_of(x), None, None))
    }

    /// What follows a part that gave `y`: its sum with the residual, and a norm of it where that stands after; beside it the
    /// sum before that norm.
    fn after(&self, norm: Option<&Norm>, mut y: Buffer, residual: View<'_>, site: Site) -> After {
        let dropout = self.dropout(site);
        match norm.filter(|_| !self.norms_are_before()) {
            Some(norm) => {
                let out = norm.forward(self.spec.norms.epsilon, &mut y, Some(residual), dropout);
                After { out, sum: Some(y) }
            }
            None => {
                residual::add(&mut y, residual, dropout, self.spec.width);
                After { out: y, sum: None }
            }
        }
    }

    fn norms_are_before(&self) -> bool {
        self.spec.norms.place != NormPlace::Post
    }
}

/// What a part with its residual gives. `[Q, D]`
struct After {
    out: Buffer,
    /// Before the norm, where one stands after.
    sum: Option<Buffer>,
}

/// Numbers made for a purpose, or those that serve as they are.
pub(crate) enum Numbers<'a> {
    Borrowed(View<'a>),
    Owned(Buffer),
}

impl Numbers<'_> {
    pub(crate) fn view(&self) -> View<'_> {
        match self {
            Self::Borrowed(numbers) => *numbers,
            Self::Owned(numbers) => numbers.view(),
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
    attention: KeptAttention,
    attention_stream: KeptStream,
    feed_forward: KeptFeedForward,
    feed_forward_stream: KeptStream,
}

/// What is kept around a part.
struct KeptStream {
    /// The residual stream before it. `[T, D]` or `[Q, D]`
    input: Buffer,
    /// The norm of that, where one stands before.
    normed: Option<Buffer>,
    /// The sum before the norm, where one stands after. `[Q, D]`
    sum: Option<Buffer>,
}

impl KeptStream {
    /// What the part read.
    fn read(&self) -> View<'_> {
        self.normed.as_ref().unwrap_or(&self.input).view()
    }
}

impl Block<'_> {
    /// `[T, D]` to `[Q, D]`, and the attention maps when asked for.
    pub(crate) fn forward(&self, hidden: View<'_>, keep_maps: bool) -> (Buffer, Option<Vec<Buffer>>) {
        let (pass, part) = (&self.pass, self.attention());
        let norm = part.params.norm.as_ref();
        let normed = pass.before(norm, hidden);
        let (y, maps) = part.forward(normed.as_ref().map_or(hidden, Buffer::view), keep_maps);
        drop(normed);
        let middle = pass.after(norm, y, pass.outputs_of(hidden).view(), Site::AttentionOutput).out;

        let part = self.feed_forward();
        let norm = Some(&part.params.norm);
        let normed = pass.before(norm, middle.view());
        let y = part.forward(normed.as_ref().unwrap_or(&middle).view());
        (pass.after(norm, y, middle.view(), Site::Output).out, maps)
    }

    /// As [`Self::forward`], with dropout, keeping what the backward pass needs.
    pub(crate) fn forward_keeping(&self, hidden: Buffer) -> (Buffer, KeptBlock) {
        let (pass, part) = (&self.pass, self.attention());
        let norm = part.params.norm.as_ref();
        let normed = pass.before(norm, hidden.view());
        let (y, attention) = part.forward_keeping(normed.as_ref().unwrap_or(&hidden).view());
        let After { out: middle, sum } =
            pass.after(norm, y, pass.outputs_of(hidden.view()).view(), Site::AttentionOutput);
        let attention_stream = KeptStream { input: hidden, normed, sum };

        let part = self.feed_forward();
        let norm = Some(&part.params.norm);
        let normed = pass.before(norm, middle.view());
        let (y, feed_forward) = part.forward_keeping(normed.as_ref().unwrap_or(&middle).view());
        let After { out, sum } = pass.after(norm, y, middle.view(), Site::Output);
        let feed_forward_stream = KeptStream { input: middle, normed, sum };
        (out, KeptBlock { attention, attention_stream, feed_forward, feed_forward_stream })
    }

    /// `d_out [Q, D]` to `d_hidden [T, D]`; adds to the layer's gradients, if it is not frozen. What was kept is given back
    /// piece by piece, as soon as it was used.
    pub(crate) fn backward(
        &self,
        d: Buffer,
        kept: KeptBlock,
        mut gradients: Option<&mut Layer<GradientSum>>,
    ) -> Buffer {
        let (pass, part) = (&self.pass, self.feed_forward());
        let (mut stream, sums) = (kept.feed_forward_stream, gradients.as_deref_mut());
        let mut sums = sums.map(|layer| &mut layer.feed_forward);
        let mut backward = StreamGradient { pass, norm: Some(&part.params.norm), d };
        backward.leave(&mut stream, sums.as_deref_mut().map(|part| &mut part.norm));
        let masked = pass.masked(Site::Output, backward.d.view());
        let d_inner = part.backward(masked, stream.read(), kept.feed_forward, sums.as_deref_mut());
        let d = backward.enter(
            stream,
            |sum| part.input_gradient(d_inner.view(), sum),
            sums.map(|part| &mut part.norm),
        );
        drop(d_inner);

        let part = self.attention();
        let (mut stream, mut sums) = (kept.attention_stream, gradients.map(|layer| &mut layer.attention));
        let mut backward = StreamGradient { pass, norm: part.params.norm.as_ref(), d };
        backward.leave(&mut stream, sums.as_deref_mut().and_then(|part| part.norm.as_mut()));
        let masked = pass.masked(Site::AttentionOutput, backward.d.view());
        let d_qkv = part.backward(masked, stream.read(), kept.attention, sums.as_deref_mut());
        backward.d = pass.spread(backward.d);
        let of_norm = sums.and_then(|part| part.norm.as_mut());
        backward.enter(stream, |sum| part.input_gradient(d_qkv.view(), sum), of_norm)
    }

    fn attention(&self) -> AttentionPart<'_> {
        AttentionPart { params: &self.layer.attention, packed: &self.packed.attention, pass: self.pass }
    }

    fn feed_forward(&self) -> FeedForwardPart<'_> {
        FeedForwardPart {
            params: &self.layer.feed_forward,
            packed: &self.packed.feed_forward,
            pass: self.pass,
        }
    }
}

/// The way back along the residual stream, around one part.
struct StreamGradient<'a> {
    pass: &'a Pass<'a>,
    norm: Option<&'a Norm>,
    /// Of the stream at the place that was reached. `[Q, D]`
    d: Buffer,
}

impl StreamGradient<'_> {
    /// Through a norm after the part. What was kept for it is given back.
    fn leave(&mut self, stream: &mut KeptStream, gradient: Option<&mut Norm<GradientSum>>) {
        if let (Some(norm), Some(sum)) = (self.norm, stream.sum.take()) {
            norm.backward(self.pass.spec.norms.epsilon, sum.view(), &mut self.d, gradient);
        }
    }

    /// To the stream before the part: the residual's share, and the part's, through a norm before it. `part` adds its
    /// input's gradient to what it is given.
    fn enter(
        self,
        stream: KeptStream,
        part: impl FnOnce(Option<Buffer>) -> Buffer,
        gradient: Option<&mut Norm<GradientSum>>,
    ) -> Buffer {
        let KeptStream { input, normed, .. } = stream;
        let Some(norm) = self.norm.filter(|_| normed.is_some()) else {
            drop(input);
            return part(Some(self.d));
        };
        drop(normed);
        let mut d = part(None);
        norm.backward(self.pass.spec.norms.epsilon, input.view(), &mut d, gradient);
        residual::add(&mut d, &self.d, None, self.pass.spec.width);
        d
    }
}
