//! Names: those of old, and the nearest to a wrong one.

use serde_json::{Map, Value, json};

/// Old names, and names in HuggingFace's example scripts, with what they are called here.
const OLD_NAMES: [(&str, &str); 11] = [
    ("evaluation_strategy", "eval_strategy"),
    ("per_gpu_train_batch_size", "per_device_train_batch_size"),
    ("per_gpu_eval_batch_size", "per_device_eval_batch_size"),
    ("activation_checkpointing", "gradient_checkpointing"),
    ("label_smoothing", "label_smoothing_factor"),
    ("lr_scheduler", "lr_scheduler_type"),
    ("model_name_or_path", "model"),
    ("max_seq_length", "max_length"),
    ("text_column_name", "text_column"),
    ("label_column_name", "label_column"),
    ("eval_file", "validation_file"),
];

/// Two settings of which the one makes the other meaningless: who gives one of them by flag does not want the
/// other that a file holds.
pub(super) const RIVALS: [(&str, &str); 6] = [
    ("num_train_epochs", "max_steps"),
    ("warmup_ratio", "warmup_steps"),
    ("warmup_steps", "warmup_ratio"),
    ("validation_file", "validation_share"),
    ("validation_share", "validation_file"),
    ("resume_from_checkpoint", "overwrite_output_dir"),
];

/// A setting given under two names with two values.
pub(super) struct Twice {
    pub(super) old: String,
    pub(super) new: &'static str,
    pub(super) was: Value,
    pub(super) is: Value,
}

/// Gives every setting its name of today, and leaves out those that are null. Tells what was renamed.
pub(super) fn rename(values: Map<String, Value>) -> Result<(Map<String, Value>, Vec<String>), Twice> {
    let (mut renamed, mut old) = (Map::new(), Vec::new());
    for (name, value) in values.into_iter().filter(|(_, value)| !value.is_null()) {
        match today(&name, &value) {
            None => {
                renamed.insert(name, value);
            }
            Some((new, value)) => old.push((name, new, value)),
        }
    }
    let mut notes = Vec::new();
    for (old, new, was) in old {
        match renamed.get(new) {
            Some(is) if *is == was || means_unset(&was) => {}
            Some(is) if !means_unset(is) => return Err(Twice { old, new, was, is: is.clone() }),
            _ if means_unset(&was) && new == "train_sampling_strategy" => {}
            _ => {
                if !means_unset(&was) {
                    notes.push(format!("{old} is called {new} here"));
                }
                renamed.insert(new.to_owned(), was);
            }
        }
    }
    Ok((renamed, notes))
}

/// The name and value of today; none where they are of today.
fn today(name: &str, value: &Value) -> Option<(&'static str, Value)> {
    if name == "group_by_length" {
        let is_on = *value == json!(true) || *value == json!("true");
        let word = if is_on { json!("group_by_length") } else { json!(false) };
        return Some(("train_sampling_strategy", word));
    }
    let (_, new) = OLD_NAMES.iter().find(|(old, _)| *old == name)?;
    Some((new, value.clone()))
}

/// A switch that is off: HuggingFace's files hold such under all names at once.
fn means_unset(value: &Value) -> bool {
    *value == json!(false)
}

/// The name among `known` that `name` was probably meant to be.
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let plain = name.trim_matches('-').replace('-', "_").to_lowercase();
    let distance = |candidate: &str| strsim::damerau_levenshtein(&plain, &candidate.to_lowercase());
    let (distance, found) = known.into_iter().map(|candidate| (distance(candidate), candidate)).min()?;
    (distance <= (plain.chars().count() / 3).max(1)).then_some(found)
}
