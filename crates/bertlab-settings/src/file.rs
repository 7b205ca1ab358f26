//! Settings by name, as a file or a JSON body holds them, before they are typed.

use std::path::Path;

use serde_json::{Map, Value, json};

use bertlab_feedback::Hint;

use crate::error::SettingsError;
use crate::given::Given;
use crate::names::nearest;
use crate::setting::{Setting, Settings};

/// Settings by name. Tables take theirs with [`SettingsFile::take`]; [`SettingsFile::finish`] judges what is
/// left.
#[derive(Clone, Debug)]
pub struct SettingsFile {
    /// The file, or what stands for it in messages.
    source_name: String,
    values: Map<String, Value>,
    /// All names that were asked for.
    known: Vec<String>,
    /// About the file.
    notes: Vec<String>,
    /// About what was laid over it.
    notes_of_others: Vec<String>,
}

/// What a setting comes to that HuggingFace has and bertlab does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Foreign {
    /// Its value is HuggingFace's default: not worth a note.
    Ordinary,
    /// It changes nothing that is computed here.
    PassedOver,
    /// It would change the result: why it is refused, and the setting that there is instead.
    Refused(&'static str, Option<Hint>),
}

impl SettingsFile {
    /// No settings; `source_name` stands for the file in messages.
    pub fn empty(source_name: String) -> Self {
        Self {
            source_name,
            values: Map::new(),
            known: Vec::new(),
            notes: Vec::new(),
            notes_of_others: Vec::new(),
        }
    }

    /// Reads a .toml or .json file.
    ///
    /// # Errors
    /// A file that cannot be read, or that is no flat table of names and values.
    pub fn read(file: &Path) -> Result<Self, SettingsError> {
        let source_name = file.display().to_string();
        let extension = file.extension().map(|extension| extension.to_ascii_lowercase());
        let parse = match extension.as_ref().and_then(|extension| extension.to_str()) {
            Some("toml") => Self::from_toml,
            Some("json") => Self::from_json,
            _ => return Err(SettingsError::Format { source_name }),
        };
        match std::fs::read_to_string(file) {
            Ok(text) => parse(&text, source_name),
            Err(source) => Err(SettingsError::Unreadable { source_name, source }),
        }
    }

    /// Parses a JSON object; `source_name` is what messages call it.
    ///
    /// # Errors
    /// A text that is no JSON object.
    pub fn from_json(text: &str, source_name: String) -> Result<Self, SettingsError> {
        match serde_json::from_str(text) {
            Ok(Value::Object(values)) => Ok(Self::of(values, source_name)),
            Ok(_) => Err(SettingsError::Syntax { source_name, why: "it is no JSON object".to_owned() }),
            Err(error) => Err(SettingsError::Syntax { source_name, why: format!("it is no JSON: {error}") }),
        }
    }

    /// Parses TOML; `source_name` is what messages call it.
    ///
    /// # Errors
    /// A text that is no TOML.
    pub fn from_toml(text: &str, source_name: String) -> Result<Self, SettingsError> {
        match text.parse::<toml::Table>() {
            Ok(table) => {
                let values = table.into_iter().map(|(name, value)| (name, json_of(value))).collect();
                Ok(Self::of(values, source_name))
            }
            Err(error) => {
                let why = format!("it is no TOML: {}", error.to_string().trim_end());
                Err(SettingsError::Syntax { source_name, why })
            }
        }
    }

    /// Null is the same as a setting that is not there.
    fn of(mut values: Map<String, Value>, source_name: String) -> Self {
        values.retain(|_, value| !value.is_null());
        Self { values, ..Self::empty(source_name) }
    }

