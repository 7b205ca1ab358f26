//! The transform over what a head reads: BERT's pooler, DistilBERT's pre_classifier, the dense layer of RoBERTa's
//! classifier, ModernBERT's prediction head.

use super::{Head, SITE_BEFORE_POOLER};
use crate::layers::linear::LinearSpec;
use crate::layers::transform::{KeptTransform, TransformPart, TransformSpec};
use crate::params::Params;
use crate::slot::GradientSum;
use crate::spec::Spec;
use bertlab_compute::Tensor;
use bertlab_compute::ops::dropout::{self, Dropout};

impl Spec {
    /// The transform over what the head reads, where there is one.
    pub(crate) fn pooler(&self) -> Option<TransformSpec> {
        let pooler = self.head.pooler?;
        Some(TransformSpec {
            dense: self.head_dense(pooler.has_bias),
            activation: pooler.activation,
            norm: pooler.has_norm.then_some(self.encoder.norms),
        })
    }

    /// The dense layer of a transform.
    pub(super) fn head_dense(&self, has_bias: bool) -> LinearSpec {
        let (width, initial) = (self.encoder.width, self.encoder.initial_of_outputs());
        LinearSpec { n_inputs: width, n_outputs: width, has_bias, initial }
    }
}

pub(super) struct KeptPooler {
    /// After dropout. `[n, D]`
    input: Tensor,
    transform: KeptTransform,
    dropout: Option<Dropout>,
}

impl Head<'_> {
    /// `[n, D]` to `[n, D]`, where there is a pooler.
    pub(super) fn pool(&self, x: &Tensor, key: Option<u64>) -> Option<(Tensor, KeptPooler)> {
        let (spec, part) = (self.spec.head.pooler?, self.pooler()?);
        let mut input = x.clone();
        let dropout = Self::key(key, SITE_BEFORE_POOLER).and_then(|key| Dropout::new(spec.dropout, key));
        if let Some(dropout) = dropout {
            dropout::apply(dropout, &mut input, self.spec.encoder.width);
        }
        let (out, transform) = part.forward(input.view());
        Some((Tensor::from_buffer(input.shape(), out), KeptPooler { input, transform, dropout }))
    }

    pub(super) fn pool_backward(
        &self,
        d_pooled: Tensor,
        kept: KeptPooler,
        gradients: &mut Params<GradientSum>,
    ) -> Tensor {
        let part = self.pooler().expect("what was kept was computed");
        let gradients = gradients.pooler.as_mut().expect("gradients have the weights' structure");
        let d = part.backward(d_pooled.into_buffer(), kept.input.view(), kept.transform, gradients);
        let mut d_input = Tensor::from_buffer(kept.input.shape(), d);
        if let Some(dropout) = kept.dropout {
            dropout::apply(dropout, &mut d_input, self.spec.encoder.width);
        }
        d_input
    }

    fn pooler(&self) -> Option<TransformPart<'_>> {
        let (params, packed) = (self.params.pooler.as_ref()?, self.packed.pooler.as_ref()?);
        Some(TransformPart { spec: self.spec.pooler()?, params, packed })
    }
}
