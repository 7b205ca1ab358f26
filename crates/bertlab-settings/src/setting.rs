//! A row of a table of settings, and what every table can do.

use serde_json::Value;

use crate::choice::unknown_word;
use crate::error::OutOfRange;
use crate::range::Range;
use crate::value::Kind;

/// A struct of settings, made by [`settings!`](crate::settings!).
pub trait Settings: Clone + Default + Send + Sync + 'static {
    /// All settings, in the order of the struct's fields.
    const TABLE: &'static [Setting<Self>];

    /// The setting called `name`; none where there is none.
    fn setting(name: &str) -> Option<&'static Setting<Self>> {
        Self::TABLE.iter().find(|setting| setting.name == name)
    }

    /// The first setting that is out of its range.
    fn out_of_range(&self) -> Option<OutOfRange> {
        Self::TABLE.iter().find_map(|setting| setting.out_of_range(self))
    }
}

/// A setting: a row of the table of `S`.
pub struct Setting<S: 'static> {
    /// Its name, HuggingFace's where HuggingFace has it.
    pub name: &'static str,
    /// The heading under which it is listed.
    pub heading: &'static str,
    /// What its values look like.
    pub kind: Kind,
    /// Which numbers it accepts.
    pub range: Range,
    /// Names that it had, or has elsewhere, and is still read by.
    pub old_names: &'static [&'static str],
    /// Former switches, and the value that each stands for.
    pub old_switches: &'static [(&'static str, &'static str)],
    /// A setting that this one makes meaningless: given on top of a file, it replaces that one.
    pub replaces: Option<&'static str>,
    /// Settings that this one cannot be given together with; it replaces those of a file.
    pub excludes: &'static [&'static str],
    /// A setting without which this one means nothing.
    pub requires: Option<&'static str>,
    /// Whether it is given by its place, not by its name, where a door has places.
    pub is_positional: bool,
    /// The value that it has where only its name is given.
    pub value_or: Option<&'static str>,
    /// Whether a run may be resumed with another value.
    pub may_change: bool,
    /// Whether lists for a person leave it out.
    pub is_hidden: bool,
    /// Whether numbers below 1 mean "not set", as HuggingFace writes -1.
    pub none_below_1: bool,
    value_name: Option<&'static str>,
    default_words: Option<&'static str>,
    help: &'static str,
    field: Field<S>,
}

/// How a setting's field of `S` is reached.
pub struct Field<S> {
    /// Reads it; the error says what is wanted.
    pub read: fn(&mut S, &Value, &mut Vec<String>) -> Result<(), String>,
    /// Copies it from another struct.
    pub copy: fn(&mut S, &S),
    /// The number whose range is checked.
    pub number: fn(&S) -> Option<f64>,
    /// Its value for a person.
    pub words: fn(&S) -> String,
    /// Whether both structs have the same value.
    pub is_same: fn(&S, &S) -> bool,
}

impl<S> Setting<S> {
    /// A setting that accepts everything of its type.
    pub const fn new(
        heading: &'static str,
        name: &'static str,
        help: &'static str,
        kind: Kind,
        field: Field<S>,
    ) -> Self {
        Self {
            name,
            heading,
            kind,
            range: Range::Any,
            old_names: &[],
            old_switches: &[],
            replaces: None,
            excludes: &[],
            requires: None,
            is_positional: false,
            value_or: None,
            may_change: false,
            is_hidden: false,
            none_below_1: false,
            value_name: None,
            default_words: None,
            help,
            field,
        }
    }

    /// Accepts only this range.
    pub const fn range(mut self, range: Range) -> Self {
        self.range = range;
        self
    }

    /// Accepts only numbers above `low`.
    pub const fn above(self, low: f64) -> Self {
        self.range(Range::Above(low))
    }

    /// Accepts only numbers from `low` on.
    pub const fn at_least(self, low: f64) -> Self {
        self.range(Range::AtLeast(low))
    }

    /// Accepts only whole numbers from 1 on.
    pub const fn count(self) -> Self {
        self.range(Range::Count)
    }

    /// Accepts a whole number of steps from 1 on, or a share of all steps below 1.
    pub const fn steps(self) -> Self {
        self.range(Range::Steps)
    }

    /// Accepts only numbers in [0, 1).
    pub const fn share(self) -> Self {
        self.range(Range::Share)
    }

    /// Must stay off; the switch `instead` takes its place.
    pub const fn off(self, instead: &'static str, why: &'static str) -> Self {
        self.range(Range::Off { instead, why })
    }

