//! HuggingFace's cache: `models--ORG--NAME/refs/REVISION` names a commit, `snapshots/COMMIT/` holds its files.

use hf_hub::{Cache, Repo};
use std::path::{Path, PathBuf};

const COMMIT_DIGITS: usize = 40;

/// The snapshot folder of a repository's revision, if the cache has one. It may lack files.
pub(super) fn find_snapshot(cache: &Path, repo: &Repo) -> Option<PathBuf> {
    let folder = cache.join(repo.folder_name());
    let revision = repo.revision();
    let commit = if is_commit(revision) {
        revision.to_owned()
    } else {
        std::fs::read_to_string(folder.join("refs").join(revision)).ok()?.trim().to_owned()
    };
    // The commit is read from a file and becomes a path: only a plain one is followed.
    let plain = !commit.is_empty() && commit.chars().all(|letter| letter.is_ascii_alphanumeric());
    let snapshot = folder.join("snapshots").join(&commit);
    (plain && snapshot.is_dir()).then_some(snapshot)
}

/// Notes that `repo`'s revision is `commit`, once all of its files are there.
pub(super) fn note_revision(cache: &Path, repo: Repo, commit: &str) -> std::io::Result<()> {
    if is_commit(repo.revision()) {
        return Ok(()); // A commit needs no note: its snapshot is found by its own name.
    }
    Cache::new(cache.to_path_buf()).repo(repo).create_ref(commit)
}

/// Whether a revision is a whole commit hash.
pub(super) fn is_commit(revision: &str) -> bool {
    revision.len() == COMMIT_DIGITS && revision.bytes().all(|byte| byte.is_ascii_hexdigit())
}
