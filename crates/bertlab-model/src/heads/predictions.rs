//! The masked-LM part: dense, activation, norm, and the decoder over the vocabulary.

use super::Head;
use crate::dtype::ComputeDtype;
use crate::layers::linear::{Dense, DenseGradient, Linear, LinearSpec, PackedLinear};
use crate::layers::norm::Norm;
use crate::layers::{Builder, walk_fields};
use crate::params::Params;
use crate::slot::{GradientSum, Initial, Parameter, Role};
use crate::spec::Spec;
use bertlab_compute::ops::activation;
use bertlab_compute::ops::sum::add_column_sums;
use bertlab_compute::{Buffer, Tensor};

/// What the masked-LM part is made of.
#[derive(Clone, Copy)]
pub(crate) struct PredictionsSpec {
    dense: LinearSpec,
    /// Over the vocabulary.
    decoder: LinearSpec,
    /// The decoder's weight is the table of words.
    is_tied: bool,
}

impl Spec {
    /// The masked-LM part, where there is one.
    pub(crate) fn predictions(&self) -> Option<PredictionsSpec> {
        let (width, initial) = (self.encoder.width, self.encoder.initial());
        let linear = |n_outputs: usize| LinearSpec { n_inputs: width, n_outputs, initial };
        self.head.has_predictions().then(|| PredictionsSpec {
            dense: linear(width),
            decoder: linear(self.encoder.vocab_size),
            is_tied: self.head.is_tied,
        })
    }
}

impl PredictionsSpec {
    pub(crate) fn build<P>(&self, mut at: Builder<'_, P>) -> Predictions<P> {
        let LinearSpec { n_inputs: width, n_outputs: n_words, initial } = self.decoder;
        Predictions {
            bias: at.slot("bias", &[n_words], Role::Bias, Initial::Zeros),
            dense: self.dense.build(at.at("transform.dense")),
            norm: Norm::build(width, at.at("transform.LayerNorm")),
            decoder: (!self.is_tied)
                .then(|| at.slot("decoder.weight", &[n_words, width], Role::Matrix, initial)),
        }
    }

    /// Bytes of its dense layers, packed for the kernels.
    pub(crate) fn packed_bytes(&self, dtype: ComputeDtype) -> usize {
        self.dense.packed_bytes(dtype.of_words()) + self.decoder.packed_bytes(dtype.of_words())
    }

    /// Floating-point operations over so many tokens.
    pub(crate) fn flops(&self, n_tokens: f64) -> f64 {
        self.dense.flops(n_tokens) + self.decoder.flops(n_tokens)
    }

    /// Numbers of a token: what is kept, logits and their gradient.
    pub(crate) fn numbers(&self) -> usize {
        4 * self.dense.n_outputs + 2 * self.decoder.n_outputs
    }
}

/// The parameters of the masked-LM head.
#[derive(Clone, Debug)]
pub struct Predictions<P = Parameter> {
    /// `[V]`
    pub bias: P,
    /// `[D, D]`
    pub dense: Linear<P>,
    /// After the dense layer.
    pub norm: Norm<P>,
    /// `[V, D]`; none where the word embedding serves.
    pub decoder: Option<P>,
}

walk_fields!(Predictions { bias, dense, norm, decoder });

/// The layer over the vocabulary, where there is a masked-LM part.
fn decoder(params: &Params) -> Option<Dense<'_>> {
    let predictions = params.predictions.as_ref()?;
    Some(Dense { weight: params.decoder()?, bias: &predictions.bias })
}

/// Canonical names that PyTorch has for weights which are also others: the alias, and what it stands for.
pub(crate) fn aliases(params: &Params) -> Vec<(&'static str, String)> {
    let Some(predictions) = &params.predictions else { return Vec::new() };
    let mut aliases = vec![("cls.predictions.decoder.bias", predictions.bias.slot().name.clone())];
    if predictions.decoder.is_none() {
        aliases.push(("cls.predictions.decoder.weight", params.embeddings.word.slot().name.clone()));
    }
    aliases
}

/// Its dense layers, packed.
#[derive(Clone)]
pub(crate) struct PackedPredictions {
    dense: PackedLinear,
    /// `[D, V]`: the word embedding where they are tied
    decoder: PackedLinear,
}

