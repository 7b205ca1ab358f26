//! New weights, as HuggingFace makes them: normal with the config's standard deviation, biases zero,
//! norms one and zero. Each tensor's numbers depend on the seed and its name alone.

use crate::params::Params;
use crate::spec::{EncoderSpec, Positions};
use bertlab_compute::Tensor;
use bertlab_compute::random::{Generator, mix};

/// Fills one tensor.
pub(crate) fn initialise(spec: &EncoderSpec, name: &str, tensor: &mut Tensor, seed: u64) {
    if name.ends_with("LayerNorm.weight") {
        tensor.as_mut_slice().fill(1.0);
    } else if name.ends_with("bias") {
        tensor.as_mut_slice().fill(0.0);
    } else if name.ends_with("position_embeddings.weight") && spec.positions == Positions::Sinusoidal {
        sinusoids(tensor);
    } else {
        let mut generator = Generator::new(name.bytes().fold(seed, |key, byte| mix(key, u64::from(byte))));
        for x in tensor.as_mut_slice() {
            *x = (generator.normal() * f64::from(spec.initializer_range)) as f32;
        }
        if name.ends_with("word_embeddings.weight") && (spec.pad_token_id as usize) < spec.vocab_size {
            tensor.row_mut(spec.pad_token_id as usize).fill(0.0);
        }
    }
}

/// Fills all tensors.
pub(crate) fn initialise_all(spec: &EncoderSpec, params: &mut Params, seed: u64) {
    for (name, tensor) in params.named_mut() {
        initialise(spec, &name, tensor, seed);
    }
}

/// Lets a learned table of positions begin as sinusoids, with the standard deviation of other new weights: places that
/// are near each other are alike from the first step on, where a random table has to learn that for every place.
pub(crate) fn order_positions(spec: &EncoderSpec, params: &mut Params) {
    let amplitude = spec.initializer_range * std::f32::consts::SQRT_2;
    for (name, table) in params.named_mut() {
        if name.ends_with("position_embeddings.weight") && spec.positions == Positions::Learned {
            sinusoids(table);
            table.as_mut_slice().iter_mut().for_each(|x| *x *= amplitude);
        }
    }
}

/// Lets a learned table of positions go on after the first `n_learnt` places with copies of these, again and again
/// (Beltagy et al. 2020, Longformer): what attention has learnt of near places holds within each copy.
pub(crate) fn repeat_positions(spec: &EncoderSpec, params: &mut Params, n_learnt: usize) {
    let (offset, n_places) = (spec.position_offset, spec.max_tokens());
    for (name, table) in params.named_mut() {
        if name.ends_with("position_embeddings.weight") && spec.positions == Positions::Learned {
            for place in n_learnt..n_places {
                let learnt = table.row(offset + place % n_learnt).to_vec();
                table.row_mut(offset + place).copy_from_slice(&learnt);
            }
        }
    }
}

/// sin and cos of position / 10000^(2 i / D) in turn (Vaswani et al. 2017).
fn sinusoids(table: &mut Tensor) {
    let width = table.width();
    for position in 0..table.n_rows() {
        for (column, x) in table.row_mut(position).iter_mut().enumerate() {
            let angle = position as f64 / 10_000f64.powf(2.0 * (column / 2) as f64 / width as f64);
            *x = if column % 2 == 0 { angle.sin() } else { angle.cos() } as f32;
        }
    }
}
