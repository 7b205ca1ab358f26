//! Atomic writes: files and folders are written under a temporary name, flushed to disk, and renamed.

use crate::Error;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Writes a file and atomically replaces an existing one.
///
/// Readers see the old or the new contents, even after a crash.
///
/// # Errors
/// [`Error::Io`]; the old file is then unchanged.
pub fn write_file(path: &Path, contents: &[u8]) -> Result<(), Error> {
    write_with(path, |file| file.write_all(contents))
}

/// Creates the parent folders of a file, if they do not exist.
///
/// # Errors
/// [`Error::Io`].
pub fn make_folder_of(path: &Path) -> Result<(), Error> {
    let folder = parent_of(path);
    fs::create_dir_all(folder).map_err(|source| Error::io(folder, "make the folder", source))
}

/// As [`write_file`], for contents that are written incrementally.
pub(crate) fn write_with(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<()>,
) -> Result<(), Error> {
    let beside = parent_of(path).join(unique_name(file_name_of(path)?, "partial"));
    let written = write_and_sync(&beside, fill).and_then(|()| fs::rename(&beside, path));
    if let Err(source) = written {
        // The error of the write is reported; a failure to remove the partial file is not.
        fs::remove_file(&beside).ok();
        return Err(Error::io(path, "write the file", source));
    }
    sync_folder(parent_of(path));
    Ok(())
}

fn write_and_sync(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&File>) -> std::io::Result<()>,
) -> std::io::Result<()> {
    let file = File::create_new(path)?;
    let mut writer = BufWriter::with_capacity(1 << 20, &file);
    fill(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.sync_all()
}

/// Writes a folder and atomically replaces an existing one.
///
/// `fill` receives the path of an empty staging folder. If it fails, or the program is killed, the old folder
/// is unchanged. The old folder is removed after the new one is in place. Remains of interrupted saves are
/// cleaned up first (see [`recover`]).
///
/// # Errors
/// Those of `fill`; [`Error::Io`]; [`Error::FolderInUse`] if the existing folder has subfolders that the new
/// one lacks, or has no file in common with it, because it is then not an earlier save.
pub fn write_folder<E: From<Error>>(
    folder: &Path,
    fill: impl FnOnce(&Path) -> Result<(), E>,
) -> Result<(), E> {
    // A symbolic link is kept; the folder that it points to is replaced.
    let folder = fs::canonicalize(folder).unwrap_or_else(|_| folder.to_path_buf());
    let folder = folder.as_path();
    let parent = parent_of(folder);
    fs::create_dir_all(parent).map_err(|source| Error::io(parent, "make the folder", source))?;
    recover(folder)?;
    let save = Save::begin(folder)?;
    fill(&save.staging)?;
    save.put_in_place(folder)?;
    Ok(())
}

/// Cleans up after interrupted saves to `folder`: completes a save that was fully written, and removes other
/// remains. Saves of running programs are not touched.
///
/// # Errors
/// [`Error::Io`] if remains cannot be moved or removed.
pub fn recover(folder: &Path) -> Result<(), Error> {
    let parent = parent_of(folder);
    let prefix = staging_prefix(file_name_of(folder)?);
    let Ok(entries) = fs::read_dir(parent) else {
        return Ok(()); // Without a parent folder there are no remains.
    };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if name.starts_with(&*prefix.to_string_lossy()) && name.ends_with(".lock") {
            recover_one(folder, &entry.path())?;
        }
    }
    Ok(())
}

fn recover_one(folder: &Path, marker: &Path) -> Result<(), Error> {
    let Ok(lock) = File::open(marker) else {
        return Ok(()); // Another program has just cleaned up.
    };
    if lock.try_lock().is_err() {
        return Ok(()); // The program that saves is still running.
    }
    let (staging, old) = (marker.with_extension("new"), marker.with_extension("old"));
    if old.exists() && !folder.exists() {
        // Interrupted between the two renames: the old folder is moved away only when the new one is
        // complete.
        let complete = if staging.exists() { &staging } else { &old };
        fs::rename(complete, folder).map_err(|source| Error::io(complete, "move the folder back", source))?;
    }
    remove_folder(&staging)?;
    remove_folder(&old)?;
    fs::remove_file(marker).map_err(|source| Error::io(marker, "remove the file", source))
}

/// A save in progress: a staging folder, and a marker file that is locked while this program runs.
struct Save {
    staging: PathBuf,
    marker: PathBuf,
    _lock: File,
}