impl PackedPredictions {
    /// Of a model's masked-LM part, where there is one.
    pub(crate) fn new(params: &Params, dtype: ComputeDtype) -> Option<Self> {
        let (part, decoder) = (params.predictions.as_ref()?, decoder(params)?);
        let pack = |dense: Dense<'_>| PackedLinear::new(&[dense], dtype);
        Some(Self { dense: pack((&part.dense).into()), decoder: pack(decoder) })
    }

    pub(crate) fn fill(&mut self, params: &Params) {
        if let (Some(part), Some(decoder)) = (&params.predictions, decoder(params)) {
            self.dense.fill(&[(&part.dense).into()]);
            self.decoder.fill(&[decoder]);
        }
    }
}

pub(super) struct KeptPredictions {
    /// Which tokens went through; all when none.
    tokens: Option<Vec<usize>>,
    /// n tokens' hidden states. `[n, D]`
    input: Tensor,
    /// Before the activation. `[n, D]`
    dense: Buffer,
    /// Before the norm. `[n, D]`
    activated: Buffer,
    /// Before the decoder. `[n, D]`
    normed: Buffer,
}

impl Head<'_> {
    /// `[n, V]`, where there is a masked-LM part.
    pub(super) fn predict(
        &self,
        hidden: &Tensor,
        tokens: Option<&[usize]>,
    ) -> Option<(Tensor, KeptPredictions)> {
        let (params, packed) = (self.params.predictions.as_ref()?, self.packed.predictions.as_ref()?);
        let encoder = &self.spec.encoder;
        let input = tokens.map_or_else(|| hidden.clone(), |tokens| hidden.gather_rows(tokens));
        let (mut activated, dense) =
            packed.dense.forward_activated_keeping(input.as_slice(), encoder.activation);
        let normed = params.norm.forward(encoder.norm_epsilon, &mut activated, None, None);
        let logits = packed.decoder.forward(&normed);
        let logits = Tensor::from_buffer(&[input.n_rows(), encoder.vocab_size], logits);
        let tokens = tokens.map(<[usize]>::to_vec);
        Some((logits, KeptPredictions { tokens, input, dense, activated, normed }))
    }

    pub(super) fn predict_backward(
        &self,
        d_logits: &Tensor,
        mut kept: KeptPredictions,
        gradients: &mut Params<GradientSum>,
        d_hidden: &mut Tensor,
    ) {
        const KEPT: &str = "what was kept was computed";
        let params = self.params.predictions.as_ref().expect(KEPT);
        let packed = self.packed.predictions.as_ref().expect(KEPT);
        let decoder = self.params.decoder().expect(KEPT);
        self.decoder_gradient(d_logits, &kept.normed, packed, gradients);
        let gradient = gradients.predictions.as_mut().expect("gradients have the weights' structure");
        let mut d = packed.decoder.backward(d_logits.as_slice(), &[decoder]);
        let encoder = &self.spec.encoder;
        params.norm.backward(encoder.norm_epsilon, &kept.activated, &mut d, Some(&mut gradient.norm));
        activation::backward(encoder.activation, &mut kept.dense, &mut d);
        packed.dense.add_gradients(&d, kept.input.as_slice(), [&mut gradient.dense]);
        let d_input = packed.dense.backward(&d, &[&params.dense.weight]);
        let d_input = Tensor::from_buffer(kept.input.shape(), d_input);
        match kept.tokens {
            Some(tokens) => d_hidden.scatter_add_rows(&tokens, &d_input),
            None => super::add(d_hidden, &d_input),
        }
    }

    /// Adds to the decoder's gradient, which is the word embedding's where they are tied, and frozen with it.
    fn decoder_gradient(
        &self,
        d_logits: &Tensor,
        normed: &[f32],
        packed: &PackedPredictions,
        gradients: &mut Params<GradientSum>,
    ) {
        let predictions = gradients.predictions.as_mut().expect("gradients have the weights' structure");
        if predictions.decoder.is_none() && self.frozen.embeddings {
            add_column_sums(d_logits.as_slice(), predictions.bias.as_mut_slice());
            return;
        }
        let weight = predictions.decoder.as_mut().unwrap_or(&mut gradients.embeddings.word);
        let gradient = DenseGradient { weight, bias: &mut predictions.bias };
        packed.decoder.add_gradients(d_logits.as_slice(), normed, [gradient]);
    }
}
