//! What can go wrong between a tokenizer folder, a text and its ids, in words that say what to try.

use std::path::PathBuf;

/// Every failure of this crate. A user's mistakes only: nothing here stands for a defect of the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder holds none of the files that a tokenizer is made of.
    #[error(
        "no tokenizer in {folder}: looked for {looked_for}; give a folder that holds one of these, as save_pretrained writes it"
    )]
    NoTokenizer {
        /// The folder that was searched.
        folder: PathBuf,
        /// The file names that would have done.
        looked_for: &'static str,
    },
    /// No vocabulary can be made of these texts.
    #[error("no vocabulary can be made: {reason}")]
    Vocabulary {
        /// Why not.
        reason: String,
    },
    /// A file is there but cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A text file holds bytes that are not UTF-8.
    #[error("{file}, line {line}: not UTF-8 (byte {offset} of the file); convert the file to UTF-8")]
    NotUtf8 {
        /// The file.
        file: PathBuf,
        /// Its first wrong line, counted from 1.
        line: usize,
        /// Where the wrong byte is, counted from 0.
        offset: usize,
    },
    /// A vocabulary without a single token.
    #[error("{file} is empty: a vocabulary has one token per line; the file may be an interrupted download")]
    EmptyVocabulary {
        /// The file.
        file: PathBuf,
    },
    /// A file that should hold JSON does not.
    #[error("{file} is not valid JSON: {source}; the file may be an interrupted download")]
    Json {
        /// The file.
        file: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The parts of the tokenizer that a file describes do not fit together.
    #[error("{file} does not describe a tokenizer that can be used: {reason}")]
    Unusable {
        /// The file.
        file: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A key of a settings file has a value of the wrong kind.
    #[error("{file}: `{key}` should be {wanted}, found {found}")]
    Setting {
        /// The file.
        file: PathBuf,
        /// The key in question.
        key: String,
        /// What would be understood.
        wanted: &'static str,
        /// The value, as JSON, shortened.
        found: String,
    },
    /// The vocabulary lacks tokens that the tokenizer cannot work without.
    #[error(
        "{file} lacks the special token{plural} {missing}{near}; name the ones it has in tokenizer_config.json or special_tokens_map.json, or give the vocabulary that the model was trained with",
        plural = if missing.len() == 1 { "" } else { "s" },
        missing = quoted(missing),
        near = near_words(near_misses),
    )]
    MissingSpecialTokens {
        /// The vocabulary.
        file: PathBuf,
        /// Tokens that were looked for.
        missing: Vec<String>,
        /// Tokens of the vocabulary that differ only in case, brackets or spaces.
        near_misses: Vec<String>,
    },
    /// An added token would get another id than its file says, or that of another token.
    #[error(
        "{file}: the added token {token:?} should have id {declared}, but takes id {assigned}: the ids of added tokens must follow those of the vocabulary without a gap; is it the vocabulary that these tokens were added to?"
    )]
    AddedTokenId {
        /// The file that declares the token.
        file: PathBuf,
        /// The token.
        token: String,
        /// The id it should have.
        declared: String,
        /// The id it would get.
        assigned: u32,
    },
    /// A tokenizer class that needs its own code, in a folder without tokenizer.json.
    #[error(
        "{folder}: the tokenizer class {class} cannot be built from its vocabulary files here (BertTokenizer, DistilBertTokenizer, ElectraTokenizer, MobileBertTokenizer and RobertaTokenizer can); save it as tokenizer.json with HuggingFace's fast tokenizer and try again"
    )]
    UnsupportedClass {
        /// The folder.
        folder: PathBuf,
        /// The class that its configuration names.
        class: String,
    },
    /// An id that no token has.
    #[error("id {id} is not in the vocabulary, whose ids go from 0 to {last}")]
    UnknownId {
        /// The id that was given.
        id: u32,
        /// The highest id of the vocabulary.
        last: u32,
    },
    /// Truncation or padding to a length that nobody gave.
    #[error("{option} needs a max_length: none was given and tokenizer_config.json has no model_max_length")]
    MaxLengthMissing {
        /// The option that needs it.
        option: String,
    },
    /// Fewer tokens allowed than the special tokens alone take.
    #[error(
        "max_length {max_length} leaves no room: the special tokens alone are {n_special_tokens}; give at least {n_special_tokens}, or leave the special tokens out"
    )]
    MaxLengthTooSmall {
        /// The length that was asked for.
        max_length: usize,
        /// How many special tokens this input gets.
        n_special_tokens: usize,
    },
    /// `only_second` for an input that is too long and has no second text.
    #[error(
        "truncation only_second: the input is {n_tokens} tokens long, max_length is {max_length}, and there is no second text to cut; use only_first or longest_first"
    )]
    NoSecondText {
        /// Length of the input with its special tokens.
        n_tokens: usize,
        /// The length that was asked for.
        max_length: usize,
    },
    /// The text that may be cut is not long enough to make the input fit.
    #[error(
        "truncation {strategy}: {n_to_cut} tokens would have to go to fit max_length {max_length}, but the text that may be cut has only {n_tokens} and must keep one; use longest_first or a larger max_length"
    )]
    TooShortToCut {
        /// `only_first` or `only_second`.
        strategy: crate::Truncation,
        /// Tokens that are too many.
        n_to_cut: usize,
        /// Tokens of the text that may be cut.
        n_tokens: usize,
        /// The length that was asked for.
        max_length: usize,
    },
    /// Padding with a tokenizer that has no padding token.
    #[error(
        "padding {padding} needs a padding token and this tokenizer has none; name it as `pad_token` in tokenizer_config.json"
    )]
    NoPadToken {
        /// The padding that was asked for.
        padding: crate::Padding,
    },
    /// Rows of words for a byte-level tokenizer that would run them together.
    #[error(
        "this tokenizer tells words by the space before them (it is byte-level, as RoBERTa's) and puts none before the words of a \
         row; set `add_prefix_space` to true in tokenizer_config.json"
    )]
    NoPrefixSpace,
    /// A word that is not one of an option's values.
    #[error("unknown {option} {found:?}: give one of {choices}")]
    UnknownWord {
        /// `truncation` or `padding`.
        option: &'static str,
        /// The word that was given.
        found: String,
        /// The words that there are.
        choices: &'static str,
    },
    /// The tokenizer itself refused the text.
    #[error("the tokenizer could not take this text: {reason}")]
    Encode {
        /// What it said.
        reason: String,
    },
    /// The tokenizer itself refused the ids.
    #[error("the tokenizer could not turn these ids into text: {reason}")]
    Decode {
        /// What it said.
        reason: String,
    },
    /// One input of a batch failed.
    #[error("input {row} (counted from 0): {source}")]
    Row {
        /// Its place in the batch, counted from 0.
        row: usize,
        /// What went wrong with it.
        source: Box<Error>,
    },
}

fn quoted(tokens: &[String]) -> String {
    tokens.iter().map(|token| format!("{token:?}")).collect::<Vec<_>>().join(", ")
}

fn near_words(near_misses: &[String]) -> String {
    if near_misses.is_empty() {
        return String::new();
    }
    format!(" (it has {}, which is not the same)", quoted(near_misses))
}
