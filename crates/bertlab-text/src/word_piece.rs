//! Texts → a new WordPiece vocabulary, as BERT's: through the `tokenizers` crate's trainer, the same pieces every time.
//!
//! The trainer numbers the pieces that go on within a word in the order in which a hash map gives its words, and breaks
//! ties between pairs by number: two runs over the same texts differ. Here the alphabet is counted beside it and handed
//! in, sorted, so that numbers and ties are a function of the texts.

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

/// The special tokens, by id from 0 on.
const SPECIAL_TOKENS: [&str; 5] = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"];
/// What stands before a piece that goes on within a word.
const CONTINUES: &str = "##";

/// How a vocabulary is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct VocabularyOptions {
    /// Pieces in all, special tokens among them; fewer where the texts do not give so many.
    pub vocab_size: usize,
    /// Upper and lower case are one, and accents go.
    pub lowercase: bool,
    /// Two pieces become one where they meet so often at least.
    pub min_frequency: u64,
    /// Characters that are kept, the most frequent ones; a word with another one is `[UNK]`.
    pub limit_alphabet: usize,
    /// The longest input of the model to come, which the tokenizer remembers.
    pub model_max_length: usize,
}

impl Default for VocabularyOptions {
    /// As HuggingFace's BertWordPieceTokenizer.
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

/// How often each character begins a word, and goes on within one.
type Alphabet = BTreeMap<char, [u64; 2]>;

/// Trains a vocabulary; gives vocab.txt and tokenizer_config.json as (file name, contents), from which
/// [`Tokenizer::open`](crate::Tokenizer::open) opens it. Memory grows with the number of different words, not of texts.
///
/// # Errors
/// Sizes that leave no room for the alphabet; texts without a word.
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
        return Err(Error::Vocabulary { reason: "the texts hold no word".to_owned() });
    }
    let seeds = seeds(&alphabet, &characters);
    let n_alphabet = seeds.len() + characters.len();
    if options.vocab_size <= n_alphabet {
        let reason = format!(
            "{} pieces are wanted, but special tokens and the alphabet of {} characters alone take {n_alphabet}: a \
             larger vocabulary, or fewer characters",
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
    // The tokens that it gives back are the seeds, most of them no special tokens at all.
    trainer.train(&mut model).map_err(|error| Error::Vocabulary { reason: error.to_string() })?;
    Ok(vec![
        (files::VOCAB_TXT.to_owned(), vocab_txt(&model)),
        (files::TOKENIZER_CONFIG.to_owned(), tokenizer_config(options)),
    ])
}

/// What a BERT tokenizer cuts into pieces.
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

/// Of equally frequent characters the first in Unicode's order.
fn most_frequent(alphabet: &Alphabet, limit: usize) -> HashSet<char> {
    let mut characters: Vec<(&char, u64)> =
        alphabet.iter().map(|(character, counts)| (character, counts[0] + counts[1])).collect();
    characters.sort_by_key(|&(_, count)| std::cmp::Reverse(count));
    characters.into_iter().take(limit).map(|(&character, _)| character).collect()
}

/// The pieces that have their numbers before the trainer meets a word.
fn seeds(alphabet: &Alphabet, characters: &HashSet<char>) -> Vec<String> {
    let goes_on =
        alphabet.iter().filter(|(character, counts)| counts[1] > 0 && characters.contains(character));
    let goes_on = goes_on.map(|(character, _)| format!("{CONTINUES}{character}"));
    SPECIAL_TOKENS.map(str::to_owned).into_iter().chain(goes_on).collect()
}

/// A piece per line, by id.
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
