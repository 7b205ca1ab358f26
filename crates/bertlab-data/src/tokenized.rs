//! Texts become rows of token ids, kept end to end: little memory, and the form in which a cache can hold them.

use crate::cache::TokenCache;
use crate::examples::Example;
use crate::{DataError, Dataset, Record};
use bertlab_feedback::Meter;
use bertlab_text::{EncodeOptions, Encoding, TextInput, Tokenizer, Truncation};

/// What a token is to the word that it belongs to.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece {
    /// No part of a word: `[CLS]`, `[SEP]` and their like, wherever they come from.
    Special = 0,
    /// A word's first token, and most often its only one.
    First = 1,
    /// A further token of the word before.
    Next = 2,
}

/// Rows of tokens, end to end. T tokens, B rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRows {
    /// Ids, special tokens included. `[T]`
    pub ids: Vec<u32>,
    /// Token types; empty where all are 0. `[T]`
    pub types: Vec<u32>,
    /// What each token is to its word. `[T]`
    pub pieces: Vec<Piece>,
    /// Tokens of each row. `[B]`
    pub lengths: Vec<u32>,
    /// Tokens that truncation took from each row. `[B]`
    pub n_cut: Vec<u32>,
    /// Of rows of words: which word of its row each token belongs to, [`NO_WORD`] where it belongs to none; empty without such rows. `[T]`
    pub words: Vec<u32>,
}

/// The place of a word where there is none.
pub const NO_WORD: u32 = u32::MAX;

/// One of [`TokenRows`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TokenRow<'a> {
    /// Ids.
    pub ids: &'a [u32],
    /// Token types; empty where all are 0.
    pub types: &'a [u32],
    /// What each token is to its word.
    pub pieces: &'a [Piece],
    /// Tokens that truncation took.
    pub n_cut: usize,
    /// Which word each token belongs to; empty without rows of words.
    pub words: &'a [u32],
}

/// A row's length, special tokens included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TokenLength {
    /// What the model reads.
    pub n_tokens: usize,
    /// What truncation takes away.
    pub n_cut: usize,
    /// Of what the model reads, tokens that the tokenizer does not know.
    pub n_unknown: usize,
}

impl TokenLength {
    /// Before truncation.
    pub fn n_all(self) -> usize {
        self.n_tokens + self.n_cut
    }
}

/// How texts become rows of tokens.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tokenization<'a> {
    /// Text to ids; none where all rows hold ids already.
    pub tokenizer: Option<&'a Tokenizer>,
    /// Longer texts are cut to so many tokens, special tokens included; none: they stay whole.
    pub max_length: Option<usize>,
    /// Where rows are kept for the next time.
    pub cache: Option<&'a TokenCache>,
}

/// Rows that are tokenized at once, so that progress can be shown.
const CHUNK: usize = 512;

impl Tokenization<'_> {
    /// Of the token that stands for what is not in the vocabulary.
    pub fn unknown_id(&self) -> Option<u32> {
        self.tokenizer.and_then(Tokenizer::unk_token_id)
    }

    /// Tokenizes every row; those that hold ids already are taken as they are. `meter` counts the rows.
    ///
    /// # Errors
    /// Rows of text without a tokenizer; a text that cannot be tokenized.
    pub fn rows(&self, dataset: &Dataset, meter: &Meter<'_>) -> Result<TokenRows, DataError> {
        match self.cache {
            Some(cache) => cache.rows(self, &dataset.records, || self.new_rows(dataset, meter)),
            None => self.new_rows(dataset, meter),
        }
    }

    fn new_rows(&self, dataset: &Dataset, meter: &Meter<'_>) -> Result<TokenRows, DataError> {
        let mut rows = TokenRows::default();
        let special_ids = self.tokenizer.map(Tokenizer::special_token_ids).unwrap_or_default();
        for records in dataset.records.chunks(CHUNK) {
            let is_text = |record: &&Record| record.input_ids.is_none() && !has_words(record);
            let inputs: Vec<TextInput> = records.iter().filter(is_text).map(text_input).collect();
            let words: Vec<&[String]> =
                records.iter().filter(|record| has_words(record)).map(words).collect();
            let mut encodings = self.encode(&inputs)?.into_iter();
            let mut encodings_of_words = self.encode_words(&words)?.into_iter();
            for record in records {
                match &record.input_ids {
                    Some(ids) => rows.push_ready(record, ids, &special_ids),
                    None if has_words(record) => {
                        let encoding =
                            encodings_of_words.next().expect("one encoding for every row of words");
                        rows.push_words(&encoding, &special_ids);
                    }
                    None => {
                        let encoding = encodings.next().expect("one encoding for every text");
                        rows.push_encoding(&encoding, &special_ids);
                    }
                }
            }
            meter.set(rows.len() as u64)?;
        }
        rows.forget_types_of_0();
        rows.fill_words();
        Ok(rows)
    }

    /// Tokenizes texts that stand for themselves.
    pub(crate) fn rows_of_texts(&self, texts: &[TextInput]) -> Result<TokenRows, DataError> {
        let mut rows = TokenRows::default();
        let special_ids = self.tokenizer.map(Tokenizer::special_token_ids).unwrap_or_default();
        self.encode(texts)?.iter().for_each(|encoding| rows.push_encoding(encoding, &special_ids));
        rows.forget_types_of_0();
        Ok(rows)
    }

    fn encode(&self, inputs: &[TextInput]) -> Result<Vec<Encoding>, DataError> {
        if inputs.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.needed_tokenizer()?.encode_batch(inputs, &self.options())?)
    }

    /// Rows of words, as HuggingFace tokenizes them with `is_split_into_words=True`.
    fn encode_words(&self, rows: &[&[String]]) -> Result<Vec<Encoding>, DataError> {
        if rows.is_empty() {
            return Ok(Vec::new());
        }
        Ok(self.needed_tokenizer()?.encode_words_batch(rows, &self.options())?)
    }

    fn options(&self) -> EncodeOptions {
        let truncation = match self.max_length {
            Some(_) => Truncation::LongestFirst,
            None => Truncation::DoNotTruncate,
        };
        EncodeOptions { truncation, max_length: self.max_length, ..EncodeOptions::default() }
    }

    fn needed_tokenizer(&self) -> Result<&Tokenizer, DataError> {
        self.tokenizer.ok_or(DataError::NoTokenizer)
    }
}

