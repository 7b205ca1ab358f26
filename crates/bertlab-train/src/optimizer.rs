//! AdamW over all weights of a model that are trained: biases and norms do not decay, as in HuggingFace's two
//! groups, and lower layers may learn more slowly.

mod huggingface;

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use bertlab_checkpoint::{ArrayView, NamedArray, read_safetensors, write_views};
use bertlab_compute::ops::adamw::{self, AdamW, Moments, RowMoments};
use bertlab_compute::ops::sum::sum_of_squares;
use bertlab_compute::{Buffer, Device, Tensor};
use bertlab_model::{Gradients, Model, Params, Place, Slot, WeightGradient};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

pub(crate) use huggingface::{Adopted, PYTORCH_FILE};

/// The optimizer's file in a checkpoint.
const FILE_NAME: &str = "optimizer.safetensors";
/// The array that holds how many updates were made.
const STEP: &str = "step";
/// PyTorch's names of the first and the second moments.
const MOMENTS: [&str; 2] = ["exp_avg", "exp_avg_sq"];

/// AdamW, and what it remembers of every weight that is trained.
pub struct Optimizer {
    /// In the order of [`Params::weights`]; without what is frozen.
    weights: Vec<Weight>,
    n_steps: u64,
    settings: AdamW,
}

/// A weight that is trained.
struct Weight {
    slot: Arc<Slot>,
    /// The mean of its gradients.
    first: Tensor,
    /// The mean of their squares.
    second: Tensor,
    weight_decay: f64,
    /// What the learning rate is multiplied by.
    rate_factor: f64,
    /// Of a table whose gradients are by row: which rows ever had one. `[V]`
    is_moved: Vec<bool>,
}

impl Weight {
    /// One update of `parameter`.
    fn step(&mut self, settings: AdamW, parameter: &mut Tensor, gradient: WeightGradient<'_>) {
        let AdamW { learning_rate, .. } = settings;
        let settings = AdamW {
            learning_rate: learning_rate * self.rate_factor,
            weight_decay: self.weight_decay,
            ..settings
        };
        if let Some(rows) = gradient.rows {
            self.begin_rows(rows);
        }
        let moments = Moments {
            parameter: parameter.view_mut(),
            gradient: gradient.sum.view(),
            first: self.first.view_mut(),
            second: self.second.view_mut(),
        };
        match gradient.rows {
            None => adamw::step(settings, moments),
            Some(rows) => {
                adamw::step_rows(settings, RowMoments { moments, rows, is_moved: &self.is_moved });
            }
        }
    }

    /// Marks the rows that have a gradient. Moments of new ones are zeros, and are written to before they are read, as in
    /// [`adamw::step`].
    fn begin_rows(&mut self, rows: &[Option<u32>]) {
        self.is_moved.resize(rows.len(), false);
        for (row, is_moved) in self.is_moved.iter_mut().enumerate() {
            if rows[row].is_some() && !*is_moved {
                *is_moved = true;
                self.first.row_mut(row).fill(0.0);
                self.second.row_mut(row).fill(0.0);
            }
        }
    }

    /// Finds out which rows were moved: the second moment of a gradient that was not 0 stays above 0 for as good as
    /// ever.
    fn find_moved(&mut self) {
        let is_moved =
            |row: usize| [&self.first, &self.second].iter().any(|m| m.row(row).iter().any(|&x| x != 0.0));
        self.is_moved = (0..self.second.n_rows()).map(is_moved).collect();
    }
}

/// Zeros beside the weight. Of a table of words, rows that are never read are never written to.
fn moments(slot: &Slot, device: Device) -> Tensor {
    if slot.place == Place::Embeddings {
        return Tensor::zeros_on(device, &slot.shape);
    }
    Tensor::from_buffer(&slot.shape, Buffer::zeros_to_be_filled(device, slot.n_numbers()))
}

