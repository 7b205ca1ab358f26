//! The transform of a head: a dense layer, an activation, and perhaps a norm.

use super::linear::{Linear, LinearSpec, PackedLinear};
use super::norm::Norm;
use super::{Builder, walk_fields};
use crate::slot::{GradientSum, Parameter};
use crate::spec::NormSpec;
use bertlab_compute::ops::activation::{self, Activation};
use bertlab_compute::{Buffer, View};

/// What a transform is made of.
#[derive(Clone, Copy)]
pub(crate) struct TransformSpec {
    pub dense: LinearSpec,
    pub activation: Activation,
    pub norm: Option<NormSpec>,
}

impl TransformSpec {
    pub(crate) fn build<P>(&self, mut at: Builder<'_, P>) -> Transform<P> {
        Transform {
            dense: self.dense.build(at.at("dense")),
            norm: self.norm.map(|norm| norm.build(self.dense.n_outputs, at.at("LayerNorm"))),
        }
    }

    /// Numbers kept of every row: the input, and those before the activation, the norm and what follows.
    pub(crate) fn kept(&self) -> usize {
        self.dense.n_inputs + self.dense.n_outputs * if self.norm.is_some() { 3 } else { 2 }
    }
}

/// The parameters of a transform.
#[derive(Clone, Debug)]
pub struct Transform<P = Parameter> {
    /// `[D, D]`
    pub dense: Linear<P>,
    /// After the activation.
    pub norm: Option<Norm<P>>,
}

walk_fields!(Transform { dense, norm });

/// What the forward pass leaves for the backward pass, beside the input.
pub(crate) struct KeptTransform {
    /// Before the activation. `[n, D]`
    dense: Buffer,
    /// Before the norm, where there is one. `[n, D]`
    activated: Option<Buffer>,
}

/// A transform, ready to run.
pub(crate) struct TransformPart<'a> {
    pub spec: TransformSpec,
    pub params: &'a Transform,
    pub packed: &'a PackedLinear,
}

impl TransformPart<'_> {
    /// `[n, D]` to `[n, D]`
    pub(crate) fn forward(&self, x: View<'_>) -> (Buffer, KeptTransform) {
        let (mut activated, dense) = self.packed.forward_activated_keeping(x, self.spec.activation);
        let (Some(norm), Some(spec)) = (&self.params.norm, self.spec.norm) else {
            return (activated, KeptTransform { dense, activated: None });
        };
        let out = norm.forward(spec.epsilon, &mut activated, None, None);
        (out, KeptTransform { dense, activated: Some(activated) })
    }

    /// `d [n, D]` of the output to that of the input, `x`; adds to the gradients.
    pub(crate) fn backward(
        &self,
        mut d: Buffer,
        x: View<'_>,
        kept: KeptTransform,
        gradients: &mut Transform<GradientSum>,
    ) -> Buffer {
        let KeptTransform { mut dense, activated } = kept;
        if let (Some(norm), Some(spec), Some(activated)) = (&self.params.norm, self.spec.norm, activated) {
            norm.backward(spec.epsilon, activated.view(), &mut d, gradients.norm.as_mut());
        }
        activation::backward(self.spec.activation, &mut dense, &mut d);
        self.packed.add_gradients(d.view(), x, [&mut gradients.dense]);
        self.packed.backward(d.view(), &[&self.params.dense.weight])
    }
}
