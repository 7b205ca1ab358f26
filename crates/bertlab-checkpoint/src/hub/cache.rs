//! HuggingFace's cache. The folder `models--ORG--NAME` of a repository has `refs/REVISION` with a commit
//! hash, `snapshots/COMMIT/` with the files of the commit as links, and `blobs/ETAG` with their contents.
//! Locks are in `.locks/`, next to the folders of repositories.

use super::names::is_commit;
use crate::{Error, atomic};
use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Interval between attempts to get a lock.
const LOCK_PAUSE: Duration = Duration::from_millis(100);

/// A repository in the cache.
#[derive(Clone, Debug)]
pub(super) struct RepoCache {
    cache: PathBuf,
    folder_name: String,
}

impl RepoCache {
    /// `kind` is `models` or `datasets`.
    pub(super) fn new(cache: &Path, kind: &str, name: &str) -> Self {
        Self { cache: cache.to_path_buf(), folder_name: format!("{kind}--{}", name.replace('/', "--")) }
    }

    /// The folder of the repository.
    pub(super) fn folder(&self) -> PathBuf {
        self.cache.join(&self.folder_name)
    }

    /// The folder with the files of a commit.
    pub(super) fn snapshot(&self, commit: &str) -> PathBuf {
        self.folder().join("snapshots").join(commit)
    }

    /// The path of a file's contents.
    pub(super) fn blob(&self, etag: &str) -> PathBuf {
        self.folder().join("blobs").join(etag)
    }

    /// The path of a partial download.
    pub(super) fn part(&self, etag: &str) -> PathBuf {
        self.folder().join("blobs").join(format!("{etag}.incomplete"))
    }

    /// The snapshot folder of a revision, if there is one. It may be incomplete.
    pub(super) fn find_snapshot(&self, revision: &str) -> Option<PathBuf> {
        let commit = if is_commit(revision) {
            revision.to_owned()
        } else {
            fs::read_to_string(self.folder().join("refs").join(revision)).ok()?.trim().to_owned()
        };
        // The commit is read from a file and becomes part of a path, so it is validated.
        let plain = !commit.is_empty() && commit.chars().all(|letter| letter.is_ascii_alphanumeric());
        let snapshot = self.snapshot(&commit);
        (plain && snapshot.is_dir()).then_some(snapshot)
    }

    /// Records the commit of a revision, when all of its files have been downloaded.
    pub(super) fn note_revision(&self, revision: &str, commit: &str) -> Result<(), Error> {
        if is_commit(revision) {
            return Ok(()); // A commit needs no reference: its snapshot has its name.
        }
        let note = self.folder().join("refs").join(revision);
        if fs::read_to_string(&note).is_ok_and(|noted| noted == commit) {
            return Ok(());
        }
        atomic::make_folder_of(&note)?;
        atomic::write_file(&note, commit.as_bytes())
    }

    /// Locks a blob against other processes until the returned file is dropped; `None` if the file system
    /// does not support locks. Waits while the process that holds the lock makes progress.
    ///
    /// # Errors
    /// [`Error::Io`] if the lock cannot be created, or if the process that holds it has made no progress for
    /// `patience`.
    pub(super) fn lock(&self, etag: &str, patience: Duration) -> Result<Option<File>, Error> {
        let path = self.cache.join(".locks").join(&self.folder_name).join(format!("{etag}.lock"));
        atomic::make_folder_of(&path)?;
        let file = File::options().create(true).append(true).open(&path);
        let file = file.map_err(|source| Error::io(&path, "make the lock", source))?;
        let length = || fs::metadata(self.part(etag)).map(|part| part.len()).ok();
        let (mut since, mut seen) = (Instant::now(), length());
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(file)),
                Err(TryLockError::Error(_)) => return Ok(None),
                Err(TryLockError::WouldBlock) if length() != seen => {
                    (since, seen) = (Instant::now(), length())
                }
                Err(TryLockError::WouldBlock) if since.elapsed() >= patience => {
                    let reason =
                        "another process downloads the same file and makes no progress; end it first";
                    return Err(Error::io(&path, "get the lock", std::io::Error::other(reason)));
                }
                Err(TryLockError::WouldBlock) => {}
            }
            std::thread::sleep(LOCK_PAUSE);
        }
    }

    /// Adds a blob as a file of a commit: as a link if the system supports links. Otherwise a new blob is
    /// moved, and an existing one copied.
    pub(super) fn link(&self, etag: &str, commit: &str, file_name: &str, is_new: bool) -> Result<(), Error> {
        let (blob, path) = (self.blob(etag), self.snapshot(commit).join(file_name));
        if path.is_file() {
            return Ok(());
        }
        atomic::make_folder_of(&path)?;
        if path.is_symlink() {
            // A broken link.
            fs::remove_file(&path).map_err(|source| Error::io(&path, "remove the link", source))?;
        }
        // From the folder of the file up to the folder of the repository: `COMMIT`, `snapshots`, and one
        // level for each folder in the name.
        let n_up = 1 + Path::new(file_name).components().count();
        let target = Path::new(&"../".repeat(n_up)).join("blobs").join(etag);
        if symlink(&target, &path).is_ok() {
            return Ok(());
        }
        let placed = if is_new { fs::rename(&blob, &path) } else { copy(&blob, &path) };
        placed.map_err(|source| Error::io(&path, "put the file in the cache", source))
    }
}

#[cfg(unix)]
fn symlink(target: &Path, path: &Path) -> std::io::Result<()> {
    std::os::unix::fs::symlink(target, path)
}

#[cfg(windows)]
fn symlink(target: &Path, path: &Path) -> std::io::Result<()> {
    std::os::windows::fs::symlink_file(target, path)
}

#[cfg(not(any(unix, windows)))]
fn symlink(_target: &Path, _path: &Path) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Copies a file atomically.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    let mut beside = to.as_os_str().to_owned();
    beside.push(".incomplete");
    fs::copy(from, &beside)?;
    fs::rename(&beside, to)
}
