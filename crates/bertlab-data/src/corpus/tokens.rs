//! Tokens of many texts end to end in a file, of which blocks are read when they are needed.

use crate::DataError;
use crate::examples::Example;
use crate::tokenized::{Piece, TokenRow};
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use twox_hash::XxHash3_128;

/// A token takes four bytes, little end first: its id, and above it what it is to its word.
const TOKEN_BYTES: usize = 4;
const PIECE_SHIFT: u32 = 30;
const ID_MASK: u32 = (1 << PIECE_SHIFT) - 1;
/// Tokens that are read at once where all are.
const TOKENS_AT_ONCE: usize = 1 << 18;

/// Writes tokens one after the other.
pub(super) struct TokenWriter {
    path: PathBuf,
    file: BufWriter<File>,
    hasher: XxHash3_128,
    n_tokens: u64,
}

impl TokenWriter {
    pub(super) fn create(path: PathBuf) -> Result<Self, DataError> {
        match File::create(&path) {
            Ok(file) => {
                let file = BufWriter::with_capacity(1 << 20, file);
                Ok(Self { path, file, hasher: XxHash3_128::new(), n_tokens: 0 })
            }
            Err(source) => Err(io(&path, "write the file", source)),
        }
    }

    pub(super) fn push(&mut self, row: TokenRow<'_>) -> Result<(), DataError> {
        let token = |(&id, &piece): (&u32, &Piece)| (id | (piece as u32) << PIECE_SHIFT).to_le_bytes();
        let bytes: Vec<u8> = row.ids.iter().zip(row.pieces).flat_map(token).collect();
        self.hasher.write(&bytes);
        self.n_tokens += row.ids.len() as u64;
        self.file.write_all(&bytes).map_err(|source| io(&self.path, "write the file", source))
    }

    /// How many tokens there are, and their hash.
    pub(super) fn finish(self) -> Result<(u64, String), DataError> {
        let file = self.file.into_inner().map_err(|error| error.into_error());
        file.and_then(|file| file.sync_all()).map_err(|source| io(&self.path, "write the file", source))?;
        Ok((self.n_tokens, format!("{:032x}", self.hasher.finish_128())))
    }
}

/// A file of tokens, cut into blocks of equal length; clones read the same file.
#[derive(Clone, Debug)]
pub struct Blocks {
    path: PathBuf,
    file: Arc<Mutex<File>>,
    /// Tokens of a block.
    length: usize,
    /// Tokens of all blocks.
    n_tokens: u64,
    hash: Arc<str>,
}

impl Blocks {
    /// Opens a file of which is known how many tokens it holds, and their hash: in words, what of it is not so.
    pub(super) fn open(path: &Path, length: usize, (n_tokens, hash): (u64, &str)) -> Result<Self, String> {
        assert!(length > 0, "blocks of no tokens");
        let file = File::open(path).map_err(|error| error.to_string())?;
        let blocks = Self {
            path: path.to_path_buf(),
            file: Arc::new(Mutex::new(file)),
            length,
            n_tokens,
            hash: hash.into(),
        };
        blocks.check()?;
        blocks.without_wordless_end().map_err(|error| error.to_string())
    }

    fn check(&self) -> Result<(), String> {
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let (mut hasher, mut n_bytes) = (XxHash3_128::new(), 0);
        let mut bytes = vec![0; TOKEN_BYTES * TOKENS_AT_ONCE];
        loop {
            match file.read(&mut bytes) {
                Ok(0) => break,
                Ok(n) => {
                    hasher.write(&bytes[..n]);
                    n_bytes += n as u64;
                }
                Err(error) => return Err(error.to_string()),
            }
        }
        if n_bytes != TOKEN_BYTES as u64 * self.n_tokens
            || format!("{:032x}", hasher.finish_128()) != *self.hash
        {
            return Err("its contents are not those that were written".to_owned());
        }
        Ok(())
    }

    /// A shorter block at the end stays where it holds a word.
    fn without_wordless_end(mut self) -> Result<Self, DataError> {
        let n_of_last = (self.n_tokens % self.length as u64) as usize;
        if n_of_last > 0 {
            let last = self.example(self.len() - 1)?;
            if last.pieces.iter().all(|&piece| piece == Piece::Special) {
                self.n_tokens -= n_of_last as u64;
            }
        }
        Ok(self)
    }

    /// How many blocks there are.
    pub fn len(&self) -> usize {
        self.n_tokens.div_ceil(self.length as u64) as usize
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.n_tokens == 0
    }

    /// Tokens of all blocks.
    pub fn n_tokens(&self) -> u64 {
        self.n_tokens
    }

    /// Tokens of every block, but that the last may have fewer.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Tokens of a block.
    pub fn length_of(&self, block: usize) -> usize {
        let start = block as u64 * self.length as u64;
        self.length.min(self.n_tokens.saturating_sub(start) as usize)
    }

    /// Of all tokens, as they were written.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// A block as masks are drawn for it.
    ///
    /// # Errors
    /// A file that cannot be read any more.
    pub fn example(&self, block: usize) -> Result<Example, DataError> {
        let start = TOKEN_BYTES as u64 * block as u64 * self.length as u64;
        let mut bytes = vec![0; TOKEN_BYTES * self.length_of(block)];
        let mut file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(&mut bytes));
        read.map_err(|source| io(&self.path, "read the tokens", source))?;
        let numbers = bytes.as_chunks::<TOKEN_BYTES>().0.iter().map(|&bytes| u32::from_le_bytes(bytes));
        let (input_ids, pieces) = numbers.map(|number| (number & ID_MASK, piece(number))).unzip();
        Ok(Example { input_ids, pieces, ..Example::default() })
    }
}

fn piece(number: u32) -> Piece {
    match number >> PIECE_SHIFT {
        number if number == Piece::First as u32 => Piece::First,
        number if number == Piece::Next as u32 => Piece::Next,
        _ => Piece::Special,
    }
}

pub(super) fn io(path: &Path, action: &'static str, source: std::io::Error) -> DataError {
    bertlab_checkpoint::Error::Io { path: path.to_path_buf(), action, source }.into()
}
