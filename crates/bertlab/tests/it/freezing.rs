//! Law: what is frozen keeps its bits in a run; layers learn at the rates they should.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bertlab::Model;
use bertlab::train::TrainingArguments;
use bertlab_model::Frozen;

use crate::goldens::{arrays, golden, name_of, weight_bits};
use crate::support::{ReferenceRun, opened, train};

/// A run of a golden with other settings; where it began, and where it ended.
fn run(golden: &Path, change: impl FnOnce(&mut TrainingArguments)) -> (Model, Model, PathBuf) {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let reference = ReferenceRun::open(golden);
    let mut arguments = reference.arguments();
    change(&mut arguments);
    let mut job = reference.job(scratch.path(), arguments);
    job.arguments.save_strategy = bertlab::train::SaveStrategy::Epoch;
    let trained = train(job).unwrap_or_else(|error| panic!("{}: {error}", golden.display()));
    (opened(&golden.join("init")).model, opened(&trained).model, scratch.keep())
}

#[test]
fn what_is_frozen_keeps_its_bits_and_has_no_moments() {
    let golden = golden("training/distilbert-uneven-accumulation");
    let (before, after, scratch) = run(&golden, |arguments| {
        arguments.freeze_embeddings = true;
        arguments.freeze_layers = 1;
        arguments.weight_decay = 0.5;
    });
    let last = std::fs::read_dir(scratch.join("out")).expect("it is there").flatten();
    let checkpoint = last.map(|entry| entry.path()).find(|path| name_of(path).starts_with("checkpoint-"));
    let moments = arrays(&checkpoint.expect("every epoch is saved").join("optimizer.safetensors"));
    std::fs::remove_dir_all(&scratch).expect("ours");
    let (before_bits, after_bits) = (weight_bits(&before), weight_bits(&after));
    let frozen = Frozen { embeddings: true, n_layers: 1 };
    let mut n_frozen = 0;
    for weight in before.params().weights() {
        let is_frozen = frozen.holds(weight.slot().place);
        let name = before.name_of(&weight.slot().name);
        assert_eq!(before_bits[&name] == after_bits[&name], is_frozen, "{name}");
        assert_eq!(moments.contains_key(&format!("{name}.exp_avg")), !is_frozen, "{name}");
        n_frozen += usize::from(is_frozen);
    }
    assert!(n_frozen > 16 && n_frozen < before_bits.len(), "{n_frozen} of {}", before_bits.len());
}

/// With decay 0 every weight moves by the learning rate at most at its first step, and by about it where it moves at all.
#[test]
fn layers_learn_at_the_rates_that_they_should() {
    let golden = golden("training/distilbert-uneven-accumulation");
    let moved = |decay: f64| {
        let (before, after, scratch) = run(&golden, |arguments| {
            arguments.layerwise_lr_decay = decay;
            arguments.weight_decay = 0.0;
            arguments.warmup_steps = 0.0;
            arguments.max_steps = Some(1);
        });
        std::fs::remove_dir_all(&scratch).expect("ours");
        let mut by_place: BTreeMap<String, f32> = BTreeMap::new();
        for (a, b) in before.params().weights().into_iter().zip(after.params().weights()) {
            let furthest = a.as_slice().iter().zip(b.as_slice()).map(|(a, b)| (a - b).abs());
            let place = by_place.entry(format!("{:?}", a.slot().place)).or_default();
            *place = furthest.fold(*place, f32::max);
        }
        by_place
    };
    let rate = 2e-3;
    for (place, factor) in [("Embeddings", 0.25), ("Layer(0)", 0.5), ("Layer(1)", 1.0), ("Head", 1.0)] {
        for (decay, factor) in [(0.5, factor), (1.0, 1.0)] {
            let found = moved(decay)[place] / rate;
            assert!((found / factor - 1.0).abs() < 2e-3, "{place}, decay {decay}: {found}");
        }
    }
}

#[test]
fn more_layers_than_there_are_cannot_be_frozen() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let reference = ReferenceRun::open(&golden("training/distilbert-uneven-accumulation"));
    for (n_layers, decay, words) in
        [(3, 1.0, "at most 2, the layers"), (0, 1.5, "a number above 0, at most 1")]
    {
        let mut arguments = reference.arguments();
        arguments.freeze_layers = n_layers;
        arguments.layerwise_lr_decay = decay;
        let message = train(reference.job(scratch.path(), arguments)).expect_err("it cannot be").to_string();
        assert!(message.contains(words), "{message}");
    }
}