impl TokenRows {
    /// B
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.lengths.is_empty()
    }

    /// Every row's length. `unknown_id`: of the token that stands for what is not in the vocabulary.
    pub fn row_lengths(&self, unknown_id: Option<u32>) -> Vec<TokenLength> {
        let length = |row: TokenRow<'_>| TokenLength {
            n_tokens: row.ids.len(),
            n_cut: row.n_cut,
            n_unknown: row.ids.iter().filter(|&&id| Some(id) == unknown_id).count(),
        };
        self.iter().map(length).collect()
    }

    /// Every row.
    pub fn iter(&self) -> impl Iterator<Item = TokenRow<'_>> {
        let mut end = 0;
        self.lengths.iter().zip(&self.n_cut).map(move |(&length, &n_cut)| {
            let range = end..end + length as usize;
            end = range.end;
            let types = if self.types.is_empty() { &[] } else { &self.types[range.clone()] };
            let words = if self.words.is_empty() { &[] } else { &self.words[range.clone()] };
            let (ids, pieces) = (&self.ids[range.clone()], &self.pieces[range]);
            TokenRow { ids, types, pieces, n_cut: n_cut as usize, words }
        })
    }

    fn push_encoding(&mut self, encoding: &Encoding, special_ids: &[u32]) {
        self.ids.extend_from_slice(&encoding.input_ids);
        self.types.extend_from_slice(&encoding.token_type_ids);
        self.pieces.extend((0..encoding.len()).map(|token| piece(encoding, token, special_ids)));
        self.lengths.push(encoding.len() as u32);
        self.n_cut.push(encoding.n_truncated as u32);
    }

    fn push_words(&mut self, encoding: &Encoding, special_ids: &[u32]) {
        // Rows before this one may be of another kind.
        self.fill_words_to(self.ids.len());
        self.words.extend(encoding.word_ids.iter().map(|word| word.unwrap_or(NO_WORD)));
        self.push_encoding(encoding, special_ids);
    }

    fn fill_words(&mut self) {
        if !self.words.is_empty() {
            self.fill_words_to(self.ids.len());
        }
    }

    fn fill_words_to(&mut self, n_tokens: usize) {
        self.words.resize(n_tokens, NO_WORD);
    }

    /// A row that holds ids: masked tokens take no part, so they are left out. Which of its tokens make a word together
    /// is not known: each counts as one.
    fn push_ready(&mut self, record: &Record, ids: &[u32], special_ids: &[u32]) {
        let mask = record.attention_mask.as_deref();
        let ids = unmasked(ids, mask);
        self.types.extend(match &record.token_type_ids {
            Some(types) => unmasked(types, mask),
            None => vec![0; ids.len()],
        });
        let piece = |id: &u32| if special_ids.contains(id) { Piece::Special } else { Piece::First };
        self.pieces.extend(ids.iter().map(piece));
        self.lengths.push(ids.len() as u32);
        self.n_cut.push(0);
        self.ids.extend(ids);
    }

    fn forget_types_of_0(&mut self) {
        if self.types.iter().all(|&token_type| token_type == 0) {
            self.types = Vec::new();
        }
    }
}

impl TokenRow<'_> {
    /// Whether there is anything to learn from.
    pub(crate) fn has_word(&self) -> bool {
        self.pieces.iter().any(|&piece| piece != Piece::Special)
    }

    /// The row as an example that masks are drawn for: with [`Example::pieces`], without a target.
    pub fn example_to_mask(self) -> Example {
        Example { pieces: self.pieces.to_vec(), ..self.example() }
    }

    /// The row as an example without a target and without [`Example::pieces`].
    pub fn example(self) -> Example {
        Example { input_ids: self.ids.to_vec(), token_type_ids: self.types.to_vec(), ..Example::default() }
    }
}

fn piece(encoding: &Encoding, token: usize, special_ids: &[u32]) -> Piece {
    let is_special = |token: usize| {
        encoding.special_tokens_mask[token] != 0 || special_ids.contains(&encoding.input_ids[token])
    };
    let word = |token: usize| Some((encoding.word_ids[token]?, encoding.sequence_ids[token]?));
    match token.checked_sub(1) {
        _ if is_special(token) => Piece::Special,
        Some(before) if !is_special(before) && word(token).is_some() && word(token) == word(before) => {
            Piece::Next
        }
        _ => Piece::First,
    }
}

fn has_words(record: &Record) -> bool {
    record.words.is_some() && record.input_ids.is_none()
}

fn words(record: &Record) -> &[String] {
    record.words.as_deref().unwrap_or_default()
}

/// A record's texts as the tokenizer takes them.
pub(crate) fn text_input(record: &Record) -> TextInput {
    TextInput { text: record.text.clone().unwrap_or_default(), pair: record.pair.clone() }
}

/// What belongs to tokens that the mask keeps; all without a mask.
pub(crate) fn unmasked<T: Copy>(values: &[T], mask: Option<&[u32]>) -> Vec<T> {
    let Some(mask) = mask else { return values.to_vec() };
    values.iter().zip(mask).filter(|&(_, &m)| m != 0).map(|(&value, _)| value).collect()
}
