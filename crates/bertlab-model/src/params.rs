//! All weights of a model, as plain structs; or the sums of their gradients, in the same structs.

use crate::heads::predictions::Predictions;
use crate::layers::block::Layer;
use crate::layers::embeddings::Embeddings;
use crate::layers::linear::Linear;
use crate::layers::norm::Norm;
use crate::layers::transform::Transform;
use crate::layers::{Builder, Walk, walk_fields};
use crate::slot::{Parameter, Place, Slot};
use crate::spec::{NormPlace, Spec};
use bertlab_compute::Tensor;

/// All weights of a model.
#[derive(Clone, Debug)]
pub struct Params<P = Parameter> {
    /// The tables at the bottom.
    pub embeddings: Embeddings<P>,
    /// L layers.
    pub layers: Vec<Layer<P>>,
    /// After the last layer.
    pub final_norm: Option<Norm<P>>,
    /// The transform over what the head reads.
    pub pooler: Option<Transform<P>>,
    /// `[C, D]`
    pub classifier: Option<Linear<P>>,
    /// The masked-LM head.
    pub predictions: Option<Predictions<P>>,
    /// Next sentence: `[2, D]`
    pub relationship: Option<Linear<P>>,
}

walk_fields!(Params { embeddings, layers, final_norm, pooler, classifier, predictions, relationship });

impl<P: Walk<P>> Params<P> {
    /// Fills every slot that a model has, in BERT's order.
    pub(crate) fn build(spec: &Spec, make: &mut dyn FnMut(Slot) -> P) -> Self {
        let (encoder, head) = (&spec.encoder, Place::Head);
        let embeddings = Embeddings::build(encoder, Builder::new("embeddings", Place::Embeddings, make));
        let mut layer = |index: usize| {
            let name = format!("encoder.layer.{index}");
            encoder.block(index).build(Builder::new(&name, Place::Layer(index), make))
        };
        let layers = (0..encoder.n_layers).map(&mut layer).collect();
        let final_norm = (encoder.norms.place != NormPlace::Post).then(|| {
            let at = Builder::new("encoder.final_norm", Place::FinalNorm, make);
            encoder.norms.build(encoder.width, at)
        });
        let pooler = spec.pooler().map(|it| it.build(Builder::new("pooler", head, make)));
        let classifier = spec.classifier().map(|it| it.build(Builder::new("classifier", head, make)));
        let predictions = spec.predictions().map(|it| it.build(Builder::new("cls.predictions", head, make)));
        let relationship =
            spec.relationship().map(|it| it.build(Builder::new("cls.seq_relationship", head, make)));
        Self { embeddings, layers, final_norm, pooler, classifier, predictions, relationship }
    }

    /// What stands in every slot, in order.
    pub(crate) fn all(&self) -> Vec<&P> {
        let mut all = Vec::new();
        self.walk(&mut all);
        all
    }

    /// As [`Self::all`], to be changed.
    pub(crate) fn all_mut(&mut self) -> Vec<&mut P> {
        let mut all = Vec::new();
        self.walk_mut(&mut all);
        all
    }
}

impl Params {
    /// Zeros of the right shapes.
    pub fn zeros(spec: &Spec) -> Self {
        Self::build(spec, &mut Parameter::zeros)
    }

    /// Every weight, in BERT's order.
    pub fn weights(&self) -> Vec<&Parameter> {
        self.all()
    }

    /// As [`Self::weights`], to be changed.
    pub fn weights_mut(&mut self) -> Vec<&mut Parameter> {
        self.all_mut()
    }

    /// Every tensor with its canonical name, in BERT's order.
    pub fn named(&self) -> Vec<(String, &Tensor)> {
        self.all().into_iter().map(|weight| (weight.slot().name.clone(), &**weight)).collect()
    }

    /// The decoder over the vocabulary, where there is a masked-LM head: the word embedding where that serves. `[V, D]`
    pub fn decoder(&self) -> Option<&Tensor> {
        let predictions = self.predictions.as_ref()?;
        Some(predictions.decoder.as_ref().unwrap_or(&self.embeddings.word))
    }

    /// How many numbers there are.
    pub fn n_parameters(&self) -> usize {
        self.all().iter().map(|weight| weight.len()).sum()
    }
}

impl Spec {
    /// Every slot of the model, in BERT's order, without a tensor.
    pub fn slots(&self) -> Vec<Slot> {
        let mut slots = Vec::new();
        Params::build(self, &mut |slot| Unfilled(slots.push(slot)));
        slots
    }
}

/// Stands in a slot of which only the description is wanted.
struct Unfilled(());

impl Walk<Self> for Unfilled {
    fn walk<'a>(&'a self, _: &mut Vec<&'a Self>) {}
    fn walk_mut<'a>(&'a mut self, _: &mut Vec<&'a mut Self>) {}
}
