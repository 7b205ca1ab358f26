//! What a model is: every axis on which the families differ, as data.

use crate::layers::attention::AttentionSpec;
use crate::layers::block::BlockSpec;
use crate::layers::feed_forward::FeedForwardSpec;
use crate::slot::Initial;
use bertlab_compute::ops::activation::Activation;
use bertlab_compute::ops::gated::Activated;

/// The encoder's sizes and choices.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderSpec {
    /// D
    pub width: usize,
    /// L
    pub n_layers: usize,
    /// H
    pub n_heads: usize,
    /// F
    pub inner_width: usize,
    /// V
    pub vocab_size: usize,
    /// Rows of the position table.
    pub max_positions: usize,
    /// The position of a row's first token: 0, or padding id + 1 (RoBERTa).
    pub position_offset: usize,
    /// How a token's position is told.
    pub positions: Positions,
    /// How far tokens see, by layer.
    pub windows: Windows,
    /// Rows of the token type table; 0 where the family has none.
    pub n_token_types: usize,
    /// Of the feed-forward part.
    pub activation: Activation,
    /// Which half of a gated feed-forward part goes through the activation; none where it is not gated.
    pub gate: Option<Activated>,
    /// Whether queries, keys and values come of one tensor.
    pub has_fused_qkv: bool,
    /// Which parts have biases.
    pub biases: Biases,
    /// Where norms stand, and their kind.
    pub norms: NormSpec,
    /// What is dropped in training.
    pub dropout: DropoutSpec,
    /// Its embedding gets no gradient, as in PyTorch.
    pub pad_token_id: u32,
    /// Standard deviation of new weights.
    pub initializer_range: f32,
    /// How new weights are spread.
    pub initializer: Initializer,
}

/// Which parts of the encoder have biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Biases {
    /// Of queries, keys and values.
    pub qkv: bool,
    /// The dense layer after attention.
    pub attention_output: bool,
    /// The feed-forward part's first dense layer.
    pub intermediate: bool,
    /// Its second.
    pub output: bool,
}

impl Biases {
    /// Everywhere.
    pub const ALL: Self = Self { qkv: true, attention_output: true, intermediate: true, output: true };
}

/// Where norms stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NormPlace {
    /// After each residual sum, as in BERT.
    Post,
    /// Before attention and feed-forward, and once after the last layer.
    Pre {
        /// Whether the first layer's attention has one too, beside the embeddings'.
        first: bool,
    },
}

/// Where the layer norms stand, and their kind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NormSpec {
    /// Within the layers.
    pub place: NormPlace,
    /// Added to the variance.
    pub epsilon: f32,
    /// Whether they shift as well as scale.
    pub has_bias: bool,
}

/// The share of numbers that training drops, by place; none where a family drops nothing there.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DropoutSpec {
    /// After the embeddings.
    pub embeddings: f32,
    /// Of attention probabilities.
    pub attention: f32,
    /// After the dense layer of attention.
    pub attention_output: f32,
    /// Before the feed-forward part's second dense layer.
    pub inner: Option<f32>,
    /// After it.
    pub output: Option<f32>,
}

impl DropoutSpec {
    /// As in BERT.
    pub fn post_norm(hidden: f32, attention: f32) -> Self {
        let (embeddings, attention_output) = (hidden, hidden);
        Self { embeddings, attention, attention_output, inner: None, output: Some(hidden) }
    }

    /// Another share wherever the family drops.
    fn set(&mut self, share: f32) {
        let Self { embeddings, attention, attention_output, inner, output } = self;
        for site in [embeddings, attention, attention_output].into_iter().chain(inner).chain(output) {
            *site = share;
        }
    }
}

/// How new weights are spread around 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initializer {
    /// Normally, all alike.
    Normal,
    /// Normally, cut off at so many deviations; narrower where a layer ends, the more layers there are.
    ByDepth {
        /// In standard deviations.
        cutoff: f32,
    },
}

impl EncoderSpec {
    /// The longest row that has positions.
    pub fn max_tokens(&self) -> usize {
        self.max_positions - self.position_offset
    }

    /// The position of pad tokens, where the table has one (RoBERTa); they do not count for the others.
    pub fn padding_position(&self) -> Option<u32> {
        (self.position_offset > 0).then_some(self.pad_token_id)
    }

