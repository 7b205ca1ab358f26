//! Settings by name, as a file and a command line give them, before they are typed.
//!
//! Which names there are is what the structs that are asked for serialize to, so that a new field of
//! [`TrainingArguments`](super::TrainingArguments) is known to files without another word.

use super::SettingsError;
use super::foreign::{self, Verdict};
use super::names::{RIVALS, Twice, nearest, rename};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};
use std::path::Path;

/// Settings by name. Structs take theirs out of it; what is left at the end is foreign or wrong.
#[derive(Clone, Debug)]
pub struct GivenSettings {
    /// The file, or what stands for it in messages.
    source_name: String,
    values: Map<String, Value>,
    /// All names that structs have asked for.
    known: Vec<String>,
    notes: Vec<String>,
}

impl GivenSettings {
    /// Of no file: flags alone.
    pub fn none() -> Self {
        let source_name = "command line".to_owned();
        Self { source_name, values: Map::new(), known: Vec::new(), notes: Vec::new() }
    }

    /// Reads a .toml or .json file.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no flat table of names and values.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        let source_name = file.display().to_string();
        let ending = file.extension().map(|ending| ending.to_ascii_lowercase());
        let parse = match ending.as_ref().and_then(|ending| ending.to_str()) {
            Some("toml") => Self::from_toml,
            Some("json") => Self::from_json,
            _ => return Err(SettingsError::Format { source_name }),
        };
        match std::fs::read_to_string(file) {
            Ok(text) => parse(&text, source_name),
            Err(source) => Err(SettingsError::Unreadable { source_name, source }),
        }
    }

    /// Of a JSON object; `source_name` is what messages call it.
    ///
    /// # Errors
    /// A text that is no JSON object.
    pub fn from_json(text: &str, source_name: String) -> Result<Self, SettingsError> {
        match serde_json::from_str(text) {
            Ok(Value::Object(values)) => Self::new(values, source_name),
            Ok(_) => Err(SettingsError::Syntax { source_name, why: "it is no JSON object".to_owned() }),
            Err(error) => Err(SettingsError::Syntax { source_name, why: format!("it is no JSON: {error}") }),
        }
    }

    /// Of a TOML text; `source_name` is what messages call it.
    ///
    /// # Errors
    /// A text that is no TOML.
    pub fn from_toml(text: &str, source_name: String) -> Result<Self, SettingsError> {
        match text.parse::<toml::Table>() {
            Ok(table) => Self::new(
                table.into_iter().map(|(name, value)| (name, json_of(value))).collect(),
                source_name,
            ),
            Err(error) => {
                let why = format!("it is no TOML: {}", error.to_string().trim_end());
                Err(SettingsError::Syntax { source_name, why })
            }
        }
    }

    fn new(values: Map<String, Value>, source_name: String) -> Result<Self, SettingsError> {
        let mut given = Self { source_name, ..Self::none() };
        given.values = given.renamed(values)?;
        Ok(given)
    }

    fn renamed(&mut self, values: Map<String, Value>) -> Result<Map<String, Value>, SettingsError> {
        match rename(values) {
            Ok((values, notes)) => {
                self.notes.extend(notes);
                Ok(values)
            }
            Err(Twice { old, new, was, is }) => Err(SettingsError::Twice {
                source_name: self.source_name.clone(),
                old,
                new: new.to_owned(),
                was: was.to_string(),
                is: is.to_string(),
            }),
        }
    }

    /// Lays flags over what is there: a struct of options, of which those that are given win.
    ///
    /// # Errors
    /// A setting under two names with two values.
    pub fn overlay(&mut self, flags: &impl Serialize) -> Result<(), SettingsError> {
        let Ok(Value::Object(mut flags)) = serde_json::to_value(flags) else {
            unreachable!("flags are a struct of plain values")
        };
        flags.retain(|_, value| !value.is_null() && *value != json!([]));
        let flags = self.renamed(flags)?;
        for (flag, rival) in RIVALS {
            if flags.contains_key(flag)
                && !flags.contains_key(rival)
                && self.values.shift_remove(rival).is_some()
            {
                self.notes.push(format!("{rival} is passed over, as {flag} is given on the command line"));
            }
        }
        self.values.extend(flags);
        Ok(())
    }

    /// Takes out the settings that `T` has. Its names are those that its default serializes to.
    ///
    /// # Errors
    /// A value of another kind than the setting has.
    pub fn take<T: Default + Serialize + DeserializeOwned>(&mut self) -> Result<T, SettingsError> {
        let Ok(Value::Object(defaults)) = serde_json::to_value(T::default()) else {
            unreachable!("settings are a struct of plain values")
        };
        let mut taken = Map::new();
        for name in defaults.keys() {
            if let Some(value) = self.values.shift_remove(name) {
                let value = self.fitting::<T>(name, value)?;
                taken.insert(name.clone(), value);
            }
        }
        self.known.extend(defaults.keys().cloned());
        serde_json::from_value(Value::Object(taken)).map_err(|error| SettingsError::Syntax {
            source_name: self.source_name.clone(),
            why: error.to_string(),
        })
    }

    /// The value in a form that field `name` of `T` takes.
    fn fitting<T: DeserializeOwned>(&mut self, name: &str, value: Value) -> Result<Value, SettingsError> {
        let try_value = |value: &Value| {
            let alone = Map::from_iter([(name.to_owned(), value.clone())]);
            serde_json::from_value::<T>(Value::Object(alone)).map(|_| ())
        };
        let value = self.as_ours(name, value)?;
        let error = match try_value(&value) {
            Ok(()) => return Ok(value),
            Err(error) => error,
        };
        if let Some(other) = other_form(&value).filter(|other| try_value(other).is_ok()) {
            return Ok(other);
        }
        let wanted = in_words(&error.to_string(), &value);
        Err(SettingsError::Value {
            source_name: self.source_name.clone(),
            name: name.to_owned(),
            found: value.to_string(),
            wanted,
        })
    }

    /// What HuggingFace writes otherwise: no limit of steps is -1, and trackers are a list.
    fn as_ours(&mut self, name: &str, value: Value) -> Result<Value, SettingsError> {
        match name {
            "max_steps" if value.as_f64().is_some_and(|steps| steps <= 0.0) => Ok(Value::Null),
            "report_to" => self.tracker(value),
            _ => Ok(value),
        }
    }

    /// TensorBoard is the only one; others that HuggingFace has are passed over.
    fn tracker(&mut self, value: Value) -> Result<Value, SettingsError> {
        const OTHERS: [&str; 14] = [
            "all",
            "azure_ml",
            "clearml",
            "codecarbon",
            "comet_ml",
            "dagshub",
            "dvclive",
            "flyte",
            "kubeflow",
            "mlflow",
            "neptune",
            "swanlab",
            "trackio",
            "wandb",
        ];
        let words = match value {
            Value::Array(words) => words,
            word => vec![word],
        };
        let is_other = |word: &Value| word.as_str().is_some_and(|word| OTHERS.contains(&word));
        let (others, ours): (Vec<Value>, Vec<Value>) = words.into_iter().partition(is_other);
        let has_all = others.contains(&json!("all"));
        if !others.is_empty() {
            let names: Vec<&str> = others.iter().filter_map(Value::as_str).collect();
            let names = names.join(", ");
            self.notes.push(format!("report_to: {names}: of the trackers there is only tensorboard"));
        }
        let word = ours.into_iter().next();
        Ok(word.unwrap_or_else(|| json!(if has_all { "tensorboard" } else { "none" })))
    }

    /// What is left: HuggingFace's settings that change nothing here are passed over with a note. Gives all notes.
    ///
    /// # Errors
    /// Names that neither the structs nor HuggingFace have; settings of HuggingFace's that would change the
    /// result.
    pub fn finish(mut self) -> Result<Vec<String>, SettingsError> {
        let (mut passed_over, mut unknown, mut n_ordinary) = (Vec::new(), Vec::new(), 0);
        for (name, value) in std::mem::take(&mut self.values) {
            match foreign::judge(&name, &value) {
                None => unknown
                    .push((nearest(&name, self.known.iter().map(String::as_str)).map(str::to_owned), name)),
                Some(Verdict::Ordinary) => n_ordinary += 1,
                Some(Verdict::PassedOver) => passed_over.push(name),
                Some(Verdict::Refused(why)) => {
                    let (source_name, found) = (self.source_name, value.to_string());
                    return Err(SettingsError::Unsupported { source_name, name, found, why });
                }
            }
        }
        if !unknown.is_empty() {
            let names = unknown.into_iter().map(|(nearest, name)| (name, nearest)).collect();
            return Err(SettingsError::Unknown { source_name: self.source_name, names });
        }
        self.notes.extend(passed_over_note(&passed_over, n_ordinary));
        let source_name = self.source_name;
        Ok(self.notes.into_iter().map(|note| format!("{source_name}: {note}")).collect())
    }
}

