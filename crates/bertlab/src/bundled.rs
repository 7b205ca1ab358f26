//! Models that the program brings with it, so that it does something useful where there is no other.
//!
//! Their files are part of the program. A model is opened from a folder, so they are written into the user's cache when
//! a name is first used, and compared with what lies there every time after.

use std::path::{Path, PathBuf};

use bertlab_checkpoint::atomic;
use bertlab_train::user_cache;

use crate::Error;

/// A file's name and contents.
type File = (&'static str, &'static [u8]);

/// A model inside the program.
struct Bundled {
    /// What opens it, where no path has this name.
    name: &'static str,
    files: &'static [File],
}

macro_rules! files_of {
    ($folder:literal: $($name:literal),+) => {
        &[$(($name, include_bytes!(concat!("../../../assets/", $folder, "/", $name)))),+]
    };
}

const BUNDLED: [Bundled; 1] = [Bundled {
    name: "tiny",
    files: files_of!("bertlab-tiny": "config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
        "special_tokens_map.json", "vocab.txt"),
}];

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
    fn written_below(&self, folder: &Path) -> Result<PathBuf, Error> {
        let folder = folder.join("models").join(self.name);
        let is_there = |(name, contents): &File| {
            std::fs::read(folder.join(name)).is_ok_and(|found| found.as_slice() == *contents)
        };
        if self.files.iter().all(is_there) {
            return Ok(folder);
        }
        atomic::make_folder_of(&folder)?;
        atomic::write_folder(&folder, |staging| -> Result<(), Error> {
            for (name, contents) in self.files {
                atomic::write_file(&staging.join(name), contents)?;
            }
            Ok(())
        })?;
        Ok(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_written_once_and_mended_where_they_were_changed() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        let write = || BUNDLED[0].written_below(cache.path()).expect("writable");
        let folder = write();
        let weights = folder.join("model.safetensors");
        let modified = || weights.metadata().and_then(|found| found.modified()).expect("it is there");
        let first = modified();
        assert_eq!((write(), modified()), (folder.clone(), first));
        let config = std::fs::read(folder.join("config.json")).expect("it is there");
        std::fs::write(folder.join("config.json"), "{}").expect("writable");
        assert_eq!(write(), folder);
        assert_eq!(std::fs::read(folder.join("config.json")).expect("it is there"), config);
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_an_error_and_another_name_none() {
        let cache = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(cache.path().join("models"), "in the way").expect("writable");
        assert!(BUNDLED[0].written_below(cache.path()).is_err());
        assert!(folder_of("bert-base-uncased").is_none());
    }
}