    /// Adds a setting, or replaces it.
    pub fn insert(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// Takes out the settings of a table, by their names and old names, and lays `over` on them: what it
    /// gives wins, and a setting of the file that it makes meaningless is dropped with a note.
    ///
    /// # Errors
    /// A value of another kind than the setting has; a setting under two names with two values.
    pub fn take<S: Settings>(&mut self, over: Given<S>) -> Result<Given<S>, SettingsError> {
        let mut given = Given::none();
        for setting in S::TABLE {
            self.known.push(setting.name.to_owned());
            let Some(value) = self.take_value(setting)? else { continue };
            given.set(setting, &value).map_err(|wanted| SettingsError::Value {
                source_name: self.source_name.clone(),
                name: setting.name.to_owned(),
                found: value.to_string(),
                wanted,
            })?;
        }
        for setting in S::TABLE.iter().filter(|setting| over.has(setting.name)) {
            for replaced in setting.replaced().filter(|name| !over.has(name)) {
                if given.remove(replaced) {
                    let name = setting.name;
                    self.notes.push(format!("{replaced} is passed over, as {name} is given in its place"));
                }
            }
        }
        self.notes.extend_from_slice(given.notes());
        self.notes_of_others.extend_from_slice(over.notes());
        given.overlay(&over);
        Ok(given)
    }

    /// The value of a setting under whichever of its names it stands. HuggingFace's files may hold a switch
    /// that is off under all its names at once: false under an old name is no value.
    fn take_value<S>(&mut self, setting: &Setting<S>) -> Result<Option<Value>, SettingsError> {
        let mut found = self.values.shift_remove(setting.name);
        for (old, was) in self.take_old(setting) {
            match &found {
                Some(is) if *is == was => {}
                Some(is) if *is != json!(false) => {
                    return Err(SettingsError::Twice {
                        source_name: self.source_name.clone(),
                        old: old.to_owned(),
                        new: setting.name.to_owned(),
                        was: was.to_string(),
                        is: is.to_string(),
                    });
                }
                _ => {
                    self.notes.push(format!("{old} is called {} here", setting.name));
                    found = Some(was);
                }
            }
        }
        Ok(found)
    }

    /// The old names that are there, with what they say in today's values.
    fn take_old<S>(&mut self, setting: &Setting<S>) -> Vec<(&'static str, Value)> {
        let is_on = |value: &Value| *value == json!(true) || *value == json!("true");
        let mut found = Vec::new();
        for &name in setting.old_names {
            let value = self.values.shift_remove(name).filter(|value| *value != json!(false));
            found.extend(value.map(|value| (name, value)));
        }
        for &(name, word) in setting.old_switches {
            let value = self.values.shift_remove(name).filter(is_on);
            found.extend(value.map(|_| (name, json!(word))));
        }
        found
    }

    /// Judges what no table has taken, and gives all notes, each after the file's name. `foreign` knows the
    /// settings that HuggingFace has and bertlab does not.
    ///
    /// # Errors
    /// Names that neither a table nor `foreign` knows; foreign settings that would change the result.
    pub fn finish(
        mut self,
        foreign: impl Fn(&str, &Value) -> Option<Foreign>,
    ) -> Result<Vec<String>, SettingsError> {
        let (mut passed_over, mut unknown, mut n_ordinary) = (Vec::new(), Vec::new(), 0);
        for (name, value) in std::mem::take(&mut self.values) {
            match foreign(&name, &value) {
                None => {
                    let nearest = nearest(&name, self.known.iter().map(String::as_str)).map(str::to_owned);
                    unknown.push((name, nearest));
                }
                Some(Foreign::Ordinary) => n_ordinary += 1,
                Some(Foreign::PassedOver) => passed_over.push(name),
                Some(Foreign::Refused(why, instead)) => {
                    let (source_name, found) = (self.source_name, value.to_string());
                    return Err(SettingsError::Unsupported { source_name, name, found, why, instead });
                }
            }
        }
        if !unknown.is_empty() {
            return Err(SettingsError::Unknown { source_name: self.source_name, names: unknown });
        }
        self.notes.extend(passed_over_note(&passed_over, n_ordinary));
        let source_name = self.source_name;
        let own = self.notes.into_iter().map(|note| format!("{source_name}: {note}"));
        Ok(own.chain(self.notes_of_others).collect())
    }
}

/// One note about all that HuggingFace has and bertlab does not need.
fn passed_over_note(names: &[String], n_ordinary: usize) -> Option<String> {
    let more = match n_ordinary {
        0 => String::new(),
        1 => "; and one more with its default".to_owned(),
        n => format!("; and {n} more with their defaults"),
    };
    (!names.is_empty())
        .then(|| format!("passed over, as they change nothing here: {}{more}", names.join(", ")))
}

/// A TOML value as JSON. What JSON lacks (infinite numbers, dates) becomes text, which no setting takes.
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
