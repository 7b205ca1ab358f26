//! All of a model's dense layers, packed for the kernels.

use crate::frozen::Frozen;
use crate::linear::PackedLinear;
use crate::params::{Layer, Linear, Params};
use bertlab_compute::ops::matmul::Precision;

/// One layer's dense parts.
#[derive(Clone)]
pub(crate) struct PackedLayer {
    /// Query, key and value side by side: `[D, 3 D]`
    pub qkv: PackedLinear,
    pub attention_output: PackedLinear,
    pub intermediate: PackedLinear,
    pub output: PackedLinear,
}

/// All dense parts.
#[derive(Clone, Default)]
pub(crate) struct Packed {
    pub layers: Vec<PackedLayer>,
    pub pooler: Option<PackedLinear>,
    pub classifier: Option<PackedLinear>,
    pub predictions_dense: Option<PackedLinear>,
    /// `[D, V]`: the word embedding where they are tied
    pub decoder: Option<PackedLinear>,
    pub relationship: Option<PackedLinear>,
}

/// How weights are packed.
#[derive(Clone, Copy)]
pub(crate) struct Packing {
    pub precision: Precision,
    /// Also for the backward pass, as far down as it goes.
    pub for_training: bool,
    pub frozen: Frozen,
}

impl Packing {
    fn layer(self, index: usize, layer: &Layer) -> PackedLayer {
        let for_training = self.for_training && index >= self.frozen.lowest_layer();
        let pack = |parts: &[&Linear]| PackedLinear::new(parts, self.precision, for_training);
        PackedLayer {
            qkv: pack(&qkv(layer)),
            attention_output: pack(&[&layer.attention_output]),
            intermediate: pack(&[&layer.intermediate]),
            output: pack(&[&layer.output]),
        }
    }
}

impl PackedLayer {
    fn fill(&mut self, layer: &Layer) {
        self.qkv.fill(&qkv(layer));
        self.attention_output.fill(&[&layer.attention_output]);
        self.intermediate.fill(&[&layer.intermediate]);
        self.output.fill(&[&layer.output]);
    }
}

impl Packed {
    /// Packs every dense layer.
    /// The parts over rows stay in f32: they cost nothing, and decide.
    pub(crate) fn new(params: &Params, packing: Packing) -> Self {
        let Packing { precision, for_training, .. } = packing;
        let pack = |linear: &Linear| PackedLinear::new(&[linear], precision, for_training);
        let pack_exactly = |linear: &Linear| PackedLinear::new(&[linear], Precision::F32, for_training);
        let layers = params.layers.iter().enumerate();
        Self {
            layers: layers.map(|(index, layer)| packing.layer(index, layer)).collect(),
            pooler: params.pooler.as_ref().map(pack_exactly),
            classifier: params.classifier.as_ref().map(pack_exactly),
            predictions_dense: params.predictions.as_ref().map(|predictions| pack(&predictions.dense)),
            decoder: decoder(params).as_ref().map(pack),
            relationship: params.relationship.as_ref().map(pack_exactly),
        }
    }

    /// Takes over the weights of the layers from `first_layer` on, and of what stands on the encoder, in the same
    /// memory: the weights are shaped as those that were packed.
    pub(crate) fn fill(&mut self, params: &Params, first_layer: usize) {
        let layers = self.layers.iter_mut().zip(&params.layers).skip(first_layer);
        layers.for_each(|(packed, layer)| packed.fill(layer));
        let (predictions, decoder) = (params.predictions.as_ref(), decoder(params));
        let parts = [
            (&mut self.pooler, params.pooler.as_ref()),
            (&mut self.classifier, params.classifier.as_ref()),
            (&mut self.predictions_dense, predictions.map(|predictions| &predictions.dense)),
            (&mut self.decoder, decoder.as_ref()),
            (&mut self.relationship, params.relationship.as_ref()),
        ];
        for (packed, linear) in parts {
            if let (Some(packed), Some(linear)) = (packed, linear) {
                packed.fill(&[linear]);
            }
        }
    }
}

fn qkv(layer: &Layer) -> [&Linear; 3] {
    [&layer.query, &layer.key, &layer.value]
}

/// The layer over the vocabulary, where there is a masked-LM part.
fn decoder(params: &Params) -> Option<Linear> {
    let predictions = params.predictions.as_ref()?;
    let weight = predictions.decoder.as_ref().unwrap_or(&params.embeddings.word);
    Some(Linear { weight: weight.clone(), bias: predictions.bias.clone() })
}
