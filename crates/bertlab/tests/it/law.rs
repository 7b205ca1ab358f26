//! Law: a training run gives the same bits, whatever it runs on.

use std::fs;

use bertlab::train::TrainingArguments;
use serde_json::json;

use crate::goldens::{copy, golden, set_config};
use crate::support::{ReferenceRun, train};

#[test]
fn a_training_run_gives_the_same_bits_every_time() {
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let reference = ReferenceRun::open(&golden("training/distilbert-uneven-accumulation"));
    let init = scratch.path().join("init");
    copy(&reference.folder.join("init"), &init);
    let p = json!(0.2);
    let dropout = ["dropout", "attention_dropout", "seq_classif_dropout"].map(|key| (key, p.clone()));
    set_config(&init, &dropout);
    let run = |name: &str, n_threads: usize, arguments: TrainingArguments| -> Vec<u8> {
        let place = scratch.path().join(name);
        fs::create_dir(&place).expect("writable");
        let mut job = reference.job(&place, arguments);
        job.model = init.to_str().expect("UTF-8").to_owned();
        let trained = on_threads(n_threads, || train(job)).unwrap_or_else(|error| panic!("{name}: {error}"));
        fs::read(trained.join("model.safetensors")).expect("it was saved")
    };
    let arguments = reference.arguments();
    let first = run("first", 1, arguments.clone());
    let with = |change: fn(&mut TrainingArguments)| {
        let mut arguments = arguments.clone();
        change(&mut arguments);
        arguments
    };
    assert!(first == run("again", 1, arguments.clone()), "the same run twice");
    assert!(first == run("threads", 2, arguments.clone()), "on two threads");
    let checkpointed = with(|arguments| arguments.gradient_checkpointing = true);
    assert!(first == run("checkpointed", 2, checkpointed), "with gradient checkpointing");
    let reseeded = with(|arguments| arguments.seed += 1);
    assert!(first != run("reseeded", 1, reseeded), "dropout does not depend on the seed");
}

fn on_threads<T: Send>(n: usize, work: impl FnOnce() -> T + Send) -> T {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(n).build().expect("threads can be had");
    pool.install(work)
}