impl Save {
    fn begin(folder: &Path) -> Result<Self, Error> {
        let marker = parent_of(folder).join(unique_name(file_name_of(folder)?, "lock"));
        let lock = File::create_new(&marker).map_err(|source| Error::io(&marker, "make the file", source))?;
        lock.lock().map_err(|source| Error::io(&marker, "lock the file", source))?;
        let staging = marker.with_extension("new");
        let save = Self { staging, marker, _lock: lock };
        fs::create_dir(&save.staging)
            .map_err(|source| Error::io(&save.staging, "make the folder", source))?;
        Ok(save)
    }

    fn put_in_place(self, folder: &Path) -> Result<(), Error> {
        check_replaceable(folder, &self.staging)?;
        sync_tree(&self.staging).map_err(|source| Error::io(&self.staging, "flush the folder", source))?;
        let old = self.marker.with_extension("old");
        let replaces = folder.exists();
        if replaces {
            fs::rename(folder, &old)
                .map_err(|source| Error::io(folder, "move the old folder aside", source))?;
        }
        if let Err(source) = fs::rename(&self.staging, folder) {
            if replaces {
                fs::rename(&old, folder)
                    .map_err(|source| Error::io(&old, "move the old folder back", source))?;
            }
            return Err(Error::io(folder, "put the new folder in place", source));
        }
        sync_folder(parent_of(folder));
        remove_folder(&old)
    }
}

impl Drop for Save {
    fn drop(&mut self) {
        // Cleans up after a failure; the next save removes what cannot be removed now.
        fs::remove_dir_all(&self.staging).ok();
        fs::remove_file(&self.marker).ok();
    }
}

/// Checks that the existing folder is an earlier save.
fn check_replaceable(folder: &Path, staging: &Path) -> Result<(), Error> {
    if !folder.exists() {
        return Ok(());
    }
    let in_use = |holds: String| Err(Error::FolderInUse { folder: folder.to_path_buf(), holds });
    if !folder.is_dir() {
        return in_use("this is a file, not a folder".into());
    }
    let entries = fs::read_dir(folder).map_err(|source| Error::io(folder, "list the folder", source))?;
    let (mut n_entries, mut shares_a_file) = (0, false);
    for entry in entries {
        let entry = entry.map_err(|source| Error::io(folder, "list the folder", source))?;
        let staged = staging.join(entry.file_name());
        n_entries += 1;
        shares_a_file |= staged.is_file();
        if entry.path().is_dir() && !staged.is_dir() {
            return in_use(format!("it contains the folder `{}`", entry.file_name().to_string_lossy()));
        }
    }
    if n_entries > 0 && !shares_a_file {
        return in_use("it contains files that are not an earlier save".into());
    }
    Ok(())
}

/// Flushes all files below `folder` to disk, so that the rename never reaches the disk before the contents.
fn sync_tree(folder: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sync_tree(&path)?;
        } else {
            File::open(&path)?.sync_all()?;
        }
    }
    sync_folder(folder);
    Ok(())
}

/// Flushes the entries of a folder to disk. Systems that do not support this flush them on their own.
fn sync_folder(folder: &Path) {
    if let Ok(handle) = File::open(folder) {
        handle.sync_all().ok();
    }
}

fn remove_folder(folder: &Path) -> Result<(), Error> {
    match fs::remove_dir_all(folder) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
            Err(Error::io(folder, "remove the folder", source))
        }
        _ => Ok(()),
    }
}

fn parent_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

fn file_name_of(path: &Path) -> Result<&OsStr, Error> {
    path.file_name().ok_or_else(|| {
        let source = std::io::Error::new(std::io::ErrorKind::InvalidInput, "the path does not end in a name");
        Error::io(path, "write there", source)
    })
}

fn staging_prefix(name: &OsStr) -> OsString {
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".saving-");
    prefix
}

