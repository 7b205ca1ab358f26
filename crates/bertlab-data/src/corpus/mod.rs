//! A corpus: plain texts of any size, tokenized once into files, from which a masked language model reads blocks.
//!
//! Nothing here holds the corpus: texts are read and tokenized a few hundred at a time, and blocks are read as a step
//! needs them. A part is held out for evaluation, text by text: whether a text belongs to it is a function of the text,
//! so that a text which stands twice is on one side both times.

mod tokens;

use crate::tokenized::{TokenRows, Tokenization};
use crate::{DataError, TextFiles, expand};
use bertlab_checkpoint::atomic;
use bertlab_feedback::{Meter, Progress, Stage, Status, Unit};
use bertlab_text::{TextInput, Tokenizer};
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;
pub use tokens::Blocks;
use tokens::{TokenWriter, io};
use twox_hash::XxHash3_128;

/// Raised when files of before must not be read any more.
const VERSION: u32 = 1;
const TRAIN: &str = "train.tokens";
const HELD_OUT: &str = "held_out.tokens";
const DESCRIPTION: &str = "corpus.json";
/// Texts that are tokenized at once.
const TEXTS_AT_ONCE: usize = 512;
const HASH_SEED: u64 = 0x6865_6c64_206f_7574;

/// What a corpus is made of.
#[derive(Clone, Copy, Debug)]
pub struct CorpusRequest<'a> {
    /// The texts.
    pub texts: &'a TextFiles,
    /// Makes tokens of them.
    pub tokenizer: &'a Tokenizer,
    /// Tokens of a block.
    pub block_length: usize,
    /// The part of the texts that is held out, from 0 to below 1.
    pub held_out_share: f64,
}

/// A corpus on disk.
#[derive(Clone, Debug)]
pub struct Corpus {
    /// To learn from.
    pub train: Blocks,
    /// To evaluate on.
    pub held_out: Blocks,
    /// What was counted while it was made.
    pub counts: CorpusCounts,
    /// It lay there already, made of the same files in the same way.
    pub was_there: bool,
}

/// What a corpus holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CorpusCounts {
    /// Texts with a word.
    pub n_texts: u64,
    /// Of these: held out.
    pub n_held_out: u64,
    /// Tokens of all texts, special tokens included.
    pub n_tokens: u64,
    /// Of these: not in the vocabulary.
    pub n_unknown: u64,
}

/// corpus.json
#[derive(Serialize, Deserialize)]
struct Description {
    /// Of all that the files were made of.
    key: String,
    counts: CorpusCounts,
    train: (u64, String),
    held_out: (u64, String),
}

