//! What a training run looks like: what it will do, its lines, and what came of it.

use std::io::Write;
use std::time::Duration;

use bertlab::check::{Finding, Severity};
use bertlab::train::{Evaluation, Plan, Scores, TrainingSummary};
use bertlab::{HeldOutRows, LabelCounts, LabelledRows, PreparedTraining};
use serde_json::json;

use super::evaluation::{figure_lines, scores_json};
use super::numbers::{bytes, counted, grouped};
use super::prose::{fill, print_hanging};
use super::{Console, masked_lm, style, tagging};

/// Where the words of a line start, after its heading.
const INDENT: usize = 12;

/// A line with a heading; in a terminal it is wrapped, in a pipe it stays one.
pub fn print_line(console: &mut Console, name: &str, text: &str) -> anyhow::Result<()> {
    let heading = console.style(style::HEADING);
    print_hanging(console, console.width(), &format!("{heading}{name:<INDENT$}{heading:#}"), text)
}

/// Rows, labels, what was cut, and the steps to come.
pub fn print_preparation(console: &mut Console, prepared: &PreparedTraining) -> anyhow::Result<()> {
    print_rows(console, "training", &prepared.train)?;
    if let Some(rows) = &prepared.validation {
        print_rows(console, "validation", rows)?;
    }
    if let Some(held_out) = &prepared.held_out {
        print_line(console, "", &held_out_in_words(held_out))?;
    }
    if let Some(rows) = &prepared.test {
        print_rows(console, "test", rows)?;
    }
    if let Some(masking) = &prepared.masking {
        print_line(console, "hidden", &masked_lm::masking_in_words(masking.options()))?;
    }
    super::learning::print(console, prepared)?;
    let plan = plan_in_words(console, &prepared.plan());
    print_line(console, "plan", &plan)
}

/// The steps to come.
pub fn plan_in_words(console: &Console, plan: &Plan) -> String {
    let figure = console.style(style::FIGURE);
    let n_steps = counted(plan.n_steps as usize, "update step");
    format!("{figure}{n_steps}{figure:#}, {}", plan_details(plan))
}

/// Where validation rows come from that nobody gave.
fn held_out_in_words(held_out: &HeldOutRows) -> String {
    let share = 100.0 * held_out.n_rows as f64 / held_out.n_of as f64;
    let text = format!("held out of the {} ({share:.0} %)", counted(held_out.n_of, "training row"));
    match held_out.n_returned {
        0 => text,
        n => format!("{text}; {} more stayed, whose text is learnt from too", counted(n, "row")),
    }
}

/// The worst findings about the rows, one of a kind, and how many more there are.
pub fn say_findings(console: &mut Console, prepared: &PreparedTraining) -> anyhow::Result<()> {
    const SHOWN: usize = 4;
    let (notes, warnings): (Vec<_>, Vec<_>) =
        prepared.preflight.findings.iter().partition(|finding| finding.severity == Severity::Note);
    let is_first = |&(index, finding): &(usize, &&Finding)| {
        warnings[..index].iter().all(|before| before.kind != finding.kind)
    };
    let shown: Vec<&&Finding> =
        warnings.iter().enumerate().filter(is_first).map(|(_, finding)| finding).take(SHOWN).collect();
    for finding in &shown {
        console.warn(format!("{}: {}", finding.split, finding.sentence))?;
    }
    let more = [(warnings.len() - shown.len(), "more warning"), (notes.len(), "more note")];
    let more: Vec<String> =
        more.into_iter().filter(|(n, _)| *n > 0).map(|(n, noun)| counted(n, noun)).collect();
    if !more.is_empty() {
        console.note(format!("{} on the rows: see `bertlab check`", more.join(" and ")))?;
    }
    if prepared.validation.is_none() {
        console.note("nothing is evaluated while training: give --validation-file or --validation-share")?;
    }
    Ok(())
}

