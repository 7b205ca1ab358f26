//! Contextual word vectors, with a description of how each was computed.

mod query;

pub use query::{Place, WordQuery};

use crate::embed::{hidden_states, mean, sum};
use crate::{Error, Layers};
use bertlab_compute::Tensor;
use bertlab_model::{Batch, Model, Row};
use bertlab_text::{EncodeOptions, Encoding, TextInput, Tokenizer, find_word};
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

/// How the vectors of a word's tokens are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pieces {
    /// `sum`: their sum.
    #[default]
    Sum,
    /// `mean`: their mean.
    Mean,
    /// `first`: the first token only.
    First,
}

/// How the vectors of a word's occurrences are combined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Occurrences {
    /// `mean`: their mean.
    #[default]
    Mean,
    /// `sum`: their sum.
    Sum,
}

/// Options of word vectors.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WordOptions {
    /// Combines the tokens of an occurrence.
    pub pieces: Pieces,
    /// Combines the occurrences of a word.
    pub occurrences: Occurrences,
    /// The hidden states to average.
    pub layers: Layers,
}

/// A word vector and how it was computed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WordVector {
    /// The word of the query.
    pub word: String,
    /// The vector `[D]`.
    pub vector: Vec<f32>,
    /// How it was computed, for example `CPU@1,2: sum of pieces, mean of 2 occurrences, layer -1`.
    pub recipe: String,
    /// Sentence number (from 1) and tokens of each occurrence.
    pub tokens: Vec<(usize, Vec<String>)>,
}

/// Computes a vector for each query. Each sentence is a row of its own and is not truncated.
///
/// # Errors
/// A word that does not occur, or that occurs more than once in a sentence if the query does not choose one;
/// a sentence that does not exist or is too long for the model; layers out of range.
pub fn word_vectors(
    model: &Model,
    tokenizer: &Tokenizer,
    sentences: &[String],
    queries: &[WordQuery],
    options: &WordOptions,
) -> Result<Vec<WordVector>, Error> {
    if sentences.is_empty() {
        return Err(Error::NoSentences);
    }
    options.layers.resolve(model.spec.encoder.n_layers)?;
    let find = |query: &WordQuery| find_occurrences(query, sentences);
    let found: Vec<Vec<Occurrence>> = queries.iter().map(find).collect::<Result<_, _>>()?;
    let used: BTreeSet<usize> = found.iter().flatten().map(|occurrence| occurrence.sentence).collect();
    let read = Sentences::read(model, tokenizer, sentences, used, options.layers)?;
    queries.iter().zip(&found).map(|(query, found)| read.word_vector(query, found, options)).collect()
}

/// An occurrence of a word.
struct Occurrence {
    /// Index of the sentence, from 0.
    sentence: usize,
    /// Character range in the sentence.
    span: (usize, usize),
    /// `1`, or `1#2` if the word occurs more than once.
    label: String,
}

fn find_occurrences(query: &WordQuery, sentences: &[String]) -> Result<Vec<Occurrence>, Error> {
    let places = if query.places.is_empty() { places_with(query, sentences)? } else { query.places.clone() };
    places.iter().map(|place| find_occurrence(query, *place, sentences)).collect()
}

/// All sentences that contain the word.
fn places_with(query: &WordQuery, sentences: &[String]) -> Result<Vec<Place>, Error> {
    let holds_it = |&number: &usize| !find_word(&sentences[number - 1], &query.word).is_empty();
    let numbers = (1..=sentences.len()).filter(holds_it);
    let places: Vec<Place> = numbers.map(|sentence| Place { sentence, occurrence: None }).collect();
    if places.is_empty() { Err(absent(query, "any sentence".to_owned(), sentences)) } else { Ok(places) }
}

fn find_occurrence(query: &WordQuery, place: Place, sentences: &[String]) -> Result<Occurrence, Error> {
    let number = place.sentence;
    let text = number.checked_sub(1).and_then(|index| sentences.get(index)).ok_or_else(|| {
        Error::NoSuchSentence { query: query.to_string(), sentence: number, n_sentences: sentences.len() }
    })?;
    let spans = find_word(text, &query.word);
    if spans.is_empty() {
        return Err(absent(query, format!("sentence {number}"), sentences));
    }
    let (word, text, n) = (query.word.clone(), text.clone(), spans.len());
    let index = match place.occurrence {
        None if n > 1 => return Err(Error::WordTwice { word, sentence: number, text, n }),
        Some(occurrence) if occurrence == 0 || occurrence > n => {
            return Err(Error::NoSuchOccurrence {
                query: query.to_string(),
                word,
                sentence: number,
                text,
                n,
            });
        }
        occurrence => occurrence.unwrap_or(1) - 1,
    };
    Ok(Occurrence { sentence: number - 1, span: spans[index], label: place.to_string() })
}

fn absent(query: &WordQuery, place: String, sentences: &[String]) -> Error {
    let listed: Vec<String> =
        sentences.iter().enumerate().map(|(index, text)| format!("  {}: {text}", index + 1)).collect();
    Error::WordAbsent { word: query.word.clone(), place, sentences: listed.join("\n") }
}