/// A temporary name, made unique by process id and a counter.
fn unique_name(name: &OsStr, extension: &str) -> OsString {
    static COUNTER: AtomicU64 = AtomicU64::new(0);
    let mut unique = staging_prefix(name);
    let count = COUNTER.fetch_add(1, Ordering::Relaxed);
    unique.push(format!("{}-{count}.{extension}", std::process::id()));
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("readable");
        let mut names: Vec<_> = entries
            .map(|entry| entry.expect("readable").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    fn save(folder: &Path, contents: &str) -> Result<(), Error> {
        write_folder(folder, |staging| {
            write_file(&staging.join("config.json"), contents.as_bytes())?;
            write_file(&staging.join("model.safetensors"), b"weights")
        })
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("a.json");
        write_file(&file, b"one").expect("writable");
        write_file(&file, b"two").expect("writable");
        assert_eq!(fs::read(&file).expect("readable"), b"two");
        assert_eq!(names(folder.path()), ["a.json"]);
    }

    #[test]
    fn a_failed_write_keeps_the_old_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("a.bin");
        write_file(&file, b"old").expect("writable");
        let failed = write_with(&file, |writer| {
            writer.write_all(b"half")?;
            Err(std::io::Error::other("disk full"))
        });
        assert!(failed.expect_err("it failed").to_string().contains("disk full"));
        assert_eq!(fs::read(&file).expect("readable"), b"old");
        assert_eq!(names(folder.path()), ["a.bin"]);
        assert!(matches!(write_file(&folder.path().join("no/such/folder"), b""), Err(Error::Io { .. })));
    }

    #[test]
    fn a_folder_is_made_with_its_parents_and_replaced_as_a_whole() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join("runs/final_model");
        save(&folder, "first").expect("saved");
        fs::write(folder.join("stale.txt"), "from the first save").expect("writable");
        save(&folder, "second").expect("saved");
        assert_eq!(names(&folder), ["config.json", "model.safetensors"]);
        assert_eq!(fs::read(folder.join("config.json")).expect("readable"), b"second");
        assert_eq!(names(&root.path().join("runs")), ["final_model"]);
    }

    #[test]
    fn a_failed_save_keeps_the_old_folder() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join("model");
        save(&folder, "first").expect("saved");
        let failed: Result<(), Error> = write_folder(&folder, |staging| {
            write_file(&staging.join("config.json"), b"half")?;
            Err(Error::io(staging, "write", std::io::Error::other("disk full")))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read(folder.join("config.json")).expect("readable"), b"first");
        assert_eq!(names(root.path()), ["model"]);
    }

    #[test]
    fn remains_of_an_interrupted_save_are_removed_by_the_next() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let remains = root.path().join(".model.saving-1-0.new");
        fs::create_dir(&remains).expect("writable");
        fs::write(remains.join("config.json"), "half").expect("writable");
        fs::write(root.path().join(".model.saving-1-0.lock"), "").expect("writable");
        save(&root.path().join("model"), "whole").expect("saved");
        assert_eq!(names(root.path()), ["model"]);
    }

    #[test]
    fn a_save_interrupted_between_its_renames_is_finished() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join("model");
        for (name, contents) in [(".model.saving-1-0.new", "new"), (".model.saving-1-0.old", "old")] {
            fs::create_dir(root.path().join(name)).expect("writable");
            fs::write(root.path().join(name).join("config.json"), contents).expect("writable");
        }
        fs::write(root.path().join(".model.saving-1-0.lock"), "").expect("writable");
        recover(&folder).expect("recovered");
        assert_eq!(fs::read(folder.join("config.json")).expect("readable"), b"new");
        assert_eq!(names(root.path()), ["model"]);
    }

    #[test]
    fn a_save_that_is_still_running_is_left_alone() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join("model");
        let outer: Result<(), Error> = write_folder(&folder, |staging| {
            write_file(&staging.join("config.json"), b"outer")?;
            save(&folder, "inner")?;
            assert!(staging.join("config.json").exists());
            Ok(())
        });
        outer.expect("saved");
        assert_eq!(fs::read(folder.join("config.json")).expect("readable"), b"outer");
        assert_eq!(names(root.path()), ["model"]);
    }

    #[test]
    fn a_folder_with_other_work_is_refused_and_untouched() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let folder = root.path().join("project");
        fs::create_dir_all(folder.join(".git")).expect("writable");
        fs::write(folder.join("config.json"), "{}").expect("writable");
        let message = save(&folder, "new").expect_err("refused").to_string();
        assert!(message.contains("`.git`") && message.contains("empty folder"), "{message}");
        fs::remove_dir(folder.join(".git")).expect("writable");
        fs::rename(folder.join("config.json"), folder.join("thesis.tex")).expect("writable");
        assert!(matches!(save(&folder, "new"), Err(Error::FolderInUse { .. })));
        assert_eq!(names(&folder), ["thesis.tex"]);
        assert_eq!(names(root.path()), ["project"]);
    }
}
