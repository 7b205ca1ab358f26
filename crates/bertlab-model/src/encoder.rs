//! The encoder: embeddings, then the layers one after the other; and back again.

use crate::batch::Batch;
use crate::block::{Block, KeptBlock, affine, norm_backward};
use crate::dtype::ComputeDtype;
use crate::frozen::{Frozen, Place};
use crate::gradients::{Gradients, LayerSums};
use crate::packed::Packed;
use crate::params::Params;
use crate::spec::{EncoderSpec, Positions};
use bertlab_compute::ops::attention::Queries;
use bertlab_compute::ops::dropout::{self, Dropout};
use bertlab_compute::ops::embedding::{self, Lookup};
use bertlab_compute::ops::layer_norm::{self, AddNorm};
use bertlab_compute::random::mix;
use bertlab_compute::{Buffer, Tensor};

/// What the encoder gives.
#[derive(Clone, Debug)]
pub struct EncoderOutput {
    /// `[T, D]`
    pub last_hidden_state: Tensor,
    /// The embeddings' output and every layer's, when asked for: L + 1 of `[T, D]`.
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
    pub dtype: ComputeDtype,
    pub frozen: Frozen,
}

/// What the forward pass leaves for the backward pass.
pub(crate) struct KeptEncoder {
    /// Before the embeddings' norm; none where they are frozen. `[T, D]`
    embedding_sum: Option<Buffer>,
    /// By layer; none where the backward pass does not come.
    layers: Vec<Option<KeptLayer>>,
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
            let block = self.block(layer, batch.row_starts(), None, Queries::All);
            let (out, maps) = block.forward(&hidden, keep_maps);
            hidden = out;
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
            hidden = self.block(layer, batch.row_starts(), None, outputs).forward(&hidden, false).0;
        }
        hidden
    }

    fn map_tensors(&self, batch: &Batch, maps: Vec<Vec<f32>>) -> Vec<Tensor> {
        let lengths = batch.row_starts().windows(2).map(|row| row[1] - row[0]);
        maps.into_iter()
            .zip(lengths)
            .map(|(map, s)| Tensor::from_vec(&[self.spec.n_heads, s, s], map))
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
            let block = self.block(layer, batch.row_starts(), dropout_key, outputs);
            let (out, kept) = block.forward_keeping(hidden);
            hidden = out;
            let kept = || input.map_or_else(|| KeptLayer::All(Box::new(kept)), KeptLayer::Input);
            layers.push(goes_back.then(kept));
        }
        let embedding_sum = (!self.frozen.embeddings).then_some(embedding_sum);
        (hidden, KeptEncoder { embedding_sum, layers, dropout_key, outputs })
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
        for (index, layer) in kept.layers.into_iter().enumerate().rev() {
            let Some(layer) = layer else { return }; // Nothing below is trained.
            let block = self.block(index, batch.row_starts(), key, kept.outputs);
            let kept = match layer {
                KeptLayer::All(kept) => *kept,
                KeptLayer::Input(hidden) => block.forward_keeping(hidden).1,
            };
            let is_frozen = self.frozen.holds(Place::Layer(index));
            let are_fresh = gradients.are_fresh;
            let mut sums = LayerSums { layer: &mut gradients.params.layers[index], are_fresh };
            d = block.backward(d, kept, (!is_frozen).then_some(&mut sums));
        }
        let Some(embedding_sum) = kept.embedding_sum else { return };
        if let Some(dropout) = self.embedding_dropout(key) {
            dropout::apply(dropout, &mut d, self.spec.width);
        }
        let (norm, gradient) = (&self.params.embeddings.norm, &mut gradients.params.embeddings);
        norm_backward(norm, self.spec.norm_epsilon, &embedding_sum, &mut d, Some(&mut gradient.norm));
        self.embeddings_backward(&d, batch, gradients);
    }

    /// The sum of the tables' rows, and its norm with dropout. `[T, D]` both.
    fn embed(&self, batch: &Batch, dropout_key: Option<u64>) -> (Buffer, Buffer) {
        let tables = &self.params.embeddings;
        let mut lookups = vec![Lookup { table: tables.word.as_slice(), indices: batch.input_ids() }];
        if let Some(token_type) = &tables.token_type {
            lookups.push(Lookup { table: token_type.as_slice(), indices: batch.token_type_ids() });
        }
        lookups.push(Lookup { table: tables.position.as_slice(), indices: batch.position_ids() });
        let mut sum = embedding::forward(&lookups, self.spec.width);
        let mut out = Buffer::stale(sum.len());
        let job = AddNorm { x: &mut sum, residual: None, dropout: None, out: &mut out };
        layer_norm::forward(affine(&tables.norm, self.spec.norm_epsilon), job);
        if let Some(dropout) = self.embedding_dropout(dropout_key) {
            dropout::apply(dropout, &mut out, self.spec.width);
        }
        (sum, out)
    }

    fn embeddings_backward(&self, d: &[f32], batch: &Batch, gradients: &mut Gradients) {
        let width = self.spec.width;
        let Gradients { params, words, .. } = gradients;
        let gradient = &mut params.embeddings;
        let (rows, pad) = (words.rows_of(batch.input_ids()), words.row_of(self.spec.pad_token_id));
        embedding::backward(d, &rows, pad, gradient.word.as_mut_slice(), width);
        if let Some(token_type) = &mut gradient.token_type {
            embedding::backward(d, batch.token_type_ids(), None, token_type.as_mut_slice(), width);
        }
        if self.spec.positions == Positions::Learned {
            let padding = self.spec.padding_position();
            embedding::backward(d, batch.position_ids(), padding, gradient.position.as_mut_slice(), width);
        }
    }

    fn embedding_dropout(&self, key: Option<u64>) -> Option<Dropout> {
        key.and_then(|key| Dropout::new(self.spec.hidden_dropout, mix(key, EMBEDDINGS_SITE)))
    }

    /// `outputs`: of the last layer; all others serve all tokens.
    fn block<'b>(
        &'b self,
        layer: usize,
        row_starts: &'b [usize],
        dropout_key: Option<u64>,
        outputs: Queries,
    ) -> Block<'b> {
        let is_last = layer + 1 == self.spec.n_layers;
        Block {
            outputs: if is_last { outputs } else { Queries::All },
            spec: self.spec,
            layer: &self.params.layers[layer],
            packed: &self.packed.layers[layer],
            row_starts,
            precision: self.dtype.precision(),
            dropout_key: dropout_key.map(|key| mix(key, layer as u64)),
        }
    }
}
