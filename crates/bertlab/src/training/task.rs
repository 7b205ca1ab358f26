//! What a model shall learn.

use bertlab_model::HeadKind;
use serde::{Deserialize, Serialize};

/// What a model shall learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Task {
    /// One answer per row.
    SequenceClassification,
    /// A class for every token of rows that hold `input_ids` and `labels`.
    TokenClassification,
    /// The masked words of rows that hold `input_ids` and `labels`.
    MaskedLm,
}

impl Task {
    /// Every task.
    pub const ALL: [Self; 3] = [Self::SequenceClassification, Self::TokenClassification, Self::MaskedLm];

    /// Its name on the command line.
    pub fn name(self) -> &'static str {
        self.head().name()
    }

    /// The task that was asked for, else what the checkpoint's head says.
    pub(crate) fn chosen(asked: Option<Self>, configured: HeadKind) -> Self {
        let by_config = match configured {
            HeadKind::TokenClassification => Self::TokenClassification,
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
