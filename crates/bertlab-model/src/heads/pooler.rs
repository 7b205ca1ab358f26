//! The dense layer over a row's first token: BERT's pooler, DistilBERT's pre_classifier, the dense layer
//! of RoBERTa's classifier.

use super::{Head, SITE_BEFORE_POOLER};
use crate::layers::linear::LinearSpec;
use crate::params::Params;
use crate::slot::GradientSum;
use crate::spec::Spec;
use bertlab_compute::ops::activation;
use bertlab_compute::ops::dropout::{self, Dropout};
use bertlab_compute::{Buffer, Tensor};

impl Spec {
    /// The dense layer over a row's first token, where there is one.
    pub(crate) fn pooler(&self) -> Option<LinearSpec> {
        let width = self.encoder.width;
        let initial = self.encoder.initial();
        self.head.pooler.map(|_| LinearSpec { n_inputs: width, n_outputs: width, initial })
    }
}

pub(super) struct KeptPooler {
    /// After dropout. `[B, D]`
    input: Buffer,
    /// Before the activation. `[B, D]`
    dense: Buffer,
    dropout: Option<Dropout>,
}

impl Head<'_> {
    /// `[B, D]`, where there is a pooler.
    pub(super) fn pool(
        &self,
        hidden: &Tensor,
        firsts: &[usize],
        key: Option<u64>,
    ) -> Option<(Tensor, KeptPooler)> {
        let (spec, packed) = (self.spec.head.pooler?, self.packed.pooler.as_ref()?);
        let mut input = hidden.gather_rows(firsts).into_buffer();
        let width = self.spec.encoder.width;
        let dropout = Self::key(key, SITE_BEFORE_POOLER).and_then(|key| Dropout::new(spec.dropout, key));
        if let Some(dropout) = dropout {
            dropout::apply(dropout, &mut input, width);
        }
        let (out, dense) = packed.forward_activated_keeping(&input, spec.activation);
        Some((Tensor::from_buffer(&[firsts.len(), width], out), KeptPooler { input, dense, dropout }))
    }

    pub(super) fn pool_backward(
        &self,
        d_pooled: Tensor,
        mut kept: KeptPooler,
        firsts: &[usize],
        gradients: &mut Params<GradientSum>,
        d_hidden: &mut Tensor,
    ) {
        let (Some(spec), Some(packed)) = (self.spec.head.pooler, &self.packed.pooler) else { return };
        let (Some(params), Some(gradient)) = (&self.params.pooler, &mut gradients.pooler) else { return };
        let mut d = d_pooled.into_buffer();
        activation::backward(spec.activation, &mut kept.dense, &mut d);
        packed.add_gradients(&d, &kept.input, [gradient]);
        let mut d_input = packed.backward(&d, &[&params.weight]);
        if let Some(dropout) = kept.dropout {
            dropout::apply(dropout, &mut d_input, self.spec.encoder.width);
        }
        let d_input = Tensor::from_buffer(&[firsts.len(), self.spec.encoder.width], d_input);
        d_hidden.scatter_add_rows(firsts, &d_input);
    }
}