impl CorpusRequest<'_> {
    /// The corpus in `folder`: the one that lies there, where it was made of the same files in the same way, else a new
    /// one.
    ///
    /// # Errors
    /// Texts that cannot be read or tokenized, or that hold no word; a folder that cannot be written.
    pub fn prepare(&self, folder: &Path, progress: &dyn Progress) -> Result<Corpus, DataError> {
        let key = self.key()?;
        if let Some(corpus) = self.found(folder, &key) {
            return Ok(corpus);
        }
        atomic::write_folder(folder, |staging| self.write(staging, &key, progress))?;
        let made = self.found(folder, &key).ok_or_else(|| {
            let source = std::io::Error::other("what was just written there cannot be read");
            io(folder, "read the tokens", source)
        })?;
        Ok(Corpus { was_there: false, ..made })
    }

    /// None where there is none, or another one, or one that is damaged: it is made anew.
    fn found(&self, folder: &Path, key: &str) -> Option<Corpus> {
        let description = std::fs::read(folder.join(DESCRIPTION)).ok()?;
        let description: Description = serde_json::from_slice(&description).ok()?;
        let open = |name: &str, (n_tokens, hash): &(u64, String)| {
            Blocks::open(&folder.join(name), self.block_length, (*n_tokens, hash)).ok()
        };
        (description.key == key).then_some(())?;
        Some(Corpus {
            train: open(TRAIN, &description.train)?,
            held_out: open(HELD_OUT, &description.held_out)?,
            counts: description.counts,
            was_there: true,
        })
    }

    fn write(&self, folder: &Path, key: &str, progress: &dyn Progress) -> Result<(), DataError> {
        let mut making = Making {
            request: *self,
            tokenization: Tokenization { tokenizer: Some(self.tokenizer), max_length: None, cache: None },
            unknown: self.tokenizer.unk_token_id(),
            waiting: Vec::new(),
            train: TokenWriter::create(folder.join(TRAIN))?,
            held_out: TokenWriter::create(folder.join(HELD_OUT))?,
            counts: CorpusCounts::default(),
        };
        let start = Status::new(Stage::Tokenize, "texts", self.texts.n_bytes()?, Unit::Bytes);
        self.texts.visit(&Meter::new(progress, start), &mut |text| making.push(text))?;
        making.tokenize()?;
        let counts = making.counts;
        if counts.n_texts == 0 {
            let file = self.texts.files.first().cloned().unwrap_or_default();
            return Err(DataError::NoRows { file, found: "no text with a word in it" });
        }
        let (train, held_out) = (making.train.finish()?, making.held_out.finish()?);
        let description = Description { key: key.to_owned(), counts, train, held_out };
        let text = serde_json::to_vec_pretty(&description).expect("a description is plain values");
        Ok(atomic::write_file(&folder.join(DESCRIPTION), &text)?)
    }

    /// A hash of what the tokens come from: files by name, size and time, and how they are read.
    fn key(&self) -> Result<String, DataError> {
        let mut hasher = XxHash3_128::new();
        let mut add = |part: &[u8]| {
            hasher.write(&(part.len() as u64).to_le_bytes());
            hasher.write(part);
        };
        add(format!("{VERSION} {:?} {}", self.texts.text_column, self.held_out_share).as_bytes());
        add(self.texts.encoding.to_string().as_bytes());
        for (name, contents) in self.tokenizer.files() {
            add(name.as_bytes());
            add(&contents);
        }
        for file in expand(&self.texts.files)? {
            add_file(&mut add, &file);
        }
        Ok(format!("{:032x}", hasher.finish_128()))
    }

    fn is_held_out(&self, text: &str) -> bool {
        let hash = XxHash3_128::oneshot_with_seed(HASH_SEED, text.as_bytes()) as u64;
        ((hash >> 11) as f64) < self.held_out_share * (1u64 << 53) as f64
    }
}

fn add_file(add: &mut impl FnMut(&[u8]), path: &Path) {
    add(path.as_os_str().as_encoded_bytes());
    let Ok(metadata) = path.metadata() else { return };
    let since = metadata.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    add(format!("{} {:?}", metadata.len(), since).as_bytes());
    if metadata.is_dir() {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(path).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        entries.sort();
        entries.iter().for_each(|entry| add_file(add, entry));
    }
}

/// A corpus while it is made.
struct Making<'a> {
    request: CorpusRequest<'a>,
    tokenization: Tokenization<'a>,
    unknown: Option<u32>,
    waiting: Vec<TextInput>,
    train: TokenWriter,
    held_out: TokenWriter,
    counts: CorpusCounts,
}

impl Making<'_> {
    fn push(&mut self, text: String) -> Result<(), DataError> {
        self.waiting.push(TextInput { text, pair: None });
        if self.waiting.len() >= TEXTS_AT_ONCE { self.tokenize() } else { Ok(()) }
    }

    fn tokenize(&mut self) -> Result<(), DataError> {
        let texts = std::mem::take(&mut self.waiting);
        let rows: TokenRows = self.tokenization.rows_of_texts(&texts)?;
        for (text, row) in texts.iter().zip(rows.iter()) {
            if !row.has_word() {
                continue;
            }
            let is_held_out = self.request.is_held_out(&text.text);
            self.counts.n_texts += 1;
            self.counts.n_held_out += u64::from(is_held_out);
            self.counts.n_tokens += row.ids.len() as u64;
            self.counts.n_unknown += row.ids.iter().filter(|&&id| Some(id) == self.unknown).count() as u64;
            if is_held_out { self.held_out.push(row)? } else { self.train.push(row)? }
        }
        Ok(())
    }
}
