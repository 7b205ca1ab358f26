//! The files of a tokenizer folder, read into memory.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use crate::Error;

pub(crate) const TOKENIZER_JSON: &str = "tokenizer.json";
pub(crate) const TOKENIZER_CONFIG: &str = "tokenizer_config.json";
pub(crate) const SPECIAL_TOKENS_MAP: &str = "special_tokens_map.json";
pub(crate) const ADDED_TOKENS: &str = "added_tokens.json";
pub(crate) const VOCAB_TXT: &str = "vocab.txt";
pub(crate) const VOCAB_JSON: &str = "vocab.json";
pub(crate) const MERGES_TXT: &str = "merges.txt";
/// The model's configuration: read only for the tokenizer's class, and not saved with the tokenizer.
const MODEL_CONFIG: &str = "config.json";

/// The contents of a tokenizer folder.
pub(crate) struct Files {
    pub folder: PathBuf,
    pub model_config: Option<Vec<u8>>,
    /// (file name, contents) of each tokenizer file that exists.
    pub contents: Vec<(String, Vec<u8>)>,
}

impl Files {
    pub fn read(folder: &Path) -> Result<Files, Error> {
        let names = [
            TOKENIZER_JSON,
            TOKENIZER_CONFIG,
            SPECIAL_TOKENS_MAP,
            ADDED_TOKENS,
            VOCAB_TXT,
            VOCAB_JSON,
            MERGES_TXT,
        ];
        let mut contents = Vec::new();
        for name in names {
            if let Some(bytes) = read_if_exists(&folder.join(name))? {
                contents.push((name.to_owned(), bytes));
            }
        }
        let model_config = read_if_exists(&folder.join(MODEL_CONFIG))?;
        Ok(Files { folder: folder.to_owned(), model_config, contents })
    }

    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let found = self.contents.iter().find(|(file_name, _)| file_name == name);
        found.map(|(_, bytes)| bytes.as_slice())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The JSON object in a settings file; empty if the file does not exist.
    pub fn object(&self, name: &str) -> Result<Map<String, Value>, Error> {
        self.get(name).map_or_else(|| Ok(Map::new()), |bytes| parse_object(self.path(name), bytes))
    }

    pub fn model_config(&self) -> Result<Map<String, Value>, Error> {
        let bytes = self.model_config.as_deref();
        bytes.map_or_else(|| Ok(Map::new()), |bytes| parse_object(self.path(MODEL_CONFIG), bytes))
    }

    /// The text of a UTF-8 file; `None` if it does not exist.
    pub fn text(&self, name: &str) -> Result<Option<&str>, Error> {
        self.get(name).map(|bytes| utf8(self.path(name), bytes)).transpose()
    }
}

/// A JSON value, shortened for an error message.
pub(crate) fn shown(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(60) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn read_if_exists(file: &Path) -> Result<Option<Vec<u8>>, Error> {
    match std::fs::read(file) {
        Ok(bytes) => Ok(Some(bytes)),
        // If `folder` is a file, it counts as a folder without this file.
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(source) => Err(Error::Read { file: file.to_owned(), source }),
    }
}

fn parse_object(file: PathBuf, bytes: &[u8]) -> Result<Map<String, Value>, Error> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(object)) => Ok(object),
        Ok(other) => Err(Error::Setting {
            file,
            key: "(the whole file)".to_owned(),
            wanted: "a JSON object",
            found: shown(&other),
        }),
        Err(source) => Err(Error::Json { file, source }),
    }
}

fn utf8(file: PathBuf, bytes: &[u8]) -> Result<&str, Error> {
    std::str::from_utf8(bytes).map_err(|error| {
        let offset = error.valid_up_to();
        let line = 1 + bytes[..offset].iter().filter(|&&byte| byte == b'\n').count();
        Error::NotUtf8 { file, line, offset }
    })
}