impl Optimizer {
    /// For the weights of a model that are trained.
    pub fn new(model: &Model, arguments: &TrainingArguments) -> Self {
        let settings = AdamW {
            learning_rate: 0.0,
            beta1: arguments.adam_beta1,
            beta2: arguments.adam_beta2,
            epsilon: arguments.adam_epsilon,
            weight_decay: 0.0,
            gradient_scale: 1.0,
            step: 0,
        };
        let n_layers = model.spec.encoder.n_layers;
        let slots = model.params().weights().into_iter().map(|weight| weight.slot());
        let device = model.params().embeddings.word.device();
        let weight = |slot: &Arc<Slot>| Weight {
            first: moments(slot, device),
            second: moments(slot, device),
            weight_decay: if slot.decays() { arguments.weight_decay } else { 0.0 },
            rate_factor: rate_factor(slot.place, n_layers, arguments.layerwise_lr_decay),
            is_moved: Vec::new(),
            slot: slot.clone(),
        };
        let trained = slots.filter(|slot| model.is_trained(slot));
        Self { weights: trained.map(weight).collect(), n_steps: 0, settings }
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
        let step = NamedArray::from_i64(STEP, [1], vec![self.n_steps as i64]);
        let mut arrays = vec![ArrayView::from(&step)];
        for moment in 0..MOMENTS.len() {
            arrays.extend(self.weights.iter().map(|weight| {
                let tensor = [&weight.first, &weight.second][moment];
                let name = format!("{}.{}", model.name_of(&weight.slot.name), MOMENTS[moment]);
                ArrayView::of_f32(name, tensor.shape(), tensor.as_slice())
            }));
        }
        let metadata = [("format".to_owned(), "pt".to_owned())];
        Ok(write_views(&checkpoint.join(FILE_NAME), &arrays, &metadata)?)
    }

    /// Reads what [`Self::write`] wrote for a model of the same shape, with the same weights frozen.
    ///
    /// # Errors
    /// A file that is missing or damaged, or of another model.
    pub fn read(checkpoint: &Path, model: &Model, arguments: &TrainingArguments) -> Result<Self, TrainError> {
        let file = checkpoint.join(FILE_NAME);
        let damaged = |why: String| TrainError::DamagedCheckpoint { file: file.clone(), why };
        let arrays = read_safetensors(&file)?;
        let arrays: HashMap<&str, &NamedArray> =
            arrays.iter().map(|array| (array.name.as_str(), array)).collect();
        let mut optimizer = Self::new(model, arguments);
        let steps = arrays.get(STEP).map(|array| array.to_i64()).transpose()?.unwrap_or_default();
        let [n_steps] = steps[..] else { return Err(damaged(format!("it lacks the array {STEP}"))) };
        optimizer.n_steps = n_steps as u64;
        for weight in &mut optimizer.weights {
            for (moment, tensor) in MOMENTS.iter().zip([&mut weight.first, &mut weight.second]) {
                let name = format!("{}.{moment}", model.name_of(&weight.slot.name));
                let array = arrays.get(name.as_str()).filter(|array| array.shape == tensor.shape());
                let Some(array) = array else {
                    return Err(damaged(format!("it lacks {name} of shape {:?}", tensor.shape())));
                };
                tensor.as_mut_slice().copy_from_slice(&array.to_f32()?);
            }
            weight.find_moved();
        }
        Ok(optimizer)
    }

    /// One update of all weights that are trained, with every gradient times `gradient_scale`.
    pub fn step(
        &mut self,
        params: &mut Params,
        gradients: &mut Gradients,
        learning_rate: f64,
        gradient_scale: f64,
    ) {
        self.n_steps += 1;
        let settings = AdamW { learning_rate, gradient_scale, step: self.n_steps, ..self.settings };
        let mut weights = self.weights.iter_mut().peekable();
        for (parameter, gradient) in params.weights_mut().into_iter().zip(gradients.sums()) {
            if let Some(weight) = weights.next_if(|weight| weight.slot.name == gradient.slot.name) {
                weight.step(settings, parameter, gradient);
            }
        }
        assert!(weights.next().is_none(), "gradients have the weights' structure");
    }
}

/// What the learning rate is multiplied by at a place: 1 in the head and the top layer, `decay` times that
/// of the layer above in every layer below, and least in the embeddings.
fn rate_factor(place: Place, n_layers: usize, decay: f64) -> f64 {
    decay.powi(place.depth(n_layers) as i32)
}

/// The L2 norm over the gradients of all trained weights.
pub fn gradient_norm(gradients: &mut Gradients, model: &Model) -> f64 {
    let trained = gradients.sums().into_iter().filter(|gradient| model.is_trained(gradient.slot));
    trained.map(|gradient| sum_of_squares(gradient.sum)).sum::<f64>().sqrt()
}

/// By how much gradients of this norm are multiplied, so that it is at most `max_norm` (0: never).
pub fn clipping(norm: f64, max_norm: f64) -> f64 {
    if max_norm > 0.0 { (max_norm / (norm + 1e-6)).min(1.0) } else { 1.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lower_layers_learn_more_slowly() {
        let factor = |place| rate_factor(place, 3, 0.5);
        assert_eq!(factor(Place::Head), 1.0);
        assert_eq!([2, 1, 0].map(|index| factor(Place::Layer(index))), [1.0, 0.5, 0.25]);
        assert_eq!(factor(Place::Embeddings), 0.125);
        assert_eq!(rate_factor(Place::Embeddings, 12, 1.0), 1.0, "1 changes nothing");
    }
}
