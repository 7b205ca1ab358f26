//! config.json with typed getters, whose errors name the file, the key and the value.

use crate::Error;
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// A JSON configuration file. Getters return `None` for keys that are missing or `null`: HuggingFace writes
/// both for "not set".
#[derive(Clone, Debug)]
pub struct Config {
    /// The file, named in errors.
    pub file: PathBuf,
    /// Keys and values, in the order of the file.
    pub values: Map<String, Value>,
}

/// Opens `config.json` of a checkpoint folder.
///
/// # Errors
/// [`Error::MissingFile`], [`Error::Io`], or [`Error::Malformed`] if it is not a JSON object.
pub fn open_config(folder: &Path) -> Result<Config, Error> {
    let file = folder.join("config.json");
    if !file.exists() {
        crate::weights::check_folder(folder)?;
        return Err(Error::MissingFile {
            folder: folder.to_path_buf(),
            file_name: "config.json".into(),
            found: crate::weights::describe_entries(folder),
            hint: "A checkpoint folder contains config.json and weights, as written by save_pretrained"
                .into(),
        });
    }
    Config::open(&file)
}

impl Config {
    /// Opens a JSON file.
    ///
    /// # Errors
    /// [`Error::Io`], or [`Error::Malformed`] if it is not a JSON object.
    pub fn open(file: &Path) -> Result<Self, Error> {
        let text = std::fs::read(file).map_err(|source| Error::io(file, "read the file", source))?;
        let malformed = |found: String| Error::Malformed {
            file: file.to_path_buf(),
            wanted: "a JSON object".into(),
            found,
            hint: "Fetch or save the file again",
        };
        match serde_json::from_slice(&text) {
            Ok(Value::Object(values)) => Ok(Self { file: file.to_path_buf(), values }),
            Ok(other) => Err(malformed(format!("another JSON value: {}", shorten(&other)))),
            Err(reason) => Err(malformed(format!("invalid JSON: {reason}"))),
        }
    }

    /// The JSON value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.values.get(key).filter(|value| !value.is_null())
    }

    /// A string.
    ///
    /// # Errors
    /// [`Error::ConfigValue`] if the value has another type.
    pub fn string(&self, key: &str) -> Result<Option<&str>, Error> {
        self.typed(key, "a string", Value::as_str)
    }

    /// A non-negative integer.
    ///
    /// # Errors
    /// [`Error::ConfigValue`] if the value has another type.
    pub fn usize(&self, key: &str) -> Result<Option<usize>, Error> {
        self.typed(key, "a non-negative integer", to_usize)
    }

    /// A number.
    ///
    /// # Errors
    /// [`Error::ConfigValue`] if the value has another type.
    pub fn f32(&self, key: &str) -> Result<Option<f32>, Error> {
        self.typed(key, "a number", |value| value.as_f64().map(|number| number as f32))
    }

    /// A boolean.
    ///
    /// # Errors
    /// [`Error::ConfigValue`] if the value has another type.
    pub fn bool(&self, key: &str) -> Result<Option<bool>, Error> {
        self.typed(key, "true or false", Value::as_bool)
    }

    /// A list of strings.
    ///
    /// # Errors
    /// [`Error::ConfigValue`] if the value has another type.
    pub fn strings(&self, key: &str) -> Result<Option<Vec<&str>>, Error> {
        self.typed(key, "a list of strings", |value| value.as_array()?.iter().map(Value::as_str).collect())
    }

    /// A string that must be set.
    ///
    /// # Errors
    /// [`Error::ConfigValue`] if it is not set or has another type.
    pub fn string_required(&self, key: &str) -> Result<&str, Error> {
        self.string(key)?.ok_or_else(|| self.unsupported(key, "a string"))
    }

    /// A non-negative integer that must be set.
    ///
    /// # Errors
    /// [`Error::ConfigValue`] if it is not set or has another type.
    pub fn usize_required(&self, key: &str) -> Result<usize, Error> {
        self.usize(key)?.ok_or_else(|| self.unsupported(key, "a non-negative integer"))
    }

    /// A number that must be set.
    ///
    /// # Errors
    /// [`Error::ConfigValue`] if it is not set or has another type.
    pub fn f32_required(&self, key: &str) -> Result<f32, Error> {
        self.f32(key)?.ok_or_else(|| self.unsupported(key, "a number"))
    }

    /// The error for an unsupported value; it names the file, the key, the value and the supported values.
    pub fn unsupported(&self, key: &str, supported: impl Into<String>) -> Error {
        Error::ConfigValue {
            file: self.file.clone(),
            key: key.into(),
            found: self.values.get(key).map_or_else(|| "missing".into(), shorten),
            wanted: supported.into(),
        }
    }

    fn typed<'a, T>(
        &'a self,
        key: &str,
        wanted: &str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        convert(value).map(Some).ok_or_else(|| self.unsupported(key, wanted))
    }
}

