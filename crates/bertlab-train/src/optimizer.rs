//! AdamW over all of a model's weights, with HuggingFace's two groups: biases and norms do not decay.

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use bertlab_checkpoint::{NamedArray, read_safetensors, write_safetensors};
use bertlab_compute::ops::adamw::{self, AdamW, Moments};
use bertlab_compute::ops::sum::sum_of_squares;
use bertlab_model::{Model, Params, Positions, Spec};
use std::collections::HashMap;
use std::path::Path;

/// The optimizer's file in a checkpoint.
const FILE_NAME: &str = "optimizer.safetensors";
/// The array that holds how many updates were made.
const STEP: &str = "step";
/// PyTorch's names of the first and the second moments.
const MOMENTS: [&str; 2] = ["exp_avg", "exp_avg_sq"];

/// The optimizer's memory.
pub struct Optimizer {
    first: Params,
    second: Params,
    n_steps: u64,
    settings: AdamW,
    /// A table of sines and cosines is no weight.
    has_fixed_positions: bool,
}

impl Optimizer {
    /// For a model of this shape.
    pub fn new(spec: &Spec, arguments: &TrainingArguments) -> Self {
        let settings = AdamW {
            learning_rate: 0.0,
            beta1: arguments.adam_beta1,
            beta2: arguments.adam_beta2,
            epsilon: arguments.adam_epsilon,
            weight_decay: arguments.weight_decay,
            gradient_scale: 1.0,
            step: 0,
        };
        Self {
            first: Params::zeros(spec),
            second: Params::zeros(spec),
            n_steps: 0,
            settings,
            has_fixed_positions: spec.encoder.positions == Positions::Sinusoidal,
        }
    }

    /// Updates made.
    pub fn n_steps(&self) -> u64 {
        self.n_steps
    }

    /// Writes both moments into a checkpoint, as `exp_avg` and `exp_avg_sq` of every weight's name in `model`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, checkpoint: &Path, model: &Model) -> Result<(), TrainError> {
        let mut arrays = vec![NamedArray::from_i64(STEP, [1], vec![self.n_steps as i64])];
        for (moment, params) in MOMENTS.iter().zip([&self.first, &self.second]) {
            arrays.extend(params.named().into_iter().map(|(name, tensor)| {
                let name = format!("{}.{moment}", model.name_of(&name));
                NamedArray::from_f32(name, tensor.shape(), tensor.as_slice().to_vec())
            }));
        }
        let metadata = [("format".to_owned(), "pt".to_owned())];
        Ok(write_safetensors(&checkpoint.join(FILE_NAME), &arrays, &metadata)?)
    }

    /// Reads what [`Self::write`] wrote for a model of the same shape.
    ///
    /// # Errors
    /// A file that is missing or damaged, or of another model.
    pub fn read(checkpoint: &Path, model: &Model, arguments: &TrainingArguments) -> Result<Self, TrainError> {
        let file = checkpoint.join(FILE_NAME);
        let damaged = |why: String| TrainError::DamagedCheckpoint { file: file.clone(), why };
        let arrays = read_safetensors(&file)?;
        let arrays: HashMap<&str, &NamedArray> =
            arrays.iter().map(|array| (array.name.as_str(), array)).collect();
        let mut optimizer = Self::new(&model.spec, arguments);
        let steps = arrays.get(STEP).map(|array| array.to_i64()).transpose()?.unwrap_or_default();
        let [n_steps] = steps[..] else { return Err(damaged(format!("it lacks the array {STEP}"))) };
        optimizer.n_steps = n_steps as u64;
        for (moment, params) in MOMENTS.iter().zip([&mut optimizer.first, &mut optimizer.second]) {
            for (name, tensor) in params.named_mut() {
                let name = format!("{}.{moment}", model.name_of(&name));
                let array = arrays.get(name.as_str()).filter(|array| array.shape == tensor.shape());
                let Some(array) = array else {
                    return Err(damaged(format!("it lacks {name} of shape {:?}", tensor.shape())));
                };
                tensor.as_mut_slice().copy_from_slice(&array.to_f32()?);
            }
        }
        Ok(optimizer)
    }

    /// One update of all weights, with every gradient times `gradient_scale`.
    pub fn step(&mut self, params: &mut Params, gradients: &Params, learning_rate: f64, gradient_scale: f64) {
        self.n_steps += 1;
        let settings = AdamW { learning_rate, gradient_scale, step: self.n_steps, ..self.settings };
        let moments = self.first.named_mut().into_iter().zip(self.second.named_mut());
        let weights = params.named_mut().into_iter().zip(gradients.named());
        for (((name, parameter), (_, gradient)), ((_, first), (_, second))) in weights.zip(moments) {
            if self.has_fixed_positions && name == "embeddings.position_embeddings.weight" {
                continue;
            }
            let weight_decay = if decays(&name) { settings.weight_decay } else { 0.0 };
            let job = Moments {
                parameter: parameter.as_mut_slice(),
                gradient: gradient.as_slice(),
                first: first.as_mut_slice(),
                second: second.as_mut_slice(),
            };
            adamw::step(AdamW { weight_decay, ..settings }, job);
        }
    }
}

/// Whether a canonical name is in the group that decays.
fn decays(name: &str) -> bool {
    !name.ends_with("bias") && !name.contains("LayerNorm")
}

/// The L2 norm over all gradients.
pub fn gradient_norm(gradients: &Params) -> f64 {
    gradients.named().iter().map(|(_, gradient)| sum_of_squares(gradient.as_slice())).sum::<f64>().sqrt()
}

/// By how much gradients of this norm are multiplied, so that it is at most `max_norm` (0: never).
pub fn clipping(norm: f64, max_norm: f64) -> f64 {
    if max_norm > 0.0 { (max_norm / (norm + 1e-6)).min(1.0) } else { 1.0 }
}
