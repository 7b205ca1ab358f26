//! What a model is: every axis on which the families differ, as data.

use bertlab_compute::ops::activation::Activation;

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
    /// How positions are embedded.
    pub positions: Positions,
    /// Rows of the token type table; 0 where the family has none.
    pub n_token_types: usize,
    /// In the feed-forward part and the masked-LM head.
    pub activation: Activation,
    /// ε of every layer norm.
    pub norm_epsilon: f32,
    /// After the embeddings, attention and feed-forward parts.
    pub hidden_dropout: f32,
    /// Of attention probabilities.
    pub attention_dropout: f32,
    /// Its embedding gets no gradient, as in PyTorch.
    pub pad_token_id: u32,
    /// Standard deviation of new weights.
    pub initializer_range: f32,
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

    /// How many numbers the encoder's matrices hold; `None` when that cannot even be counted.
    pub(crate) fn n_matrix_entries(&self) -> Option<usize> {
        let Self { width, inner_width, .. } = *self;
        let layer = width.checked_mul(width.checked_mul(4)?.checked_add(inner_width.checked_mul(2)?)?)?;
        let tables = self.vocab_size.checked_add(self.max_positions)?.checked_add(self.n_token_types)?;
        layer.checked_mul(self.n_layers)?.checked_add(tables.checked_mul(width)?)
    }
}

/// How positions are embedded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Positions {
    /// A learned table.
    Learned,
    /// A table of sines and cosines that is not trained.
    Sinusoidal,
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

/// The dense layer over a row's first token.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PoolerSpec {
    /// After the dense layer.
    pub activation: Activation,
    /// Before the dense layer (RoBERTa's classifier).
    pub dropout: f32,
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
    /// The dense layer over the first token, where there is one.
    pub pooler: Option<PoolerSpec>,
    /// Before the classifier.
    pub dropout: f32,
    /// The masked-LM decoder is the word embedding.
    pub is_tied: bool,
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
        self.kind == HeadKind::SequenceClassification
    }

    /// Whether there is a masked-LM part.
    pub fn has_predictions(&self) -> bool {
        matches!(self.kind, HeadKind::MaskedLm | HeadKind::PreTraining)
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
        self.encoder.hidden_dropout = share;
        self.encoder.attention_dropout = share;
        self.head.dropout = share;
        // BERT's pooler has none, RoBERTa's classifier has one before it.
        if let Some(pooler) = self.head.pooler.as_mut().filter(|pooler| pooler.dropout > 0.0) {
            pooler.dropout = share;
        }
    }
}
