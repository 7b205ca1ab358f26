//! One file of the cache: the rows' lists as arrays of a safetensors file, and a hash of them.

use crate::tokenized::{Piece, TokenRows};
use bertlab_checkpoint::{Dtype, Error, NamedArray, read_safetensors, write_safetensors};
use std::path::Path;
use twox_hash::XxHash3_128;

const HASH: &str = "xxh3_128";

/// Bytes that a file of these rows takes, but for its header.
pub(super) fn size_about(rows: &TokenRows) -> u64 {
    let numbers =
        rows.ids.len() + rows.types.len() + rows.lengths.len() + rows.n_cut.len() + rows.words.len();
    (4 * numbers + rows.pieces.len()) as u64
}

/// Writes the file in one step.
pub(super) fn write(file: &Path, rows: &TokenRows) -> Result<(), Error> {
    let mut arrays = vec![
        numbers("input_ids", &rows.ids),
        numbers("token_type_ids", &rows.types),
        bytes("pieces", rows.pieces.iter().map(|&piece| piece as u8).collect()),
        numbers("lengths", &rows.lengths),
        numbers("n_cut", &rows.n_cut),
        numbers("words", &rows.words),
    ];
    arrays.push(bytes(HASH, hash(arrays.iter()).to_le_bytes().to_vec()));
    write_safetensors(file, &arrays, &[])
}

/// The rows of a file, or in words why it cannot be used; none where there is no such file.
pub(super) fn read(file: &Path, n_rows: usize) -> Result<Option<TokenRows>, String> {
    let arrays = match read_safetensors(file) {
        Ok(arrays) => arrays,
        // Asked afterwards: another start, which needs the room, may remove it at any moment.
        Err(_) if !file.exists() => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let find = |name: &str, dtype: Dtype| {
        let found = arrays.iter().find(|array| array.name == name && array.dtype == dtype);
        found.ok_or_else(|| format!("it lacks the array {name} of {dtype}"))
    };
    let numbers = |name: &str| find(name, Dtype::I32).map(to_numbers);
    let parts = ["input_ids", "token_type_ids", "pieces", "lengths", "n_cut", "words"];
    let named = parts.iter().filter_map(|name| arrays.iter().find(|array| array.name == *name));
    if hash(named).to_le_bytes()[..] != find(HASH, Dtype::U8)?.bytes[..] {
        return Err("its contents do not have the hash that they had when they were written".to_owned());
    }
    let rows = TokenRows {
        ids: numbers("input_ids")?,
        types: numbers("token_type_ids")?,
        pieces: find("pieces", Dtype::U8)?
            .bytes
            .iter()
            .map(|&byte| piece(byte))
            .collect::<Option<_>>()
            .ok_or("it holds pieces of no known kind")?,
        lengths: numbers("lengths")?,
        n_cut: numbers("n_cut")?,
        words: numbers("words")?,
    };
    match fits(&rows, n_rows) {
        true => Ok(Some(rows)),
        false => Err("its lists do not fit together".to_owned()),
    }
}

/// Whether every list is as long as the others say.
fn fits(rows: &TokenRows, n_rows: usize) -> bool {
    let n_tokens = rows.ids.len();
    rows.lengths.len() == n_rows
        && rows.n_cut.len() == n_rows
        && rows.pieces.len() == n_tokens
        && (rows.words.is_empty() || rows.words.len() == n_tokens)
        && (rows.types.is_empty() || rows.types.len() == n_tokens)
        && rows.lengths.iter().map(|&length| length as usize).sum::<usize>() == n_tokens
}

fn hash<'a>(arrays: impl Iterator<Item = &'a NamedArray>) -> u128 {
    let mut hasher = XxHash3_128::new();
    for array in arrays {
        hasher.write(&(array.bytes.len() as u64).to_le_bytes());
        hasher.write(&array.bytes);
    }
    hasher.finish_128()
}

fn numbers(name: &str, values: &[u32]) -> NamedArray {
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    NamedArray { name: name.to_owned(), dtype: Dtype::I32, shape: vec![values.len()], bytes: bytes.into() }
}

fn bytes(name: &str, values: Vec<u8>) -> NamedArray {
    NamedArray { name: name.to_owned(), dtype: Dtype::U8, shape: vec![values.len()], bytes: values.into() }
}

fn to_numbers(array: &NamedArray) -> Vec<u32> {
    array.bytes.as_chunks::<4>().0.iter().map(|&bytes| u32::from_le_bytes(bytes)).collect()
}

fn piece(byte: u8) -> Option<Piece> {
    [Piece::Special, Piece::First, Piece::Next].into_iter().find(|&piece| piece as u8 == byte)
}
