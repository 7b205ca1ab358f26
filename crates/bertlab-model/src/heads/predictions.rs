//! The masked-LM part: dense, activation, norm, and the decoder over the vocabulary.

use super::Head;
use crate::block::{affine, norm_backward};
use crate::params::{Linear, Params};
use bertlab_compute::ops::activation;
use bertlab_compute::ops::layer_norm::{self, AddNorm};
use bertlab_compute::ops::sum::add_column_sums;
use bertlab_compute::{Buffer, Tensor};

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
        let params = self.params.predictions.as_ref()?;
        let (dense, decoder) = (self.packed.predictions_dense.as_ref()?, self.packed.decoder.as_ref()?);
        let input = tokens.map_or_else(|| hidden.clone(), |tokens| hidden.gather_rows(tokens));
        let (mut activated, dense) =
            dense.forward_activated_keeping(input.as_slice(), self.spec.encoder.activation);
        let mut normed = Buffer::stale(activated.len());
        let job = AddNorm { x: &mut activated, residual: None, dropout: None, out: &mut normed };
        layer_norm::forward(affine(&params.norm, self.spec.encoder.norm_epsilon), job);
        let logits = decoder.forward(&normed);
        let logits = Tensor::from_buffer(&[input.n_rows(), self.spec.encoder.vocab_size], logits);
        let tokens = tokens.map(<[usize]>::to_vec);
        Some((logits, KeptPredictions { tokens, input, dense, activated, normed }))
    }

    pub(super) fn predict_backward(
        &self,
        d_logits: &Tensor,
        mut kept: KeptPredictions,
        gradients: &mut Params,
        d_hidden: &mut Tensor,
    ) {
        const KEPT: &str = "what was kept was computed";
        let (params, packed) = (self.params.predictions.as_ref().expect(KEPT), self.packed);
        let decoder = self.params.decoder().expect(KEPT);
        self.decoder_gradient(d_logits, &kept.normed, gradients);
        let gradient = gradients.predictions.as_mut().expect("gradients have the weights' structure");
        let mut d = packed.decoder.as_ref().expect(KEPT).backward(d_logits.as_slice(), &[decoder]);
        let encoder = &self.spec.encoder;
        norm_backward(&params.norm, encoder.norm_epsilon, &kept.activated, &mut d, Some(&mut gradient.norm));
        activation::backward(encoder.activation, &mut kept.dense, &mut d);
        let dense = packed.predictions_dense.as_ref().expect(KEPT);
        dense.add_gradients(&d, kept.input.as_slice(), &mut [&mut gradient.dense], false);
        let d_input = dense.backward(&d, &[&params.dense.weight]);
        let d_input = Tensor::from_buffer(kept.input.shape(), d_input);
        match kept.tokens {
            Some(tokens) => d_hidden.scatter_add_rows(&tokens, &d_input),
            None => super::add(d_hidden, &d_input),
        }
    }

    /// Adds to the decoder's gradient, which is the word embedding's where they are tied, and frozen with it.
    fn decoder_gradient(&self, d_logits: &Tensor, normed: &[f32], gradients: &mut Params) {
        let predictions = gradients.predictions.as_mut().expect("gradients have the weights' structure");
        if predictions.decoder.is_none() && self.frozen.embeddings {
            add_column_sums(d_logits.as_slice(), predictions.bias.as_mut_slice());
            return;
        }
        let weight = predictions.decoder.as_mut().unwrap_or(&mut gradients.embeddings.word);
        // The two tensors are moved together into one dense layer's gradient and back, without a copy.
        let empty = || Tensor::zeros(&[0]);
        let mut gradient = Linear {
            weight: std::mem::replace(weight, empty()),
            bias: std::mem::replace(&mut predictions.bias, empty()),
        };
        let decoder = self.packed.decoder.as_ref().expect("what was kept was computed");
        decoder.add_gradients(d_logits.as_slice(), normed, &mut [&mut gradient], false);
        *weight = gradient.weight;
        predictions.bias = gradient.bias;
    }
}
