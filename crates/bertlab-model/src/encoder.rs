//! The encoder: embeddings, then the layers one after the other; and back again.

use crate::batch::Batch;
use crate::dtype::ComputeDtype;
use crate::frozen::Frozen;
use crate::gradients::Gradients;
use crate::layers::block::{Block, KeptBlock, Pass};
use crate::layers::embeddings::EmbeddingsGradient;
use crate::layers::rotation::Rotations;
use crate::packed::Packed;
use crate::params::Params;
use crate::slot::Place;
use crate::spec::EncoderSpec;
use bertlab_compute::ops::attention::Queries;
use bertlab_compute::ops::dropout::Dropout;
use bertlab_compute::random::mix;
use bertlab_compute::{Buffer, Tensor};

/// What the encoder gives.
#[derive(Clone, Debug)]
pub struct EncoderOutput {
    /// `[T, D]`
    pub last_hidden_state: Tensor,
    /// The embeddings' output and every layer's, when asked for, the last one's behind the final norm: L + 1 of `[T, D]`.
    pub hidden_states: Option<Vec<Tensor>>,
    /// By layer, then by row: `[H, s, s]`, when asked for.
    pub attentions: Option<Vec<Vec<Tensor>>>,
}

/// The encoder with all that it needs to run.
#[derive(Clone, Copy)]
pub(crate) struct Encoder<'a> {
    pub spec: &'a EncoderSpec,
    pub params: &'a Params,
    pub packed: &'a Packed,
    pub rotations: &'a Rotations,
    pub dtype: ComputeDtype,
    pub frozen: Frozen,
}

/// What the forward pass leaves for the backward pass.
pub(crate) struct KeptEncoder {
    /// Before the embeddings' norm; none where they are frozen. `[T, D]`
    embedding_sum: Option<Buffer>,
    /// By layer; none where the backward pass does not come.
    layers: Vec<Option<KeptLayer>>,
    /// Before the norm after the last layer, where there is one. `[Q, D]`
    final_sum: Option<Buffer>,
    dropout_key: Option<u64>,
    /// Of which tokens the last layer had an output.
    outputs: Queries,
}

/// What is kept of one layer.
enum KeptLayer {
    All(Box<KeptBlock>),
    /// Gradient checkpointing: the input alone; the rest is computed again.
    Input(Buffer),
}

/// The dropout site of the embeddings; layers count from 0.
const EMBEDDINGS_SITE: u64 = u64::MAX;

