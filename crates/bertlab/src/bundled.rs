//! Models that the program brings with it, so that it does something useful where there is no other.
//!
//! Their files are part of the program. A model is opened from a folder, so they are written into the user's cache when
//! a name is first used, and compared with what lies there every time after.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bertlab_checkpoint::{NamedArray, atomic, read_safetensors, write_safetensors};
use bertlab_data::user_cache;

use crate::Error;

/// A file's name and contents.
type File = (&'static str, &'static [u8]);

/// A model inside the program.
struct Bundled {
    /// What opens it, where no path has this name.
    name: &'static str,
    /// Its files; of a model that was trained from another, without the weights.
    files: &'static [File],
    /// The model that it was trained from, and the weights in which it differs.
    differs: Option<(&'static Bundled, File)>,
}

macro_rules! files_of {
    ($folder:literal: $($name:literal),+) => {
        &[$(($name, include_bytes!(concat!("../../../assets/", $folder, "/", $name)))),+]
    };
}

const WEIGHTS: &str = "model.safetensors";
/// Of the tensors of a base model, in one with a head.
const ENCODER: &str = "bert.";

static TINY: Bundled = Bundled {
    name: "tiny",
    files: files_of!("bertlab-tiny": "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "vocab.txt"),
    differs: None,
};

static TINY_SENTIMENT: Bundled = Bundled {
    name: "tiny-sentiment",
    files: files_of!("bertlab-tiny-sentiment": "config.json"),
    differs: Some((
        &TINY,
        (
            "difference.safetensors",
            include_bytes!("../../../assets/bertlab-tiny-sentiment/difference.safetensors"),
        ),
    )),
};

static BUNDLED: [&Bundled; 2] = [&TINY, &TINY_SENTIMENT];

/// The names that open a model without any file.
pub fn bundled_models() -> impl Iterator<Item = &'static str> {
    BUNDLED.iter().map(|bundled| bundled.name)
}

/// The folder of a model that the program brings; none where it brings none of this name, or a path has it.
///
/// # Errors
/// A folder that can be written neither in the user's cache nor among temporary files.
pub(crate) fn folder_of(name: &str) -> Option<Result<PathBuf, Error>> {
    let bundled = BUNDLED.iter().find(|bundled| bundled.name == name)?;
    if Path::new(name).exists() {
        return None;
    }
    let in_cache = user_cache().map(|cache| bundled.written_below(&cache));
    Some(match in_cache {
        Some(Ok(folder)) => Ok(folder),
        // A home that cannot be written, or none.
        _ => bundled.written_below(&std::env::temp_dir().join("bertlab")),
    })
}

impl Bundled {
    /// `models/NAME` below a folder: as it lies there, or written anew.
    fn written_below(&self, root: &Path) -> Result<PathBuf, Error> {
        let folder = root.join("models").join(self.name);
        let base = self.differs.map(|(base, _)| base.written_below(root)).transpose()?;
        let files = || self.files().chain(self.differs.map(|(_, file)| file));
        let is_there = |(name, contents): File| {
            std::fs::read(folder.join(name)).is_ok_and(|found| found.as_slice() == contents)
        };
        if files().all(is_there) && base.as_ref().is_none_or(|base| self.has_weights(&folder, base)) {
            return Ok(folder);
        }
        atomic::make_folder_of(&folder)?;
        atomic::write_folder(&folder, |staging| -> Result<(), Error> {
            for (name, contents) in files() {
                atomic::write_file(&staging.join(name), contents)?;
            }
            if let Some(base) = &base {
                let metadata = [("format".to_owned(), "pt".to_owned())];
                write_safetensors(&staging.join(WEIGHTS), &self.weights(staging, base)?, &metadata)?;
            }
            Ok(())
        })?;
        Ok(folder)
    }

    /// Its own files, and those of the base's tokenizer.
    fn files(&self) -> impl Iterator<Item = File> {
        let of_base = self.differs.map_or(&[][..], |(base, _)| base.files);
        let is_of_tokenizer = |file: &&File| ![WEIGHTS, "config.json"].contains(&file.0);
        self.files.iter().chain(of_base.iter().filter(is_of_tokenizer)).copied()
    }

    /// The base's encoder, and over it the weights that differ, which lie in `folder`.
    fn weights(&self, folder: &Path, base: &Path) -> Result<Vec<NamedArray>, Error> {
        let Some((_, (difference, _))) = self.differs else { return Ok(Vec::new()) };
        let of_encoder = |array: &NamedArray| array.name.starts_with(ENCODER);
        let arrays = read_safetensors(&base.join(WEIGHTS))?.into_iter().filter(of_encoder);
        let arrays = arrays.chain(read_safetensors(&folder.join(difference))?);
        let by_name: BTreeMap<String, NamedArray> = arrays.map(|array| (array.name.clone(), array)).collect();
        Ok(by_name.into_values().collect())
    }

    /// Whether the weights that lie in `folder` are those that would be written.
    fn has_weights(&self, folder: &Path, base: &Path) -> bool {
        let is_same = |(a, b): (&NamedArray, &NamedArray)| {
            (&a.name, a.dtype, &a.shape, &*a.bytes) == (&b.name, b.dtype, &b.shape, &*b.bytes)
        };
        let (Ok(wanted), Ok(mut found)) =
            (self.weights(folder, base), read_safetensors(&folder.join(WEIGHTS)))
        else {
            return false;
        };
        found.sort_by(|a, b| a.name.cmp(&b.name));
        wanted.len() == found.len() && wanted.iter().zip(&found).all(is_same)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_once_and_mended_where_they_were_changed() {
        for bundled in BUNDLED {
            let cache = tempfile::tempdir().expect("a temporary folder");
            let write = || bundled.written_below(cache.path()).expect("writable");
            let folder = write();
            let modified = || {
                let weights = folder.join(WEIGHTS).metadata();
                weights.and_then(|found| found.modified()).expect("it is there")
            };
            let first = modified();
            assert_eq!((write(), modified()), (folder.clone(), first));
            for name in ["config.json", WEIGHTS] {
                let whole = std::fs::read(folder.join(name)).expect("it is there");
                let mut changed = whole.clone();
                *changed.last_mut().expect("it holds something") ^= 1;
                std::fs::write(folder.join(name), changed).expect("writable");
                assert_eq!(write(), folder);
                assert!(std::fs::read(folder.join(name)).expect("it is there") == whole, "{name}");
            }
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_and_another_name_none() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(cache.path().join("models"), "in the way").expect("writable");
        assert!(TINY.written_below(cache.path()).is_err());
        assert!(folder_of("bert-base-uncased").is_none());
    }
}