/// One note about all that HuggingFace has and bertlab does not need.
fn passed_over_note(names: &[String], n_ordinary: usize) -> Option<String> {
    let more = match n_ordinary {
        0 => String::new(),
        1 => "one more with its default".to_owned(),
        n => format!("{n} more with their defaults"),
    };
    match (names, more.is_empty()) {
        ([], _) => None,
        (names, true) => Some(format!("passed over, as they change nothing here: {}", names.join(", "))),
        (names, false) => {
            Some(format!("passed over, as they change nothing here: {}; and {more}", names.join(", ")))
        }
    }
}

/// TOML's values as JSON's. Numbers that JSON has not, and moments in time, become texts, which no setting takes.
fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => json!(text),
        toml::Value::Integer(number) => json!(number),
        toml::Value::Float(number) if number.is_finite() => json!(number),
        toml::Value::Float(number) => json!(number.to_string()),
        toml::Value::Boolean(is_on) => json!(is_on),
        toml::Value::Datetime(moment) => json!(moment.to_string()),
        toml::Value::Array(values) => values.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(name, value)| (name, json_of(value))).collect())
        }
    }
}

/// The same said otherwise: a number or a switch in quotes, a whole number with a point.
fn other_form(value: &Value) -> Option<Value> {
    match value {
        Value::String(text) => match text.as_str() {
            "True" => Some(json!(true)),
            "False" => Some(json!(false)),
            text => serde_json::from_str(text)
                .ok()
                .filter(|value: &Value| value.is_number() || value.is_boolean()),
        },
        Value::Number(number) => {
            let number = number.as_f64()?;
            (number.fract() == 0.0 && (0.0..9e15).contains(&number)).then(|| json!(number as u64))
        }
        _ => None,
    }
}

/// What serde says was expected, for a person.
fn in_words(message: &str, found: &Value) -> String {
    let Some((_, expected)) = message.split_once(", expected ").or_else(|| message.split_once(" expected "))
    else {
        return message.to_owned();
    };
    let words: Vec<&str> = expected.split('`').skip(1).step_by(2).collect();
    if message.starts_with("unknown variant") && !words.is_empty() {
        let meant = found.as_str().and_then(|found| nearest(found, words.iter().copied()));
        let hint = meant.map(|word| format!("; did you mean {word}?")).unwrap_or_default();
        return format!("one of {}{hint}", words.join(", "));
    }
    match expected {
        "f32" | "f64" => "a number".to_owned(),
        "u8" | "u16" | "u32" | "u64" | "usize" => "a whole number from 0 on".to_owned(),
        "i32" | "i64" => "a whole number".to_owned(),
        "a boolean" => "true or false".to_owned(),
        "a string" | "path string" => "a text".to_owned(),
        "a sequence" => "a list".to_owned(),
        other => other.to_owned(),
    }
}
