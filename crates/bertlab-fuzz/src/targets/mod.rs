//! The table of targets: one line for each reader.

mod checkpoint;
mod data;
mod forward;
mod hub;
mod settings;
mod text;

use crate::{Answer, Target};

/// All targets.
pub const TARGETS: &[Target] = &[
    target("safetensors", checkpoint::safetensors, checkpoint::SAFETENSORS_WORDS),
    target("shard_index", checkpoint::shard_index, &[]),
    target("pytorch_zip", checkpoint::pytorch_zip, checkpoint::PICKLE_WORDS),
    target("pytorch_legacy", checkpoint::pytorch_legacy, checkpoint::PICKLE_WORDS),
    target("optimizer", checkpoint::optimizer, checkpoint::PICKLE_WORDS),
    target("config", checkpoint::config, &[]),
    target("tokenizer", text::tokenizer, text::WORDS),
    target("vocabulary", text::vocabulary, text::WORDS),
    target("csv", data::csv, data::CSV_WORDS),
    target("json_lines", data::json_lines, &["\n", "{\"text\":", "\"label\":", "\\ud800", "[[", "null"]),
    target("conll", data::conll, &["\n\n", "-DOCSTART-", "\t", "B-PER", "I-", "# text = "]),
    target("parquet", data::parquet, &["PAR1", "hf", "text", "label"]),
    target("settings_toml", settings::toml, &["\n[", "num_train_epochs", " = ", "\"\"\"", "inf", "[["]),
    target("settings_json", settings::json, &[]),
    target("sentence_files", settings::sentence_files, &[]),
    target("forward", forward::ids_and_masks, &[]),
    target("hub", hub::answers, hub::WORDS),
];

const fn target(name: &'static str, read: fn(&[u8]) -> Answer, words: &'static [&'static str]) -> Target {
    Target { name, read, words, seed: 1 }
}

/// The target of this name.
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// The first byte of an input, which chooses among a reader's options, and the rest; 0 for an empty input.
fn options(input: &[u8]) -> (u8, &[u8]) {
    input.split_first().map_or((0, input), |(first, rest)| (*first, rest))
}
