//! A flag's word in files of settings, for types that are read and written as words: `#[serde(with = "word")]`.

use std::fmt::Display;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// As its word.
pub fn serialize<T: Display, S: Serializer>(value: &Option<T>, out: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => out.collect_str(value),
        None => out.serialize_none(),
    }
}

/// From its word.
pub fn deserialize<'de, T, D>(value: D) -> Result<Option<T>, D::Error>
where
    T: FromStr,
    T::Err: Display,
    D: Deserializer<'de>,
{
    let word = Option::<String>::deserialize(value)?;
    word.map(|word| word.parse().map_err(D::Error::custom)).transpose()
}
