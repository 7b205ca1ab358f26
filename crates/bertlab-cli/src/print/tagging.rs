//! What an evaluation of labels per word looks like: entities by type where the labels mark them, else labels.

use std::io::Write;

use anstyle::Style;
use bertlab::WordCounts;
use bertlab::train::metrics::classification::{Averages, ClassScores};
use bertlab::train::metrics::entities::{EntityReport, EntityScores};
use bertlab::train::metrics::interval::Interval;
use bertlab::train::metrics::tagging::TaggingReport;
use serde_json::{Map, Value, json};

use super::evaluation::{defined, print_average};
use super::numbers::{counted, grouped};
use super::{Console, style};

/// Confusions of more names than this are in the JSON alone.
const CONFUSION_SHOWN_MAX: usize = 12;

/// What stands in the JSON beside the figures.
pub fn add_json(object: &mut Map<String, Value>, report: &TaggingReport, labels: &[String]) {
    let range = |interval: &Interval| json!([interval.low, interval.high]);
    let mut set = |name: &str, value: Value| drop(object.insert(name.to_owned(), value));
    set("n_words", json!(report.n_words));
    set("n_words_unread", json!(report.n_unread));
    set("accuracy_interval", range(&report.accuracy_interval));
    set("labels", json!(labels));
    set(
        "classes",
        labels.iter().zip(&report.labels).map(|(name, scores)| scores_json("label", name, scores)).collect(),
    );
    set("confusion", json!(report.confusion.counts));
    let Some(entities) = &report.entities else { return };
    set("f1_interval", json!(entities.f1_interval.as_ref().map(range)));
    set("entity_types", types_json(&entities.scores));
    set("entity_types_strict", json!(entities.strict.as_ref().map(types_json)));
    set("entity_confusion", json!({"types": entities.type_names, "counts": entities.confusion.counts}));
    let errors = &entities.errors;
    set(
        "entity_errors",
        json!({
            "right": errors.n_right, "wrong_type": errors.n_wrong_type, "wrong_border": errors.n_wrong_border,
            "missed": errors.n_missed, "spurious": errors.n_spurious,
        }),
    );
}

fn types_json(scores: &EntityScores) -> Value {
    scores.types.iter().map(|kind| scores_json("type", &kind.name, &kind.scores)).collect()
}

fn scores_json(key: &str, name: &str, scores: &ClassScores) -> Value {
    json!({
        key: name, "precision": scores.precision, "recall": scores.recall, "f1": scores.f1,
        "support": scores.support,
    })
}

/// `entity F1 89.1 % (95 %: 88.3 to 90.0) on 5,942 entities; precision 88.0 %, recall 90.2 %; no entity at all: 0 %`
pub fn result_in_words(report: &EntityReport, figure: Style) -> String {
    let micro = &report.scores.micro;
    let percent =
        |value: Option<f64>| value.map_or("undefined".to_owned(), |value| format!("{:.1} %", 100.0 * value));
    let interval = report.f1_interval.map_or(String::new(), |interval| {
        format!(" (95 %: {:.1} to {:.1})", 100.0 * interval.low, 100.0 * interval.high)
    });
    format!(
        "entity F1 {figure}{}{figure:#}{interval} on {}; precision {}, recall {}; no entity at all: 0 %",
        percent(micro.f1),
        counted_entities(micro.support),
        percent(micro.precision),
        percent(micro.recall)
    )
}

/// What became of the words of a split.
pub fn words_in_words(words: &WordCounts) -> String {
    let mut text = counted(words.n_words, "word");
    if words.was_iob1 {
        text += "; their tags are IOB1, read as IOB2 (--tag-scheme keep leaves them)";
    }
    if words.n_unread > 0 {
        text += &format!(
            "; {} cut off or without a token: not learnt, and in an evaluation answered \"O\" ({} with another label)",
            counted(words.n_unread, "word"),
            grouped(words.n_unread_labelled)
        );
    }
    text
}

/// For a person.
pub fn print(
    console: &mut Console,
    loss: f64,
    report: &TaggingReport,
    labels: &[String],
) -> anyhow::Result<()> {
    if let Some(entities) = &report.entities {
        print_entities(console, entities, report.n_sentences)?;
    }
    let (figure, dim) = (console.style(style::FIGURE), console.style(style::DIM));
    let interval = report.accuracy_interval;
    writeln!(
        console.out,
        "accuracy   {figure}{:.4}{figure:#}   95 % interval {:.4} to {:.4} {dim}of {}{dim:#}",
        report.accuracy,
        interval.low,
        interval.high,
        counted(report.n_words, "word")
    )?;
    let baseline = &report.majority_baseline;
    let f1 = if report.entities.is_some() { ", with an F1 of 0" } else { "" };
    writeln!(
        console.out,
        "baseline   {:.4}   {dim}always {:?}{f1}{dim:#}",
        baseline.share, labels[baseline.class]
    )?;
    writeln!(console.out, "loss       {loss:.4}\n")?;
    match &report.entities {
        Some(entities) => print_types(console, entities),
        None => print_labels(console, report, labels),
    }
}

