//! Readers of checkpoint files.

use crate::Answer;
use crate::folder::{in_repository, with_files};
use bertlab_checkpoint::{NamedArray, open_weights, read_adam_state, read_safetensors, write_safetensors};
use bertlab_model::{OpenOptions, open};
use std::sync::OnceLock;

pub(super) const SAFETENSORS_WORDS: &[&str] = &[
    "__metadata__",
    "\"dtype\":\"F16\"",
    "\"shape\":[",
    "data_offsets",
    "BF16",
    "BOOL",
    "18446744073709551615",
];
/// Opcodes and names of pickles.
pub(super) const PICKLE_WORDS: &[&str] = &[
    "ctorch\nFloatStorage\n",
    "ctorch._utils\n_rebuild_tensor_v2\n",
    "ccollections\nOrderedDict\n",
    "cos\nsystem\n",
    "tR",
    "Q",
    "(",
    "q\u{1}",
    "h\u{1}",
    "](e",
    "}(u",
    ".",
];

/// `model.safetensors`; every array is also converted to numbers.
pub(super) fn safetensors(input: &[u8]) -> Answer {
    with_files("safetensors", &[("model.safetensors", input)], |folder| {
        let arrays = read_safetensors(&folder.join("model.safetensors"));
        arrays.inspect(|arrays| arrays.iter().for_each(to_numbers)).into()
    })
}

/// An index of two shards that are there.
pub(super) fn shard_index(input: &[u8]) -> Answer {
    const SHARDS: [&str; 2] = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"];
    static WRITTEN: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let [first, second] = WRITTEN.get_or_init(|| ["first.weight", "second.weight"].map(one_array));
    let files = [("model.safetensors.index.json", input), (SHARDS[0], first), (SHARDS[1], second)];
    with_files("shard_index", &files, |folder| open_weights(folder).into())
}

/// A safetensors file with one array of two numbers.
fn one_array(name: &str) -> Vec<u8> {
    with_files("one_array", &[("array", b"")], |folder| {
        let file = folder.join("array");
        let array = NamedArray::from_f32(name, [2], vec![1.0, 2.0]);
        write_safetensors(&file, &[array], &[]).expect("the temporary folder is writable");
        std::fs::read(&file).expect("the file was just written")
    })
}

/// `pytorch_model.bin` as a zip file.
pub(super) fn pytorch_zip(input: &[u8]) -> Answer {
    pytorch("pytorch_zip", input)
}

/// `pytorch_model.bin` as before PyTorch 1.6.
pub(super) fn pytorch_legacy(input: &[u8]) -> Answer {
    pytorch("pytorch_legacy", input)
}

fn pytorch(target: &str, input: &[u8]) -> Answer {
    with_files(target, &[("pytorch_model.bin", input)], |folder| {
        let weights = open_weights(folder);
        weights.inspect(|weights| weights.arrays.values().for_each(to_numbers)).into()
    })
}

/// AdamW's state as PyTorch saves it.
pub(super) fn optimizer(input: &[u8]) -> Answer {
    with_files("optimizer", &[("optimizer.pt", input)], |folder| {
        read_adam_state(&folder.join("optimizer.pt")).into()
    })
}

/// `config.json` beside the weights of a small BERT.
pub(super) fn config(input: &[u8]) -> Answer {
    static WEIGHTS: OnceLock<Vec<u8>> = OnceLock::new();
    let weights = WEIGHTS.get_or_init(|| {
        let golden = "goldens/checkpoints/bert-regression/model.safetensors";
        std::fs::read(in_repository(golden)).expect("a golden checkpoint")
    });
    with_files("config", &[("config.json", input), ("model.safetensors", weights)], |folder| {
        open(folder, &OpenOptions::default()).into()
    })
}

fn to_numbers(array: &NamedArray) {
    let _ = (array.to_f32(), array.to_i64());
}