    /// What a layer is made of.
    pub(crate) fn block(&self, index: usize) -> BlockSpec<'_> {
        let attention = AttentionSpec { encoder: self, index };
        BlockSpec { attention, feed_forward: FeedForwardSpec { encoder: self } }
    }

    /// What every layer is made of.
    pub(crate) fn blocks(&self) -> impl DoubleEndedIterator<Item = BlockSpec<'_>> {
        (0..self.n_layers).map(|index| self.block(index))
    }

    /// Outputs of the feed-forward part's first dense layer.
    pub(crate) fn intermediate_width(&self) -> usize {
        if self.gate.is_some() { 2 * self.inner_width } else { self.inner_width }
    }

    /// How tables and dense layers begin that read the residual stream.
    pub(crate) fn initial(&self) -> Initial {
        self.normal(self.initializer_range)
    }

    /// How dense layers begin whose output is added to the residual stream, or that end a head's transform.
    pub(crate) fn initial_of_outputs(&self) -> Initial {
        match self.initializer {
            Initializer::Normal => self.initial(),
            Initializer::ByDepth { .. } => {
                self.normal(self.initializer_range / (2.0 * self.n_layers as f32).sqrt())
            }
        }
    }

    /// How classifiers begin.
    pub(crate) fn initial_of_classifiers(&self) -> Initial {
        match self.initializer {
            Initializer::Normal => self.initial(),
            Initializer::ByDepth { .. } => self.normal(1.0 / (self.width as f32).sqrt()),
        }
    }

    fn normal(&self, deviation: f32) -> Initial {
        match self.initializer {
            Initializer::Normal => Initial::Normal { deviation, cutoff: None },
            Initializer::ByDepth { cutoff } => Initial::Normal { deviation, cutoff: Some(cutoff) },
        }
    }

    /// The padding token's row of the table of words, where it begins as zeros.
    pub(crate) fn zero_word(&self) -> Option<usize> {
        let row = self.pad_token_id as usize;
        (self.initializer == Initializer::Normal && row < self.vocab_size).then_some(row)
    }

    /// How many numbers the encoder's matrices hold; `None` when that cannot even be counted.
    pub(crate) fn n_matrix_entries(&self) -> Option<usize> {
        let Self { width, inner_width, .. } = *self;
        let n_inner = if self.gate.is_some() { 3 } else { 2 };
        let layer =
            width.checked_mul(width.checked_mul(4)?.checked_add(inner_width.checked_mul(n_inner)?)?)?;
        let n_positions = if self.positions.has_table() { self.max_positions } else { 0 };
        let tables = self.vocab_size.checked_add(n_positions)?.checked_add(self.n_token_types)?;
        layer.checked_mul(self.n_layers)?.checked_add(tables.checked_mul(width)?)
    }
}

/// How far tokens see to either side, by layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Windows {
    /// Every layer sees whole rows.
    Whole,
    /// Layers 0, n, 2 n, … see whole rows; the others as far as `reach`.
    WholeEvery {
        /// From 1 on.
        n: usize,
        /// Tokens to either side.
        reach: usize,
    },
    /// As listed; none for whole rows.
    Listed(Vec<Option<usize>>),
}

impl Windows {
    /// How far a layer's tokens see; none where they see whole rows.
    pub fn of(&self, layer: usize) -> Option<usize> {
        match self {
            Self::Whole => None,
            Self::WholeEvery { n, reach } => (!layer.is_multiple_of(*n)).then_some(*reach),
            Self::Listed(windows) => windows[layer],
        }
    }

    /// Whether any layer sees a part alone.
    pub fn are_any(&self) -> bool {
        match self {
            Self::Whole => false,
            Self::WholeEvery { n, .. } => *n > 1,
            Self::Listed(windows) => windows.iter().any(Option::is_some),
        }
    }
}

/// How a token's position is told.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Positions {
    /// A learned table, added to the embeddings.
    Learned,
    /// A table of sines and cosines that is not trained.
    Sinusoidal,
    /// Queries and keys are turned by an angle.
    Rotary {
        /// The base of its frequencies, in layers that see the whole row.
        theta: f32,
        /// In layers with a window.
        local_theta: f32,
    },
}

impl Positions {
    /// Whether they are embedded: a table is added to the words'.
    pub fn has_table(self) -> bool {
        matches!(self, Self::Learned | Self::Sinusoidal)
    }
}

impl std::fmt::Display for Positions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Learned => "a learned table",
            Self::Sinusoidal => "sinusoids",
            Self::Rotary { .. } => "rotations",
        })
    }
}

/// What stands on the encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// Nothing but the pooler, where the family has one.
    None,
    /// One answer per row: classes, several labels, or numbers.
    SequenceClassification,
    /// One answer per token.
    TokenClassification,
    /// Start and end of a span.
    QuestionAnswering,
    /// A word for every position.
    MaskedLm,
    /// Masked LM and next sentence.
    PreTraining,
}

impl HeadKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::None,
        Self::SequenceClassification,
        Self::TokenClassification,
        Self::QuestionAnswering,
        Self::MaskedLm,
        Self::PreTraining,
    ];

    /// Its name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::SequenceClassification => "sequence-classification",
            Self::TokenClassification => "token-classification",
            Self::QuestionAnswering => "question-answering",
            Self::MaskedLm => "masked-lm",
            Self::PreTraining => "pretraining",
        }
    }

    /// How HuggingFace's class names end: `BertModel`, `BertForMaskedLM`.
    pub fn class_suffix(self) -> &'static str {
        match self {
            Self::None => "Model",
            Self::SequenceClassification => "ForSequenceClassification",
            Self::TokenClassification => "ForTokenClassification",
            Self::QuestionAnswering => "ForQuestionAnswering",
            Self::MaskedLm => "ForMaskedLM",
            Self::PreTraining => "ForPreTraining",
        }
    }
}