/// Sentences and their hidden states.
struct Sentences {
    /// By sentence; `None` if no query needs it.
    rows: Vec<Option<ReadSentence>>,
    /// Hidden states of all sentences, packed. `[T, D]`
    hidden: Tensor,
}

struct ReadSentence {
    encoding: Encoding,
    /// Index of its first token in the hidden states.
    start: usize,
}

impl Sentences {
    fn read(
        model: &Model,
        tokenizer: &Tokenizer,
        sentences: &[String],
        used: BTreeSet<usize>,
        layers: Layers,
    ) -> Result<Self, Error> {
        let max = model.spec.encoder.max_tokens();
        let mut rows: Vec<Option<ReadSentence>> = sentences.iter().map(|_| None).collect();
        let mut start = 0;
        for index in used {
            let input = TextInput::from(sentences[index].as_str());
            let encoding = tokenizer.encode(&input, &EncodeOptions::default())?;
            let length = encoding.len();
            if length > max {
                return Err(Error::SentenceTooLong { sentence: index + 1, length, max });
            }
            rows[index] = Some(ReadSentence { encoding, start });
            start += length;
        }
        let inputs: Vec<Row<'_>> = rows.iter().flatten().map(|read| as_row(&read.encoding)).collect();
        let batch = Batch::new(&model.spec.encoder, &inputs)?;
        let hidden = hidden_states(model, &batch, layers)?;
        let read: Vec<usize> = (0..rows.len()).filter(|&index| rows[index].is_some()).collect();
        model.check_finite(&batch, hidden.as_slice()).map_err(|error| error.in_rows(&read))?;
        Ok(Self { rows, hidden })
    }

    fn word_vector(
        &self,
        query: &WordQuery,
        found: &[Occurrence],
        options: &WordOptions,
    ) -> Result<WordVector, Error> {
        let mut vectors = Vec::with_capacity(found.len());
        let mut tokens = Vec::with_capacity(found.len());
        for occurrence in found {
            let read =
                self.rows[occurrence.sentence].as_ref().expect("all sentences with occurrences were read");
            let pieces = read.encoding.tokens_of_span(occurrence.span.0, occurrence.span.1);
            if pieces.is_empty() {
                let (word, sentence) = (query.word.clone(), occurrence.sentence + 1);
                return Err(Error::WordWithoutTokens { word, sentence });
            }
            vectors.push(self.occurrence_vector(read, &pieces, options.pieces));
            let texts = pieces.iter().map(|&piece| read.encoding.tokens[piece].clone());
            tokens.push((occurrence.sentence + 1, texts.collect()));
        }
        let rows = vectors.iter().map(Vec::as_slice);
        let vector = match options.occurrences {
            Occurrences::Mean => mean(rows),
            Occurrences::Sum => sum(rows),
        };
        Ok(WordVector { word: query.word.clone(), vector, recipe: recipe(query, found, options), tokens })
    }

    fn occurrence_vector(&self, read: &ReadSentence, pieces: &[usize], how: Pieces) -> Vec<f32> {
        let rows = pieces.iter().map(|piece| self.hidden.row(read.start + piece));
        match how {
            Pieces::Sum => sum(rows),
            Pieces::Mean => mean(rows),
            Pieces::First => sum(rows.take(1)),
        }
    }
}

fn as_row(encoding: &Encoding) -> Row<'_> {
    Row { input_ids: &encoding.input_ids, token_type_ids: &encoding.token_type_ids, position_ids: &[] }
}

/// `CPU@1,2: sum of pieces, mean of 2 occurrences, layer -1`
fn recipe(query: &WordQuery, found: &[Occurrence], options: &WordOptions) -> String {
    let labels: Vec<&str> = found.iter().map(|occurrence| occurrence.label.as_str()).collect();
    let pieces = match options.pieces {
        Pieces::First => "first piece".to_owned(),
        several => format!("{several} of pieces"),
    };
    let occurrences = match found.len() {
        1 => "1 occurrence".to_owned(),
        n => format!("{} of {n} occurrences", options.occurrences),
    };
    format!("{}@{}: {pieces}, {occurrences}, {}", query.word, labels.join(","), options.layers.describe())
}

impl Pieces {
    /// All variants.
    pub const ALL: [Self; 3] = [Self::Sum, Self::Mean, Self::First];

    /// The name, as parsed by [`FromStr`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Sum => "sum",
            Self::Mean => "mean",
            Self::First => "first",
        }
    }
}

impl Occurrences {
    /// All variants.
    pub const ALL: [Self; 2] = [Self::Mean, Self::Sum];

    /// The name, as parsed by [`FromStr`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Sum => "sum",
        }
    }
}

impl fmt::Display for Pieces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Display for Occurrences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Pieces {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|pieces| pieces.name() == text).ok_or_else(|| Error::UnknownWord {
            what: "way to combine pieces",
            found: text.to_owned(),
            choices: Self::ALL.map(Self::name).join(", "),
        })
    }
}

impl FromStr for Occurrences {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|occurrences| occurrences.name() == text).ok_or_else(|| {
            Error::UnknownWord {
                what: "way to combine occurrences",
                found: text.to_owned(),
                choices: Self::ALL.map(Self::name).join(", "),
            }
        })
    }
}

#[cfg(test)]
mod tests;
