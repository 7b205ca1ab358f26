//! A text file in pieces that end with a line.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use bertlab_feedback::Meter;
use encoding_rs::{Decoder, DecoderResult};

use super::Source;
use crate::encoding::decode;
use crate::{DataError, Encoding};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 4 << 20;

/// The pieces of a file: each a text that ends with a line, or with the file.
pub(crate) struct Chunks<'a> {
    path: PathBuf,
    file: File,
    encoding: Encoding,
    /// Of encodings in which a byte of a line end may be part of another character.
    decoder: Option<Decoder>,
    /// Bytes of a line that is not yet whole.
    rest: Vec<u8>,
    /// The same of what was decoded.
    rest_text: String,
    meter: &'a Meter<'a>,
    is_first: bool,
    is_over: bool,
    /// Bytes and lines of the pieces before this one.
    before: (usize, usize),
}

impl<'a> Chunks<'a> {
    pub(crate) fn open(source: &Source<'a>) -> Result<Self, DataError> {
        let path = source.file.to_owned();
        match File::open(&path) {
            Err(source) => Err(DataError::Unreadable { file: path, source }),
            Ok(file) => Ok(Self {
                path,
                file,
                encoding: source.encoding,
                decoder: None,
                rest: Vec::new(),
                rest_text: String::new(),
                meter: source.meter,
                is_first: true,
                is_over: false,
                before: (0, 0),
            }),
        }
    }

    /// The next bytes; fewer than a chunk at the end of the file.
    fn bytes(&mut self) -> Result<Vec<u8>, DataError> {
        let mut bytes = std::mem::take(&mut self.rest);
        let n_kept = bytes.len();
        let read = self.file.by_ref().take(CHUNK_BYTES as u64).read_to_end(&mut bytes);
        let n = read.map_err(|source| DataError::Unreadable { file: self.path.clone(), source })?;
        self.meter.add(n as u64)?;
        self.is_over = bytes.len() - n_kept < CHUNK_BYTES;
        Ok(bytes)
    }

    /// How the file is marked, or what the caller said.
    fn begin(&mut self, bytes: &mut Vec<u8>) {
        self.is_first = false;
        if self.encoding == Encoding::Latin1 {
            return;
        }
        if let Some((marked, length)) = encoding_rs::Encoding::for_bom(bytes) {
            bytes.drain(..length);
            self.before.0 = length;
            let is_utf8 = marked == encoding_rs::UTF_8;
            self.encoding = if is_utf8 { Encoding::Utf8 } else { Encoding::Named(marked) };
        }
        if let Encoding::Named(encoding) = self.encoding {
            self.decoder = Some(encoding.new_decoder_without_bom_handling());
        }
    }

    fn next_text(&mut self) -> Result<String, DataError> {
        let mut bytes = self.bytes()?;
        if self.is_first {
            self.begin(&mut bytes);
        }
        if self.decoder.is_some() {
            return self.decoded(&bytes);
        }
        if !self.is_over {
            let end = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |newline| newline + 1);
            self.rest = bytes.split_off(end);
        }
        let before = self.before;
        self.before.0 += bytes.len();
        self.before.1 += bytes.iter().filter(|&&byte| byte == b'\n').count();
        // Only the file as a whole has a mark, and that is gone.
        decode(&self.path, bytes, self.encoding).map_err(|error| further(error, before))
    }

    fn decoded(&mut self, bytes: &[u8]) -> Result<String, DataError> {
        let decoder = self.decoder.as_mut().expect("asked before");
        let mut text = std::mem::take(&mut self.rest_text);
        text.reserve(decoder.max_utf8_buffer_length_without_replacement(bytes.len()).unwrap_or(bytes.len()));
        let (result, n_read) = decoder.decode_to_string_without_replacement(bytes, &mut text, self.is_over);
        if let DecoderResult::Malformed(n_bad, n_after) = result {
            return Err(DataError::BadEncoding {
                file: self.path.clone(),
                line: self.before.1 + 1 + text.matches('\n').count(),
                offset: self.before.0 + n_read.saturating_sub(usize::from(n_bad) + usize::from(n_after)),
                encoding: self.encoding.to_string(),
            });
        }
        if !self.is_over {
            let end = text.rfind('\n').map_or(0, |newline| newline + 1);
            self.rest_text = text.split_off(end);
        }
        self.before.0 += bytes.len();
        self.before.1 += text.matches('\n').count();
        Ok(text)
    }
}

/// The error as of the whole file, where it was found in a piece.
fn further(mut error: DataError, (n_bytes, n_lines): (usize, usize)) -> DataError {
    if let DataError::NotUtf8 { line, offset, .. } | DataError::BadEncoding { line, offset, .. } = &mut error
    {
        *line += n_lines;
        *offset += n_bytes;
    }
    error
}

impl Iterator for Chunks<'_> {
    type Item = Result<String, DataError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.is_over {
            let text = self.next_text();
            if text.as_ref().map_or(true, |text| !text.is_empty()) {
                self.is_over |= text.is_err();
                return Some(text);
            }
        }
        None
    }
}
