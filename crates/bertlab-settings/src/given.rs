//! Settings of which some were given, and the others are left to their defaults.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::setting::{Setting, Settings};

/// Settings of which some were given, by flags or a file; the others are left to their defaults.
#[derive(Clone, Debug)]
pub struct Given<S> {
    values: S,
    names: BTreeSet<&'static str>,
    notes: Vec<String>,
}

impl<S: Settings> Default for Given<S> {
    fn default() -> Self {
        Self::none()
    }
}

impl<S: Settings> Given<S> {
    /// Nothing is given.
    pub fn none() -> Self {
        Self { values: S::default(), names: BTreeSet::new(), notes: Vec::new() }
    }

    /// Whether the setting called `name` is given.
    pub fn has(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// The values; those that were not given are the table's defaults.
    pub fn values(&self) -> &S {
        &self.values
    }

    /// What a person should know of the values that were read.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Reads a value for `setting`.
    ///
    /// # Errors
    /// What is wanted instead, in words.
    pub fn set(&mut self, setting: &Setting<S>, value: &Value) -> Result<(), String> {
        setting.read(&mut self.values, value, &mut self.notes)?;
        self.names.insert(setting.name);
        Ok(())
    }

    /// Takes the setting called `name` back; gives whether it was given.
    pub(crate) fn remove(&mut self, name: &str) -> bool {
        let was_given = self.names.remove(name);
        if let Some(setting) = S::setting(name).filter(|_| was_given) {
            setting.copy(&mut self.values, &S::default());
        }
        was_given
    }

    /// Lays `other` over these: what it gives wins.
    pub fn overlay(&mut self, other: &Self) {
        for setting in S::TABLE.iter().filter(|setting| other.has(setting.name)) {
            setting.copy(&mut self.values, &other.values);
            self.names.insert(setting.name);
        }
        self.notes.extend_from_slice(&other.notes);
    }

    /// All settings: those that are given, over `defaults`. A default that a given setting makes meaningless
    /// becomes the table's.
    pub fn over(&self, mut defaults: S) -> S {
        for setting in S::TABLE.iter().filter(|setting| self.has(setting.name)) {
            for replaced in setting.replaced().filter(|name| !self.has(name)).filter_map(S::setting) {
                replaced.copy(&mut defaults, &S::default());
            }
            setting.copy(&mut defaults, &self.values);
        }
        defaults
    }
}
