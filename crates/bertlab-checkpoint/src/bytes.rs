//! Shared read-only bytes, backed by a memory map or a vector.

use crate::Error;
use std::fs::File;
use std::ops::{Deref, Range};
use std::path::Path;
use std::sync::Arc;
use zerocopy::IntoBytes;

/// A cheaply cloned range of shared bytes, backed by a memory map or a vector.
///
/// A memory map is not copied: the system reads a page at its first access.
// Invariant: `range` lies within the owner's bytes.
#[derive(Clone)]
pub struct Bytes {
    owner: Owner,
    range: Range<usize>,
}

#[derive(Clone)]
enum Owner {
    Map(Arc<memmap2::Mmap>),
    Vector(Arc<Vec<u8>>),
    Floats(Arc<Vec<f32>>),
    Integers(Arc<Vec<i64>>),
}

impl Owner {
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Map(map) => map,
            Self::Vector(bytes) => bytes,
            Self::Floats(values) => values.as_bytes(),
            Self::Integers(values) => values.as_bytes(),
        }
    }
}

impl Bytes {
    /// Maps a file into memory. An empty file gives no bytes.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be opened or mapped, or is not a regular file.
    pub fn map_file(path: &Path) -> Result<Self, Error> {
        let file = File::open(path).map_err(|source| Error::io(path, "open the file", source))?;
        let metadata = file.metadata().map_err(|source| Error::io(path, "look at the file", source))?;
        if !metadata.is_file() {
            let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "it is not a regular file");
            return Err(Error::io(path, "read it", source));
        }
        if metadata.len() == 0 {
            return Ok(Self::from(Vec::<u8>::new()));
        }
        // SAFETY: it is a regular, non-empty file, as checked above. The map is private to this type, which
        // only lends `&[u8]`. This crate replaces files by renaming (`atomic`), so it never changes or
        // shortens a mapped file; another program that does so breaks the checkpoint for every reader.
        #[allow(unsafe_code)]
        let map = unsafe { memmap2::Mmap::map(&file) };
        let map = map.map_err(|source| Error::io(path, "map the file into memory", source))?;
        let range = 0..map.len();
        Ok(Self { owner: Owner::Map(Arc::new(map)), range })
    }

    /// A sub-range that shares the memory; `None` if the range is out of bounds.
    pub fn slice(&self, range: Range<usize>) -> Option<Self> {
        if range.start > range.end || range.end > self.range.len() {
            return None;
        }
        let start = self.range.start + range.start;
        Some(Self { owner: self.owner.clone(), range: start..start + range.len() })
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        let range = 0..bytes.len();
        Self { owner: Owner::Vector(Arc::new(bytes)), range }
    }
}

impl From<Vec<f32>> for Bytes {
    /// The values as little-endian bytes, without a copy.
    fn from(mut values: Vec<f32>) -> Self {
        if cfg!(target_endian = "big") {
            values.iter_mut().for_each(|value| *value = f32::from_bits(value.to_bits().swap_bytes()));
        }
        let range = 0..size_of_val(values.as_slice());
        Self { owner: Owner::Floats(Arc::new(values)), range }
    }
}

impl From<Vec<i64>> for Bytes {
    /// The values as little-endian bytes, without a copy.
    fn from(mut values: Vec<i64>) -> Self {
        values.iter_mut().for_each(|value| *value = value.to_le());
        let range = 0..size_of_val(values.as_slice());
        Self { owner: Owner::Integers(Arc::new(values)), range }
    }
}

impl Deref for Bytes {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.owner.bytes()[self.range.clone()]
    }
}

impl std::fmt::Debug for Bytes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Bytes({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_share_memory_and_refuse_to_reach_beyond() {
        let bytes = Bytes::from(vec![1_u8, 2, 3, 4, 5]);
        let middle = bytes.slice(1..4).expect("within");
        assert_eq!(&*middle, [2, 3, 4]);
        assert_eq!(&*middle.slice(1..3).expect("within"), [3, 4]);
        assert!(middle.slice(1..4).is_none());
        assert!(middle.slice(4..4).is_none());
        assert!(middle.slice(3..3).is_some_and(|empty| empty.is_empty()));
        assert_eq!(middle.as_ptr(), bytes[1..].as_ptr());
    }

    #[test]
    fn an_empty_file_maps_to_no_bytes_and_a_folder_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("empty");
        std::fs::write(&file, b"").expect("writable");
        assert!(Bytes::map_file(&file).expect("readable").is_empty());
        assert!(matches!(Bytes::map_file(folder.path()), Err(Error::Io { .. })));
    }

    #[test]
    fn a_map_outlives_the_replacement_of_its_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("weights");
        crate::atomic::write_file(&file, b"old").expect("writable");
        let old = Bytes::map_file(&file).expect("readable");
        crate::atomic::write_file(&file, b"newer").expect("writable");
        assert_eq!(&*old, b"old");
        assert_eq!(&*Bytes::map_file(&file).expect("readable"), b"newer");
    }
}
