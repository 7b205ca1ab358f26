//! Golden: `forward` takes the reference's padded arrays and gives its outputs, losses and gradients.
//!
//! Axes: B rows, S columns of the padded input.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::goldens::{all_goldens, arrays, name_of};
use crate::support::open;
use bertlab::{NamedArray, OpenOptions, forward};

/// Outputs may differ by so much.
const OUTPUT_TOLERANCE: f32 = 1e-4;
/// Gradients may differ by so much of the tensor's largest entry, and by so much in any case.
const GRADIENT_TOLERANCE: (f32, f32) = (1e-4, 1e-6);

#[test]
fn every_checkpoint_gives_the_references_numbers() {
    let folders = all_goldens("checkpoints");
    let check =
        |folder: &PathBuf| check_golden(folder).err().map(|why| format!("{}: {why}", name_of(folder)));
    let failures: Vec<String> = folders.iter().filter_map(check).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), folders.len(), failures.join("\n"));
}

/// All that `forward` writes, padded as the reference pads it.
fn check_golden(folder: &Path) -> Result<(), String> {
    let file = folder.join("golden.safetensors");
    let golden = arrays(&file);
    let has_gradients = golden.keys().any(|name| name.starts_with("grad."));
    let model = open(folder, OpenOptions::default()).map_err(|error| error.to_string())?.model;
    let scratch = tempfile::tempdir().expect("a temporary folder");
    // The golden file is its own input: what is no input is left aside there.
    let outputs = forward::run(&model, &file, &scratch.path().join("outputs.safetensors"), has_gradients)
        .map_err(|error| error.to_string())?;
    let outputs: BTreeMap<String, NamedArray> =
        outputs.into_iter().map(|array| (array.name.clone(), array)).collect();
    let mask = golden["attention_mask"].to_i64().expect("a mask of whole numbers");
    let expected = golden.values().filter(|array| !is_input(&array.name));
    let differences: Vec<String> = expected.filter_map(|array| difference(array, &outputs, &mask)).collect();
    if differences.is_empty() { Ok(()) } else { Err(differences.join("\n  ")) }
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

/// What is wrong with one array, if anything is.
fn difference(expected: &NamedArray, outputs: &BTreeMap<String, NamedArray>, mask: &[i64]) -> Option<String> {
    let name = &expected.name;
    let Some(found) = outputs.get(name) else { return Some(format!("{name} is missing")) };
    if found.n_elements() != expected.n_elements() {
        return Some(format!("{name} has shape {:?}, not {:?}", found.shape, expected.shape));
    }
    let values = |array: &NamedArray| array.to_f32().expect("outputs are floats");
    let (found, values) = (values(found), values(expected));
    let allowed = match name.starts_with("grad.") {
        true => {
            GRADIENT_TOLERANCE.0 * values.iter().fold(0.0, |a: f32, b| a.max(b.abs())) + GRADIENT_TOLERANCE.1
        }
        false => OUTPUT_TOLERANCE,
    };
    let means_something = |&place: &usize| is_of_tokens(expected, place, mask);
    let errors = (0..values.len()).filter(means_something).map(|place| (found[place] - values[place]).abs());
    // `max` passes over NaN: it must count as the greatest error.
    let worst = errors.map(|error| if error.is_nan() { f32::INFINITY } else { error }).fold(0.0, f32::max);
    (worst > allowed).then(|| format!("{name} is off by {worst:.2e}, allowed {allowed:.2e}"))
}

/// Whether a number belongs to tokens alone: at padding, nothing is promised.
fn is_of_tokens(array: &NamedArray, place: usize, mask: &[i64]) -> bool {
    let shape = &array.shape;
    if array.name.starts_with("attentions.") {
        // [B, H, S, S]
        let [_, n_heads, n_columns, _] = shape[..] else { panic!("attentions of shape {shape:?}") };
        let (key, query) = (place % n_columns, place / n_columns % n_columns);
        let row = place / (n_heads * n_columns * n_columns);
        return mask[row * n_columns + query] != 0 && mask[row * n_columns + key] != 0;
    }
    let is_by_token =
        !array.name.starts_with("grad.") && shape.len() >= 2 && shape[0] * shape[1] == mask.len();
    // [B, S, ...]
    !is_by_token || mask[place / (array.n_elements() / mask.len())] != 0
}
