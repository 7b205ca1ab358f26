//! The hash that an etag promises of a file, computed as the bytes come in.

use ring::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use std::fmt::Write;

const SHA256_DIGITS: usize = 64;
const SHA1_DIGITS: usize = 40;

/// A hash that is wanted, and what has been computed so far.
#[derive(Clone)]
pub(super) struct Checksum {
    kind: &'static str,
    /// The hash that is wanted, in lower case; none where the etag is no hash of a known kind.
    wanted: String,
    /// One of these must end as the wanted hash.
    contexts: Vec<Context>,
}

impl Checksum {
    /// What an etag says of a file of `n_bytes`: the hub gives the SHA-256 of large files and git's hash of
    /// small ones; some mirrors give the plain SHA-1. Other etags promise nothing.
    pub(super) fn of_etag(etag: &str, n_bytes: u64) -> Self {
        let is_hex = etag.bytes().all(|byte| byte.is_ascii_hexdigit());
        let (kind, contexts) = match etag.len() {
            SHA256_DIGITS if is_hex => ("SHA-256", vec![Context::new(&SHA256)]),
            SHA1_DIGITS if is_hex => {
                let plain = Context::new(&SHA1_FOR_LEGACY_USE_ONLY);
                let mut git = plain.clone();
                git.update(format!("blob {n_bytes}\0").as_bytes());
                ("git hash", vec![git, plain])
            }
            _ => ("", Vec::new()),
        };
        Self { kind, wanted: etag.to_ascii_lowercase(), contexts }
    }

    /// Whether the etag is a hash of a known kind.
    pub(super) fn is_a_hash(&self) -> bool {
        !self.contexts.is_empty()
    }

    /// Takes in the next bytes.
    pub(super) fn update(&mut self, bytes: &[u8]) {
        for context in &mut self.contexts {
            context.update(bytes);
        }
    }

    /// Checks the hash of all bytes.
    ///
    /// # Errors
    /// What was wanted and what was found, in words.
    pub(super) fn check(self) -> Result<(), (String, String)> {
        let found: Vec<String> = self.contexts.into_iter().map(hash_of).collect();
        match found.first() {
            Some(first) if !found.contains(&self.wanted) => {
                Err((format!("the {} {}", self.kind, self.wanted), format!("bytes with the hash {first}")))
            }
            _ => Ok(()),
        }
    }
}

fn hash_of(context: Context) -> String {
    context.finish().as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every text");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(etag: &str, bytes: &[u8]) -> Result<(), (String, String)> {
        let mut checksum = Checksum::of_etag(etag, bytes.len() as u64);
        for piece in bytes.chunks(2) {
            checksum.update(piece);
        }
        checksum.check()
    }

    #[test]
    fn known_hashes_are_computed() {
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(check(sha256, b"abc"), Ok(()));
        assert_eq!(check(&sha256.to_uppercase(), b"abc"), Ok(()));
        assert_eq!(check("a9993e364706816aba3e25717850c26c9cd0d89d", b"abc"), Ok(()));
        // As `git hash-object` gives it for the bytes `abc`.
        assert_eq!(check("f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f", b"abc"), Ok(()));
        assert_eq!(check("some-etag", b"abc"), Ok(()));
    }

    #[test]
    fn other_bytes_are_told_apart() {
        let sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let (wanted, found) = check(sha256, b"abd").expect_err("other bytes");
        assert!(wanted.contains(sha256) && wanted.contains("SHA-256"), "{wanted}");
        assert!(!found.contains(sha256), "{found}");
        assert!(check("f2ba8f84ab5c1bce84a7b441cb1959cfc7093b7f", b"abd").is_err());
    }
}
