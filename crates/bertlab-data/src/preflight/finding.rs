//! A finding: how bad, what, where, how many rows, in words, with rows to look at.

use std::fmt;
use std::path::PathBuf;

use serde::Serialize;

use super::SplitRows;
use crate::counts::counted;
use crate::error::preview;
use crate::{DataError, Target};

/// How many rows a finding shows.
const EXCERPTS_MAX: usize = 3;

/// What the rows of a file are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Split {
    /// To learn from.
    Training,
    /// To evaluate on while training, and to choose by.
    Validation,
    /// To evaluate on once, at the end.
    Test,
}

impl Split {
    /// As a word.
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(self.name())
    }
}

/// How bad a finding is; the worst comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// A training cannot start, or its result would mean nothing.
    Fatal,
    /// A result may be other than it seems.
    Warning,
    /// Good to know.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.pad(match self {
            Self::Fatal => "fatal",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// What was found, as one word for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Labels that are missing, unknown, out of range, or of the wrong kind.
    UnusableLabels,
    /// All rows have one label.
    SingleClass,
    /// Rows of a class that training has none of.
    ClassNotInTraining,
    /// A class of the model that training has no row of.
    ClassWithoutRows,
    /// Tags of words that cannot follow one another.
    TagOrder,
    /// Rows that stand in the order of their labels.
    SortedLabels,
    /// Classes of very unequal size.
    UnequalClasses,
    /// The same text again in the same split.
    Duplicates,
    /// The same text with different labels.
    ContradictingLabels,
    /// Rows to evaluate on that also stand in an earlier split.
    Leakage,
    /// The best model is chosen by rows that are the test split by their name.
    ChosenOnTest,
    /// Rows without text.
    EmptyTexts,
    /// Rows that are cut.
    Truncation,
    /// Texts that end to end make few blocks.
    FewBlocks,
    /// Tokens that the tokenizer does not know.
    UnknownTokens,
    /// Token ids that the model has no embedding for.
    UnknownIds,
    /// Ready rows that are longer than the model takes.
    TooLong,
}

/// Where a row stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RowPlace {
    /// The file as the caller named it.
    pub file: PathBuf,
    /// As a person counts: a table's header line is row 1.
    pub row: usize,
    /// Its label, where it has one.
    pub label: Option<String>,
}

/// A text, and every shown row that holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Excerpt {
    /// Its beginning; empty for rows that hold ids alone.
    pub text: String,
    /// One row, or several that hold the same.
    pub rows: Vec<RowPlace>,
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// How bad it is.
    pub severity: Severity,
    /// What it is.
    pub kind: Kind,
    /// Where.
    pub split: Split,
    /// How many rows.
    pub count: usize,
    /// In words: what was found, what it means, what to try.
    pub sentence: String,
    /// Some of the rows.
    pub excerpts: Vec<Excerpt>,
}

impl Finding {
    /// Rows that are left out, because none has a label.
    pub fn left_out_unlabelled(split: Split, n_rows: usize) -> Self {
        Self {
            severity: Severity::Warning,
            kind: Kind::UnusableLabels,
            split,
            count: n_rows,
            sentence: format!("none of {} has a label: they are left out", counted(n_rows, "row")),
            excerpts: Vec::new(),
        }
    }

    /// Labels whose meaning could not be found out at all.
    pub fn labels_without_meaning(split: Split, error: &DataError) -> Self {
        Self {
            severity: Severity::Fatal,
            kind: Kind::UnusableLabels,
            split,
            count: 1,
            sentence: error.to_string(),
            excerpts: Vec::new(),
        }
    }
}

/// The first few of some groups of rows; the rows of a group hold the same text. Rows are (split, index).
pub(super) fn excerpts<'a>(
    groups: impl IntoIterator<Item = Vec<(&'a SplitRows, usize)>>,
    class_names: &[String],
) -> Vec<Excerpt> {
    let excerpt = |group: Vec<(&SplitRows, usize)>| Excerpt {
        text: group.first().map_or(String::new(), |&(rows, index)| text_of(rows, index)),
        rows: group.iter().map(|&(rows, index)| place(rows, index, class_names)).collect(),
    };
    groups.into_iter().take(EXCERPTS_MAX).map(excerpt).collect()
}

/// The first few of some rows of a split.
pub(super) fn single_excerpts(
    rows: &SplitRows,
    indices: impl IntoIterator<Item = usize>,
    class_names: &[String],
) -> Vec<Excerpt> {
    excerpts(indices.into_iter().map(|index| vec![(rows, index)]), class_names)
}

fn text_of(rows: &SplitRows, index: usize) -> String {
    let record = &rows.dataset.records[index];
    let texts = [record.text.as_deref(), record.pair.as_deref()];
    preview(&texts.into_iter().flatten().collect::<Vec<_>>().join(" | "))
}

fn place(rows: &SplitRows, index: usize, class_names: &[String]) -> RowPlace {
    let place = rows.dataset.place(&rows.dataset.records[index]);
    let label = rows.target(index).and_then(|target| label_of(target, class_names));
    RowPlace { file: place.file, row: place.row, label }
}

fn label_of(target: &Target, class_names: &[String]) -> Option<String> {
    match target {
        Target::Class(class) => class_names.get(*class).cloned(),
        Target::Classes(shares) => {
            let present = shares.iter().zip(class_names).filter(|(share, _)| **share >= 0.5);
            Some(present.map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", "))
        }
        Target::Value(value) => Some(value.to_string()),
        Target::Values(values) => Some(format!("{values:?}")),
        Target::Tokens(_) | Target::Words(_) => None,
    }
}

/// `1 row repeats`, `2 rows repeat`: how many rows do what `verbs` says, for one and for many.
pub(super) fn rows_that(n: usize, verbs: [&'static str; 2]) -> String {
    format!("{} {}", counted(n, "row"), verb(n, verbs))
}

/// The verb of so many things.
pub(super) fn verb(n: usize, [of_one, of_many]: [&'static str; 2]) -> &'static str {
    if n == 1 { of_one } else { of_many }
}

/// A share for a person; few of many is not "0 %".
pub(super) fn percent(part: usize, whole: usize) -> String {
    let percent = 100.0 * part as f64 / whole.max(1) as f64;
    match percent {
        p if p == 0.0 || p >= 9.95 => format!("{p:.0} %"),
        p if p < 0.05 => "less than 0.1 %".to_owned(),
        p => format!("{p:.1} %"),
    }
}
