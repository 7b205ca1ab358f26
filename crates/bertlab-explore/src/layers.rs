//! Selection of hidden states by layer.

use crate::Error;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

/// A range of hidden states, which are averaged: 0 is the output of the embeddings, L that of the last layer.
/// Negative numbers count from the end; -1 is the last.
///
/// Text forms: `-1`, `-4..-1` (both ends included: the last four), `1..3`, `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Layers {
    /// The first hidden state.
    pub first: isize,
    /// The last hidden state, inclusive.
    pub last: isize,
}

impl Layers {
    /// The last layer.
    pub const LAST: Self = Self { first: -1, last: -1 };
    /// The output of the embeddings and of all layers.
    pub const ALL: Self = Self { first: 0, last: -1 };

    /// The indices of the hidden states, within 0..=L for L = `n_layers`.
    ///
    /// # Errors
    /// An end that is out of range, or a first index after the last.
    pub fn resolve(self, n_layers: usize) -> Result<RangeInclusive<usize>, Error> {
        let place = |index: isize| {
            let index = if index < 0 { index + n_layers as isize + 1 } else { index };
            usize::try_from(index).ok().filter(|&index| index <= n_layers)
        };
        match (place(self.first), place(self.last)) {
            (Some(first), Some(last)) if first <= last => Ok(first..=last),
            (Some(_), Some(_)) => Err(Error::LayersBackwards { layers: self }),
            _ => Err(Error::LayersOutOfRange { layers: self, n_layers }),
        }
    }

    /// A description in words: `layer -1`, `mean of layers -4..-1`.
    pub fn describe(self) -> String {
        match self {
            Self::ALL => "mean of all layers".to_owned(),
            _ if self.first == self.last => format!("layer {self}"),
            _ => format!("mean of layers {self}"),
        }
    }
}

impl Default for Layers {
    fn default() -> Self {
        Self::LAST
    }
}

impl FromStr for Layers {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let number =
            |part: &str| part.trim().parse().map_err(|_| Error::NotLayers { found: text.to_owned() });
        match text.trim() {
            "all" => Ok(Self::ALL),
            range => match range.split_once("..") {
                Some((first, last)) => Ok(Self { first: number(first)?, last: number(last)? }),
                None => number(range).map(|index| Self { first: index, last: index }),
            },
        }
    }
}

impl fmt::Display for Layers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::ALL => f.pad("all"),
            Self { first, last } if first == last => f.pad(&first.to_string()),
            Self { first, last } => f.pad(&format!("{first}..{last}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolved(text: &str, n_layers: usize) -> Result<RangeInclusive<usize>, String> {
        let layers: Layers = text.parse().map_err(|error: Error| error.to_string())?;
        layers.resolve(n_layers).map_err(|error| error.to_string())
    }

    #[test]
    fn both_ends_are_included_and_negative_numbers_count_from_the_end() {
        assert_eq!(resolved("-1", 12), Ok(12..=12));
        assert_eq!(resolved("0", 12), Ok(0..=0));
        assert_eq!(resolved("-4..-1", 12), Ok(9..=12));
        assert_eq!(resolved("1..3", 12), Ok(1..=3));
        assert_eq!(resolved("1..-1", 2), Ok(1..=2));
        assert_eq!(resolved("all", 6), Ok(0..=6));
        assert_eq!(resolved("-7", 6), Ok(0..=0));
    }

    #[test]
    fn what_is_not_there_is_said() {
        for text in ["13", "-14", "0..13", "99999999999999999999", "-8..-1x", "", "..", "last"] {
            assert!(resolved(text, 12).is_err(), "{text}");
        }
        assert!(resolved("-4..-1", 2).is_err_and(|error| error.contains("2 layers")));
        assert!(resolved("3..1", 12).is_err_and(|error| error.contains("1..3")));
        assert!(resolved("-9223372036854775808", 12).is_err());
    }

    #[test]
    fn they_are_written_as_they_are_read() {
        for text in ["-1", "0", "-4..-1", "1..3", "all"] {
            assert_eq!(text.parse::<Layers>().expect("it is a range").to_string(), text);
        }
    }
}
