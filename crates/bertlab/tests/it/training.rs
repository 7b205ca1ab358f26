//! Golden: whole fine-tuning runs, step by step and in their final weights, are those of the reference.

use std::path::Path;

use crate::goldens::{all_goldens, arrays, json, name_of};
use crate::support::{ReferenceRun, train};
use serde_json::Value;

#[test]
fn every_run_goes_as_the_reference_went() {
    let folders = all_goldens("training");
    let check = |folder: &std::path::PathBuf| {
        check_run(folder).err().map(|why| format!("{}: {why}", name_of(folder)))
    };
    let failures: Vec<String> = folders.iter().filter_map(check).collect();
    assert!(failures.is_empty(), "{} of {}:\n{}", failures.len(), folders.len(), failures.join("\n"));
}

fn check_run(folder: &Path) -> Result<(), String> {
    let reference = ReferenceRun::open(folder);
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let job = reference.job(scratch.path(), reference.arguments());
    let rate = job.arguments.learning_rate;
    let final_model = train(job).map_err(|error| error.to_string())?;
    let state = json(&scratch.path().join("out/trainer_state.json"));
    check_log(&reference.run["log"], &state["log_history"])?;
    check_weights(&folder.join("final"), &final_model, rate)
}

/// Losses to four decimals, the gradients' norm to a thousandth, the learning rate exactly.
fn check_log(expected: &Value, found: &Value) -> Result<(), String> {
    let (steps, found_steps) = (with_key(expected, "loss"), with_key(found, "loss"));
    if steps.len() != found_steps.len() {
        return Err(format!("{} steps, not {}", found_steps.len(), steps.len()));
    }
    for (expected, found) in steps.iter().zip(found_steps) {
        let loss = number(expected, "loss").expect("it was chosen by that key");
        check(expected, found, "loss", 1.1e-4 * loss.abs().max(1.0))?;
        check(expected, found, "learning_rate", 1e-9)?;
        check(expected, found, "grad_norm", 1e-3 * number(expected, "grad_norm").unwrap_or(0.0))?;
    }
    match (with_key(expected, "eval_loss").last(), with_key(found, "eval_loss").last()) {
        (None, _) => Ok(()),
        (Some(_), None) => Err("no evaluation".to_owned()),
        (Some(expected), Some(found)) => {
            let loss = number(expected, "eval_loss").expect("it was chosen by that key");
            check(expected, found, "eval_loss", 2e-4 * loss.abs().max(1.0))
        }
    }
}

fn with_key<'a>(log: &'a Value, key: &str) -> Vec<&'a Value> {
    let log = log.as_array().expect("a log is a list");
    log.iter().filter(|record| record.get(key).is_some()).collect()
}

fn number(record: &Value, key: &str) -> Option<f64> {
    record.get(key).and_then(Value::as_f64)
}

/// One figure of a log line; the reference may lack it.
fn check(expected: &Value, found: &Value, key: &str, allowed: f64) -> Result<(), String> {
    let Some(wanted) = number(expected, key) else { return Ok(()) };
    match number(found, key) {
        Some(value) if (value - wanted).abs() <= allowed => Ok(()),
        value => Err(format!("step {}: {key} is {value:?}, not {wanted}", expected["step"])),
    }
}

/// Within a tenth of the learning rate at worst, and a hundredth of it on average.
fn check_weights(expected: &Path, found: &Path, rate: f64) -> Result<(), String> {
    let file = |folder: &Path| arrays(&folder.join("model.safetensors"));
    let (expected, found) = (file(expected), file(found));
    let (mut worst, mut sum, mut n) = (0.0_f64, 0.0, 0);
    for (name, wanted) in &expected {
        let Some(weight) = found.get(name) else { return Err(format!("{name} was not saved")) };
        let values = |array: &bertlab::NamedArray| array.to_f32().expect("weights are floats");
        let (weight, wanted) = (values(weight), values(wanted));
        assert_eq!(weight.len(), wanted.len(), "{name}");
        for (a, b) in weight.iter().zip(&wanted) {
            let error = f64::from((a - b).abs());
            worst = worst.max(if error.is_nan() { f64::INFINITY } else { error });
            sum += error;
        }
        n += wanted.len();
    }
    let mean = sum / n as f64;
    if worst <= 0.1 * rate + 2e-6 && mean <= 0.01 * rate {
        return Ok(());
    }
    Err(format!("final weights are off by {worst:.1e}, {mean:.1e} on average; the learning rate is {rate}"))
}
