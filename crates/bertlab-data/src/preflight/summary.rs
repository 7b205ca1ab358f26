//! A split in figures: rows, labels, tokens.

use serde::Serialize;

use super::{LengthHistogram, ModelLimits, Split, SplitRows};
use crate::blocks::BlockCounts;
use crate::{Target, label_counts};

/// How often a label occurs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LabelCount {
    /// Its name.
    pub label: String,
    /// Rows that have it; of token labels, tokens.
    pub count: usize,
}

/// A split in figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SplitSummary {
    /// Which.
    pub split: Split,
    /// All rows.
    pub n_rows: usize,
    /// Every label, by id; empty where there are none to be counted.
    pub labels: Vec<LabelCount>,
    /// Tokens that the model reads.
    pub n_tokens: usize,
    /// Rows that are cut.
    pub n_rows_cut: usize,
    /// Tokens that are lost.
    pub n_tokens_cut: usize,
    /// Lengths before truncation; none where nothing was tokenized.
    pub lengths: Option<LengthHistogram>,
    /// What the rows become where they are put end to end and cut into blocks.
    pub blocks: Option<BlockCounts>,
}

impl SplitSummary {
    pub(super) fn of(rows: &SplitRows, limits: &ModelLimits, bin_width: usize) -> Self {
        Self {
            split: rows.split,
            n_rows: rows.dataset.records.len(),
            labels: labels(rows, &limits.class_names),
            n_tokens: rows.lengths.iter().map(|length| length.n_tokens).sum(),
            n_rows_cut: rows.lengths.iter().filter(|length| length.n_cut > 0).count(),
            n_tokens_cut: rows.lengths.iter().map(|length| length.n_cut).sum(),
            lengths: LengthHistogram::of(&rows.lengths, bin_width),
            blocks: rows.blocks,
        }
    }
}

fn labels(rows: &SplitRows, names: &[String]) -> Vec<LabelCount> {
    let targets: Vec<Target> = rows.usable_targets().into_iter().cloned().collect();
    if targets.is_empty() {
        return Vec::new();
    }
    let counts = label_counts(&targets, names.len());
    names.iter().zip(counts).map(|(label, count)| LabelCount { label: label.clone(), count }).collect()
}
