//! The masked-LM part: a transform (dense, activation, norm), and the decoder over the vocabulary.

use super::Head;
use crate::dtype::ComputeDtype;
use crate::layers::linear::{Dense, DenseGradient, LinearSpec, PackedLinear};
use crate::layers::transform::{KeptTransform, Transform, TransformPart, TransformSpec};
use crate::layers::{Builder, walk_fields};
use crate::params::Params;
use crate::slot::{GradientSum, Initial, Parameter, Role};
use crate::spec::{PredictionsSpec, Spec};
use bertlab_compute::ops::matmul::MatrixView;
use bertlab_compute::ops::sum::add_column_sums;
use bertlab_compute::ops::{residual, rows};
use bertlab_compute::{Buffer, Tensor, View};

/// What the masked-LM part is made of.
#[derive(Clone, Copy)]
pub(crate) struct WordsSpec {
    pub transform: TransformSpec,
    /// Over the vocabulary.
    decoder: LinearSpec,
    /// The decoder's weight is the table of words.
    is_tied: bool,
}

impl Spec {
    /// The masked-LM part, where there is one.
    pub(crate) fn predictions(&self) -> Option<WordsSpec> {
        let PredictionsSpec { activation, has_dense_bias, has_decoder_bias, is_tied } =
            self.head.predictions?;
        let encoder = &self.encoder;
        let dense = self.head_dense(has_dense_bias);
        let transform = TransformSpec { dense, activation, norm: Some(encoder.norms) };
        let initial = encoder.initial_of_outputs();
        let (n_inputs, n_outputs, has_bias) = (encoder.width, encoder.vocab_size, has_decoder_bias);
        let decoder = LinearSpec { n_inputs, n_outputs, has_bias, initial };
        Some(WordsSpec { transform, decoder, is_tied })
    }
}

impl WordsSpec {
    pub(crate) fn build<P>(&self, mut at: Builder<'_, P>) -> Predictions<P> {
        let LinearSpec { n_inputs: width, n_outputs: n_words, has_bias, initial } = self.decoder;
        Predictions {
            bias: has_bias.then(|| at.slot("bias", &[n_words], Role::Bias, Initial::Zeros)),
            transform: self.transform.build(at.at("transform")),
            decoder: (!self.is_tied)
                .then(|| at.slot("decoder.weight", &[n_words, width], Role::Matrix, initial)),
        }
    }

    /// Bytes of its dense layers, packed for the kernels.
    pub(crate) fn packed_bytes(&self, dtype: ComputeDtype) -> usize {
        let dtype = dtype.of_words();
        self.transform.dense.packed_bytes(dtype) + self.decoder.packed_bytes(dtype)
    }

    /// Floating-point operations over so many tokens.
    pub(crate) fn flops(&self, n_tokens: f64) -> f64 {
        self.transform.dense.flops(n_tokens) + self.decoder.flops(n_tokens)
    }

    /// Numbers of a token: what is kept, logits and their gradient.
    pub(crate) fn numbers(&self) -> usize {
        self.transform.kept() + 2 * self.decoder.n_outputs
    }
}

/// The parameters of the masked-LM head.
#[derive(Clone, Debug)]
pub struct Predictions<P = Parameter> {
    /// `[V]`
    pub bias: Option<P>,
    /// Before the decoder.
    pub transform: Transform<P>,
    /// `[V, D]`; none where the word embedding serves.
    pub decoder: Option<P>,
}

walk_fields!(Predictions { bias, transform, decoder });

/// The layer over the vocabulary, where there is a masked-LM part.
fn decoder(params: &Params) -> Option<Dense<'_>> {
    let predictions = params.predictions.as_ref()?;
    Some(Dense { weight: params.decoder()?, bias: predictions.bias.as_deref() })
}

