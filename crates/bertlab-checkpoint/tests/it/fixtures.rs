//! Checkpoints that PyTorch and transformers have written, when the shared folder is there.

use bertlab_checkpoint::{Dtype, Weights, WeightsFormat, open_config, open_weights, write_safetensors};
use std::path::PathBuf;
use std::time::Instant;

/// A path in the shared folder beside the workspace; `None`, with a word, when it is not there.
fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("BERTLAB_SHARED").map(PathBuf::from);
    let root = root.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"));
    if !root.is_dir() {
        println!("skipped: ../shared is not here");
        return None;
    }
    Some(root.join(path))
}

fn reference() -> Option<Weights> {
    Some(open_weights(&shared("fixtures/checkpoints/bert-base-form")?).expect("valid"))
}

/// HuggingFace renames these when it opens an old checkpoint.
fn modern_name(name: &str) -> String {
    name.replace("LayerNorm.gamma", "LayerNorm.weight").replace("LayerNorm.beta", "LayerNorm.bias")
}

/// Largest absolute difference to the reference; every array of the reference must be there, in the same shape.
fn difference(weights: &Weights, reference: &Weights) -> f32 {
    let mut largest = 0_f32;
    for (name, wanted) in &reference.arrays {
        let is_same = |found: &str| {
            let found = modern_name(found);
            found == *name
                || found.strip_prefix("bert.") == Some(name)
                || name.strip_prefix("bert.") == Some(&found)
        };
        let (_, found) = weights
            .arrays
            .iter()
            .find(|(found, _)| is_same(found))
            .unwrap_or_else(|| panic!("{name} is missing"));
        assert_eq!(found.shape, wanted.shape, "{name}");
        let pairs = found.to_f32().expect("floats").into_iter().zip(wanted.to_f32().expect("floats"));
        largest = pairs.fold(largest, |largest, (found, wanted)| largest.max((found - wanted).abs()));
    }
    largest
}

#[test]
fn pytorch_files_hold_the_numbers_of_the_safetensors() {
    let Some(reference) = reference() else { return };
    assert_eq!(reference.format, WeightsFormat::Safetensors);
    for (folder, format) in [
        ("bert-pytorch-bin", WeightsFormat::PytorchZip),
        ("bert-old-names-legacy-bin", WeightsFormat::PytorchLegacy),
    ] {
        let folder = shared("fixtures/checkpoints").expect("seen above").join(folder);
        let weights = open_weights(&folder).expect("valid");
        assert_eq!(weights.format, format);
        assert_eq!(difference(&weights, &reference), 0.0, "{}", folder.display());
    }
}

#[test]
fn shards_of_f16_hold_the_rounded_numbers() {
    let Some(reference) = reference() else { return };
    let weights = open_weights(&shared("fixtures/checkpoints/bert-sharded-fp16").expect("seen above"));
    let weights = weights.expect("valid");
    assert_eq!((weights.format, weights.files.len()), (WeightsFormat::ShardedSafetensors, 12));
    assert!(weights.arrays.values().all(|array| array.dtype == Dtype::F16));
    let difference = difference(&weights, &reference);
    // Half a unit in the last of 11 binary places, for numbers below 4.
    assert!(difference > 0.0 && difference <= 4.0 * 2_f32.powi(-12), "{difference}");
}

#[test]
fn a_published_classifier_opens_with_its_integer_buffer() {
    let Some(folder) = shared("models/caikit-tiny-BertForSequenceClassification") else { return };
    let weights = open_weights(&folder).expect("valid");
    assert_eq!(weights.format, WeightsFormat::PytorchZip);
    let positions = &weights.arrays["bert.embeddings.position_ids"];
    assert_eq!(positions.dtype, Dtype::I64);
    let counted: Vec<i64> = (0..positions.n_elements() as i64).collect();
    assert_eq!(positions.to_i64().expect("integers"), counted);
    let config = open_config(&folder).expect("valid");
    let width = config.usize_required("hidden_size").expect("a number");
    assert_eq!(weights.arrays["classifier.weight"].shape[1], width);
}

#[test]
fn a_real_model_opens_at_once_and_is_written_back_the_same() {
    let Some(folder) = shared("models/all-MiniLM-L6-v2") else { return };
    let begin = Instant::now();
    let weights = open_weights(&folder).expect("valid");
    assert!(begin.elapsed().as_secs() < 1, "opening took {:?}", begin.elapsed());
    println!("opened in {:?}", begin.elapsed());
    let n_elements: usize = weights
        .arrays
        .values()
        .filter(|array| array.dtype == Dtype::F32)
        .map(|array| array.n_elements())
        .sum();
    assert_eq!(n_elements, 22_713_216);
    assert!(
        weights
            .arrays
            .values()
            .filter(|array| array.dtype == Dtype::F32)
            .all(|array| array.as_f32().is_some())
    );

    let copy = tempfile::tempdir().expect("a temporary folder");
    let arrays: Vec<_> = weights.arrays.values().cloned().collect();
    let metadata = [("format".to_owned(), "pt".to_owned())];
    write_safetensors(&copy.path().join("model.safetensors"), &arrays, &metadata).expect("writable");
    let copied = open_weights(copy.path()).expect("valid");
    assert_eq!(copied.arrays.len(), weights.arrays.len());
    for (name, array) in &weights.arrays {
        assert_eq!((&copied.arrays[name].shape, &*copied.arrays[name].bytes), (&array.shape, &*array.bytes));
    }
}

#[test]
fn every_fixture_opens() {
    let Some(folder) = shared("fixtures/checkpoints") else { return };
    for entry in std::fs::read_dir(folder).expect("readable") {
        let folder = entry.expect("readable").path();
        open_weights(&folder).unwrap_or_else(|error| panic!("{error}"));
        open_config(&folder).unwrap_or_else(|error| panic!("{error}"));
    }
}
