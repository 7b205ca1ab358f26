//! The rows: how many, of which labels, what was cut, what a look at them found.

use super::{section, table};
use crate::markup::Markup;
use crate::number::{grouped, percent, shortened};
use crate::run::{RunReport, SplitFacts};
use crate::verdict::listed;
use bertlab_data::preflight::Severity;
use bertlab_feedback::{Command, Hint};

/// Labels listed at most.
const LABELS_MAX: usize = 40;
/// Findings listed at most.
const FINDINGS_MAX: usize = 30;

pub(super) fn write(main: &mut Markup, report: &RunReport) {
    if report.splits.is_empty() {
        return;
    }
    section(main, "Data", |section| {
        let rows: Vec<Vec<String>> = report.splits.iter().map(split_row).collect();
        table(section, &["split", "files", "rows", "tokens", "cut rows", "lost tokens"], &rows);
        write_labels(section, &report.splits);
        write_findings(section, report);
    });
}

fn split_row(split: &SplitFacts) -> Vec<String> {
    let share = split.n_rows_cut as f64 / split.n_rows.max(1) as f64;
    let cut = match split.n_rows_cut {
        0 => "none".to_owned(),
        n => format!("{} ({}), to {} tokens", grouped(n), percent(share), grouped(split.max_length)),
    };
    let files: Vec<String> = split.files.iter().map(|file| shortened(file, 60)).collect();
    vec![
        split.name.clone(),
        listed(&files, 3),
        split.rows_in_words(),
        grouped(split.n_tokens),
        cut,
        grouped(split.n_tokens_lost),
    ]
}

/// Labels down, splits across.
fn write_labels(markup: &mut Markup, splits: &[SplitFacts]) {
    let Some(first) = splits.iter().find(|split| !split.labels.is_empty()) else { return };
    let with_labels: Vec<&SplitFacts> =
        splits.iter().filter(|split| split.labels.len() == first.labels.len()).collect();
    let mut headings = vec!["label"];
    headings.extend(with_labels.iter().map(|split| split.name.as_str()));
    let row = |(id, (label, _)): (usize, &(String, usize))| {
        let of_split = |split: &&SplitFacts| {
            let n = split.labels[id].1;
            format!(
                "{} ({})",
                grouped(n),
                percent(n as f64 / split.n_labelled_words.unwrap_or(split.n_rows).max(1) as f64)
            )
        };
        let counts = with_labels.iter().map(of_split);
        std::iter::once(shortened(label, 60)).chain(counts).collect::<Vec<String>>()
    };
    let title = if first.n_labelled_words.is_some() { "Words of each label" } else { "Rows of each label" };
    markup.leaf("h3", &[], title);
    let rows: Vec<Vec<String>> = first.labels.iter().enumerate().take(LABELS_MAX).map(row).collect();
    table(markup, &headings, &rows);
    if first.labels.len() > LABELS_MAX {
        let words = format!("{} more labels.", grouped(first.labels.len() - LABELS_MAX));
        markup.leaf("p", &[("class", "aside")], &words);
    }
}

fn write_findings(markup: &mut Markup, report: &RunReport) {
    if report.findings.is_empty() {
        return;
    }
    markup.leaf("h3", &[], "What a look at the data found");
    markup.within("ul", &[("class", "findings")], |list| {
        for finding in report.findings.iter().take(FINDINGS_MAX) {
            let class = match finding.severity {
                Severity::Fatal => "fatal",
                Severity::Warning => "warning",
                Severity::Note => "note",
            };
            list.within("li", &[], |item| {
                item.leaf("b", &[("class", class)], &format!("{}, {}", finding.severity, finding.split));
                item.text(" ").text(&finding.sentence);
            });
        }
    });
    if report.findings.len() > FINDINGS_MAX {
        let n_more = report.findings.len() - FINDINGS_MAX;
        let words = format!("{n_more} more are listed by {}.", Hint::Command(Command::Check));
        markup.leaf("p", &[("class", "aside")], &words);
    }
}