/// Canonical names that PyTorch has for weights which are also others: the alias, and what it stands for.
pub(crate) fn aliases(params: &Params) -> Vec<(&'static str, String)> {
    let Some(predictions) = &params.predictions else { return Vec::new() };
    let bias = predictions.bias.iter().map(|bias| ("cls.predictions.decoder.bias", bias.slot().name.clone()));
    let mut aliases: Vec<_> = bias.collect();
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
        Some(Self { dense: pack((&part.transform.dense).into()), decoder: pack(decoder) })
    }

    pub(crate) fn fill(&mut self, params: &Params) {
        if let (Some(part), Some(decoder)) = (&params.predictions, decoder(params)) {
            self.dense.fill(&[(&part.transform.dense).into()]);
            self.decoder.fill(&[decoder]);
        }
    }
}

pub(super) struct KeptPredictions {
    /// Which tokens went through; all when none.
    tokens: Option<Vec<usize>>,
    /// n tokens' hidden states. `[n, D]`
    input: Tensor,
    transform: KeptTransform,
    /// Before the decoder. `[n, D]`
    transformed: Buffer,
}

impl Head<'_> {
    /// `[n, V]`, where there is a masked-LM part.
    pub(super) fn predict(
        &self,
        hidden: &Tensor,
        tokens: Option<&[usize]>,
    ) -> Option<(Tensor, KeptPredictions)> {
        let (part, packed) = (self.transform()?, self.packed.predictions.as_ref()?);
        let input = tokens.map_or_else(|| hidden.clone(), |tokens| hidden.gather_rows(tokens));
        let (transformed, transform) = part.forward(input.view());
        let logits = packed.decoder.forward(transformed.view());
        let logits = Tensor::from_buffer(&[input.n_rows(), self.spec.encoder.vocab_size], logits);
        let tokens = tokens.map(<[usize]>::to_vec);
        Some((logits, KeptPredictions { tokens, input, transform, transformed }))
    }

    pub(super) fn predict_backward(
        &self,
        d_logits: &Tensor,
        kept: KeptPredictions,
        gradients: &mut Params<GradientSum>,
        d_hidden: &mut Tensor,
    ) {
        const KEPT: &str = "what was kept was computed";
        let packed = self.packed.predictions.as_ref().expect(KEPT);
        let decoder = self.params.decoder().expect(KEPT);
        self.decoder_gradient(d_logits, kept.transformed.view(), packed, gradients);
        let gradient = gradients.predictions.as_mut().expect("gradients have the weights' structure");
        let d = packed.decoder.backward(d_logits.view(), &[decoder]);
        let part = self.transform().expect(KEPT);
        let d_input = part.backward(d, kept.input.view(), kept.transform, &mut gradient.transform);
        let width = self.spec.encoder.width;
        match kept.tokens {
            Some(tokens) => rows::scatter_add(&d_input, width, &tokens, d_hidden),
            None => residual::add(d_hidden, &d_input, None, width),
        }
    }

    fn transform(&self) -> Option<TransformPart<'_>> {
        let (params, packed) = (self.params.predictions.as_ref()?, self.packed.predictions.as_ref()?);
        let spec = self.spec.predictions()?.transform;
        Some(TransformPart { spec, params: &params.transform, packed: &packed.dense })
    }

    /// Adds to the decoder's gradient, which is the word embedding's where they are tied, and frozen with it.
    fn decoder_gradient(
        &self,
        d_logits: &Tensor,
        transformed: View<'_>,
        packed: &PackedPredictions,
        gradients: &mut Params<GradientSum>,
    ) {
        let predictions = gradients.predictions.as_mut().expect("gradients have the weights' structure");
        if predictions.decoder.is_none() && self.frozen.embeddings {
            if let Some(bias) = &mut predictions.bias {
                let n_words = self.spec.encoder.vocab_size;
                add_column_sums(MatrixView::new(d_logits, d_logits.n_rows(), n_words), bias.view_mut());
            }
            return;
        }
        let weight = predictions.decoder.as_mut().unwrap_or(&mut gradients.embeddings.word);
        let gradient = DenseGradient { weight, bias: predictions.bias.as_mut() };
        packed.decoder.add_gradients(d_logits.view(), transformed, [gradient]);
    }
}
