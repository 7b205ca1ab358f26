//! Where goldens lie, what their files hold, and checkpoints to compare bit by bit. The tests of the `bertlab` crate use
//! this file too.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bertlab_checkpoint::{NamedArray, read_safetensors};
use bertlab_compute::Tensor;
use bertlab_model::Model;
use serde_json::Value;

/// One of the project's own goldens, as `golden("checkpoints/bert-masked-lm")`.
pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens").join(name)
}

/// The project's goldens of a kind: "checkpoints" or "training".
pub fn own_goldens(kind: &str) -> Vec<PathBuf> {
    let folders = subfolders(&golden(kind));
    assert!(!folders.is_empty(), "goldens/{kind} belongs to the repository");
    folders
}

/// The project's goldens of a kind, and those that lie beside the repository.
pub fn all_goldens(kind: &str) -> Vec<PathBuf> {
    let shared = std::env::var_os("BERTLAB_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let fixtures = shared.join("fixtures").join(kind);
    let mut folders = own_goldens(kind);
    if fixtures.is_dir() {
        folders.extend(subfolders(&fixtures));
    } else {
        println!("skipped: ../shared is not here (fixtures/{kind})");
    }
    folders
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    folders.sort();
    folders
}

/// The last part of a path, for messages.
pub fn name_of(folder: &Path) -> String {
    folder.file_name().expect("goldens have names").to_string_lossy().into_owned()
}

/// The arrays of a safetensors file, by name.
pub fn arrays(file: &Path) -> BTreeMap<String, NamedArray> {
    let arrays = read_safetensors(file).unwrap_or_else(|error| panic!("{error}"));
    arrays.into_iter().map(|array| (array.name.clone(), array)).collect()
}

/// A JSON file.
pub fn json(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Copies a checkpoint, so that it can be changed.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("readable") {
        let file = entry.expect("readable").path();
        fs::copy(&file, to.join(file.file_name().expect("files have names"))).expect("writable");
    }
}

/// Changes keys of a checkpoint's config.json; null takes a key out.
pub fn set_config(folder: &Path, keys: &[(&str, Value)]) {
    let file = folder.join("config.json");
    let mut config = json(&file);
    for (key, value) in keys {
        config[*key] = value.clone();
    }
    fs::write(file, config.to_string()).expect("writable");
}

/// A tensor's bits: equal only where the numbers are the same to the last bit, NaN and -0.0 too.
pub fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor.as_slice().iter().map(|x| x.to_bits()).collect()
}

/// All weights of a model, by HuggingFace's names.
pub fn weight_bits(model: &Model) -> BTreeMap<String, Vec<u32>> {
    model.named_tensors().into_iter().map(|(name, tensor)| (name, bits(tensor))).collect()
}
