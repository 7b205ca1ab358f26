//! Layer norms: `y = (z - mean z) / √(var z + ε) · weight + bias` over the last axis.

use super::{Builder, walk_fields};
use crate::slot::{GradientSum, Initial, Parameter, Role};
use bertlab_compute::Buffer;
use bertlab_compute::ops::dropout::Dropout;
use bertlab_compute::ops::layer_norm::{self, AddNorm, Affine, NormGradient};

/// The parameters of a layer norm.
#[derive(Clone, Debug)]
pub struct Norm<P = Parameter> {
    /// `[D]`
    pub weight: P,
    /// `[D]`
    pub bias: P,
}

walk_fields!(Norm { weight, bias });

impl<P> Norm<P> {
    pub(crate) fn build(width: usize, mut at: Builder<'_, P>) -> Self {
        Self {
            weight: at.slot("weight", &[width], Role::NormWeight, Initial::Ones),
            bias: at.slot("bias", &[width], Role::NormBias, Initial::Zeros),
        }
    }
}

impl Norm {
    /// Of `dropout(x) + residual`, which is left in `x` for the backward pass. `[T, D]`
    pub(crate) fn forward(
        &self,
        epsilon: f32,
        x: &mut [f32],
        residual: Option<&[f32]>,
        dropout: Option<Dropout>,
    ) -> Buffer {
        let mut out = Buffer::stale(x.len());
        layer_norm::forward(self.affine(epsilon), AddNorm { x, residual, dropout, out: &mut out });
        out
    }

    /// `d_y` to `d_z` in place; adds to the norm's gradients, if it is not frozen.
    pub(crate) fn backward(
        &self,
        epsilon: f32,
        z: &[f32],
        d: &mut [f32],
        gradient: Option<&mut Norm<GradientSum>>,
    ) {
        // The operation sums the norm's gradients on its way; of a frozen one they are thrown away.
        let mut unused;
        let (d_weight, d_bias) = match gradient {
            Some(Norm { weight, bias }) => (weight.as_mut_slice(), bias.as_mut_slice()),
            None => {
                unused = vec![0.0; 2 * self.weight.len()];
                unused.split_at_mut(self.weight.len())
            }
        };
        layer_norm::backward(self.affine(epsilon), NormGradient { z, d, d_weight, d_bias });
    }

    fn affine(&self, epsilon: f32) -> Affine<'_> {
        Affine { weight: self.weight.as_slice(), bias: self.bias.as_slice(), epsilon }
    }
}