/// What the outputs of a sequence classifier mean, in HuggingFace's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ProblemType {
    /// Exactly one of C classes.
    SingleLabel,
    /// Any of C labels.
    MultiLabel,
    /// C numbers.
    Regression,
}

impl ProblemType {
    /// Every type.
    pub const ALL: [Self; 3] = [Self::SingleLabel, Self::MultiLabel, Self::Regression];

    /// As config.json writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::SingleLabel => "single_label_classification",
            Self::MultiLabel => "multi_label_classification",
            Self::Regression => "regression",
        }
    }
}

impl std::fmt::Display for ProblemType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

/// A word that is no [`ProblemType`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no problem type; wanted single_label_classification, multi_label_classification or regression"
)]
pub struct UnknownProblemType(pub String);

impl std::str::FromStr for ProblemType {
    type Err = UnknownProblemType;

    fn from_str(word: &str) -> Result<Self, UnknownProblemType> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == word)
            .ok_or_else(|| UnknownProblemType(word.to_owned()))
    }
}

/// What a head reads of the encoder's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Each row's first token.
    FirstTokens,
    /// The mean of each row's tokens.
    Means,
    /// Every token.
    Tokens,
}

/// The dense layer, activation and perhaps norm over what a head reads.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoolerSpec {
    /// After the dense layer.
    pub activation: Activation,
    /// Whether the dense layer has a bias.
    pub has_bias: bool,
    /// Whether a norm follows.
    pub has_norm: bool,
    /// Before the dense layer (RoBERTa's classifier).
    pub dropout: f32,
    /// The base model has it, and its output is HuggingFace's `pooler_output`; else it is a part of the classifier.
    pub is_of_base: bool,
}

impl PoolerSpec {
    /// Without dropout and norm, as BERT's.
    pub fn of_base(activation: Activation) -> Self {
        Self { activation, has_bias: true, has_norm: false, dropout: 0.0, is_of_base: true }
    }
}

/// The masked-LM part: dense layer, activation, norm, and the decoder over the vocabulary.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PredictionsSpec {
    /// After the dense layer.
    pub activation: Activation,
    /// Whether the dense layer has a bias.
    pub has_dense_bias: bool,
    /// Whether the decoder has a bias.
    pub has_decoder_bias: bool,
    /// The decoder's weight is the word embedding.
    pub is_tied: bool,
}

/// The head's sizes and choices.
#[derive(Clone, Debug, PartialEq)]
pub struct HeadSpec {
    /// Which head.
    pub kind: HeadKind,
    /// C names, by id (id2label); empty for heads without labels.
    pub labels: Vec<String>,
    /// Of a sequence classifier.
    pub problem_type: ProblemType,
    /// What it reads.
    pub reads: Reads,
    /// The dense layer over it, where there is one.
    pub pooler: Option<PoolerSpec>,
    /// Before the classifier.
    pub dropout: f32,
    /// The masked-LM part, where there is one.
    pub predictions: Option<PredictionsSpec>,
}

impl HeadSpec {
    /// C: outputs of the classifier; 0 where there is none.
    pub fn n_outputs(&self) -> usize {
        match self.kind {
            HeadKind::SequenceClassification | HeadKind::TokenClassification => self.labels.len(),
            HeadKind::QuestionAnswering => 2,
            HeadKind::None | HeadKind::MaskedLm | HeadKind::PreTraining => 0,
        }
    }

    /// Whether the logits come of each row's first token alone.
    pub fn reads_first_tokens(&self) -> bool {
        self.kind == HeadKind::SequenceClassification && self.reads == Reads::FirstTokens
    }

    /// Whether there is a masked-LM part.
    pub fn has_predictions(&self) -> bool {
        self.predictions.is_some()
    }

    /// Whether there is a masked-LM part whose decoder is the word embedding.
    pub fn is_tied(&self) -> bool {
        self.predictions.is_some_and(|part| part.is_tied)
    }
}

/// The whole model.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// The encoder.
    pub encoder: EncoderSpec,
    /// What stands on it.
    pub head: HeadSpec,
}

impl Spec {
    /// Drops another share of everything from now on: activations, attention probabilities, what enters the head.
    pub fn set_dropout(&mut self, share: f32) {
        self.encoder.dropout.set(share);
        self.head.dropout = share;
        // BERT's pooler has none, RoBERTa's classifier has one before it.
        if let Some(pooler) = self.head.pooler.as_mut().filter(|pooler| pooler.dropout > 0.0) {
            pooler.dropout = share;
        }
    }
}
