//! What became of tokenized rows: read from the cache, kept there, or neither.

use std::path::Path;

use bertlab::{CacheUse, TokenCache};

use super::Console;

/// A note where rows were read, one where they were kept, and a word on whatever went wrong.
pub fn note_uses(console: &mut Console, cache: &TokenCache) -> anyhow::Result<()> {
    let uses = cache.take_uses();
    let folder = |file: &Path| file.parent().unwrap_or(file).display().to_string();
    let read = uses.iter().find_map(|what| match what {
        CacheUse::Read(file) => Some(folder(file)),
        _ => None,
    });
    if let Some(folder) = read {
        console.note(format!("tokens were read from {folder} (--no-cache tokenizes anew)"))?;
    }
    let written = uses.iter().find_map(|what| match what {
        CacheUse::Written(file) => Some(folder(file)),
        _ => None,
    });
    if let Some(folder) = written {
        console.note(format!("tokens are kept in {folder} for the next time"))?;
    }
    for what in &uses {
        match what {
            CacheUse::Damaged { file, why } => {
                console.warn(format!("{}: {why}. Its rows were tokenized anew", file.display()))?;
            }
            CacheUse::NotWritten { file, why } => {
                console.note(format!("tokens could not be kept in {}: {why}", file.display()))?;
            }
            CacheUse::Read(_) | CacheUse::Written(_) => {}
        }
    }
    Ok(())
}
