//! A hash of all that tokenized rows come from.

use crate::Record;
use bertlab_text::Tokenizer;
use twox_hash::XxHash3_128;

/// Raised when files of before must not be read any more: another layout, other pieces of the same text.
const CACHE_VERSION: u32 = 3;

/// Of the tokenizer with all its settings, the length that texts are cut to, the texts in their order, and the program.
///
/// XXH3 is no cryptographic hash: nobody gains by making two data sets collide in the user's own cache, and by chance
/// 128 bits do not.
pub(super) fn of(tokenizer: &Tokenizer, max_length: Option<usize>, records: &[Record]) -> u128 {
    let mut hasher = XxHash3_128::new();
    let mut add = |part: &[u8]| {
        hasher.write(&(part.len() as u64).to_le_bytes());
        hasher.write(part);
    };
    add(format!("{CACHE_VERSION} {} {max_length:?}", env!("CARGO_PKG_VERSION")).as_bytes());
    // Class, special tokens and part of the text that stays, then the files that say the rest.
    add(format!("{tokenizer:?} {:?}", tokenizer.keep()).as_bytes());
    for (name, contents) in tokenizer.files() {
        add(name.as_bytes());
        add(&contents);
    }
    for record in records {
        add(record.text.as_deref().unwrap_or_default().as_bytes());
        // Bytes that no text has: no second text is not the same as an empty one.
        add(record.pair.as_deref().map_or(&[0xff], str::as_bytes));
        // The same words with a space between are another row.
        if let Some(words) = &record.words {
            add(&[0xfe]);
            words.iter().for_each(|word| add(word.as_bytes()));
        }
    }
    hasher.finish_128()
}
