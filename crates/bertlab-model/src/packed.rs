//! All of a model's dense layers, packed for the kernels.

use crate::dtype::ComputeDtype;
use crate::heads::predictions::PackedPredictions;
use crate::layers::block::PackedLayer;
use crate::layers::linear::{Linear, PackedLinear};
use crate::params::Params;

/// All dense parts.
#[derive(Clone)]
pub(crate) struct Packed {
    pub layers: Vec<PackedLayer>,
    pub pooler: Option<PackedLinear>,
    pub classifier: Option<PackedLinear>,
    pub predictions: Option<PackedPredictions>,
    pub relationship: Option<PackedLinear>,
}

impl Packed {
    /// Packs every dense layer.
    /// The parts over rows stay in f32: they cost nothing, and decide.
    pub(crate) fn new(params: &Params, dtype: ComputeDtype) -> Self {
        let exactly = |linear: &Linear| PackedLinear::new(&[linear.into()], ComputeDtype::F32);
        Self {
            layers: params.layers.iter().map(|layer| PackedLayer::new(layer, dtype)).collect(),
            pooler: params.pooler.as_ref().map(|pooler| exactly(&pooler.dense)),
            classifier: params.classifier.as_ref().map(exactly),
            predictions: PackedPredictions::new(params, dtype.of_words()),
            relationship: params.relationship.as_ref().map(exactly),
        }
    }

    /// Packs the weights of the layers from `first_layer` on, and of what stands on the encoder, again in the same
    /// memory: the weights are shaped as those that were packed.
    pub(crate) fn fill(&mut self, params: &Params, first_layer: usize) {
        let layers = self.layers.iter_mut().zip(&params.layers).skip(first_layer);
        layers.for_each(|(packed, layer)| packed.fill(layer));
        if let Some(packed) = &mut self.predictions {
            packed.fill(params);
        }
        let parts = [
            (&mut self.pooler, params.pooler.as_ref().map(|pooler| &pooler.dense)),
            (&mut self.classifier, params.classifier.as_ref()),
            (&mut self.relationship, params.relationship.as_ref()),
        ];
        for (packed, linear) in parts {
            if let (Some(packed), Some(linear)) = (packed, linear) {
                packed.fill(&[linear.into()]);
            }
        }
    }
}
