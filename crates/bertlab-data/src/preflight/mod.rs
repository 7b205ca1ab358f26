//! What can make a result meaningless, found before a training: labels, duplicates, lengths.
//!
//! Pure functions: rows with their targets and token lengths in, [`Finding`]s out. Nothing is read or run here.

mod duplicates;
mod finding;
mod labels;
mod lengths;
mod summary;
#[cfg(test)]
mod tests;
mod texts;
mod words;

pub use crate::blocks::BlockCounts;
pub use crate::tokenized::TokenLength;
pub use finding::{Excerpt, Finding, Kind, RowPlace, Severity, Split};
pub use lengths::LengthHistogram;
pub use summary::{LabelCount, SplitSummary};

use crate::{DataError, Dataset, Target};

/// One split, ready to be looked at.
#[derive(Debug)]
pub struct SplitRows {
    /// What the rows are for.
    pub split: Split,
    /// The rows.
    pub dataset: Dataset,
    /// Every row's target or why it has none; `None` where the labels' meaning could not be found out.
    pub targets: Option<Vec<Result<Target, DataError>>>,
    /// Every row's length; empty where nothing was tokenized.
    pub lengths: Vec<TokenLength>,
    /// What the rows become where they are put end to end and cut into blocks.
    pub blocks: Option<BlockCounts>,
}

impl SplitRows {
    /// The targets that there are.
    fn usable_targets(&self) -> Vec<&Target> {
        self.targets.iter().flatten().filter_map(|target| target.as_ref().ok()).collect()
    }

    /// A row's target, if it has one.
    fn target(&self, row: usize) -> Option<&Target> {
        self.targets.as_ref()?.get(row)?.as_ref().ok()
    }
}

/// What the model brings to the question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ModelLimits {
    /// The classes' names, by id; empty for questions without named classes.
    pub class_names: Vec<String>,
    /// V: ids of ready rows must be below.
    pub vocab_size: usize,
    /// Longest row that the model takes, in tokens; ready rows are not cut.
    pub tokens_max: usize,
    /// Rows without text are left out, and not answered.
    pub leaves_out_blank: bool,
}

/// What a preflight says.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Preflight {
    /// Every split in figures.
    pub splits: Vec<SplitSummary>,
    /// Worst first.
    pub findings: Vec<Finding>,
}

impl Preflight {
    /// Looks at all splits; `splits` are in the order training, validation, test, each at most once.
    pub fn of(splits: &[SplitRows], limits: &ModelLimits) -> Self {
        let mut findings = labels::findings(splits, limits);
        findings.extend(words::findings(splits, limits));
        findings.extend(duplicates::findings(splits, limits));
        findings.extend(texts::findings(splits, limits));
        let bin_width = lengths::bin_width(splits);
        let summaries = splits.iter().map(|rows| SplitSummary::of(rows, limits, bin_width)).collect();
        Self { splits: summaries, findings }.sorted()
    }

    /// With a finding that came from elsewhere.
    pub fn with(mut self, finding: Finding) -> Self {
        self.findings.push(finding);
        self.sorted()
    }

    /// How many findings make a result meaningless.
    pub fn n_fatal(&self) -> usize {
        self.findings.iter().filter(|finding| finding.severity == Severity::Fatal).count()
    }

    fn sorted(mut self) -> Self {
        self.findings.sort_by_key(|finding| (finding.severity, finding.split));
        self
    }
}
