//! Errors of opening tokenizers, encoding and decoding, with what to try.

use std::path::PathBuf;

/// An error of this crate. All variants are caused by files or arguments, not by defects of the program.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The folder has no tokenizer files.
    #[error(
        "no tokenizer in {folder}: looked for {looked_for}; give a folder with these files, as written by \
         save_pretrained"
    )]
    NoTokenizer {
        /// The folder that was searched.
        folder: PathBuf,
        /// The accepted file names.
        looked_for: &'static str,
    },
    /// A vocabulary cannot be trained on these texts.
    #[error("cannot train a vocabulary: {reason}")]
    Vocabulary {
        /// The reason.
        reason: String,
    },
    /// A file exists but cannot be read.
    #[error("cannot read {file}: {source}")]
    Read {
        /// The file.
        file: PathBuf,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A text file is not valid UTF-8.
    #[error("{file}, line {line}: not UTF-8 (byte {offset} of the file); convert the file to UTF-8")]
    NotUtf8 {
        /// The file.
        file: PathBuf,
        /// The first invalid line, counted from 1.
        line: usize,
        /// The position of the first invalid byte, counted from 0.
        offset: usize,
    },
    /// A vocabulary without tokens.
    #[error("{file} is empty: a vocabulary has one token per line; the file may be an interrupted download")]
    EmptyVocabulary {
        /// The file.
        file: PathBuf,
    },
    /// A file is not valid JSON.
    #[error("{file} is not valid JSON: {source}; the file may be an interrupted download")]
    Json {
        /// The file.
        file: PathBuf,
        /// The position and the reason.
        source: serde_json::Error,
    },
    /// A file describes an inconsistent tokenizer.
    #[error("{file} does not describe a usable tokenizer: {reason}")]
    Unusable {
        /// The file.
        file: PathBuf,
        /// The reason.
        reason: String,
    },
    /// A key of a settings file has a value of the wrong type.
    #[error("{file}: `{key}` should be {wanted}, found {found}")]
    Setting {
        /// The file.
        file: PathBuf,
        /// The key.
        key: String,
        /// The accepted values.
        wanted: &'static str,
        /// The value, as JSON, shortened.
        found: String,
    },
    /// The vocabulary lacks required special tokens.
    #[error(
        "{file} lacks the special token{plural} {missing}{near}; set its special tokens in \
         tokenizer_config.json or special_tokens_map.json, or use the vocabulary that the model was trained \
         with",
        plural = if missing.len() == 1 { "" } else { "s" },
        missing = quoted(missing),
        near = near_words(near_misses),
    )]
    MissingSpecialTokens {
        /// The vocabulary.
        file: PathBuf,
        /// The missing tokens.
        missing: Vec<String>,
        /// Tokens of the vocabulary that differ from these only in case, brackets or spaces.
        near_misses: Vec<String>,
    },
    /// An added token would get an id other than its file declares, or the id of another token.
    #[error(
        "{file}: the added token {token:?} should have id {declared}, but gets id {assigned}: the ids of \
         added tokens must follow those of the vocabulary without a gap; check that the vocabulary is the \
         one that these tokens were added to"
    )]
    AddedTokenId {
        /// The file that declares the token.
        file: PathBuf,
        /// The token.
        token: String,
        /// The declared id.
        declared: String,
        /// The id that it would get.
        assigned: u32,
    },
    /// An unsupported tokenizer class in a folder without tokenizer.json.
    #[error(
        "{folder}: the tokenizer class {class} cannot be built from vocabulary files (supported: \
         BertTokenizer, DistilBertTokenizer, ElectraTokenizer, MobileBertTokenizer, RobertaTokenizer); save \
         it as tokenizer.json with HuggingFace's fast tokenizer and try again"
    )]
    UnsupportedClass {
        /// The folder.
        folder: PathBuf,
        /// The class in its configuration.
        class: String,
    },
    /// An id that is not in the vocabulary.
    #[error("id {id} is not in the vocabulary, whose ids are 0 to {last}")]
    UnknownId {
        /// The id.
        id: u32,
        /// The highest id of the vocabulary.
        last: u32,
    },
    /// Truncation or padding without a length.
    #[error("{option} needs a max_length: none was given and tokenizer_config.json has no model_max_length")]
    MaxLengthMissing {
        /// The option that needs the length.
        option: String,
    },
    /// A maximum length below the number of special tokens.
    #[error(
        "max_length {max_length} is too small: the special tokens alone take {n_special_tokens}; use at \
         least {n_special_tokens}, or encode without special tokens"
    )]
    MaxLengthTooSmall {
        /// The requested length.
        max_length: usize,
        /// The number of special tokens of this input.
        n_special_tokens: usize,
    },
    /// `only_second` for an input that is too long and has no second text.
    #[error(
        "truncation only_second: the input has {n_tokens} tokens, max_length is {max_length}, and there is \
         no second text to truncate; use only_first or longest_first"
    )]
    NoSecondText {
        /// Length of the input, special tokens included.
        n_tokens: usize,
        /// The requested length.
        max_length: usize,
    },
    /// The text that may be truncated is too short to make the input fit.
    #[error(
        "truncation {strategy}: {n_to_remove} tokens must be removed to fit max_length {max_length}, but the \
         text that may be truncated has only {n_tokens} and must keep one; use longest_first or a larger \
         max_length"
    )]
    TooShortToCut {
        /// `only_first` or `only_second`.
        strategy: crate::Truncation,
        /// The number of tokens above the limit.
        n_to_remove: usize,
        /// Tokens of the text that may be truncated.
        n_tokens: usize,
        /// The requested length.
        max_length: usize,
    },
    /// Padding with a tokenizer that has no padding token.
    #[error(
        "padding {padding} needs a padding token and this tokenizer has none; set `pad_token` in \
         tokenizer_config.json"
    )]
    NoPadToken {
        /// The requested padding.
        padding: crate::Padding,
    },
    /// Rows of words for a byte-level tokenizer without `add_prefix_space`, which would join the words.
    #[error(
        "this tokenizer is byte-level (as RoBERTa's) and recognises words by the space before them, but adds \
         none to the words of a row; set `add_prefix_space` to true in tokenizer_config.json"
    )]
    NoPrefixSpace,
    /// An unknown value of an option.
    #[error("unknown {option} {found:?}: use one of {choices}")]
    UnknownWord {
        /// `truncation` or `padding`.
        option: &'static str,
        /// The given value.
        found: String,
        /// The accepted values.
        choices: &'static str,
    },
    /// The `tokenizers` crate failed to encode a text.
    #[error("the tokenizer could not encode this text: {reason}")]
    Encode {
        /// The error of the crate.
        reason: String,
    },
    /// The `tokenizers` crate failed to decode ids.
    #[error("the tokenizer could not decode these ids: {reason}")]
    Decode {
        /// The error of the crate.
        reason: String,
    },
    /// One input of a batch failed.
    #[error("input {row} (counted from 0): {source}")]
    Row {
        /// The index of the input, counted from 0.
        row: usize,
        /// The error of this input.
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
