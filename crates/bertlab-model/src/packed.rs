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
            qkv: pack(&[&layer.query, &layer.key, &layer.value]),
            attention_output: pack(&[&layer.attention_output]),
            intermediate: pack(&[&layer.intermediate]),
            output: pack(&[&layer.output]),
        }
    }
}

impl Packed {
    /// Packs every dense layer.
    pub(crate) fn new(params: &Params, packing: Packing) -> Self {
        let mut packed = Self::default();
        packed.pack(params, packing, 0);
        packed
    }

    /// Packs anew what is not frozen.
    pub(crate) fn renew(&mut self, params: &Params, packing: Packing) {
        self.pack(params, packing, packing.frozen.n_layers);
    }

    /// Packs the layers from the first of these on, and what stands on the encoder.
    /// The parts over rows stay in f32: they cost nothing, and decide.
    fn pack(&mut self, params: &Params, packing: Packing, first_layer: usize) {
        let Packing { precision, for_training, .. } = packing;
        let pack = |linear: &Linear| PackedLinear::new(&[linear], precision, for_training);
        let pack_exactly = |linear: &Linear| PackedLinear::new(&[linear], Precision::F32, for_training);
        self.layers.truncate(first_layer);
        let layers = params.layers.iter().enumerate().skip(first_layer);
        self.layers.extend(layers.map(|(index, layer)| packing.layer(index, layer)));
        self.pooler = params.pooler.as_ref().map(pack_exactly);
        self.classifier = params.classifier.as_ref().map(pack_exactly);
        self.predictions_dense = params.predictions.as_ref().map(|predictions| pack(&predictions.dense));
        self.decoder = params.predictions.as_ref().map(|predictions| {
            let weight = predictions.decoder.as_ref().unwrap_or(&params.embeddings.word);
            pack(&Linear { weight: weight.clone(), bias: predictions.bias.clone() })
        });
        self.relationship = params.relationship.as_ref().map(pack_exactly);
    }
}