fn plan_details(plan: &Plan) -> String {
    let mut text = format!(
        "{} an epoch, each of {}",
        counted(plan.n_updates_per_epoch as usize, "step"),
        if plan.accumulation == 1 {
            "one batch".to_owned()
        } else {
            counted(plan.accumulation, "micro-batch")
        }
    );
    let last = plan.n_last_accumulation();
    if last != plan.accumulation {
        text += &format!(" (an epoch's last of {last})");
    }
    text + &format!("; {} tokens an epoch", grouped(plan.n_tokens))
}

fn print_rows(console: &mut Console, name: &str, rows: &LabelledRows) -> anyhow::Result<()> {
    let dim = console.style(style::DIM);
    let n_tokens: usize = rows.examples.iter().map(|example| example.input_ids.len()).sum();
    let text = match rows.of_texts {
        Some(counts) => masked_lm::rows_in_words(rows.examples.len(), n_tokens, counts),
        None => format!(
            "{}{dim}, {} tokens{dim:#}{}",
            counted(rows.examples.len(), "row"),
            grouped(n_tokens),
            label_list(rows.counts.as_ref())
        ),
    };
    print_line(console, name, &text)?;
    if rows.truncated.n_rows > 0 {
        let share = 100.0 * rows.truncated.n_rows as f64 / rows.examples.len() as f64;
        let text = format!(
            "{} ({share:.0} %) cut to {} tokens: {} tokens lost",
            counted(rows.truncated.n_rows, "row"),
            rows.truncated.max_length,
            grouped(rows.truncated.n_tokens)
        );
        print_line(console, "", &text)?;
    }
    if let Some(words) = &rows.of_words {
        print_line(console, "", &tagging::words_in_words(words))?;
    }
    Ok(())
}

/// `; negative 500, positive 500`
fn label_list(counts: Option<&LabelCounts>) -> String {
    const SHOWN: usize = 8;
    let Some(counts) = counts else { return String::new() };
    let named = counts.names.iter().zip(&counts.counts);
    let mut labels: Vec<String> =
        named.take(SHOWN).map(|(name, n)| format!("{name} {}", grouped(*n))).collect();
    if counts.names.len() > SHOWN {
        labels.push(format!("{} more labels", counts.names.len() - SHOWN));
    }
    format!("; {}", labels.join(", "))
}

/// What came of a run.
pub struct Summarized<'a> {
    /// How it went.
    pub summary: &'a TrainingSummary,
    /// The labels of the head, by id.
    pub labels: &'a [String],
    /// Tokens that an epoch reads.
    pub tokens_per_epoch: usize,
}

impl<'a> Summarized<'a> {
    /// Of a fine-tuning.
    pub fn of(prepared: &'a PreparedTraining, summary: &'a TrainingSummary) -> Self {
        let rows = prepared.train.examples.iter();
        Self {
            summary,
            labels: &prepared.opened.model.spec.head.labels,
            tokens_per_epoch: rows.map(|example| example.input_ids.len()).sum(),
        }
    }
}

