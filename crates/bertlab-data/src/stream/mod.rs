//! Texts of any number of files, one after the other: memory holds a few megabytes of them, however large they are.
//!
//! Labels, pairs and ids are not looked at. What is read as a whole all the same: a `.json` file that is one array, a
//! CoNLL file, and a file of a class folder, which is a text each.

mod chunks;

use std::path::{Path, PathBuf};
use std::sync::mpsc::{IntoIter, sync_channel};

use bertlab_feedback::Meter;

use super::{Columns, DataError, Encoding, Layout, delimited, expand, folder, json, parquet};
use crate::read::read_one;
pub(super) use chunks::Chunks;

/// Files of texts that are read one after the other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TextFiles {
    /// Files, folders and patterns, as [`expand`] takes them.
    pub files: Vec<PathBuf>,
    /// The column that holds the texts; found by its name when none.
    pub text_column: Option<String>,
    /// How the bytes of text files become characters.
    pub encoding: Encoding,
}

/// One of the files while it is read.
pub(super) struct Source<'a> {
    pub(super) file: &'a Path,
    pub(super) columns: &'a Columns,
    pub(super) encoding: Encoding,
    /// Counts the bytes that were read, of all files.
    pub(super) meter: &'a Meter<'a>,
}

/// Texts on their way from a reading thread, at most.
const ON_THE_WAY: usize = 1024;

/// Why a reading thread came to its end.
enum Ended {
    Bad(DataError),
    NobodyListens,
}

impl From<DataError> for Ended {
    fn from(error: DataError) -> Self {
        Self::Bad(error)
    }
}

impl TextFiles {
    /// Bytes of all files together, as they lie on the disk.
    ///
    /// # Errors
    /// As [`expand`].
    pub fn n_bytes(&self) -> Result<u64, DataError> {
        let mut n_bytes = 0;
        for path in expand(&self.files)? {
            n_bytes += size_of(&path);
        }
        Ok(n_bytes)
    }

    /// Tells `visit` every text that is not blank, in the order of the files. `meter` counts their bytes.
    ///
    /// # Errors
    /// Any [`DataError`] of reading; what `visit` refuses; no text at all.
    pub fn visit<E: From<DataError>>(
        &self,
        meter: &Meter<'_>,
        visit: &mut dyn FnMut(String) -> Result<(), E>,
    ) -> Result<(), E> {
        let columns = Columns { text: self.text_column.clone(), layout: Layout::Texts, ..Columns::default() };
        let mut n_texts = 0;
        let mut visit_text = |text: String| {
            if text.trim().is_empty() {
                return Ok(());
            }
            n_texts += 1;
            visit(text)
        };
        let files = expand(&self.files)?;
        let mut n_before = 0;
        for file in &files {
            let source = Source { file, columns: &columns, encoding: self.encoding, meter };
            source.visit(&mut visit_text)?;
            n_before += size_of(file);
            meter.set(n_before).map_err(DataError::from)?;
        }
        match files.first() {
            None => Err(DataError::NoFiles.into()),
            Some(file) if n_texts == 0 => {
                Err(DataError::NoRows { file: file.clone(), found: "no text in it that is not blank" }.into())
            }
            Some(_) => Ok(()),
        }
    }

    /// Gives `work` the texts as an iterator, which a thread of its own reads.
    ///
    /// # Errors
    /// As [`TextFiles::visit`]; `work` has then seen the texts before the error.
    pub fn iterate<T>(
        &self,
        meter: &Meter<'_>,
        work: impl FnOnce(IntoIter<String>) -> T,
    ) -> Result<T, DataError> {
        std::thread::scope(|scope| {
            let (sender, receiver) = sync_channel(ON_THE_WAY);
            let reading = scope.spawn(move || {
                self.visit(meter, &mut |text| sender.send(text).map_err(|_| Ended::NobodyListens))
            });
            let result = work(receiver.into_iter());
            match reading.join() {
                Ok(Ok(()) | Err(Ended::NobodyListens)) => Ok(result),
                Ok(Err(Ended::Bad(error))) => Err(error),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }
}

impl Source<'_> {
    fn visit<E: From<DataError>>(&self, visit: &mut dyn FnMut(String) -> Result<(), E>) -> Result<(), E> {
        if self.file.is_dir() {
            return folder::visit_texts(self, visit);
        }
        let extension = self.file.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        match extension.as_deref() {
            Some("txt" | "pos" | "neg") => self.visit_lines(visit),
            Some("csv") => delimited::visit_texts(self, delimited::Format::Csv, visit),
            Some("tsv") => delimited::visit_texts(self, delimited::Format::Tsv, visit),
            Some("jsonl" | "json" | "ndjson") => json::visit_texts(self, visit),
            Some("parquet" | "pq") => parquet::visit_texts(self, visit),
            _ => self.visit_whole(visit),
        }
    }

    /// A text on every line.
    pub(super) fn visit_lines<E: From<DataError>>(
        &self,
        visit: &mut dyn FnMut(String) -> Result<(), E>,
    ) -> Result<(), E> {
        for chunk in Chunks::open(self)? {
            chunk?.lines().try_for_each(|line| visit(line.to_owned()))?;
        }
        Ok(())
    }

    /// As a data set is read.
    pub(super) fn visit_whole<E: From<DataError>>(
        &self,
        visit: &mut dyn FnMut(String) -> Result<(), E>,
    ) -> Result<(), E> {
        let part = read_one(self.file, self.columns, self.encoding)?;
        part.records.into_iter().filter_map(|record| record.text).try_for_each(visit)
    }
}

/// Of a file, or of all that a folder holds. What cannot be asked is refused when it is read.
fn size_of(path: &Path) -> u64 {
    match std::fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => {
            let entries = std::fs::read_dir(path).into_iter().flatten().flatten();
            entries.map(|entry| size_of(&entry.path())).sum()
        }
        Ok(metadata) => metadata.len(),
        Err(_) => 0,
    }
}
