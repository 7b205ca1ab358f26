//! Arrays in, arrays out: a model run on padded inputs from a safetensors file, with outputs, loss and
//! gradients named as HuggingFace names them. For checking, and for programs in other languages.
//!
//! Axes: B rows, S columns of the padded input, T packed tokens.

mod inputs;
mod loss;
mod outputs;

use bertlab_checkpoint::{Error as CheckpointError, NamedArray, read_safetensors, write_safetensors};
use bertlab_compute::Tensor;
use bertlab_model::{Batch, Gradients, Model, Params, Request, Training};
use inputs::Inputs;
use std::path::{Path, PathBuf};

/// What a gradient's name begins with.
const GRADIENT: &str = "grad.";

/// What can be wrong with the input file.
#[derive(Debug, thiserror::Error)]
pub enum ForwardError {
    /// The file could not be read or written.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The ids do not fit the model.
    #[error(transparent)]
    Model(#[from] bertlab_model::Error),
    /// An array is missing.
    #[error("{}: there is no array `{name}`. {hint}", file.display())]
    Missing {
        /// The input file.
        file: PathBuf,
        /// What was wanted.
        name: &'static str,
        /// What to do.
        hint: String,
    },
    /// An array of another form than it should have.
    #[error("{}: `{name}` is {found}; wanted {wanted}", file.display())]
    Unfit {
        /// The input file.
        file: PathBuf,
        /// The array.
        name: String,
        /// What was found.
        found: String,
        /// What was wanted.
        wanted: String,
    },
    /// A loss or a gradient that is NaN or infinite, where all outputs are finite.
    #[error("{name} holds {value}, though every output is finite: it means nothing, and nothing was written")]
    NonFinite {
        /// Of the array.
        name: String,
        /// NaN or an infinity.
        value: f32,
    },
}

/// Runs `model` on the arrays of `inputs` and writes what it gives to `outputs`.
///
/// In: `input_ids [B, S]`, and where wanted `attention_mask`, `token_type_ids`, `labels` (or
/// `start_positions` and `end_positions`; `next_sentence_label`). Out: `last_hidden_state`,
/// `hidden_states.I`, `attentions.I`, `pooler_output`, the head's logits, `loss` with labels, and
/// `grad.NAME` with `gradients`. Zeros where the mask is 0.
///
/// # Errors
/// A file that cannot be read or written, arrays that are missing or do not fit each other or the model,
/// outputs that are NaN or infinite.
pub fn run(
    model: &Model,
    inputs: &Path,
    outputs: &Path,
    gradients: bool,
) -> Result<Vec<NamedArray>, ForwardError> {
    if gradients {
        model.check_trains()?;
    }
    let inputs = Inputs::read(inputs, read_safetensors(inputs)?)?;
    let batch = inputs.batch(&model.spec.encoder)?;
    let request = Request { hidden_states: true, attentions: true, tokens: None };
    let output = model.forward(&batch, request);
    let mut arrays = outputs::arrays(model, &inputs, &output);
    match inputs.targets(model)? {
        Some(targets) => {
            let (value, gradient) = loss::loss(model, &batch, &output.head, &targets);
            arrays.push(NamedArray::from_f32("loss", vec![], vec![value as f32]));
            if gradients {
                let (_, kept) = model.forward_keeping(&batch, Training::default());
                let mut sums = Gradients::new(model);
                sums.begin(batch.input_ids().iter().copied());
                model.backward(gradient, &batch, kept, &mut sums);
                arrays.extend(named_gradients(model, &sums.into_params()));
            }
        }
        None if gradients => {
            return Err(
                inputs.missing(inputs::target_name(model), "Gradients need a loss, and a loss needs labels")
            );
        }
        None => {}
    }
    for array in &arrays {
        check_finite(model, &batch, array)?;
    }
    write_safetensors(outputs, &arrays, &[])?;
    Ok(arrays)
}

/// Refuses an array with NaN or infinity: an output by its row and layer, the loss and gradients by name.
fn check_finite(model: &Model, batch: &Batch, array: &NamedArray) -> Result<(), ForwardError> {
    let values = array.as_f32().expect("every output is F32");
    if array.name != "loss" && !array.name.starts_with(GRADIENT) {
        return Ok(model.check_finite(batch, values)?);
    }
    match values.iter().find(|value| !value.is_finite()) {
        Some(&value) => Err(ForwardError::NonFinite { name: array.name.clone(), value }),
        None => Ok(()),
    }
}

fn named_gradients(model: &Model, gradients: &Params) -> Vec<NamedArray> {
    let array = |(name, tensor): (String, &Tensor)| {
        let name = format!("{GRADIENT}{}", model.name_of(&name));
        NamedArray::from_f32(name, tensor.shape(), tensor.as_slice().to_vec())
    };
    gradients.named().into_iter().map(array).collect()
}
