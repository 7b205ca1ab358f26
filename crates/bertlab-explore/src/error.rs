//! Errors of this crate.

use crate::Layers;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model rejects an input.
    #[error(transparent)]
    Model(Box<bertlab_model::Error>),
    /// The tokenizer rejects a text.
    #[error(transparent)]
    Text(#[from] bertlab_text::Error),
    /// An unknown value of an option.
    #[error("{found:?} is not a valid {what}; choose one of {choices}")]
    UnknownWord {
        /// The option.
        what: &'static str,
        /// The given value.
        found: String,
        /// The valid values.
        choices: String,
    },
    /// A text that does not denote layers.
    #[error(
        "{found:?} does not denote layers: write a number (0 is the output of the embeddings, -1 the last \
         layer), a range that includes both ends (-4..-1, 1..3), or all"
    )]
    NotLayers {
        /// The given text.
        found: String,
    },
    /// Layers that the model does not have.
    #[error(
        "layers {layers}: the model has {n_layers} layers, so hidden states are 0 (the output of the \
         embeddings) to {n_layers}; from the end, -1 is the last and -{} the embeddings", n_layers + 1
    )]
    LayersOutOfRange {
        /// The requested layers.
        layers: Layers,
        /// Number of layers L.
        n_layers: usize,
    },
    /// A range whose end comes before its start.
    #[error("layers {layers}: the range ends before it starts; write {}..{}", layers.last, layers.first)]
    LayersBackwards {
        /// The requested layers.
        layers: Layers,
    },
    /// A model without a pooler.
    #[error(
        "{class} has no pooler; use mean or cls pooling, or open the checkpoint without its head if it has a \
         pooler"
    )]
    NoPooler {
        /// The model's class.
        class: String,
    },
    /// Pooler pooling of layers other than the last.
    #[error("pooler pooling uses the last layer; with layers {layers} use mean, cls or max")]
    PoolerOfOtherLayers {
        /// The requested layers.
        layers: Layers,
    },
    /// A histogram without bins.
    #[error("a histogram needs at least one bin")]
    NoBins,
    /// A tensor that the model does not have.
    #[error("the model has no tensor {name:?} among its {n_tensors}; the most similar names: \
        {}", nearest.join(", "))]
    NoSuchTensor {
        /// The requested name.
        name: String,
        /// The most similar names.
        nearest: Vec<String>,
        /// Number of tensors of the model.
        n_tensors: usize,
    },
    /// A model without a masked-LM head.
    #[error(
        "{class} has no masked-LM head, which predicts tokens; use a masked-LM checkpoint such as \
         BertForMaskedLM"
    )]
    NoMaskedLm {
        /// The model's class.
        class: String,
    },
    /// A vocabulary without a mask token.
    #[error("the tokenizer has no mask token; use the tokenizer of a masked LM")]
    NoMaskToken,
    /// A text without a mask token.
    #[error("the text contains no {mask_token}; put it where a token is to be predicted")]
    NoMask {
        /// The tokenizer's mask token.
        mask_token: String,
    },
    /// A text that is not a word query such as `CPU`, `CPU@1,2` or `CPU@1#2`.
    #[error(
        "{found:?}: {problem}. Write a word (CPU), a word with sentence numbers from 1 (CPU@1,2), or with \
         the occurrence in a sentence that contains it more than once (CPU@1#2); the last @ ends the word"
    )]
    NotAQuery {
        /// The given text.
        found: String,
        /// The problem.
        problem: String,
    },
    /// A word query without sentences.
    #[error("there are no sentences in which to find words")]
    NoSentences,
    /// A sentence number out of range.
    #[error("{query}: there is no sentence {sentence}; sentences are numbered 1 to {n_sentences}")]
    NoSuchSentence {
        /// The query.
        query: String,
        /// The sentence number.
        sentence: usize,
        /// Number of sentences.
        n_sentences: usize,
    },
    /// A word that does not occur.
    #[error(
        "{word:?} does not occur in {place}.\n{sentences}\nWrite a whole word as in the sentence; {word}@1 \
         finds it in sentence 1 only, {word}@1,2 in two sentences"
    )]
    WordAbsent {
        /// The word.
        word: String,
        /// The searched place: `any sentence`, `sentence 2`.
        place: String,
        /// All sentences with their numbers, one per line.
        sentences: String,
    },
    /// A word that occurs more than once in a sentence.
    #[error(
        "{word:?} occurs {n} times in sentence {sentence} ({text:?}). Choose one: {word}@{sentence}#1 is the \
         first, {word}@{sentence}#2 the second, {word}@{sentence}#1,{sentence}#2 are both"
    )]
    WordTwice {
        /// The word.
        word: String,
        /// The sentence number, from 1.
        sentence: usize,
        /// The sentence.
        text: String,
        /// Number of occurrences.
        n: usize,
    },
    /// An occurrence number out of range.
    #[error("{query}: {word:?} occurs only {n} times in sentence {sentence} ({text:?})")]
    NoSuchOccurrence {
        /// The query.
        query: String,
        /// The word.
        word: String,
        /// The sentence number, from 1.
        sentence: usize,
        /// The sentence.
        text: String,
        /// Number of occurrences.
        n: usize,
    },
    /// A word without tokens, for example of control characters.
    #[error("the tokenizer gives no tokens for {word:?} in sentence {sentence}, so it has no vector")]
    WordWithoutTokens {
        /// The word.
        word: String,
        /// The sentence number, from 1.
        sentence: usize,
    },
    /// A sentence that is too long for the model.
    #[error("sentence {sentence} has {length} tokens, but the model accepts {max}: shorten or split it")]
    SentenceTooLong {
        /// The sentence number, from 1.
        sentence: usize,
        /// Number of tokens, special tokens included.
        length: usize,
        /// The maximum number of tokens of the model.
        max: usize,
    },
}

impl Error {
    /// Names the row of a result as the caller counts it. `rows`: the caller's row of each row of the batch.
    #[must_use]
    pub fn in_rows(self, rows: &[usize]) -> Self {
        match self {
            Self::Model(error) => Self::Model(Box::new(error.in_rows(rows))),
            other => other,
        }
    }
}

impl From<bertlab_model::Error> for Error {
    fn from(error: bertlab_model::Error) -> Self {
        Self::Model(Box::new(error))
    }
}
