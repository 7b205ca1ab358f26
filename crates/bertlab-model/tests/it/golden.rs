//! Golden: every output, loss and gradient of small checkpoints is HuggingFace's.
//!
//! Axes: B rows, S columns of the padded arrays.

use std::collections::BTreeMap;
use std::path::Path;

use bertlab_checkpoint::NamedArray;
use bertlab_compute::Tensor;
use bertlab_model::{
    Batch, ComputeDtype, Gradients, HeadKind, Model, OpenOptions, Output, Request, Training,
};

use crate::goldens::{all_goldens, arrays, json, name_of};
use crate::losses::loss;
use crate::padded::Inputs;
use crate::rows::open;

/// Outputs may differ by so much.
const OUTPUT_TOLERANCE: f32 = 1e-4;
/// In bf16, by so much of the tensor's largest entry (at least 1): a rounding there is 2⁻⁸.
const BF16_TOLERANCE: f32 = 2e-2;
/// In int8: a rounding is 2⁻⁸ of the largest of a row, and these rows are short.
const INT8_TOLERANCE: f32 = 6e-2;
/// Gradients may differ by so much of the tensor's largest entry, and by so much in any case.
const GRADIENT_TOLERANCE: (f32, f32) = (1e-4, 1e-6);

#[test]
fn every_checkpoint_gives_the_references_numbers() {
    check_all(ComputeDtype::F32);
}

#[test]
fn in_bf16_every_checkpoint_comes_close() {
    check_all(ComputeDtype::Bf16);
}

#[test]
fn in_int8_every_checkpoint_comes_near() {
    check_all(ComputeDtype::Int8);
}

fn check_all(dtype: ComputeDtype) {
    let folders = all_goldens("checkpoints");
    let check = |folder: &std::path::PathBuf| {
        check_golden(folder, dtype).err().map(|why| format!("{}: {why}", name_of(folder)))
    };
    let failures: Vec<String> = folders.iter().filter_map(check).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), folders.len(), failures.join("\n"));
}

/// Outputs, and in f32 gradients too: in others a unit near the kink of a ReLU may fall on its other side.
fn check_golden(folder: &Path, dtype: ComputeDtype) -> Result<(), String> {
    let golden = arrays(&folder.join("golden.safetensors"));
    let options = OpenOptions { dtype, ..OpenOptions::default() };
    let model = open(folder, options).map_err(|error| error.to_string())?;
    check_counts(&model, folder)?;
    let inputs = Inputs::of(&golden);
    let batch = inputs.rows_where_they_stand(&model.spec.encoder).batch(&model);
    let request = Request { hidden_states: true, attentions: true, tokens: None };
    let output = model.forward(&batch, request);
    let mut found = outputs(&model, &output);
    let has_gradients = dtype == ComputeDtype::F32 && golden.keys().any(|name| name.starts_with("grad."));
    if golden.contains_key("loss") {
        let (value, d) = loss(&model, &batch, &output.head, &inputs, &golden);
        found.insert("loss".to_owned(), vec![value as f32]);
        if has_gradients {
            found.extend(gradients(&model, &batch, d));
        }
    }
    let is_expected = |name: &str| !is_input(name) && (has_gradients || !name.starts_with("grad."));
    let expected = golden.values().filter(|array| is_expected(&array.name));
    let differences: Vec<String> = expected
        .filter_map(|array| {
            let values = array.to_f32().expect("outputs are floats");
            let tolerance = tolerance(&array.name, dtype, &values);
            difference(
                &array.name,
                &packed(&model, &inputs, array, values),
                found.get(&array.name),
                tolerance,
            )
        })
        .collect();
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n  ")) }
}

fn tolerance(name: &str, dtype: ComputeDtype, expected: &[f32]) -> f32 {
    let largest = expected.iter().fold(0.0, |largest: f32, x| largest.max(x.abs()));
    match dtype {
        _ if name.starts_with("grad.") => GRADIENT_TOLERANCE.0 * largest + GRADIENT_TOLERANCE.1,
        ComputeDtype::F32 => OUTPUT_TOLERANCE,
        ComputeDtype::Bf16 => BF16_TOLERANCE * largest.max(1.0),
        ComputeDtype::Int8 => INT8_TOLERANCE * largest.max(1.0),
    }
}

