//! A temporary folder in which a target lays out the files that its reader opens.

use std::cell::OnceCell;
use std::fs;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

thread_local! {
    static ROOT: OnceCell<TempDir> = const { OnceCell::new() };
}

/// Calls `read` with a folder that holds `files`, each given by name and contents. The folder belongs to
/// `target` and to this thread; files of earlier calls with other names stay in it.
pub(crate) fn with_files<T>(target: &str, files: &[(&str, &[u8])], read: impl FnOnce(&Path) -> T) -> T {
    let folder = ROOT.with(|root| {
        let root = root.get_or_init(|| tempfile::tempdir().expect("the system has a temporary folder"));
        root.path().join(target)
    });
    for (name, contents) in files {
        write(&folder.join(name), contents);
    }
    read(&folder)
}

fn write(file: &PathBuf, contents: &[u8]) {
    if fs::write(file, contents).is_err() {
        let parent = file.parent().expect("a file in a folder");
        fs::create_dir_all(parent).expect("the temporary folder is writable");
        fs::write(file, contents).expect("the temporary folder is writable");
    }
}

/// A path in the repository.
pub(crate) fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}
