//! What can be wrong with a question about a model, in words.

use crate::Layers;

/// Everything that this crate refuses.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The model does not take an input.
    #[error(transparent)]
    Model(Box<bertlab_model::Error>),
    /// The tokenizer does not take a text.
    #[error(transparent)]
    Text(#[from] bertlab_text::Error),
    /// A word that is none of the choices.
    #[error("{found:?} is no {what}; choose one of {choices}")]
    UnknownWord {
        /// Which option.
        what: &'static str,
        /// What was given.
        found: String,
        /// What there is.
        choices: String,
    },
    /// Something that is not written as layers are.
    #[error(
        "{found:?} does not name layers: write a number (0 is the embeddings' output, -1 the last layer), a range with \
         both its ends (-4..-1, 1..3), or all"
    )]
    NotLayers {
        /// What was given.
        found: String,
    },
    /// Layers that the model does not have.
    #[error(
        "layers {layers}: the model has {n_layers} layers, so that hidden states go from 0 (the embeddings' output) to \
         {n_layers}; from the end, -1 is the last and -{} the embeddings'", n_layers + 1
    )]
    LayersOutOfRange {
        /// What was asked for.
        layers: Layers,
        /// L
        n_layers: usize,
    },
    /// A range whose end comes before its start.
    #[error("layers {layers}: the range ends before it starts; write {}..{}", layers.last, layers.first)]
    LayersBackwards {
        /// What was asked for.
        layers: Layers,
    },
    /// A model without the dense layer over the first token.
    #[error(
        "{class} has no pooler; use mean or cls pooling, or open the checkpoint without its head where it has a pooler"
    )]
    NoPooler {
        /// The model's class.
        class: String,
    },
    /// The pooler stands on the last layer alone.
    #[error("pooler pooling is made from the last layer; with layers {layers} use mean, cls or max")]
    PoolerOfOtherLayers {
        /// What was asked for.
        layers: Layers,
    },
    /// A histogram without bins.
    #[error("a histogram needs at least one bin")]
    NoBins,
    /// A tensor that the model does not have.
    #[error("the model has no tensor {name:?} among its {n_tensors}; the nearest names: {}", nearest.join(", "))]
    NoSuchTensor {
        /// What was asked for.
        name: String,
        /// The names most like it.
        nearest: Vec<String>,
        /// How many tensors there are.
        n_tensors: usize,
    },
    /// A model that predicts no words.
    #[error(
        "{class} has no masked-LM part, which predicts words; use a checkpoint of a masked LM (BertForMaskedLM, say)"
    )]
    NoMaskedLm {
        /// The model's class.
        class: String,
    },
    /// A vocabulary without a mask token.
    #[error("the tokenizer has no mask token, so that no text can hold one; does it belong to a masked LM?")]
    NoMaskToken,
    /// A text without a mask token.
    #[error("the text holds no {mask_token}; put it where a word is to be found")]
    NoMask {
        /// The tokenizer's.
        mask_token: String,
    },
    /// A word that is not written as `CPU`, `CPU@1,2` or `CPU@1#2`.
    #[error(
        "{found:?}: {problem}. Write a word alone (CPU), with its sentences, counted from 1 (CPU@1,2), or with its \
         place in a sentence that holds it more than once (CPU@1#2); the last @ ends the word"
    )]
    NotAQuery {
        /// What was given.
        found: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A question about words without a sentence.
    #[error("no sentence was given in which words could be looked for")]
    NoSentences,
    /// A sentence with a number that there is none of.
    #[error("{query}: there is no sentence {sentence}; sentences are counted from 1 to {n_sentences}")]
    NoSuchSentence {
        /// The word as it was asked for.
        query: String,
        /// Which sentence.
        sentence: usize,
        /// How many there are.
        n_sentences: usize,
    },
    /// A word that does not stand where it was looked for.
    #[error(
        "{word:?} does not stand in {place}.\n{sentences}\nA word is named as it is written there, whole; \
         {word}@1 looks for it in sentence 1 alone, {word}@1,2 in two"
    )]
    WordAbsent {
        /// The word.
        word: String,
        /// Where it was looked for: `any sentence`, `sentence 2`.
        place: String,
        /// All sentences with their numbers, a line each.
        sentences: String,
    },
    /// A word that stands more than once in a sentence.
    #[error(
        "{word:?} stands {n} times in sentence {sentence} ({text:?}). Say which: {word}@{sentence}#1 is the first, \
         {word}@{sentence}#2 the second; {word}@{sentence}#1,{sentence}#2 takes both"
    )]
    WordTwice {
        /// The word.
        word: String,
        /// Which sentence, from 1.
        sentence: usize,
        /// The sentence.
        text: String,
        /// How often it stands there.
        n: usize,
    },
    /// An occurrence beyond the last.
    #[error("{query}: {word:?} stands only {n} times in sentence {sentence} ({text:?})")]
    NoSuchOccurrence {
        /// The word as it was asked for.
        query: String,
        /// The word.
        word: String,
        /// Which sentence, from 1.
        sentence: usize,
        /// The sentence.
        text: String,
        /// How often it stands there.
        n: usize,
    },
    /// A word of which the tokenizer leaves nothing (control characters, say).
    #[error("the tokenizer makes no token of {word:?} in sentence {sentence}, so that it has no vector")]
    WordWithoutTokens {
        /// The word.
        word: String,
        /// Which sentence, from 1.
        sentence: usize,
    },
    /// A sentence longer than the model has positions.
    #[error("sentence {sentence} has {length} tokens, but the model takes {max}: shorten or split it")]
    SentenceTooLong {
        /// Which sentence, from 1.
        sentence: usize,
        /// Its tokens, special tokens included.
        length: usize,
        /// What the model takes.
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