/// What came of it.
pub fn print_summary(
    console: &mut Console,
    Summarized { summary, labels, tokens_per_epoch }: Summarized<'_>,
    as_json: bool,
) -> anyhow::Result<()> {
    if as_json {
        let seconds = |time: Duration| (time.as_secs_f64() * 1e3).round() / 1e3;
        let evaluation = summary.evaluation.as_ref();
        let scores = |evaluation| scores_json(evaluation, labels);
        return console.json_line(&json!({
            "final_model": summary.final_model,
            "n_steps": summary.n_steps,
            "stopped_early": summary.stopped_early,
            "diverged": summary.divergence.is_some(),
            "train_loss": summary.train_loss,
            "train_seconds": seconds(summary.train_time),
            "eval_seconds": seconds(summary.eval_time),
            "save_seconds": seconds(summary.save_time),
            "peak_memory_bytes": summary.peak_memory,
            "forecast": summary.forecast,
            "best_step": summary.loaded.as_ref().map(|best| best.global_step),
            "evaluation": evaluation.map(scores),
            "test": summary.test.as_ref().map(scores),
        }));
    }
    if let Some(divergence) = summary.divergence {
        console.warn(format!("{divergence}. {}", divergence_advice(summary)))?;
    }
    let (heading, figure) = (console.style(style::HEADING), console.style(style::FIGURE));
    let times = format!(
        "training {:.1} s ({} tokens an epoch), evaluation {:.1} s, saving {:.1} s",
        summary.train_time.as_secs_f64(),
        grouped(tokens_per_epoch),
        summary.eval_time.as_secs_f64(),
        summary.save_time.as_secs_f64()
    );
    print_line(console, "time", &times)?;
    if let Some(peak) = summary.peak_memory {
        let (peak, foreseen) = (bytes(peak as usize), bytes(summary.forecast.memory.peak as usize));
        print_line(console, "memory", &format!("{peak} at the peak ({foreseen} were foreseen)"))?;
    }
    if let Some(best) = &summary.loaded {
        writeln!(
            console.out,
            "{heading}best{heading:#}        step {} was better than the last: it was loaded",
            best.global_step
        )?;
    }
    if let Some(evaluation) = &summary.evaluation {
        print_worth(console, "validation", evaluation)?;
    }
    if let Some(evaluation) = &summary.test {
        print_worth(console, "test", evaluation)?;
    }
    writeln!(
        console.out,
        "{heading}model{heading:#}       {figure}{}{figure:#}",
        summary.final_model.display()
    )?;
    // Where it could not be written a warning has said so.
    let page = summary.final_model.with_file_name(bertlab::report::PAGE);
    if page.exists() {
        writeln!(console.out, "{heading}report{heading:#}      {}", page.display())?;
    }
    Ok(())
}

/// What to make of a run whose loss grew.
fn divergence_advice(summary: &TrainingSummary) -> &'static str {
    match summary.loaded {
        Some(_) => {
            "The model is that of an earlier step; try a smaller --learning-rate or a longer --warmup-ratio"
        }
        None => {
            "The model is not usable: train again with a smaller --learning-rate, or a longer --warmup-ratio"
        }
    }
}

/// Accuracy with its interval, beside the answer that needs no model.
fn print_worth(console: &mut Console, split: &str, evaluation: &Evaluation) -> anyhow::Result<()> {
    let (heading, figure) = (console.style(style::HEADING), console.style(style::FIGURE));
    match &evaluation.scores {
        Scores::Classification(report) => {
            let interval = report.accuracy_interval;
            let text = format!(
                "accuracy {figure}{:.1} %{figure:#} (95 %: {:.1} to {:.1}) on {}; always the commonest label: {:.1} %",
                100.0 * report.accuracy,
                100.0 * interval.low,
                100.0 * interval.high,
                counted(report.n_rows, &format!("{split} row")),
                100.0 * report.majority_baseline.share
            );
            print_line(console, "result", &text)
        }
        Scores::MaskedLm(scores) => {
            print_line(console, "result", &masked_lm::result_in_words(scores, figure))
        }
        Scores::Tagging(report) if report.entities.is_some() => {
            let entities = report.entities.as_ref().expect("the guard looked for them");
            print_line(console, "result", &tagging::result_in_words(entities, figure))
        }
        _ => {
            let figures = fill(figure_lines(evaluation), "  ", console.width().saturating_sub(INDENT));
            Ok(writeln!(
                console.out,
                "{heading}{:INDENT$}{heading:#}on {split}: {}",
                "result",
                hanging(&figures)
            )?)
        }
    }
}

/// Lines that begin under the first, which stands after a heading.
fn hanging(lines: &[String]) -> String {
    lines.join(&format!("\n{:INDENT$}", ""))
}
