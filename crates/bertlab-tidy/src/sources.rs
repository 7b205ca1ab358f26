//! The sources of the workspace.

use std::fs;
use std::path::{Path, PathBuf};

/// A `.rs` file.
#[derive(Clone, Debug)]
pub struct Source {
    /// From the repository's root, with `/` between its parts.
    pub path: String,
    /// What it holds.
    pub text: String,
}

/// The repository's root.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Folders of crates, from the root.
pub fn crates() -> Vec<String> {
    let mut folders: Vec<String> = entries(&root().join("crates"))
        .into_iter()
        .filter(|path| path.join("Cargo.toml").is_file())
        .map(|path| format!("crates/{}", name(&path)))
        .collect();
    folders.sort();
    folders
}

/// All `.rs` files below a folder that is given from the root, in alphabetical order; none where it is not there.
///
/// # Panics
/// For a file that cannot be read.
pub fn sources(folder: &str) -> Vec<Source> {
    let mut found = Vec::new();
    collect(&root().join(folder), folder, &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

fn collect(folder: &Path, path: &str, found: &mut Vec<Source>) {
    for entry in entries(folder) {
        let path = format!("{path}/{}", name(&entry));
        if entry.is_dir() {
            collect(&entry, &path, found);
        } else if path.ends_with(".rs") {
            let text = fs::read_to_string(&entry).unwrap_or_else(|error| panic!("{path}: {error}"));
            found.push(Source { path, text });
        }
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect()
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
