//! What a model shall learn.

use bertlab_data::{Dataset, RawLabel, Record};
use bertlab_model::HeadKind;
use bertlab_settings::choices;

choices! {
    /// What a model is trained for.
    pub enum Task {
        /// One answer per row.
        SequenceClassification = "sequence-classification",
        /// A label for every word; of rows that hold `input_ids` and `labels`, for every token.
        TokenClassification = "token-classification",
        /// Masked words: of plain texts, or of rows that hold `input_ids` and `labels`.
        MaskedLm = "masked-lm",
    }
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 3] = [Self::SequenceClassification, Self::TokenClassification, Self::MaskedLm];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.head().name()
    }

    /// The task that was asked for, else what the rows to learn from say, else what the checkpoint's head says.
    pub(crate) fn chosen(asked: Option<Self>, configured: HeadKind, train: &Dataset) -> Self {
        let by_config = match configured {
            _ if has_labelled_words(train) => Self::TokenClassification,
            HeadKind::TokenClassification => Self::TokenClassification,
            HeadKind::MaskedLm if is_plain_text(train) => Self::MaskedLm,
            _ => Self::SequenceClassification,
        };
        asked.unwrap_or(by_config)
    }

    pub(crate) fn head(self) -> HeadKind {
        match self {
            Self::SequenceClassification => HeadKind::SequenceClassification,
            Self::TokenClassification => HeadKind::TokenClassification,
            Self::MaskedLm => HeadKind::MaskedLm,
        }
    }
}

/// Whether rows are words, each with a label of its own.
fn has_labelled_words(dataset: &Dataset) -> bool {
    let is_list = |label: &RawLabel| matches!(label, RawLabel::Texts(_) | RawLabel::Integers(_));
    let mut of_words =
        dataset.records.iter().filter(|record| record.words.is_some() && record.input_ids.is_none());
    of_words.next().is_some_and(|record| is_list(&record.label))
}

/// Whether the rows come from files that have no place for a label. A table without one may have it under another name.
fn is_plain_text(train: &Dataset) -> bool {
    let is_bare =
        |record: &Record| record.text.is_some() && record.pair.is_none() && record.label == RawLabel::Missing;
    train.text_column.is_none() && train.records.iter().all(is_bare)
}
