//! Layer norms: `y = (z - mean z) / √(var z + ε) · weight + bias` over the last axis.

use super::{Builder, walk_fields};
use crate::slot::{GradientSum, Initial, Parameter, Role};
use crate::spec::NormSpec;
use bertlab_compute::ops::dropout::Dropout;
use bertlab_compute::ops::layer_norm::{self, AddNorm, Affine, NormGradient};
use bertlab_compute::{Buffer, View};

impl NormSpec {
    pub(crate) fn build<P>(&self, width: usize, mut at: Builder<'_, P>) -> Norm<P> {
        Norm {
            weight: at.slot("weight", &[width], Role::NormWeight, Initial::Ones),
            bias: self.has_bias.then(|| at.slot("bias", &[width], Role::NormBias, Initial::Zeros)),
        }
    }
}

/// The parameters of a layer norm.
#[derive(Clone, Debug)]
pub struct Norm<P = Parameter> {
    /// `[D]`
    pub weight: P,
    /// `[D]`
    pub bias: Option<P>,
}

walk_fields!(Norm { weight, bias });

impl Norm {
    /// Of `dropout(x) + residual`, which is left in `x` for the backward pass. `[T, D]`
    pub(crate) fn forward(
        &self,
        epsilon: f32,
        x: &mut Buffer,
        residual: Option<View<'_>>,
        dropout: Option<Dropout>,
    ) -> Buffer {
        let mut out = Buffer::uninitialised(x.device(), x.len());
        let job = AddNorm { x: x.view_mut(), residual, dropout, out: out.view_mut() };
        layer_norm::forward(self.affine(epsilon), job);
        out
    }

    /// `d_y` to `d_z` in place; adds to the norm's gradients, if it is not frozen.
    pub(crate) fn backward(
        &self,
        epsilon: f32,
        z: View<'_>,
        d: &mut Buffer,
        gradient: Option<&mut Norm<GradientSum>>,
    ) {
        let (d_weight, d_bias) = match gradient {
            Some(Norm { weight, bias }) => {
                (Some(weight.view_mut()), bias.as_mut().map(|bias| bias.view_mut()))
            }
            None => (None, None),
        };
        let job = NormGradient { z, d: d.view_mut(), d_weight, d_bias };
        layer_norm::backward(self.affine(epsilon), job);
    }

    fn affine(&self, epsilon: f32) -> Affine<'_> {
        let bias = self.bias.as_ref().map(|bias| bias.view());
        Affine { weight: self.weight.view(), bias, epsilon }
    }
}
