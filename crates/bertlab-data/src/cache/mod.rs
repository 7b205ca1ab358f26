//! Tokenized rows on disk: who tokenizes the same texts in the same way again, reads them instead.
//!
//! A file's name is a hash of all that its rows come from: texts, tokenizer, options, the version of this program. It is
//! written beside and renamed, so that programs at work at the same time see whole files or none; what it holds is
//! checked by length and hash when it is read. Files that were used longest ago go when all take too much room.

mod file;
mod key;
mod place;

pub use place::user_cache;

use crate::tokenized::{TokenRows, Tokenization};
use crate::{DataError, Record};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

/// Bytes that all files of the user's cache take together, at most.
const BYTES_MAX: u64 = 2 << 30;
/// Texts of fewer bytes are tokenized faster than a file is found.
const TEXT_BYTES_MIN: usize = 64 << 10;
const EXTENSION: &str = "safetensors";
/// What a program that was killed while writing left behind is removed after so long.
const REMAINS_AGE: Duration = Duration::from_secs(24 * 60 * 60);

/// Where tokenized rows are kept, and what became of them so far. Clones share both.
#[derive(Clone, Debug, Default)]
pub struct TokenCache {
    /// None: nothing is kept.
    folder: Option<PathBuf>,
    bytes_max: u64,
    uses: Arc<Mutex<Vec<CacheUse>>>,
}

/// What became of the rows of one data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CacheUse {
    /// They were read from here, and nothing was tokenized.
    Read(PathBuf),
    /// They were tokenized, and lie here for the next time.
    Written(PathBuf),
    /// There was a file, but it was damaged: they were tokenized.
    Damaged {
        /// The file, which is replaced.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// They were tokenized, and could not be kept.
    NotWritten {
        /// The file that was to be written.
        file: PathBuf,
        /// Why it was not.
        why: String,
    },
}

impl TokenCache {
    /// None: everything is tokenized anew, and nothing is kept.
    pub fn off() -> Self {
        Self::default()
    }

    /// The user's: `tokens` in [`user_cache`], of 2 GB at most.
    pub fn of_user() -> Self {
        let folder = user_cache().map(|folder| folder.join("tokens"));
        Self { folder, bytes_max: BYTES_MAX, ..Self::default() }
    }

    /// In a folder of one's own; all files together take `bytes_max` bytes at most.
    pub fn at(folder: PathBuf, bytes_max: u64) -> Self {
        Self { folder: Some(folder), bytes_max, ..Self::default() }
    }

    /// What became of data sets since this was last asked, in their order. Small ones are not kept, and not among them.
    pub fn take_uses(&self) -> Vec<CacheUse> {
        std::mem::take(&mut *self.uses())
    }

    /// The rows of `records`: from a file, or else from `tokenize`, and then kept.
    pub(crate) fn rows(
        &self,
        tokenization: &Tokenization<'_>,
        records: &[Record],
        tokenize: impl FnOnce() -> Result<TokenRows, DataError>,
    ) -> Result<TokenRows, DataError> {
        let Some(file) = self.file(tokenization, records) else { return tokenize() };
        match file::read(&file, records.len()) {
            Ok(Some(rows)) => {
                touch(&file);
                self.note(CacheUse::Read(file));
                return Ok(rows);
            }
            Ok(None) => {}
            Err(why) => self.note(CacheUse::Damaged { file: file.clone(), why }),
        }
        let rows = tokenize()?;
        self.note(match self.keep(&file, &rows) {
            Ok(()) => CacheUse::Written(file),
            Err(why) => CacheUse::NotWritten { file, why },
        });
        Ok(rows)
    }

    /// Where the rows lie or will lie; none where they are not kept.
    fn file(&self, tokenization: &Tokenization<'_>, records: &[Record]) -> Option<PathBuf> {
        let folder = self.folder.as_ref()?;
        let tokenizer = tokenization.tokenizer?;
        let n_bytes = |record: &Record| {
            record.text.as_ref().map_or(0, String::len) + record.pair.as_ref().map_or(0, String::len)
        };
        let is_plain = records.iter().all(|record| record.input_ids.is_none());
        if !is_plain || records.iter().map(n_bytes).sum::<usize>() < TEXT_BYTES_MIN {
            return None;
        }
        let key = key::of(tokenizer, tokenization.max_length, records);
        Some(folder.join(format!("{key:032x}.{EXTENSION}")))
    }

    fn keep(&self, file: &Path, rows: &TokenRows) -> Result<(), String> {
        let n_bytes = file::size_about(rows);
        if n_bytes > self.bytes_max {
            return Err(format!(
                "it would take {n_bytes} of the {} bytes that the cache may have",
                self.bytes_max
            ));
        }
        let folder = file.parent().expect("it was joined to a folder");
        std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
        file::write(file, rows).map_err(|error| error.to_string())?;
        self.make_room(folder, file);
        Ok(())
    }

    /// Removes the files that were used longest ago while all take too much, and what killed programs left. What cannot
    /// be removed stays: another program may have done it already.
    fn make_room(&self, folder: &Path, just_written: &Path) {
        let mut files = Vec::new();
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            let Ok(metadata) = entry.metadata() else { continue };
            let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            match entry.path().extension().and_then(|extension| extension.to_str()) {
                Some(EXTENSION) => files.push((used, metadata.len(), entry.path())),
                Some("partial") if used.elapsed().is_ok_and(|age| age > REMAINS_AGE) => {
                    std::fs::remove_file(entry.path()).ok();
                }
                _ => {}
            }
        }
        files.sort();
        let mut n_bytes: u64 = files.iter().map(|(_, size, _)| size).sum();
        for (_, size, file) in files {
            if n_bytes > self.bytes_max && file != just_written && std::fs::remove_file(&file).is_ok() {
                n_bytes -= size;
            }
        }
    }

    fn note(&self, what: CacheUse) {
        self.uses().push(what);
    }

    fn uses(&self) -> std::sync::MutexGuard<'_, Vec<CacheUse>> {
        // A list is whole whoever panicked beside it.
        self.uses.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Marks a file as used now. Where that is not allowed it counts as old, no more.
fn touch(file: &Path) {
    if let Ok(handle) = std::fs::File::options().append(true).open(file) {
        handle.set_modified(SystemTime::now()).ok();
    }
}
