//! All of a model's dense layers, packed for the kernels.

use crate::dtype::ComputeDtype;
use crate::linear::{Dense, PackedLinear};
use crate::params::{Layer, Linear, Params};

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

impl PackedLayer {
    fn new(layer: &Layer, dtype: ComputeDtype) -> Self {
        let pack = |linear: &Linear| PackedLinear::new(&[linear.into()], dtype);
        Self {
            qkv: PackedLinear::new(&qkv(layer), dtype),
            attention_output: pack(&layer.attention_output),
            intermediate: pack(&layer.intermediate),
            output: pack(&layer.output),
        }
    }

    fn fill(&mut self, layer: &Layer) {
        self.qkv.fill(&qkv(layer));
        self.attention_output.fill(&[(&layer.attention_output).into()]);
        self.intermediate.fill(&[(&layer.intermediate).into()]);
        self.output.fill(&[(&layer.output).into()]);
    }
}

impl Packed {
    /// Packs every dense layer.
    /// The parts over rows stay in f32: they cost nothing, and decide.
    pub(crate) fn new(params: &Params, dtype: ComputeDtype) -> Self {
        let pack = |dense: Dense<'_>| PackedLinear::new(&[dense], dtype.of_words());
        let pack_exactly = |linear: &Linear| PackedLinear::new(&[linear.into()], ComputeDtype::F32);
        Self {
            layers: params.layers.iter().map(|layer| PackedLayer::new(layer, dtype)).collect(),
            pooler: params.pooler.as_ref().map(pack_exactly),
            classifier: params.classifier.as_ref().map(pack_exactly),
            predictions_dense: params
                .predictions
                .as_ref()
                .map(|predictions| pack((&predictions.dense).into())),
            decoder: decoder(params).map(pack),
            relationship: params.relationship.as_ref().map(pack_exactly),
        }
    }

    /// Takes over the weights of the layers from `first_layer` on, and of what stands on the encoder, in the same
    /// memory: the weights are shaped as those that were packed.
    pub(crate) fn fill(&mut self, params: &Params, first_layer: usize) {
        let layers = self.layers.iter_mut().zip(&params.layers).skip(first_layer);
        layers.for_each(|(packed, layer)| packed.fill(layer));
        let parts = [
            (&mut self.pooler, params.pooler.as_ref().map(Dense::from)),
            (&mut self.classifier, params.classifier.as_ref().map(Dense::from)),
            (&mut self.predictions_dense, params.predictions.as_ref().map(|part| (&part.dense).into())),
            (&mut self.decoder, decoder(params)),
            (&mut self.relationship, params.relationship.as_ref().map(Dense::from)),
        ];
        for (packed, dense) in parts {
            if let (Some(packed), Some(dense)) = (packed, dense) {
                packed.fill(&[dense]);
            }
        }
    }
}

fn qkv(layer: &Layer) -> [Dense<'_>; 3] {
    [&layer.query, &layer.key, &layer.value].map(Dense::from)
}

/// The layer over the vocabulary, where there is a masked-LM part.
fn decoder(params: &Params) -> Option<Dense<'_>> {
    let predictions = params.predictions.as_ref()?;
    Some(Dense { weight: params.decoder()?, bias: &predictions.bias })
}
