//! How long rows are in tokens, before and after truncation.

use serde::Serialize;

use super::SplitRows;
use crate::tokenized::TokenLength;

/// Bins below the last, open one.
const BINS_MAX: usize = 12;

/// How many rows have which length before truncation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LengthHistogram {
    /// Tokens that a bin covers: bin `i` starts at `i * bin_width`.
    pub bin_width: usize,
    /// Rows by bin; the last is open upwards.
    pub counts: Vec<usize>,
    /// Half of the rows are at most so long.
    pub median: usize,
    /// 99 % of the rows are at most so long.
    pub percentile_99: usize,
    /// The longest row.
    pub longest: usize,
}

impl LengthHistogram {
    /// Of at least one row.
    pub(super) fn of(lengths: &[TokenLength], bin_width: usize) -> Option<Self> {
        let sorted = sorted(lengths.iter());
        let longest = *sorted.last()?;
        let percentile_99 = quantile(&sorted, 0.99);
        let last = (percentile_99 / bin_width + 1).min(longest / bin_width);
        let mut counts = vec![0; last + 1];
        for length in &sorted {
            counts[(length / bin_width).min(last)] += 1;
        }
        Some(Self { bin_width, counts, median: quantile(&sorted, 0.5), percentile_99, longest })
    }
}

/// A round width of bins that suits all splits alike.
pub(super) fn bin_width(splits: &[SplitRows]) -> usize {
    let sorted = sorted(splits.iter().flat_map(|rows| &rows.lengths));
    if sorted.is_empty() { 1 } else { round_width(quantile(&sorted, 0.99) / BINS_MAX + 1) }
}

/// Lengths before truncation, ascending.
fn sorted<'a>(lengths: impl Iterator<Item = &'a TokenLength>) -> Vec<usize> {
    let mut sorted: Vec<usize> = lengths.map(|length| length.n_all()).collect();
    sorted.sort_unstable();
    sorted
}

/// By nearest rank: the smallest length that this share of the rows does not exceed. At least one row.
fn quantile(sorted: &[usize], share: f64) -> usize {
    sorted[((share * sorted.len() as f64).ceil() as usize).max(1) - 1]
}

/// The next of 1, 2, 5, 10, 20, 50, ...
fn round_width(width: usize) -> usize {
    let mut unit = 1;
    loop {
        if let Some(round) = [unit, 2 * unit, 5 * unit].into_iter().find(|&round| round >= width) {
            return round;
        }
        unit *= 10;
    }
}