fn print_entities(console: &mut Console, report: &EntityReport, n_sentences: usize) -> anyhow::Result<()> {
    let (figure, dim) = (console.style(style::FIGURE), console.style(style::DIM));
    let micro = &report.scores.micro;
    let interval = report.f1_interval.map_or(String::new(), |interval| {
        format!("   95 % interval {:.4} to {:.4}", interval.low, interval.high)
    });
    writeln!(
        console.out,
        "F1         {figure}{}{figure:#}{interval} {dim}of {} in {}{dim:#}",
        defined(micro.f1),
        counted_entities(micro.support),
        counted(n_sentences, "sentence")
    )?;
    writeln!(console.out, "precision  {}", defined(micro.precision))?;
    writeln!(console.out, "recall     {}", defined(micro.recall))?;
    if let Some(strict) = &report.strict {
        let f1 = defined(strict.micro.f1);
        writeln!(console.out, "strict F1  {f1}   {dim}where only B- begins an entity{dim:#}")?;
    }
    Ok(())
}

fn counted_entities(n: usize) -> String {
    if n == 1 { "1 entity".to_owned() } else { format!("{} entities", grouped(n)) }
}

fn print_types(console: &mut Console, report: &EntityReport) -> anyhow::Result<()> {
    let scores = &report.scores;
    let rows: Vec<(&str, &ClassScores)> =
        scores.types.iter().map(|kind| (kind.name.as_str(), &kind.scores)).collect();
    print_table(
        console,
        ["type", "entities"],
        &rows,
        scores.macro_average.as_ref(),
        scores.weighted_average.as_ref(),
    )?;
    let mut names = report.type_names.clone();
    names.push("none".to_owned());
    print_confusion(console, "type \\ answer", &names, &report.confusion.counts)?;
    let errors = &report.errors;
    let dim = console.style(style::DIM);
    writeln!(
        console.out,
        "\n{} right, {} of another type, {} with other borders, {} missed; {} answers where none is\n\
         {dim}a confusion: an answer on the same words; none: no entity there{dim:#}",
        grouped(errors.n_right),
        grouped(errors.n_wrong_type),
        grouped(errors.n_wrong_border),
        grouped(errors.n_missed),
        grouped(errors.n_spurious)
    )?;
    Ok(())
}

fn print_labels(console: &mut Console, report: &TaggingReport, labels: &[String]) -> anyhow::Result<()> {
    let rows: Vec<(&str, &ClassScores)> = labels.iter().map(String::as_str).zip(&report.labels).collect();
    let averages = (Some(&report.macro_average), Some(&report.weighted_average));
    print_table(console, ["label", "words"], &rows, averages.0, averages.1)?;
    print_confusion(console, "label \\ answer", labels, &report.confusion.counts)
}

/// A line per name, and the averages below.
fn print_table(
    console: &mut Console,
    [name, unit]: [&str; 2],
    rows: &[(&str, &ClassScores)],
    macro_average: Option<&Averages>,
    weighted_average: Option<&Averages>,
) -> anyhow::Result<()> {
    let dim = console.style(style::DIM);
    let widest = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
    let width = widest.max("weighted".len());
    writeln!(
        console.out,
        "{dim}{name:width$}  {:>9}  {:>9}  {:>9}  {unit:>8}{dim:#}",
        "precision", "recall", "F1"
    )?;
    for (name, scores) in rows {
        let figures = [scores.precision, scores.recall, scores.f1].map(defined);
        let support = grouped(scores.support);
        writeln!(
            console.out,
            "{name:width$}  {:>9}  {:>9}  {:>9}  {support:>8}",
            figures[0], figures[1], figures[2]
        )?;
    }
    print_average(console, width, "macro", macro_average)?;
    print_average(console, width, "weighted", weighted_average)
}

/// Names down, answers across.
fn print_confusion(
    console: &mut Console,
    corner: &str,
    names: &[String],
    counts: &[Vec<usize>],
) -> anyhow::Result<()> {
    if names.len() > CONFUSION_SHOWN_MAX {
        writeln!(console.out, "\nthe confusions of {} names are in --json", names.len())?;
        return Ok(());
    }
    let dim = console.style(style::DIM);
    let cell = |name: &String| name.chars().count().max(6);
    let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(corner.len());
    write!(console.out, "\n{dim}{corner:width$}{dim:#}")?;
    for name in names {
        write!(console.out, "  {name:>0$}", cell(name))?;
    }
    writeln!(console.out)?;
    for (name, row) in names.iter().zip(counts) {
        write!(console.out, "{name:width$}")?;
        for (count, answer) in row.iter().zip(names) {
            write!(console.out, "  {:>1$}", grouped(*count), cell(answer))?;
        }
        writeln!(console.out)?;
    }
    Ok(())
}
