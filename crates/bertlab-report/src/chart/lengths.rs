//! Accuracy by text length, with confidence intervals.

use super::axis::Axis;
use super::frame::{Frame, Margins};
use super::scene::{Anchor, Role, Scene};
use crate::number::{counted, percent};
use bertlab_train::metrics::interval::wilson_interval;

/// Rows whose lengths are in a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LengthRange {
    /// Lengths of the shortest and the longest row in tokens.
    pub(crate) tokens: (usize, usize),
    pub(crate) n_rows: usize,
    pub(crate) n_right: usize,
}

/// Maximum number of ranges.
const N_RANGES: usize = 6;
/// Minimum number of rows in a range; intervals of fewer rows are too wide.
const ROWS_MIN: usize = 20;

/// Ranges with about equal numbers of rows; `rows` are lengths in tokens and whether the prediction is
/// correct. Rows of equal length are in the same range. Empty if there are too few rows for two ranges.
pub(crate) fn ranges(mut rows: Vec<(usize, bool)>) -> Vec<LengthRange> {
    rows.sort_unstable();
    let n_ranges = (rows.len() / ROWS_MIN).min(N_RANGES);
    let Some(wanted) = rows.len().checked_div(n_ranges) else { return Vec::new() };
    let mut ranges: Vec<LengthRange> = Vec::new();
    for same in rows.chunk_by(|a, b| a.0 == b.0) {
        let n_right = same.iter().filter(|(_, is_right)| *is_right).count();
        match ranges.last_mut().filter(|range| range.n_rows < wanted) {
            Some(range) => {
                range.tokens.1 = same[0].0;
                range.n_rows += same.len();
                range.n_right += n_right;
            }
            None => {
                let tokens = (same[0].0, same[0].0);
                ranges.push(LengthRange { tokens, n_rows: same.len(), n_right });
            }
        }
    }
    // A last range with too few rows is merged into the previous one.
    if let [.., before, last] = ranges.as_mut_slice()
        && last.n_rows < ROWS_MIN
    {
        before.tokens.1 = last.tokens.1;
        before.n_rows += last.n_rows;
        before.n_right += last.n_right;
        ranges.pop();
    }
    if ranges.len() < 2 { Vec::new() } else { ranges }
}

const MARGINS: Margins = Margins { left: 58.0, top: 12.0, right: 12.0, bottom: 42.0 };

/// A dot with a 95 % Wilson interval for each range; `overall` is a dashed line.
pub(crate) fn scene(ranges: &[LengthRange], overall: f64) -> Scene {
    let mut scene = Scene::new("Accuracy by length of the text", 400.0, 250.0);
    let share = |range: &LengthRange| range.n_right as f64 / range.n_rows as f64;
    let intervals: Vec<_> =
        ranges.iter().filter_map(|range| wilson_interval(range.n_right, range.n_rows)).collect();
    let ends = intervals.iter().flat_map(|interval| [interval.low, interval.high]);
    let y = Axis::around(ends.chain([overall]), 4);
    // No ticks on the x axis: the ranges have labels instead.
    let x = Axis::exactly(0.0, ranges.len() as f64, f64::from(u16::MAX));
    let frame = Frame::draw(&mut scene, &MARGINS, x, y, ("tokens of the text", "accuracy"));
    scene.items.retain(
        |item| !matches!(item, super::scene::Item::Text { text, anchor: Anchor::Middle, .. } if text == "0"),
    );
    scene.dashed(vec![frame.point(0.0, overall), frame.point(x.high, overall)], Role::Muted);
    for (index, (range, interval)) in ranges.iter().zip(&intervals).enumerate() {
        let centre = index as f64 + 0.5;
        scene.line(
            [interval.low, interval.high].map(|end| frame.point(centre, end)).to_vec(),
            Role::First,
            1.5,
        );
        let words = if range.tokens.0 == range.tokens.1 {
            range.tokens.0.to_string()
        } else {
            format!("{}–{}", range.tokens.0, range.tokens.1)
        };
        let hint =
            format!("{words} tokens: {} of {} correct", percent(share(range)), counted(range.n_rows, "row"));
        scene.dot(frame.point(centre, share(range)), 4.0, Role::First, hint);
        let (at, floor) = frame.point(centre, y.low);
        scene.text((at, floor + 17.0), &words, Role::Muted, Anchor::Middle);
    }
    scene
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_every_row_once_and_keep_lengths_together() {
        let rows: Vec<(usize, bool)> = (0..130).map(|i| (10 + i % 13, i % 3 == 0)).collect();
        let found = ranges(rows);
        assert_eq!(found.iter().map(|range| range.n_rows).sum::<usize>(), 130);
        assert_eq!(found.iter().map(|range| range.n_right).sum::<usize>(), 44);
        assert!(found.windows(2).all(|pair| pair[0].tokens.1 < pair[1].tokens.0), "{found:?}");
        assert!(found.iter().all(|range| range.n_rows >= ROWS_MIN));
    }

    #[test]
    fn few_rows_or_one_length_have_no_ranges() {
        assert!(ranges(Vec::new()).is_empty());
        assert!(ranges((0..30).map(|i| (i, true)).collect()).is_empty());
        assert!(ranges(vec![(7, true); 500]).is_empty());
    }
}
