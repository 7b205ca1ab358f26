//! What a preflight looks like: every split in figures, then what was found, worst first.

use std::io::Write;

use anstyle::Style;
use bertlab::Question;
use bertlab::check::{
    BlockCounts, Checked, Excerpt, Finding, LengthHistogram, RowPlace, Severity, SplitSummary,
};
use serde_json::{Value, json};

use super::histogram::{BAR_WIDTH, blocks};
use super::numbers::{counted, grouped};
use super::prose::{WIDTH_MAX, print_hanging};
use super::{Console, style};

/// Where the words of a finding and of a split start.
const INDENT: usize = 12;
/// Where the rows of a finding start.
const EXCERPT_INDENT: usize = INDENT + 2;

/// Everything, for programs.
pub fn as_json(model: &str, checked: &Checked) -> Value {
    json!({
        "model": model,
        "question": checked.question.as_ref().map(question_name),
        "max_length": checked.max_length,
        "in_blocks": checked.is_in_blocks,
        "splits": checked.preflight.splits,
        "findings": checked.preflight.findings,
        "n_fatal": checked.preflight.n_fatal(),
    })
}

/// For a person.
pub fn print(console: &mut Console, model: &str, checked: &Checked) -> anyhow::Result<()> {
    let heading = console.style(style::HEADING);
    let question = checked.question.as_ref().map_or("a question that is not clear", question_name);
    let length = grouped(checked.max_length);
    writeln!(console.out, "{heading}{model}{heading:#}")?;
    match checked.is_in_blocks {
        true => writeln!(console.out, "{question}, texts end to end in blocks of {length} tokens\n")?,
        false => writeln!(console.out, "{question}, texts of at most {length} tokens\n")?,
    }
    for summary in &checked.preflight.splits {
        print_split(console, summary)?;
    }
    for finding in &checked.preflight.findings {
        print_finding(console, finding)?;
    }
    if checked.preflight.findings.is_empty() {
        writeln!(console.out, "nothing to complain of")?;
    }
    Ok(())
}

fn question_name(question: &Question) -> &'static str {
    match question {
        Question::Rows(space) => space.problem_type.name(),
        Question::Words { .. } | Question::Tokens { .. } | Question::Texts => question.head().name(),
    }
}

fn print_split(console: &mut Console, summary: &SplitSummary) -> anyhow::Result<()> {
    const LABELS_SHOWN: usize = 8;
    let heading = console.style(style::HEADING);
    let mut text = counted(summary.n_rows, "row");
    let mut labels: Vec<String> = summary
        .labels
        .iter()
        .take(LABELS_SHOWN)
        .map(|label| format!("{} {}", label.label, grouped(label.count)))
        .collect();
    if summary.labels.len() > LABELS_SHOWN {
        labels.push(format!("{} more labels", summary.labels.len() - LABELS_SHOWN));
    }
    if !labels.is_empty() {
        text += &format!(": {}", labels.join(", "));
    }
    let label = format!("{heading}{:<INDENT$}{heading:#}", summary.split);
    print_hanging(console, width(console), &label, &text)?;
    if let Some(blocks) = summary.blocks {
        print_hanging(console, width(console), &" ".repeat(INDENT), &blocks_in_words(blocks))?;
    }
    if let Some(histogram) = &summary.lengths {
        print_lengths(console, summary, histogram)?;
    }
    Ok(writeln!(console.out)?)
}

/// What becomes of texts that are put end to end.
fn blocks_in_words(blocks: BlockCounts) -> String {
    let mut text = format!(
        "end to end in {} of {} tokens, the last of {}",
        counted(blocks.n_blocks, "block"),
        grouped(blocks.length),
        grouped(blocks.n_tokens_of_last)
    );
    if blocks.n_tokens_dropped > 0 {
        text += &format!("; {} at the end left out", counted(blocks.n_tokens_dropped, "token"));
    }
    text
}

fn print_lengths(
    console: &mut Console,
    summary: &SplitSummary,
    histogram: &LengthHistogram,
) -> anyhow::Result<()> {
    let text = format!(
        "{} tokens; half of the rows have at most {}, 99 % at most {}, the longest has {}",
        grouped(summary.n_tokens + summary.n_tokens_cut),
        grouped(histogram.median),
        grouped(histogram.percentile_99),
        grouped(histogram.longest)
    );
    print_hanging(console, width(console), &" ".repeat(INDENT), &text)?;
    let (bar, dim) = (console.style(style::BAR), console.style(style::DIM));
    let most = histogram.counts.iter().copied().max().unwrap_or(0).max(1);
    let last = histogram.counts.len() - 1;
    for (index, &count) in histogram.counts.iter().enumerate() {
        let start = grouped(index * histogram.bin_width);
        let is_open = index == last && histogram.longest >= (last + 1) * histogram.bin_width;
        let open = if is_open { "+" } else { " " };
        let blocks = blocks(count as f64 / most as f64);
        writeln!(
            console.out,
            "{start:>10}{open} {bar}{blocks:<BAR_WIDTH$}{bar:#} {dim}{:>12}{dim:#}",
            grouped(count)
        )?;
    }
    Ok(())
}

fn print_finding(console: &mut Console, finding: &Finding) -> anyhow::Result<()> {
    let style = console.style(severity_style(finding.severity));
    let label = format!("{style}{:<INDENT$}{style:#}", finding.severity);
    print_hanging(console, width(console), &label, &format!("{}: {}", finding.split, finding.sentence))?;
    finding.excerpts.iter().try_for_each(|excerpt| print_excerpt(console, excerpt))
}

/// `train.csv, row 3 [bad]; row 9 [good]: "the bank of my loan"`
fn print_excerpt(console: &mut Console, excerpt: &Excerpt) -> anyhow::Result<()> {
    let dim = console.style(style::DIM);
    let mut last_file = None;
    let mut places = Vec::new();
    for place in &excerpt.rows {
        let file = Some(&place.file).filter(|file| last_file != Some(*file));
        last_file = Some(&place.file);
        places.push(place_in_words(place, file.is_some()));
    }
    let quoted = if excerpt.text.is_empty() { String::new() } else { format!(": {:?}", excerpt.text) };
    let label = format!("{:EXCERPT_INDENT$}{dim}", "");
    print_hanging(console, width(console), &label, &format!("{}{quoted}", places.join("; ")))?;
    Ok(write!(console.out, "{dim:#}")?)
}

fn place_in_words(place: &RowPlace, with_file: bool) -> String {
    let name = place.file.file_name().unwrap_or(place.file.as_os_str());
    let file = if with_file { format!("{}, ", name.to_string_lossy()) } else { String::new() };
    let label = place.label.as_ref().map_or(String::new(), |label| format!(" [{label}]"));
    format!("{file}row {}{label}", place.row)
}

/// Sentences are wrapped in a pipe, too.
fn width(console: &Console) -> usize {
    console.width().min(WIDTH_MAX)
}

fn severity_style(severity: Severity) -> Style {
    match severity {
        Severity::Fatal => style::ERROR,
        Severity::Warning => style::WARNING,
        Severity::Note => style::DIM,
    }
}
