//! The weights of a checkpoint folder, in any supported format.

use crate::pytorch::{Container, read_pytorch};
use crate::shards::ShardIndex;
use crate::{Error, NamedArray, read_safetensors};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

const SAFETENSORS: &str = "model.safetensors";
const SAFETENSORS_INDEX: &str = "model.safetensors.index.json";
const PYTORCH: &str = "pytorch_model.bin";
const PYTORCH_INDEX: &str = "pytorch_model.bin.index.json";

/// Files with weights, in order of preference.
pub(crate) const WEIGHT_FILES: [&str; 4] = [SAFETENSORS, SAFETENSORS_INDEX, PYTORCH, PYTORCH_INDEX];

/// The weights of a checkpoint.
#[derive(Clone, Debug)]
pub struct Weights {
    /// All arrays, by name.
    pub arrays: BTreeMap<String, NamedArray>,
    /// The files that were read; an index comes first.
    pub files: Vec<PathBuf>,
    /// The format of the files.
    pub format: WeightsFormat,
}

/// A format of weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WeightsFormat {
    /// One `model.safetensors`.
    Safetensors,
    /// Several safetensors files with an index.
    ShardedSafetensors,
    /// `pytorch_model.bin` as a zip file, since PyTorch 1.6.
    PytorchZip,
    /// `pytorch_model.bin` as pickles followed by raw data, before PyTorch 1.6.
    PytorchLegacy,
    /// Several PyTorch files with an index.
    ShardedPytorch,
}

impl fmt::Display for WeightsFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Safetensors => "safetensors",
            Self::ShardedSafetensors => "safetensors in several files",
            Self::PytorchZip => "PyTorch pickle (zip)",
            Self::PytorchLegacy => "PyTorch pickle (before 1.6)",
            Self::ShardedPytorch => "PyTorch pickle in several files",
        })
    }
}

/// Opens the weights of a checkpoint folder: `model.safetensors`, else its shards, else `pytorch_model.bin`,
/// else its shards. Arrays are memory-mapped if their layout allows it.
///
/// # Errors
/// [`Error::MissingFile`] lists the files of the folder and how to convert them; [`Error::Malformed`],
/// [`Error::Tensor`] and [`Error::ForbiddenGlobal`] name the invalid file.
pub fn open_weights(folder: &Path) -> Result<Weights, Error> {
    check_folder(folder)?;
    let Some(name) = weight_file(folder) else {
        return Err(no_weights(folder));
    };
    let file = folder.join(name);
    let (arrays, files, format) = match name {
        SAFETENSORS => (by_name(read_safetensors(&file)?), vec![file], WeightsFormat::Safetensors),
        PYTORCH => {
            let (arrays, container) = read_pytorch(&file)?;
            let format = match container {
                Container::Zip => WeightsFormat::PytorchZip,
                Container::Legacy => WeightsFormat::PytorchLegacy,
            };
            (by_name(arrays), vec![file], format)
        }
        _ => {
            let index = ShardIndex::open(&file)?;
            let files = std::iter::once(file).chain(index.files()).collect();
            if name == SAFETENSORS_INDEX {
                (index.read(read_safetensors)?, files, WeightsFormat::ShardedSafetensors)
            } else {
                let arrays = index.read(|path| Ok(read_pytorch(path)?.0))?;
                (arrays, files, WeightsFormat::ShardedPytorch)
            }
        }
    };
    Ok(Weights { arrays, files, format })
}

/// Whether the folder has weights that [`open_weights`] reads, with all shards of an index.
pub fn has_weights(folder: &Path) -> bool {
    weight_file(folder).is_some_and(|name| {
        !name.ends_with(".index.json")
            || ShardIndex::open(&folder.join(name))
                .is_ok_and(|index| index.files().all(|file| file.is_file()))
    })
}

fn weight_file(folder: &Path) -> Option<&'static str> {
    WEIGHT_FILES.into_iter().find(|name| folder.join(name).is_file())
}

fn by_name(arrays: Vec<NamedArray>) -> BTreeMap<String, NamedArray> {
    arrays.into_iter().map(|array| (array.name.clone(), array)).collect()
}

/// Checks that a path is a folder.
pub(crate) fn check_folder(folder: &Path) -> Result<(), Error> {
    if folder.is_dir() {
        Ok(())
    } else if folder.exists() {
        Err(Error::NotAFolder { path: folder.to_path_buf() })
    } else {
        let hint = "Check the spelling of the path".into();
        Err(Error::NoSuchFolder { model: folder.display().to_string(), hint })
    }
}

