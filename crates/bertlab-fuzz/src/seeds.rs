//! Valid inputs from which mutation starts: the files in `fuzz/seeds/TARGET/`.

use crate::folder::in_repository;
use std::fs;

/// The seeds of a target, ordered by file name.
///
/// # Panics
/// When the folder of seeds cannot be read or is empty.
pub fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder = in_repository("fuzz/seeds").join(target);
    let entries =
        fs::read_dir(&folder).unwrap_or_else(|error| panic!("seeds in {}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} holds no seed", folder.display());
    files.iter().map(|file| fs::read(file).expect("a readable seed")).collect()
}