fn to_usize(value: &Value) -> Option<usize> {
    value.as_u64().and_then(|number| usize::try_from(number).ok())
}

/// The value as JSON, shortened for a message.
fn shorten(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() <= 80 {
        return text;
    }
    let head: String = text.chars().take(77).collect();
    head + "..."
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(text: &str) -> Result<Config, Error> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("config.json"), text).expect("writable");
        open_config(folder.path())
    }

    #[test]
    fn values_come_typed_and_null_is_missing() {
        let config = config(
            r#"{"z":"gelu","hidden_size":32,"layer_norm_eps":1e-12,"drop":0,"tied":true,"unset":null,"archs":["A","B"]}"#,
        )
        .expect("valid");
        assert_eq!(config.string_required("z").expect("text"), "gelu");
        assert_eq!(config.usize_required("hidden_size").expect("number"), 32);
        assert_eq!(config.f32_required("layer_norm_eps").expect("number"), 1e-12);
        assert_eq!(config.f32("drop").expect("number"), Some(0.0));
        assert_eq!(config.bool("tied").expect("bool"), Some(true));
        assert_eq!(config.usize("unset").expect("null"), None);
        assert_eq!(config.string("absent").expect("missing"), None);
        assert_eq!(config.strings("archs").expect("list"), Some(vec!["A", "B"]));
        assert_eq!(config.values.keys().next().map(String::as_str), Some("z"));
    }

    #[test]
    fn wrong_values_are_errors_that_name_file_key_value_and_wish() {
        let config = config(r#"{"n_layers":-2,"act":7,"width":12.5,"names":["a",1]}"#).expect("valid");
        let message = config.usize_required("n_layers").expect_err("negative").to_string();
        for part in ["config.json", "`n_layers`", "-2", "non-negative integer"] {
            assert!(message.contains(part), "{message}");
        }
        assert!(
            config.string("act").is_err()
                && config.usize("width").is_err()
                && config.strings("names").is_err()
        );
        let message = config.string_required("model_type").expect_err("missing").to_string();
        assert!(message.contains("missing"), "{message}");
        let message = config.unsupported("act", "gelu, gelu_new or relu").to_string();
        assert!(message.contains("`act` is 7; wanted gelu, gelu_new or relu"), "{message}");
    }

    #[test]
    fn files_that_are_no_object_are_errors() {
        for text in ["", "[1, 2]", "{\"a\": 1", "\u{feff}{}"] {
            assert!(matches!(config(text), Err(Error::Malformed { .. })), "{text:?}");
        }
    }

    #[test]
    fn a_missing_file_names_what_lies_there() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        std::fs::write(folder.path().join("vocab.txt"), "").expect("writable");
        let message = open_config(folder.path()).expect_err("missing").to_string();
        assert!(message.contains("config.json") && message.contains("vocab.txt"), "{message}");
        let message = open_config(&folder.path().join("nothing")).expect_err("missing").to_string();
        assert!(message.contains("no folder"), "{message}");
        let message = open_config(&folder.path().join("vocab.txt")).expect_err("a file").to_string();
        assert!(message.contains("is a file"), "{message}");
    }
}
