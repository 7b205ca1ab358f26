//! `save_pretrained`: a folder that HuggingFace transformers opens unchanged.

use crate::error::Error;
use crate::finite::NonFiniteWeight;
use crate::model::Model;
use crate::spec::HeadKind;
use bertlab_checkpoint::{ArrayView, Dtype, atomic, write_views};
use bertlab_compute::Tensor;
use bertlab_text::Tokenizer;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Writes config.json, model.safetensors and the tokenizer's files, beside and then renamed: an
/// interrupted save leaves what was there before.
///
/// # Errors
/// When the folder cannot be written.
pub fn save_pretrained(folder: &Path, model: &Model, tokenizer: Option<&Tokenizer>) -> Result<(), Error> {
    atomic::write_folder(folder, |staging| write_pretrained(staging, model, tokenizer))
}

/// Writes the same files into a folder that is there: for whoever writes more beside them.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_pretrained(folder: &Path, model: &Model, tokenizer: Option<&Tokenizer>) -> Result<(), Error> {
    write_pretrained_as(folder, model, tokenizer, Dtype::F32)
}

/// The same with weights of another floating-point type, rounded to the nearest: BF16 and F16 take half the room.
///
/// # Errors
/// When the folder cannot be written; a weight that is NaN or infinite, or would be in this type.
///
/// # Panics
/// When `dtype` is a type of integers or booleans.
pub fn write_pretrained_as(
    folder: &Path,
    model: &Model,
    tokenizer: Option<&Tokenizer>,
    dtype: Dtype,
) -> Result<(), Error> {
    let tensors = model.named_tensors();
    check_weights(folder, &tensors, dtype)?;
    let mut config = serde_json::to_vec_pretty(&Value::Object(saved_config(model, dtype)))
        .expect("a map of JSON values is valid JSON");
    config.push(b'\n');
    atomic::write_file(&folder.join("config.json"), &config)?;
    let arrays: Vec<ArrayView<'_>> = tensors
        .into_iter()
        .map(|(name, tensor)| ArrayView::of_f32_as(name, tensor.shape(), tensor.as_slice(), dtype))
        .collect();
    let metadata = [("format".to_owned(), "pt".to_owned())];
    write_views(&folder.join("model.safetensors"), &arrays, &metadata)?;
    for (name, contents) in tokenizer.map(Tokenizer::files).unwrap_or_default() {
        atomic::write_file(&folder.join(name), &contents)?;
    }
    Ok(())
}

/// Refuses weights that are no numbers, or would be none in the type of the file.
fn check_weights(folder: &Path, tensors: &[(String, &Tensor)], dtype: Dtype) -> Result<(), Error> {
    if let Some(weight) = NonFiniteWeight::find(tensors) {
        return Err(Error::NonFiniteWeights { folder: folder.to_path_buf(), weight: Box::new(weight) });
    }
    let first_beyond = |tensor: &Tensor| tensor.as_slice().iter().copied().find(|&value| !dtype.holds(value));
    let beyond: Vec<(&String, f32)> =
        tensors.iter().filter_map(|(name, tensor)| Some((name, first_beyond(tensor)?))).collect();
    match beyond.first() {
        Some(&(name, value)) => {
            Err(Error::WeightOverflow { name: name.clone(), value, dtype, n_tensors: beyond.len() })
        }
        None => Ok(()),
    }
}

/// The config as read, with what this model is now.
fn saved_config(model: &Model, dtype: Dtype) -> Map<String, Value> {
    let mut config = model.config.clone();
    let head = &model.spec.head;
    let mut set = |key: &str, value: Value| drop(config.insert(key.to_owned(), value));
    set("model_type", json!(model.family.model_type));
    set("architectures", json!([model.family.class_name(head.kind)]));
    if !head.labels.is_empty() {
        let by_id = head.labels.iter().enumerate().map(|(id, name)| (id.to_string(), json!(name)));
        set("id2label", Value::Object(by_id.collect()));
        let by_name = head.labels.iter().enumerate().map(|(id, name)| (name.clone(), json!(id)));
        set("label2id", Value::Object(by_name.collect()));
    }
    if head.kind == HeadKind::SequenceClassification {
        set("problem_type", json!(head.problem_type.name()));
    }
    let dtype_name = match dtype {
        Dtype::BF16 => "bfloat16",
        Dtype::F16 => "float16",
        Dtype::F64 => "float64",
        _ => "float32",
    };
    let dtype_key = if config.contains_key("torch_dtype") { "torch_dtype" } else { "dtype" };
    config.insert(dtype_key.to_owned(), json!(dtype_name));
    config
}