    /// Is also read by these names.
    pub const fn old_names(mut self, names: &'static [&'static str]) -> Self {
        self.old_names = names;
        self
    }

    /// Former switches, and the value that each stands for.
    pub const fn old_switches(mut self, switches: &'static [(&'static str, &'static str)]) -> Self {
        self.old_switches = switches;
        self
    }

    /// Makes the setting `name` meaningless.
    pub const fn replaces(mut self, name: &'static str) -> Self {
        self.replaces = Some(name);
        self
    }

    /// Cannot be given together with these settings.
    pub const fn excludes(mut self, names: &'static [&'static str]) -> Self {
        self.excludes = names;
        self
    }

    /// Means nothing without the setting `name`.
    pub const fn requires(mut self, name: &'static str) -> Self {
        self.requires = Some(name);
        self
    }

    /// Is given by its place.
    pub const fn positional(mut self) -> Self {
        self.is_positional = true;
        self
    }

    /// Has this value where only its name is given.
    pub const fn value_or(mut self, word: &'static str) -> Self {
        self.value_or = Some(word);
        self
    }

    /// Accepts only these words.
    pub const fn choices(mut self, words: &'static [&'static str]) -> Self {
        self.kind = Kind::Choice(words);
        self
    }

    /// A run may be resumed with another value.
    pub const fn may_change(mut self) -> Self {
        self.may_change = true;
        self
    }

    /// Lists for a person leave it out.
    pub const fn hidden(mut self) -> Self {
        self.is_hidden = true;
        self
    }

    /// Numbers below 1 mean "not set".
    pub const fn none_below_1(mut self) -> Self {
        self.none_below_1 = true;
        self
    }

    /// What stands for a value in help texts, such as `N`.
    pub const fn value_name(mut self, name: &'static str) -> Self {
        self.value_name = Some(name);
        self
    }

    /// What holds where it is not set.
    pub const fn default_is(mut self, words: &'static str) -> Self {
        self.default_words = Some(words);
        self
    }

    /// The settings of a file or default that it replaces.
    pub(crate) fn replaced(&self) -> impl Iterator<Item = &'static str> {
        self.replaces.into_iter().chain(self.excludes.iter().copied())
    }

    /// What it does, in one or two sentences without a full stop at the end.
    pub fn help(&self) -> &'static str {
        self.help.trim()
    }

    /// What stands for a value in help texts.
    pub fn placeholder(&self) -> &'static str {
        self.value_name.unwrap_or(match self.kind {
            Kind::Switch => "BOOL",
            Kind::Whole => "N",
            Kind::Number => "X",
            Kind::Text => "TEXT",
            Kind::Choice(_) => "WORD",
            Kind::Path | Kind::Paths => "FILE",
        })
    }

    /// The default for a person; none where it goes without saying.
    pub fn default_words(&self) -> Option<String>
    where
        S: Settings,
    {
        if let Some(words) = self.default_words {
            return Some(words.to_owned());
        }
        let words = self.words(&S::default());
        let is_plain =
            words.is_empty() || words == "not set" || self.kind == Kind::Switch && words == "false";
        (!is_plain).then_some(words)
    }

    /// The value in `settings` for a person.
    pub fn words(&self, settings: &S) -> String {
        (self.field.words)(settings)
    }

    /// Whether both structs have the same value.
    pub fn is_same(&self, settings: &S, other: &S) -> bool {
        (self.field.is_same)(settings, other)
    }

    /// Why the value in `settings` is refused; none where it is in range.
    pub fn out_of_range(&self, settings: &S) -> Option<OutOfRange> {
        let number = (self.field.number)(settings)?;
        let is_inside = self.range.contains(number);
        let refusal =
            || OutOfRange { name: self.name, found: self.words(settings), wanted: self.range.wanted() };
        (!is_inside).then(refusal)
    }

    /// Reads the value into `settings`.
    ///
    /// # Errors
    /// What is wanted instead, in words.
    pub fn read(&self, settings: &mut S, value: &Value, notes: &mut Vec<String>) -> Result<(), String>
    where
        S: Settings,
    {
        let number = || value.as_f64().or_else(|| value.as_str()?.parse().ok());
        if self.none_below_1 && number().is_some_and(|number| number < 1.0 && number.fract() == 0.0) {
            self.copy(settings, &S::default());
            return Ok(());
        }
        (self.field.read)(settings, value, notes).map_err(|wanted| match self.kind {
            Kind::Choice(words) => unknown_word(value.as_str().unwrap_or_default(), words),
            _ => wanted,
        })
    }

    /// Copies the value of `from` into `settings`.
    pub fn copy(&self, settings: &mut S, from: &S) {
        (self.field.copy)(settings, from);
    }
}
