//! A dense layer over rows or tokens, with dropout before it: sequence and token classification,
//! question answering, next sentence.

use super::{Head, SITE_BEFORE_CLASSIFIER};
use crate::layers::linear::{Linear, LinearSpec, PackedLinear};
use crate::params::Params;
use crate::slot::GradientSum;
use crate::spec::{HeadKind, Spec};
use bertlab_compute::Tensor;
use bertlab_compute::ops::dropout::{self, Dropout};

impl Spec {
    /// The classifier, where there is one.
    pub(crate) fn classifier(&self) -> Option<LinearSpec> {
        let n_outputs = self.head.n_outputs();
        (n_outputs > 0).then(|| self.answers(n_outputs))
    }

    /// The next-sentence part, where there is one.
    pub(crate) fn relationship(&self) -> Option<LinearSpec> {
        (self.head.kind == HeadKind::PreTraining).then(|| self.answers(2))
    }

    fn answers(&self, n_outputs: usize) -> LinearSpec {
        let (n_inputs, initial) = (self.encoder.width, self.encoder.initial_of_classifiers());
        LinearSpec { n_inputs, n_outputs, has_bias: true, initial }
    }
}

pub(super) struct KeptClassifier {
    /// After dropout. `[rows, D]`
    input: Tensor,
    dropout: Option<Dropout>,
}

impl Head<'_> {
    /// `x [rows, D]` to `[rows, C]`, where there is a classifier.
    pub(super) fn classify(&self, x: &Tensor, key: Option<u64>) -> Option<(Tensor, KeptClassifier)> {
        let packed = self.packed.classifier.as_ref()?;
        let dropout =
            Self::key(key, SITE_BEFORE_CLASSIFIER).and_then(|key| Dropout::new(self.spec.head.dropout, key));
        Some(forward(packed, x, dropout))
    }

    pub(super) fn classify_backward(
        &self,
        d_logits: &Tensor,
        kept: KeptClassifier,
        gradients: &mut Params<GradientSum>,
    ) -> Tensor {
        let dense = (self.packed.classifier.as_ref(), self.params.classifier.as_ref());
        backward(dense, d_logits, kept, gradients.classifier.as_mut())
    }

    /// `pooled [B, D]` to `[B, 2]`, where there is a next-sentence part.
    pub(super) fn relate(&self, pooled: &Tensor) -> Option<(Tensor, KeptClassifier)> {
        Some(forward(self.packed.relationship.as_ref()?, pooled, None))
    }

    pub(super) fn relate_backward(
        &self,
        d_logits: &Tensor,
        kept: KeptClassifier,
        gradients: &mut Params<GradientSum>,
    ) -> Tensor {
        let dense = (self.packed.relationship.as_ref(), self.params.relationship.as_ref());
        backward(dense, d_logits, kept, gradients.relationship.as_mut())
    }
}

fn forward(packed: &PackedLinear, x: &Tensor, dropout: Option<Dropout>) -> (Tensor, KeptClassifier) {
    let mut input = x.clone();
    if let Some(dropout) = dropout {
        let width = input.width();
        dropout::apply(dropout, &mut input, width);
    }
    let logits = packed.forward(input.view());
    let n_rows = input.n_rows();
    let n_outputs = logits.len() / n_rows.max(1);
    (Tensor::from_buffer(&[n_rows, n_outputs], logits), KeptClassifier { input, dropout })
}

/// `dense`: the layer, packed and as it lies.
fn backward(
    dense: (Option<&PackedLinear>, Option<&Linear>),
    d_logits: &Tensor,
    kept: KeptClassifier,
    gradient: Option<&mut Linear<GradientSum>>,
) -> Tensor {
    let (Some(packed), Some(linear)) = dense else { unreachable!("what was kept was computed") };
    let gradient = gradient.expect("gradients have the weights' structure");
    packed.add_gradients(d_logits.view(), kept.input.view(), [gradient]);
    let mut d = Tensor::from_buffer(kept.input.shape(), packed.backward(d_logits.view(), &[&linear.weight]));
    if let Some(dropout) = kept.dropout {
        let width = d.width();
        dropout::apply(dropout, &mut d, width);
    }
    d
}
