//! Validation of names that become URLs and paths: models, revisions, commits, files and blobs.

use std::path::{Component, Path};

/// Maximum length of `organisation/name` on the hub, in characters.
const NAME_LENGTH_MAX: usize = 96;
const COMMIT_DIGITS: usize = 40;
/// Maximum length of blob names, below the limits of file systems even with an extension.
const BLOB_NAME_LENGTH_MAX: usize = 200;
/// Maximum number of characters of untrusted text in messages.
const SHOWN_MAX: usize = 100;

/// Why a name is not a valid name of a model or data set; `None` if it is.
pub(super) fn fault_of_hub_name(name: &str) -> Option<&'static str> {
    let allowed = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.');
    let edge = |part: &str| part.is_empty() || part.starts_with(['-', '.']) || part.ends_with(['-', '.']);
    match () {
        () if name.is_empty() => Some("it is empty"),
        () if name.len() > NAME_LENGTH_MAX => Some("it is longer than 96 characters"),
        () if name.split('/').count() > 2 => Some("it has more than one `/`"),
        () if !name.split('/').all(|part| part.chars().all(allowed)) => {
            Some("only letters, digits, `-`, `_` and `.` are allowed")
        }
        () if name.split('/').any(edge) => Some("no part may be empty, or begin or end with `-` or `.`"),
        () if name.contains("--") || name.contains("..") => Some("`--` and `..` are not allowed"),
        () => None,
    }
}

/// Why a text is not a valid revision; `None` if it is. A revision becomes a file name in the cache.
pub(super) fn fault_of_revision(revision: &str) -> Option<&'static str> {
    let plain = revision.split('/').all(|part| !part.is_empty() && !part.starts_with('.'));
    let allowed =
        |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_' | '.' | '/' | '+');
    (!plain || !revision.chars().all(allowed)).then_some("that is no branch, tag or commit")
}

/// Whether a text is a full commit hash: 40 hexadecimal digits.
pub(super) fn is_commit(text: &str) -> bool {
    text.len() == COMMIT_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Whether an etag is valid as the file name of a blob: letters, digits, `-` and `_` only.
pub(super) fn is_blob_name(etag: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    (1..=BLOB_NAME_LENGTH_MAX).contains(&etag.len()) && etag.bytes().all(allowed)
}

/// Why a file name of a repository is not a path within its snapshot folder; `None` if it is.
pub(super) fn fault_of_file_name(name: &str) -> Option<&'static str> {
    // A backslash separates folders on some systems.
    let mut parts = name.split(['/', '\\']);
    match () {
        () if name.is_empty() => Some("an empty name"),
        () if name.contains('\0') => Some("a name with a NUL character"),
        () if name.starts_with(['/', '\\']) => Some("an absolute path"),
        () if parts.any(|part| part.is_empty() || part == "." || part == "..") => {
            Some("a path with `.`, `..` or an empty part")
        }
        () if !Path::new(name).components().all(|part| matches!(part, Component::Normal(_))) => {
            Some("no relative path")
        }
        () => None,
    }
}

/// Untrusted text for messages: quoted, shortened, and with control characters escaped.
pub(super) fn quoted(text: &str) -> String {
    let shown: String = text.chars().take(SHOWN_MAX).collect();
    let rest = if shown.len() < text.len() { "..." } else { "" };
    format!("`{}{rest}`", shown.escape_debug())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn revisions_cannot_lead_out_of_the_cache() {
        for revision in ["main", "refs/pr/3", "v1.0", "86b5e0934494bd15c9632b12f734a8a67f723594"] {
            assert_eq!(fault_of_revision(revision), None, "{revision}");
        }
        for revision in ["", "../main", "a//b", "/etc", "a/../../b", "a b", "a%2Fb", "a\\b"] {
            assert!(fault_of_revision(revision).is_some(), "{revision}");
        }
    }

    #[test]
    fn file_names_stay_inside_their_folder() {
        for name in ["config.json", "1_Pooling/config.json", "a b/c#d?.txt", ".gitattributes", "..a/b..", "ü"]
        {
            assert_eq!(fault_of_file_name(name), None, "{name}");
        }
        for name in ["", "/etc/x", "../x", "a/../../x", "a//b", "./a", "a/", "a\\..\\..\\x", "\\x", "a\0b"] {
            assert!(fault_of_file_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn commits_and_blob_names_are_plain() {
        assert!(is_commit("86b5e0934494bd15c9632b12f734a8a67f723594"));
        for commit in ["", "86b5e09", "../../../../../../../../../../../evil-file", &"g".repeat(40)] {
            assert!(!is_commit(commit), "{commit}");
        }
        for etag in ["86b5e0934494bd15", "5f3-2", "etag_of_x"] {
            assert!(is_blob_name(etag), "{etag}");
        }
        for etag in ["", "..", ".", "../x", "a/b", "a\\b", "a.incomplete", "a\0", "ü", &"a".repeat(201)] {
            assert!(!is_blob_name(etag), "{etag}");
        }
    }

    #[test]
    fn foreign_text_is_shown_cut_and_escaped() {
        assert_eq!(quoted("a\u{1b}[31m"), "`a\\u{1b}[31m`");
        assert_eq!(quoted(&"x".repeat(101)), format!("`{}...`", "x".repeat(100)));
    }
}
