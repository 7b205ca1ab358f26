//! Layer norms: `y = (z - mean z) / √(var z + ε) · weight + bias` over the last axis.

use super::{Builder, walk_fields};
use crate::slot::{GradientSum, Initial, Parameter, Role};
use crate::spec::NormSpec;
use bertlab_compute::Buffer;
use bertlab_compute::ops::dropout::Dropout;
use bertlab_compute::ops::layer_norm::{self, AddNorm, Affine, NormGradient};

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
        x: &mut [f32],
        residual: Option<&[f32]>,
        dropout: Option<Dropout>,
    ) -> Buffer {
        let mut out = Buffer::stale(x.len());
        let job = AddNorm { x, residual, dropout, out: &mut out };
        layer_norm::forward(self.affine(epsilon, &self.no_bias()), job);
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
        // The operation sums both gradients on its way; what is frozen or not there is thrown away.
        let mut unused = vec![0.0; 2 * self.weight.len()];
        let (mut d_weight, mut d_bias) = unused.split_at_mut(self.weight.len());
        if let Some(Norm { weight, bias }) = gradient {
            d_weight = weight.as_mut_slice();
            d_bias = bias.as_mut().map_or(d_bias, |bias| bias.as_mut_slice());
        }
        let job = NormGradient { z, d, d_weight, d_bias };
        layer_norm::backward(self.affine(epsilon, &self.no_bias()), job);
    }

    fn affine<'a>(&'a self, epsilon: f32, no_bias: &'a [f32]) -> Affine<'a> {
        let bias = self.bias.as_ref().map_or(no_bias, |bias| bias.as_slice());
        Affine { weight: self.weight.as_slice(), bias, epsilon }
    }

    /// What serves as bias where there is none.
    fn no_bias(&self) -> Vec<f32> {
        if self.bias.is_some() { Vec::new() } else { vec![0.0; self.weight.len()] }
    }
}
