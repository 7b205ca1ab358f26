//! Findings about texts that occur more than once: within a split, across splits, with different labels.

use std::collections::HashMap;

use super::finding::{Finding, Kind, Severity, excerpts, percent, rows_that, verb};
use super::{ModelLimits, Split, SplitRows};
use crate::content::Content;
use crate::counts::{counted, grouped};

/// From this share of a split on, duplicates weigh on what is learnt and measured.
const SHARE_WARNED: f64 = 0.01;
/// From this share of an evaluated split on, its figures mean nothing.
const LEAKAGE_FATAL: f64 = 0.5;

/// The rows of a split by what they hold; every list is ascending.
struct Groups<'a> {
    rows: &'a SplitRows,
    by_content: HashMap<Content<'a>, Vec<usize>>,
}

impl<'a> Groups<'a> {
    fn of(rows: &'a SplitRows) -> Self {
        let mut by_content: HashMap<Content<'a>, Vec<usize>> = HashMap::new();
        for (index, record) in rows.dataset.records.iter().enumerate() {
            if let Some(content) = Content::of(record) {
                by_content.entry(content).or_default().push(index);
            }
        }
        Self { rows, by_content }
    }

    /// Groups of at least two rows, in the order of their first rows.
    fn repeated(&self) -> Vec<&Vec<usize>> {
        let mut groups: Vec<&Vec<usize>> = self.by_content.values().filter(|group| group.len() > 1).collect();
        groups.sort_unstable();
        groups
    }
}

/// All findings about duplicates.
pub(super) fn findings(splits: &[SplitRows], limits: &ModelLimits) -> Vec<Finding> {
    let names = &limits.class_names;
    let groups: Vec<Groups<'_>> = splits.iter().map(Groups::of).collect();
    let mut findings = Vec::new();
    for (index, later) in groups.iter().enumerate() {
        findings.extend(within(later, names));
        findings.extend(contradicting(later, names));
        findings.extend(groups[..index].iter().filter_map(|earlier| across(earlier, later, names)));
    }
    findings
}

fn within(groups: &Groups<'_>, names: &[String]) -> Option<Finding> {
    let repeated = groups.repeated();
    let count: usize = repeated.iter().map(|group| group.len() - 1).sum();
    if count == 0 {
        return None;
    }
    let n_rows = groups.rows.dataset.records.len();
    let is_much = count as f64 >= SHARE_WARNED * n_rows as f64;
    let effect = match groups.rows.split {
        Split::Training => "such texts weigh more than others",
        _ => "such texts are counted more than once",
    };
    Some(Finding {
        severity: if is_much { Severity::Warning } else { Severity::Note },
        kind: Kind::Duplicates,
        split: groups.rows.split,
        count,
        sentence: format!(
            "{} the text of an earlier row ({}): {effect}",
            rows_that(count, ["repeats", "repeat"]),
            percent(count, n_rows)
        ),
        excerpts: excerpts(repeated.iter().map(|group| shown(groups.rows, group)), names),
    })
}

fn contradicting(groups: &Groups<'_>, names: &[String]) -> Option<Finding> {
    let differs = |group: &&&Vec<usize>| {
        let mut targets = group.iter().filter_map(|&row| groups.rows.target(row));
        targets.next().is_some_and(|first| targets.any(|other| other != first))
    };
    let repeated = groups.repeated();
    let contradicting: Vec<&&Vec<usize>> = repeated.iter().filter(differs).collect();
    if contradicting.is_empty() {
        return None;
    }
    let count = contradicting.iter().map(|group| group.len()).sum();
    let texts = if contradicting.len() == 1 { "text has" } else { "texts have" };
    Some(Finding {
        severity: Severity::Warning,
        kind: Kind::ContradictingLabels,
        split: groups.rows.split,
        count,
        sentence: format!(
            "{} {texts} different labels in different rows ({}): no model can be right about them. Decide for one",
            grouped(contradicting.len()),
            counted(count, "row")
        ),
        excerpts: excerpts(contradicting.iter().map(|group| shown_different(groups.rows, group)), names),
    })
}

/// Rows of the later split whose text also stands in the earlier one.
fn across(earlier: &Groups<'_>, later: &Groups<'_>, names: &[String]) -> Option<Finding> {
    let twins = |(content, group): (&Content<'_>, &Vec<usize>)| {
        earlier.by_content.get(content).map(|twins| (group.clone(), twins.clone()))
    };
    let mut shared: Vec<(Vec<usize>, Vec<usize>)> = later.by_content.iter().filter_map(twins).collect();
    shared.sort_unstable();
    let count: usize = shared.iter().map(|(group, _)| group.len()).sum();
    if count == 0 {
        return None;
    }
    let n_rows = later.rows.dataset.records.len();
    let has_other_label = |row: usize, twins: &[usize]| {
        let target = later.rows.target(row);
        target.is_some() && twins.iter().all(|&twin| earlier.rows.target(twin) != target)
    };
    let n_other: usize = shared
        .iter()
        .map(|(group, twins)| group.iter().filter(|&&row| has_other_label(row, twins)).count())
        .sum();
    let is_meaningless = count as f64 >= LEAKAGE_FATAL * n_rows as f64;
    let pairs = shared.iter().map(|(group, twins)| vec![(later.rows, group[0]), (earlier.rows, twins[0])]);
    Some(Finding {
        severity: if is_meaningless { Severity::Fatal } else { Severity::Warning },
        kind: Kind::Leakage,
        split: later.rows.split,
        count,
        sentence: leakage_in_words(earlier.rows.split, later.rows.split, count, n_rows, n_other),
        excerpts: excerpts(pairs, names),
    })
}

fn leakage_in_words(earlier: Split, later: Split, count: usize, n_rows: usize, n_other: usize) -> String {
    let also = match n_other {
        0 => String::new(),
        n => format!("; {} of them with another label there", grouped(n)),
    };
    format!(
        "{} of {} ({}) also {} in {earlier}{also}: what is measured on {later} is too good. Take such rows out of one of \
         the two",
        grouped(count),
        counted(n_rows, "row"),
        percent(count, n_rows),
        verb(count, ["stands", "stand"])
    )
}

/// The first two rows of a group.
fn shown<'a>(rows: &'a SplitRows, group: &[usize]) -> Vec<(&'a SplitRows, usize)> {
    group.iter().take(2).map(|&row| (rows, row)).collect()
}

/// The first row of a group, and the first with another label.
fn shown_different<'a>(rows: &'a SplitRows, group: &[usize]) -> Vec<(&'a SplitRows, usize)> {
    let first = group[0];
    let differs = |row: &&usize| rows.target(**row) != rows.target(first);
    std::iter::once(first).chain(group.iter().find(differs).copied()).map(|row| (rows, row)).collect()
}