fn check_counts(model: &Model, folder: &Path) -> Result<(), String> {
    let golden = json(&folder.join("golden.json"));
    let tensors = model.named_tensors();
    let n_parameters = tensors.iter().map(|(_, tensor)| tensor.len() as u64).sum();
    let found = [tensors.len() as u64, n_parameters];
    let expected = ["tensors", "parameters"].map(|key| golden[key].as_u64().expect("a count"));
    if found == expected { Ok(()) } else { Err(format!("tensors, parameters {found:?}, not {expected:?}")) }
}

fn is_input(name: &str) -> bool {
    const INPUTS: [&str; 7] = [
        "input_ids",
        "attention_mask",
        "token_type_ids",
        "labels",
        "start_positions",
        "end_positions",
        "next_sentence_label",
    ];
    INPUTS.contains(&name)
}

/// All that the model gives, by the reference's names, packed.
fn outputs(model: &Model, output: &Output) -> BTreeMap<String, Vec<f32>> {
    let (encoder, head) = (&output.encoder, &output.head);
    let mut all =
        BTreeMap::from([("last_hidden_state".to_owned(), encoder.last_hidden_state.as_slice().to_vec())]);
    for (layer, state) in encoder.hidden_states.iter().flatten().enumerate() {
        all.insert(format!("hidden_states.{layer}"), state.as_slice().to_vec());
    }
    for (layer, maps) in encoder.attentions.iter().flatten().enumerate() {
        all.insert(
            format!("attentions.{layer}"),
            maps.iter().flat_map(|map| map.as_slice().to_vec()).collect(),
        );
    }
    let kind = model.spec.head.kind;
    let mut add = |name: &str, tensor: &Tensor| all.insert(name.to_owned(), tensor.as_slice().to_vec());
    if let (HeadKind::None, Some(pooled)) = (kind, &head.pooler_output) {
        add("pooler_output", pooled);
    }
    if let Some(logits) = &head.relationship_logits {
        add("seq_relationship_logits", logits);
    }
    match (kind, &head.logits) {
        (HeadKind::QuestionAnswering, Some(logits)) => {
            for (side, name) in ["start_logits", "end_logits"].into_iter().enumerate() {
                let column = logits.as_slice().iter().skip(side).step_by(2).copied().collect();
                all.insert(name.to_owned(), column);
            }
        }
        (HeadKind::PreTraining, Some(logits)) => _ = add("prediction_logits", logits),
        (_, Some(logits)) => _ = add("logits", logits),
        (_, None) => {}
    }
    all
}

fn gradients(
    model: &Model,
    batch: &Batch,
    d: bertlab_model::HeadGradient,
) -> impl Iterator<Item = (String, Vec<f32>)> {
    let (_, kept) = model.forward_keeping(batch, Training::default());
    let mut sums = Gradients::new(model);
    sums.begin(batch.input_ids().iter().copied());
    model.backward(d, batch, kept, &mut sums);
    let params = sums.into_params();
    let gradient = |(name, tensor): (String, &Tensor)| {
        (format!("grad.{}", model.name_of(&name)), tensor.as_slice().to_vec())
    };
    params.named().into_iter().map(gradient).collect::<Vec<_>>().into_iter()
}

/// An array of the golden without what belongs to padding: nothing is promised there.
fn packed(model: &Model, inputs: &Inputs, array: &NamedArray, values: Vec<f32>) -> Vec<f32> {
    let is_by_row = model.spec.head.kind == HeadKind::SequenceClassification;
    match array.name.as_str() {
        name if name.starts_with("attentions.") => inputs.of_pairs(&values, model.spec.encoder.n_heads),
        name if name.starts_with("hidden_states.") => inputs.of_tokens(&values),
        "last_hidden_state" | "start_logits" | "end_logits" | "prediction_logits" => {
            inputs.of_tokens(&values)
        }
        "logits" if !is_by_row => inputs.of_tokens(&values),
        _ => values,
    }
}

/// What is wrong with one array, if anything is.
fn difference(name: &str, expected: &[f32], found: Option<&Vec<f32>>, allowed: f32) -> Option<String> {
    let Some(found) = found else { return Some(format!("{name} is missing")) };
    if found.len() != expected.len() {
        return Some(format!("{name} has {} entries, not {}", found.len(), expected.len()));
    }
    let errors = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs());
    // `max` passes over NaN: it must count as the greatest error.
    let worst = errors.map(|error| if error.is_nan() { f32::INFINITY } else { error }).fold(0.0, f32::max);
    (worst > allowed).then(|| format!("{name} is off by {worst:.2e}, allowed {allowed:.2e}"))
}
