//! Trains a WordPiece vocabulary for BERT with the trainer of the `tokenizers` crate, made deterministic.
//!
//! The trainer numbers continuation characters (`##a`) in the iteration order of a hash map, and breaks ties
//! between pairs by number, so two runs over the same texts differ. Here the alphabet is counted separately
//! and passed in sorted order, which makes numbers and ties a function of the texts.

use std::collections::{BTreeMap, HashSet};
use std::sync::Mutex;

use serde_json::json;
use tokenizers::models::wordpiece::{WordPiece, WordPieceTrainer};
use tokenizers::normalizers::BertNormalizer;
use tokenizers::pre_tokenizers::bert::BertPreTokenizer;
use tokenizers::{
    AddedToken, Model, NormalizedString, Normalizer, OffsetReferential, OffsetType, PreTokenizedString,
    PreTokenizer, Trainer,
};

use crate::save::json_bytes;
use crate::{Error, files};

/// The special tokens, with ids from 0.
const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
/// The prefix of a piece that continues a word.
const CONTINUES: &str = "##";

/// Options of vocabulary training.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VocabularyOptions {
    /// The maximum number of tokens, special tokens included; small corpora give fewer.
    pub vocab_size: usize,
    /// Whether to lower-case texts and strip accents.
    pub lowercase: bool,
    /// The minimum number of occurrences for a pair of pieces to be merged.
    pub min_frequency: u64,
    /// The maximum number of characters in the alphabet, by frequency; words with other characters become
    /// `[UNK]`.
    pub limit_alphabet: usize,
    /// The maximum input length in tokens, saved in tokenizer_config.json.
    pub model_max_length: usize,
}

impl Default for VocabularyOptions {
    /// The defaults of HuggingFace's BertWordPieceTokenizer.
    fn default() -> Self {
        Self {
            vocab_size: 30_000,
            lowercase: true,
            min_frequency: 2,
            limit_alphabet: 1000,
            model_max_length: 512,
        }
    }
}

/// How often each character starts a word, and how often it continues one.
type Alphabet = BTreeMap<char, [u64; 2]>;

/// Trains a WordPiece vocabulary (Schuster and Nakajima 2012; Wu et al. 2016) as BERT's.
///
/// Returns vocab.txt and tokenizer_config.json as (file name, contents), for
/// [`Tokenizer::open`](crate::Tokenizer::open). Memory grows with the number of distinct words, not of texts.
///
/// # Errors
/// A vocabulary size too small for the alphabet; texts without words.
pub fn train_word_piece(
    texts: impl Iterator<Item = String> + Send,
    options: &VocabularyOptions,
) -> Result<Vec<(String, Vec<u8>)>, Error> {
    let normalizer = BertNormalizer::new(true, true, None, options.lowercase);
    let alphabet = Mutex::new(Alphabet::new());
    let words = |text: &str| {
        let words = words(&normalizer, text)?;
        count(&mut alphabet.lock().unwrap_or_else(std::sync::PoisonError::into_inner), &words);
        Ok(words)
    };
    let mut trainer = WordPieceTrainer::default();
    trainer.feed(texts, words).map_err(|error| Error::Vocabulary { reason: error.to_string() })?;
    let alphabet = alphabet.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
    let characters = most_frequent(&alphabet, options.limit_alphabet);
    if characters.is_empty() {
        return Err(Error::Vocabulary { reason: "the texts contain no words".to_owned() });
    }
    let seeds = seeds(&alphabet, &characters);
    let n_alphabet = seeds.len() + characters.len();
    if options.vocab_size <= n_alphabet {
        let reason = format!(
            "a vocabulary of {} tokens is too small: special tokens and the alphabet of {} characters take \
             {n_alphabet}; use a larger vocabulary or a smaller alphabet",
            options.vocab_size,
            characters.len()
        );
        return Err(Error::Vocabulary { reason });
    }
    trainer.set_show_progress(false);
    trainer.set_vocab_size(options.vocab_size);
    trainer.set_min_frequency(options.min_frequency);
    trainer.set_limit_alphabet(Some(characters.len()));
    trainer.set_initial_alphabet(characters);
    trainer.set_special_tokens(seeds.into_iter().map(|piece| AddedToken::from(piece, true)).collect());
    let mut model = WordPiece::default();
    // The returned tokens are the seeds, most of which are not special tokens.
    trainer.train(&mut model).map_err(|error| Error::Vocabulary { reason: error.to_string() })?;
    Ok(vec![
        (files::VOCAB_TXT.to_owned(), vocab_txt(&model)),
        (files::TOKENIZER_CONFIG.to_owned(), tokenizer_config(options)),
    ])
}

/// The words of a text that a BERT tokenizer splits into pieces.
fn words(normalizer: &BertNormalizer, text: &str) -> tokenizers::Result<Vec<String>> {
    let mut normalized = NormalizedString::from(text);
    normalizer.normalize(&mut normalized)?;
    let mut split = PreTokenizedString::from(normalized);
    BertPreTokenizer.pre_tokenize(&mut split)?;
    let words = split.get_splits(OffsetReferential::Original, OffsetType::Byte);
    Ok(words.into_iter().map(|(word, _, _)| word.to_owned()).collect())
}

fn count(alphabet: &mut Alphabet, words: &[String]) {
    for (place, character) in words.iter().flat_map(|word| word.chars().enumerate()) {
        alphabet.entry(character).or_default()[usize::from(place > 0)] += 1;
    }
}

/// The `limit` most frequent characters; ties are resolved in Unicode order.
fn most_frequent(alphabet: &Alphabet, limit: usize) -> HashSet<char> {
    let mut characters: Vec<(&char, u64)> =
        alphabet.iter().map(|(character, counts)| (character, counts[0] + counts[1])).collect();
    characters.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    characters.into_iter().take(limit).map(|(&character, _)| character).collect()
}

/// The pieces with fixed ids: special tokens, then single continuation characters in Unicode order.
fn seeds(alphabet: &Alphabet, characters: &HashSet<char>) -> Vec<String> {
    let goes_on =
        alphabet.iter().filter(|(character, counts)| counts[1] > 0 && characters.contains(character));
    let goes_on = goes_on.map(|(character, _)| format!("{CONTINUES}{character}"));
    SPECIAL_TOKENS.map(str::to_owned).into_iter().chain(goes_on).collect()
}

/// One piece per line, in order of ids.
fn vocab_txt(model: &WordPiece) -> Vec<u8> {
    let mut pieces: Vec<(u32, String)> =
        model.get_vocab().into_iter().map(|(piece, id)| (id, piece)).collect();
    pieces.sort();
    pieces.into_iter().flat_map(|(_, piece)| (piece + "\n").into_bytes()).collect()
}

fn tokenizer_config(options: &VocabularyOptions) -> Vec<u8> {
    let config = json!({
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": options.lowercase,
        "model_max_length": options.model_max_length,
        "pad_token": SPECIAL_TOKENS[0],
        "unk_token": SPECIAL_TOKENS[1],
        "cls_token": SPECIAL_TOKENS[2],
        "sep_token": SPECIAL_TOKENS[3],
        "mask_token": SPECIAL_TOKENS[4],
    });
    json_bytes(config.as_object().expect("it is written as an object"))
}
