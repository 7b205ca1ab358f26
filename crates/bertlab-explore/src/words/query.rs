//! Word queries: `CPU`, `CPU@1,2`, `CPU@1#2`.

use crate::Error;
use std::fmt;
use std::str::FromStr;

/// A word and the sentences in which to find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordQuery {
    /// The word as written in the sentences.
    pub word: String,
    /// The places to search; all sentences if empty.
    pub places: Vec<Place>,
}

/// A sentence, and an occurrence of the word in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Sentence number, from 1.
    pub sentence: usize,
    /// Occurrence number, from 1; `None` for the only occurrence.
    pub occurrence: Option<usize>,
}

impl FromStr for WordQuery {
    type Err = Error;

    /// The last `@` ends the word if a digit or nothing follows: `user@host` is a word, and so is `user@1` in
    /// `user@1@2`.
    fn from_str(text: &str) -> Result<Self, Error> {
        let error = |problem: &str| Error::NotAQuery { found: text.to_owned(), problem: problem.to_owned() };
        let split = text
            .rsplit_once('@')
            .filter(|(_, places)| places.chars().next().is_none_or(|first| first.is_ascii_digit()));
        let (word, places) = match split {
            Some((word, places)) => {
                let places = places.split(',').map(|place| place.trim().parse());
                (word, places.collect::<Result<Vec<Place>, String>>().map_err(|problem| error(&problem))?)
            }
            None => (text, Vec::new()),
        };
        if word.trim().is_empty() {
            return Err(error("the word is empty"));
        }
        Ok(Self { word: word.trim().to_owned(), places })
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| match part.parse() {
            Ok(0) => Err("sentences and occurrences are numbered from 1".to_owned()),
            Ok(number) => Ok(number),
            Err(_) => Err(format!("{text:?} is not a sentence number")),
        };
        match text.split_once('#') {
            Some((sentence, occurrence)) => {
                Ok(Self { sentence: number(sentence)?, occurrence: Some(number(occurrence)?) })
            }
            None => Ok(Self { sentence: number(text)?, occurrence: None }),
        }
    }
}

impl fmt::Display for WordQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.word)?;
        for (index, place) in self.places.iter().enumerate() {
            write!(f, "{}{place}", if index == 0 { '@' } else { ',' })?;
        }
        Ok(())
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.occurrence {
            Some(occurrence) => write!(f, "{}#{occurrence}", self.sentence),
            None => write!(f, "{}", self.sentence),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(text: &str) -> (String, Vec<(usize, Option<usize>)>) {
        let query: WordQuery = text.parse().expect("it is a query");
        (query.word, query.places.into_iter().map(|place| (place.sentence, place.occurrence)).collect())
    }

    #[test]
    fn a_word_is_named_with_its_places() {
        assert_eq!(query("CPU"), ("CPU".to_owned(), vec![]));
        assert_eq!(query("CPU@1,2"), ("CPU".to_owned(), vec![(1, None), (2, None)]));
        assert_eq!(query("CPU@1#2, 3"), ("CPU".to_owned(), vec![(1, Some(2)), (3, None)]));
        assert_eq!(query("new CPU@1"), ("new CPU".to_owned(), vec![(1, None)]));
        assert_eq!(query("C#@2#1"), ("C#".to_owned(), vec![(2, Some(1))]));
    }

    #[test]
    fn a_word_may_hold_an_at_sign() {
        assert_eq!(query("user@host"), ("user@host".to_owned(), vec![]));
        assert_eq!(query("user@host@1"), ("user@host".to_owned(), vec![(1, None)]));
        assert_eq!(query("user@1@2"), ("user@1".to_owned(), vec![(2, None)]));
    }

    #[test]
    fn what_names_no_place_is_refused() {
        for text in ["", " ", "@1", "CPU@", "CPU@0", "CPU@1,", "CPU@1,x", "CPU@1#0", "CPU@1#", "CPU@1;2"] {
            let error = text.parse::<WordQuery>().expect_err(text).to_string();
            assert!(error.contains("CPU@1#2"), "{error}");
        }
    }

    #[test]
    fn it_is_written_as_it_is_read() {
        for text in ["CPU", "CPU@1,2", "CPU@1#2,3", "user@host@1"] {
            assert_eq!(text.parse::<WordQuery>().expect("it is a query").to_string(), text);
        }
    }
}