impl Encoder<'_> {
    pub(crate) fn forward(&self, batch: &Batch, keep_states: bool, keep_maps: bool) -> EncoderOutput {
        let tensor = |data: Buffer| Tensor::from_buffer(&[batch.n_tokens(), self.spec.width], data);
        let mut hidden = self.embed(batch, None).1;
        let mut states = keep_states.then(|| vec![tensor(hidden.clone())]);
        let mut attentions = keep_maps.then(Vec::new);
        for layer in 0..self.spec.n_layers {
            let (out, maps) = self.block(layer, batch, None, Queries::All).forward(hidden.view(), keep_maps);
            hidden = if layer + 1 == self.spec.n_layers { self.finish(out).0 } else { out };
            if let Some(states) = &mut states {
                states.push(tensor(hidden.clone()));
            }
            if let (Some(attentions), Some(maps)) = (&mut attentions, maps) {
                attentions.push(self.map_tensors(batch, maps));
            }
        }
        EncoderOutput { last_hidden_state: tensor(hidden), hidden_states: states, attentions }
    }

    /// The last layer's output of these tokens alone: `[Q, D]`.
    pub(crate) fn forward_of(&self, batch: &Batch, outputs: Queries) -> Buffer {
        let mut hidden = self.embed(batch, None).1;
        for layer in 0..self.spec.n_layers {
            hidden = self.block(layer, batch, None, outputs).forward(hidden.view(), false).0;
        }
        self.finish(hidden).0
    }

    /// The norm after the last layer, where there is one; beside it what it was of.
    fn finish(&self, mut hidden: Buffer) -> (Buffer, Option<Buffer>) {
        match &self.params.final_norm {
            None => (hidden, None),
            Some(norm) => {
                let out = norm.forward(self.spec.norms.epsilon, &mut hidden, None, None);
                (out, Some(hidden))
            }
        }
    }

    fn map_tensors(&self, batch: &Batch, maps: Vec<Buffer>) -> Vec<Tensor> {
        let lengths = batch.row_starts().windows(2).map(|row| row[1] - row[0]);
        maps.into_iter()
            .zip(lengths)
            .map(|(map, s)| Tensor::from_buffer(&[self.spec.n_heads, s, s], map))
            .collect()
    }

    /// With dropout, keeping what the backward pass needs: `[Q, D]`, of the tokens of which an output is wanted.
    pub(crate) fn forward_keeping(
        &self,
        batch: &Batch,
        outputs: Queries,
        dropout_key: Option<u64>,
        is_checkpointed: bool,
    ) -> (Buffer, KeptEncoder) {
        let (embedding_sum, mut hidden) = self.embed(batch, dropout_key);
        let mut layers = Vec::with_capacity(self.spec.n_layers);
        for layer in 0..self.spec.n_layers {
            let goes_back = layer >= self.frozen.lowest_layer();
            let input = (goes_back && is_checkpointed).then(|| hidden.clone());
            let (out, kept) = self.block(layer, batch, dropout_key, outputs).forward_keeping(hidden);
            hidden = out;
            let kept = || input.map_or_else(|| KeptLayer::All(Box::new(kept)), KeptLayer::Input);
            layers.push(goes_back.then(kept));
        }
        let embedding_sum = (!self.frozen.embeddings).then_some(embedding_sum);
        let (hidden, final_sum) = self.finish(hidden);
        (hidden, KeptEncoder { embedding_sum, layers, final_sum, dropout_key, outputs })
    }

    /// Adds to the gradients of the encoder's weights that are not frozen. `d [Q, D]`
    pub(crate) fn backward(
        &self,
        mut d: Buffer,
        batch: &Batch,
        kept: KeptEncoder,
        gradients: &mut Gradients,
    ) {
        let key = kept.dropout_key;
        if let (Some(norm), Some(sum)) = (&self.params.final_norm, kept.final_sum) {
            norm.backward(self.spec.norms.epsilon, sum.view(), &mut d, gradients.params.final_norm.as_mut());
        }
        for (index, layer) in kept.layers.into_iter().enumerate().rev() {
            let Some(layer) = layer else { return }; // Nothing below is trained.
            let block = self.block(index, batch, key, kept.outputs);
            let kept = match layer {
                KeptLayer::All(kept) => *kept,
                KeptLayer::Input(hidden) => block.forward_keeping(hidden).1,
            };
            let is_frozen = self.frozen.holds(Place::Layer(index));
            let sums = &mut gradients.params.layers[index];
            d = block.backward(d, kept, (!is_frozen).then_some(sums));
        }
        let Some(embedding_sum) = kept.embedding_sum else { return };
        let Gradients { params, words, .. } = gradients;
        let dropout = self.embedding_dropout(key);
        let pass = EmbeddingsGradient { spec: self.spec, batch, words, dropout };
        self.params.embeddings.backward(pass, d, embedding_sum.view(), &mut params.embeddings);
    }

    /// The sum of the tables' rows, and its norm with dropout. `[T, D]` both.
    fn embed(&self, batch: &Batch, dropout_key: Option<u64>) -> (Buffer, Buffer) {
        self.params.embeddings.forward(self.spec, batch, self.embedding_dropout(dropout_key))
    }

    fn embedding_dropout(&self, key: Option<u64>) -> Option<Dropout> {
        key.and_then(|key| Dropout::new(self.spec.dropout.embeddings, mix(key, EMBEDDINGS_SITE)))
    }

    /// `outputs`: of the last layer; all others serve all tokens.
    fn block<'b>(
        &'b self,
        layer: usize,
        batch: &'b Batch,
        dropout_key: Option<u64>,
        outputs: Queries,
    ) -> Block<'b> {
        let is_last = layer + 1 == self.spec.n_layers;
        let window = self.spec.windows.of(layer);
        let pass = Pass {
            spec: self.spec,
            row_starts: batch.row_starts(),
            positions: batch.position_ids(),
            window,
            rotation: self.rotations.of(window),
            outputs: if is_last { outputs } else { Queries::All },
            precision: self.dtype.precision(),
            dropout_key: dropout_key.map(|key| mix(key, layer as u64)),
        };
        Block { layer: &self.params.layers[layer], packed: &self.packed.layers[layer], pass }
    }
}
