//! Which tokens of a text are hidden from a masked language model, and behind what.
//!
//! As HuggingFace's DataCollatorForLanguageModeling: every token is chosen with the same probability; of
//! those that are chosen 80 % become the mask token, 10 % another token, and 10 % stay. Special tokens are
//! never chosen. But a mask is a function here, not a stream: of (seed, epoch, row, position). So a run that
//! is taken up again, rows in another order or batches of another size see the same masks, and the masks of
//! an evaluation can stay the same.

use crate::error::TrainError;
use crate::losses::IGNORED;
use bertlab_compute::random::mix;
use bertlab_data::{Example, Piece, Target};
use bertlab_settings::settings;
use bertlab_text::Tokenizer;
use serde::Serialize;

/// Of the chosen tokens become the mask token.
const SHARE_MASKED: f64 = 0.8;
/// Of the chosen tokens become any token.
const SHARE_RANDOM: f64 = 0.1;

/// Where numbers are drawn for: each has its own.
const TRAINING: u64 = 0x6D61_736B_2074_7261;
const EVALUATION: u64 = 0x6D61_736B_2065_7661;
/// Numbers of one position: whether it is chosen, what becomes of it, which token takes its place.
const CHOICE: u64 = 0;
const FATE: u64 = 1;
const TOKEN: u64 = 2;

settings! {
    /// What is masked, by HuggingFace's names and with its defaults.
    #[derive(Clone, Copy, Debug, PartialEq, Serialize)]
    pub struct MaskingOptions {
        [""]
        /// masked-lm: share of tokens to mask
        mlm_probability: f64 = 0.15, value_name("P");
        /// masked-lm: mask whole words instead of tokens, on average as many; all tokens of a word share one
        /// fate
        whole_word_mask: bool = false;
    }
}

/// Hides tokens.
#[derive(Clone, Debug)]
pub struct Masking {
    options: MaskingOptions,
    mask_id: u32,
    /// Ids that may take a token's place: all but special tokens.
    ordinary_ids: Vec<u32>,
    seed: u64,
}

impl Masking {
    /// The share of tokens that is chosen, on average.
    pub fn share(&self) -> f64 {
        self.options.mlm_probability
    }

    /// With a tokenizer's mask token and vocabulary.
    ///
    /// # Errors
    /// A probability that is none; a tokenizer without a mask token.
    pub fn new(tokenizer: &Tokenizer, options: MaskingOptions, seed: u64) -> Result<Self, TrainError> {
        let refuse = |name, found: String, wanted: &str| {
            Err(TrainError::Setting { name, found, wanted: wanted.to_owned() })
        };
        let probability = options.mlm_probability;
        if !(probability > 0.0 && probability <= 1.0) {
            return refuse("mlm_probability", probability.to_string(), "a number above 0 and at most 1");
        }
        let Some(mask_id) = tokenizer.mask_token_id() else {
            let wanted = "one with [MASK] or <mask>, as models for masked words have it";
            return refuse("MODEL", "a tokenizer without a mask token".to_owned(), wanted);
        };
        let special = tokenizer.special_token_ids();
        let is_ordinary =
            |id: &u32| special.binary_search(id).is_err() && tokenizer.id_to_token(*id).is_some();
        let ordinary_ids: Vec<u32> = (0..tokenizer.vocab_size() as u32).filter(is_ordinary).collect();
        if ordinary_ids.is_empty() {
            return refuse("MODEL", "a tokenizer of special tokens alone".to_owned(), "one with words");
        }
        Ok(Self { options, mask_id, ordinary_ids, seed })
    }

    /// What is hidden.
    pub fn options(&self) -> MaskingOptions {
        self.options
    }

    /// A row as it is trained on in an epoch: some tokens hidden, and the target says which they were. `row`:
    /// its place in the data set.
    pub fn of_epoch(&self, example: &Example, epoch: u64, row: usize) -> Example {
        self.masked(example, mix(mix(mix(self.seed, TRAINING), epoch), row as u64))
    }

    /// Rows as they are evaluated on, the same at every call.
    pub fn fixed(&self, examples: &[Example]) -> Vec<Example> {
        let key = mix(self.seed, EVALUATION);
        let masked = |(row, example)| self.masked(example, mix(key, row as u64));
        examples.iter().enumerate().map(masked).collect()
    }

    fn masked(&self, example: &Example, key: u64) -> Example {
        let mut input_ids = example.input_ids.clone();
        let mut labels = vec![IGNORED; input_ids.len()];
        // The place of the word's first token, whose numbers decide for all of them.
        let mut word = 0;
        for (position, &piece) in example.pieces.iter().enumerate() {
            let begins =
                piece == Piece::First || !self.options.whole_word_mask || word_is_cut(example, position);
            if begins {
                word = position;
            }
            let choice = uniform(key, word, CHOICE);
            if piece == Piece::Special || choice >= self.options.mlm_probability {
                continue;
            }
            let id = &mut input_ids[position];
            labels[position] = i64::from(*id);
            *id = self.in_place_of(*id, uniform(key, word, FATE), number(key, position, TOKEN));
        }
        let target = Some(Target::Tokens(labels));
        let token_type_ids = example.token_type_ids.clone();
        Example { input_ids, token_type_ids, target, ..Example::default() }
    }

    fn in_place_of(&self, id: u32, fate: f64, random: u64) -> u32 {
        if fate < SHARE_MASKED {
            return self.mask_id;
        }
        if fate >= SHARE_MASKED + SHARE_RANDOM {
            return id;
        }
        // The high half of the product is uniform in 0..n; its bias is below n / 2^64.
        let place = (u128::from(random) * self.ordinary_ids.len() as u128) >> 64;
        self.ordinary_ids[place as usize]
    }
}

/// Whether a word goes on here whose beginning is not in the row: it was cut at the border of two blocks.
fn word_is_cut(example: &Example, position: usize) -> bool {
    position == 0 || example.pieces[position - 1] == Piece::Special
}

/// 64 bits for one purpose at one position.
fn number(key: u64, position: usize, purpose: u64) -> u64 {
    mix(mix(key, position as u64), purpose)
}

/// In [0, 1), 53 bits.
fn uniform(key: u64, position: usize, purpose: u64) -> f64 {
    (number(key, position, purpose) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}