fn no_weights(folder: &Path) -> Error {
    let names = entry_names(folder);
    let hint = names.iter().find_map(|name| conversion_hint(name)).unwrap_or(
        "A checkpoint folder contains weights and config.json, as written by save_pretrained; fetch the \
         missing files",
    );
    Error::MissingFile {
        folder: folder.to_path_buf(),
        file_name: format!("{SAFETENSORS} or {PYTORCH}"),
        found: describe_entries(folder),
        hint: hint.into(),
    }
}

/// How to convert a file of another framework, by its name.
pub(crate) fn conversion_hint(name: &str) -> Option<&'static str> {
    let ends = |endings: &[&str]| endings.iter().any(|ending| name.ends_with(ending));
    match () {
        () if ends(&["tf_model.h5", "tf_model.h5.index.json"]) => Some(
            "tf_model.h5 contains TensorFlow weights. Convert them once in Python, with transformers 4: \
             AutoModel.from_pretrained(FOLDER, from_tf=True).save_pretrained(NEW_FOLDER, \
             safe_serialization=True)",
        ),
        () if ends(&["flax_model.msgpack", "flax_model.msgpack.index.json"]) => Some(
            "flax_model.msgpack contains Flax weights. Convert them once in Python, with transformers 4: \
             AutoModel.from_pretrained(FOLDER, from_flax=True).save_pretrained(NEW_FOLDER, \
             safe_serialization=True)",
        ),
        () if ends(&[".ckpt.index", ".ckpt.meta", ".ckpt"]) => Some(
            "These are weights of the original TensorFlow code. Convert them once in Python with \
             transformers' convert_bert_original_tf_checkpoint_to_pytorch, then save_pretrained(NEW_FOLDER, \
             safe_serialization=True)",
        ),
        () if ends(&[".onnx", ".gguf", ".ot"]) => Some(
            "ONNX, GGUF and OT files are exports and not supported. Fetch the checkpoint that they were made \
             from, or save it in Python: AutoModel.from_pretrained(NAME).save_pretrained(NEW_FOLDER, \
             safe_serialization=True)",
        ),
        () if ends(&["adapter_model.safetensors", "adapter_model.bin"]) => Some(
            "This is an adapter (PEFT). Merge it in Python: \
             model.merge_and_unload().save_pretrained(NEW_FOLDER)",
        ),
        () if ends(&[".safetensors", ".bin", ".pt", ".pth"]) => Some(
            "If one of these files contains the whole model, rename it to model.safetensors or \
             pytorch_model.bin",
        ),
        () => None,
    }
}

/// The entries of a folder in words, for messages.
pub(crate) fn describe_entries(folder: &Path) -> String {
    const SHOWN_MAX: usize = 12;
    let names = entry_names(folder);
    match names.len() {
        0 => "it is empty".into(),
        count if count <= SHOWN_MAX => format!("it contains {}", names.join(", ")),
        count => format!("it contains {} and {} more", names[..SHOWN_MAX].join(", "), count - SHOWN_MAX),
    }
}

fn entry_names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(files: &[&str]) -> String {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for file in files {
            std::fs::write(folder.path().join(file), b"x").expect("writable");
        }
        assert!(!has_weights(folder.path()));
        open_weights(folder.path()).expect_err("no weights").to_string()
    }

    #[test]
    fn other_frameworks_are_refused_with_what_was_found_and_how_to_convert() {
        for (file, advice) in [
            ("tf_model.h5", "from_tf=True"),
            ("flax_model.msgpack", "from_flax=True"),
            ("model.onnx", "save_pretrained"),
            ("model-q8.gguf", "save_pretrained"),
            ("bert_model.ckpt.index", "convert_bert_original"),
            ("adapter_model.safetensors", "merge_and_unload"),
            ("model.fp16.safetensors", "rename"),
        ] {
            let message = message(&["config.json", file]);
            assert!(message.contains(file) && message.contains(advice), "{message}");
            assert!(message.contains("no model.safetensors or pytorch_model.bin"), "{message}");
        }
        assert!(message(&[]).contains("it is empty"));
        assert!(message(&["config.json"]).contains("weights and config.json"));
    }

    #[test]
    fn safetensors_are_preferred_and_what_is_no_folder_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("pytorch_model.bin"), b"not opened").expect("writable");
        let arrays = [NamedArray::from_f32("a", [1], vec![2.0])];
        let file = folder.path().join("model.safetensors");
        crate::write_safetensors(&file, &arrays, &[]).expect("writable");
        let weights = open_weights(folder.path()).expect("valid");
        assert_eq!((weights.format, weights.files), (WeightsFormat::Safetensors, vec![file.clone()]));
        assert_eq!(weights.format.to_string(), "safetensors");
        assert!(matches!(open_weights(&file), Err(Error::NotAFolder { .. })));
        assert!(matches!(open_weights(&folder.path().join("nothing")), Err(Error::NoSuchFolder { .. })));
    }
}
