//! From the words of a command line to files: what exists is taken as it is, patterns are expanded, sorted.

use std::path::{Path, PathBuf};

use super::error::{DataError, listed};

/// Every path, with patterns such as `data/train-*.parquet` replaced by what they match, in the order of the names. A
/// path that exists is no pattern, whatever it looks like.
///
/// # Errors
/// A pattern that matches nothing or is none; a path where nothing is. Both name what the folder holds.
pub fn expand(paths: &[PathBuf]) -> Result<Vec<PathBuf>, DataError> {
    let mut files = Vec::new();
    for path in paths {
        if path.exists() {
            files.push(path.clone());
        } else if is_pattern(path) {
            files.extend(matches(path)?);
        } else {
            let (folder, holds) = surroundings(path);
            return Err(DataError::NoSuchFile { file: path.clone(), folder, holds });
        }
    }
    Ok(files)
}

fn is_pattern(path: &Path) -> bool {
    path.to_string_lossy().contains(['*', '?', '['])
}

fn matches(pattern: &Path) -> Result<Vec<PathBuf>, DataError> {
    let bad = |reason: &str| DataError::BadPattern { pattern: pattern.to_owned(), reason: reason.to_owned() };
    let text = pattern.to_str().ok_or_else(|| bad("it is not UTF-8"))?;
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let found = glob::glob_with(text, options).map_err(|error| bad(error.msg))?;
    let mut files = Vec::new();
    for file in found {
        files.push(file.map_err(|error| DataError::Unreadable {
            file: error.path().to_owned(),
            source: error.into(),
        })?);
    }
    files.sort();
    if files.is_empty() {
        let (folder, holds) = surroundings(pattern);
        return Err(DataError::NoMatch { pattern: pattern.to_owned(), folder, holds });
    }
    Ok(files)
}

/// The nearest folder above a path that is there, and what it holds, in words.
fn surroundings(path: &Path) -> (PathBuf, String) {
    let above = path.ancestors().skip(1);
    let existing = above.map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder });
    let folder = existing.into_iter().find(|folder| folder.is_dir()).unwrap_or(Path::new("."));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> =
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    let holds = if names.is_empty() { "nothing".to_owned() } else { listed(&names) };
    (folder.to_owned(), holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in names {
            std::fs::write(folder.path().join(name), "").expect("writable");
        }
        folder
    }

    fn names(folder: &Path, patterns: &[&str]) -> Vec<String> {
        let paths: Vec<PathBuf> = patterns.iter().map(|pattern| folder.join(pattern)).collect();
        let found = expand(&paths).expect("everything is there");
        found.iter().map(|path| path.file_name().expect("a file").to_string_lossy().into_owned()).collect()
    }

    #[test]
    fn patterns_are_expanded_sorted_and_in_their_place() {
        let folder = folder(&["train-2.csv", "train-10.csv", "train-1.csv", "test.csv", ".train-0.csv"]);
        let found = names(folder.path(), &["test.csv", "train-*.csv"]);
        assert_eq!(found, ["test.csv", "train-1.csv", "train-10.csv", "train-2.csv"]);
        assert_eq!(names(folder.path(), &["train-?.csv"]), ["train-1.csv", "train-2.csv"]);
        assert_eq!(names(folder.path(), &["train-[2-9].csv"]), ["train-2.csv"]);
    }

    #[test]
    fn a_path_that_exists_is_no_pattern() {
        let folder = folder(&["a[1].csv", "a1.csv"]);
        assert_eq!(names(folder.path(), &["a[1].csv"]), ["a[1].csv"]);
        std::fs::remove_file(folder.path().join("a[1].csv")).expect("there");
        assert_eq!(names(folder.path(), &["a[1].csv"]), ["a1.csv"]);
    }

    #[test]
    fn what_matches_nothing_is_told_with_what_is_there() {
        let folder = folder(&["train.tsv", "test.tsv"]);
        for pattern in ["train-*.csv", "train.csv", "sub/train.csv", "sub/*.csv"] {
            let error = expand(&[folder.path().join(pattern)]).expect_err("nothing there").to_string();
            assert!(error.contains(pattern) && error.contains("\"test.tsv\", \"train.tsv\""), "{error}");
        }
        let error = expand(&[folder.path().join("a[.csv")]).expect_err("no pattern").to_string();
        assert!(error.contains("pattern"), "{error}");
    }
}
