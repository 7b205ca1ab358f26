//! All of a model's dense layers, packed for the kernels.

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
#[derive(Clone)]
pub(crate) struct Packed {
    pub layers: Vec<PackedLayer>,
    pub pooler: Option<PackedLinear>,
    pub classifier: Option<PackedLinear>,
    pub predictions_dense: Option<PackedLinear>,
    /// `[D, V]`: the word embedding where they are tied
    pub decoder: Option<PackedLinear>,
    pub relationship: Option<PackedLinear>,
}

impl Packed {
    /// Packs every dense layer; `for_training` for the backward pass too.
    /// The parts over rows stay in f32: they cost nothing, and decide.
    pub(crate) fn new(params: &Params, precision: Precision, for_training: bool) -> Self {
        let pack = |linear: &Linear| PackedLinear::new(&[linear], precision, for_training);
        let pack_exactly = |linear: &Linear| PackedLinear::new(&[linear], Precision::F32, for_training);
        let layer = |layer: &Layer| PackedLayer {
            qkv: PackedLinear::new(&[&layer.query, &layer.key, &layer.value], precision, for_training),
            attention_output: pack(&layer.attention_output),
            intermediate: pack(&layer.intermediate),
            output: pack(&layer.output),
        };
        Self {
            layers: params.layers.iter().map(layer).collect(),
            pooler: params.pooler.as_ref().map(pack_exactly),
            classifier: params.classifier.as_ref().map(pack_exactly),
            predictions_dense: params.predictions.as_ref().map(|predictions| pack(&predictions.dense)),
            decoder: params.predictions.as_ref().map(|predictions| {
                let weight = predictions.decoder.as_ref().unwrap_or(&params.embeddings.word);
                pack(&Linear { weight: weight.clone(), bias: predictions.bias.clone() })
            }),
            relationship: params.relationship.as_ref().map(pack_exactly),
        }
    }
}
