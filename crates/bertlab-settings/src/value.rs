//! The types that settings can have, and how each is read and shown.

use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use serde_json::Value;

/// A type that a setting can have.
pub trait SettingValue: Clone + PartialEq {
    /// What it looks like from outside.
    const KIND: Kind;

    /// Reads a value of a file or JSON body; a word of a command line comes as a JSON string. What a person
    /// should know of it goes to `notes`.
    ///
    /// # Errors
    /// What is wanted instead, in words.
    fn read(value: &Value, notes: &mut Vec<String>) -> Result<Self, String>;

    /// The number whose range is checked; none where there is none, or where it is not set.
    fn number(&self) -> Option<f64> {
        None
    }

    /// For a person: `5e-5`, `linear`, `not set`.
    fn words(&self) -> String;
}

/// What a setting's values look like, for flags, keyword arguments and schemas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// True or false.
    Switch,
    /// A whole number from 0 on.
    Whole,
    /// A number.
    Number,
    /// A text.
    Text,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A path of the file system.
    Path,
    /// One or more paths.
    Paths,
}

impl SettingValue for bool {
    const KIND: Kind = Kind::Switch;

    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        let word = value.as_str().map(str::to_ascii_lowercase);
        match (value, word.as_deref()) {
            (Value::Bool(is_on), _) => Ok(*is_on),
            (_, Some("true")) => Ok(true),
            (_, Some("false")) => Ok(false),
            _ => Err("true or false".to_owned()),
        }
    }

    fn number(&self) -> Option<f64> {
        Some(f64::from(*self))
    }

    fn words(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for f64 {
    const KIND: Kind = Kind::Number;

    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        let number = match value {
            Value::String(word) => word.trim().parse().ok(),
            value => value.as_f64(),
        };
        number.filter(|number: &f64| number.is_finite()).ok_or_else(|| "a number".to_owned())
    }

    fn number(&self) -> Option<f64> {
        Some(*self)
    }

    fn words(&self) -> String {
        if *self != 0.0 && self.abs() < 1e-3 { format!("{self:e}") } else { self.to_string() }
    }
}

impl SettingValue for u64 {
    const KIND: Kind = Kind::Whole;

    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        /// Up to here every whole number has its own f64.
        const EXACT: f64 = 9e15;
        let word = value.as_str().map(str::trim);
        let whole = value.as_u64().or_else(|| word?.parse().ok());
        let number = || value.as_f64().or_else(|| word?.parse().ok());
        let is_whole = |number: &f64| number.fract() == 0.0 && (0.0..EXACT).contains(number);
        whole
            .or_else(|| number().filter(is_whole).map(|number| number as u64))
            .ok_or_else(|| "a whole number from 0 on".to_owned())
    }

    fn number(&self) -> Option<f64> {
        Some(*self as f64)
    }

    fn words(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for usize {
    const KIND: Kind = Kind::Whole;

    fn read(value: &Value, notes: &mut Vec<String>) -> Result<Self, String> {
        u64::read(value, notes)?.try_into().map_err(|_| "a smaller number".to_owned())
    }

    fn number(&self) -> Option<f64> {
        Some(*self as f64)
    }

    fn words(&self) -> String {
        self.to_string()
    }
}

impl SettingValue for String {
    const KIND: Kind = Kind::Text;

    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        value.as_str().map(str::to_owned).ok_or_else(|| "a text".to_owned())
    }

    fn words(&self) -> String {
        self.clone()
    }
}

impl SettingValue for PathBuf {
    const KIND: Kind = Kind::Path;

    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        value.as_str().map(PathBuf::from).ok_or_else(|| "a text".to_owned())
    }

    fn words(&self) -> String {
        self.display().to_string()
    }
}

impl SettingValue for Vec<PathBuf> {
    const KIND: Kind = Kind::Paths;

    /// One path may stand without a list around it.
    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        let path = |value: &Value| value.as_str().map(PathBuf::from);
        let paths = match value {
            Value::Array(values) => values.iter().map(path).collect(),
            value => path(value).map(|path| vec![path]),
        };
        paths.ok_or_else(|| "a file's name, or a list of them".to_owned())
    }

    fn words(&self) -> String {
        self.iter().map(SettingValue::words).collect::<Vec<_>>().join(", ")
    }
}

impl<T: SettingValue> SettingValue for Option<T> {
    const KIND: Kind = T::KIND;

    fn read(value: &Value, notes: &mut Vec<String>) -> Result<Self, String> {
        T::read(value, notes).map(Some)
    }

    fn number(&self) -> Option<f64> {
        self.as_ref()?.number()
    }

    fn words(&self) -> String {
        self.as_ref().map_or_else(|| "not set".to_owned(), T::words)
    }
}

/// A value of a type that is parsed from a word and displayed as one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Word<T>(pub T);

impl<T> SettingValue for Word<T>
where
    T: FromStr<Err: Display> + Display + Clone + PartialEq,
{
    const KIND: Kind = Kind::Text;

    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        let word = value.as_str().ok_or("a text")?;
        word.parse().map(Self).map_err(|error| format!("another word: {error}"))
    }

    fn words(&self) -> String {
        self.0.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn read<T: SettingValue>(value: Value) -> Result<T, String> {
        T::read(&value, &mut Vec::new())
    }

    #[test]
    fn numbers_may_be_words_and_whole_numbers_may_have_a_point() {
        assert_eq!(read::<f64>(json!("5e-6")), Ok(5e-6));
        assert_eq!(read::<f64>(json!(3)), Ok(3.0));
        assert_eq!(read::<usize>(json!(16.0)), Ok(16));
        assert_eq!(read::<u64>(json!(u64::MAX)), Ok(u64::MAX));
        assert_eq!(read::<u64>(json!(u64::MAX.to_string())), Ok(u64::MAX));
        for wrong in [json!("inf"), json!("nan"), json!("fast"), json!(true), json!(null)] {
            assert_eq!(read::<f64>(wrong), Err("a number".to_owned()));
        }
        for wrong in [json!(-3), json!(2.5), json!("-1"), json!(1e300), json!([1])] {
            assert_eq!(read::<u64>(wrong), Err("a whole number from 0 on".to_owned()));
        }
    }

    #[test]
    fn switches_are_true_or_false_in_any_case_and_no_numbers() {
        for on in [json!(true), json!("true"), json!("True")] {
            assert_eq!(read::<Option<bool>>(on), Ok(Some(true)));
        }
        for wrong in [json!(1), json!("yes"), json!([true])] {
            assert_eq!(read::<bool>(wrong), Err("true or false".to_owned()));
        }
    }

    #[test]
    fn values_in_words_are_short() {
        assert_eq!([5e-5, 0.1, 3.0, 0.0, 1e-8].map(|x: f64| x.words()), ["5e-5", "0.1", "3", "0", "1e-8"]);
        assert_eq!((None::<u64>.words(), Some(7_u64).words()), ("not set".to_owned(), "7".to_owned()));
    }

    #[test]
    fn one_path_is_a_list_of_one() {
        let paths = ["a.csv", "b.csv"].map(PathBuf::from);
        assert_eq!(read::<Vec<PathBuf>>(json!("a.csv")), Ok(paths[..1].to_vec()));
        assert_eq!(read::<Vec<PathBuf>>(json!(["a.csv", "b.csv"])), Ok(paths.to_vec()));
        assert!(read::<Vec<PathBuf>>(json!([1])).is_err());
    }
}
