//! What an evaluation looks like.

use std::io::Write;

use bertlab::train::metrics::classification::{Average, ClassificationReport};
use bertlab::train::{Evaluation, Scores};
use serde_json::{Value, json};

use super::{Console, style};

/// Every figure as "name value".
pub fn figure_lines(evaluation: &Evaluation) -> Vec<String> {
    let figure = |value: Option<f64>| value.map_or("undefined".to_owned(), |value| format!("{value:.4}"));
    evaluation.metrics().into_iter().map(|(name, value)| format!("{name} {}", figure(value))).collect()
}

/// Every figure as JSON; undefined is null.
pub fn scores_json(evaluation: &Evaluation, labels: &[String]) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("n_rows".to_owned(), json!(evaluation.n_rows));
    for (name, value) in evaluation.metrics() {
        object.insert(name.to_owned(), json!(value));
    }
    if let Scores::Classification(report) = &evaluation.scores {
        let interval = report.accuracy_interval;
        object.insert("accuracy_interval".to_owned(), json!([interval.low, interval.high]));
        object.insert("confusion".to_owned(), json!(report.confusion.counts));
        object.insert("labels".to_owned(), json!(labels));
        let classes = report.classes.iter().zip(labels).map(|(scores, label)| {
            json!({
                "label": label, "precision": scores.precision, "recall": scores.recall,
                "f1": scores.f1, "support": scores.support,
            })
        });
        object.insert("classes".to_owned(), classes.collect());
    }
    Value::Object(object)
}

/// For a person.
pub fn print(console: &mut Console, evaluation: &Evaluation, labels: &[String]) -> anyhow::Result<()> {
    match &evaluation.scores {
        Scores::Classification(report) => print_classification(console, evaluation, report, labels),
        _ => {
            figure_lines(evaluation).iter().try_for_each(|line| writeln!(console.out, "{line}"))?;
            Ok(())
        }
    }
}

fn print_classification(
    console: &mut Console,
    evaluation: &Evaluation,
    report: &ClassificationReport,
    labels: &[String],
) -> anyhow::Result<()> {
    let (figure, dim) = (console.style(style::FIGURE), console.style(style::DIM));
    let interval = report.accuracy_interval;
    writeln!(
        console.out,
        "accuracy   {figure}{:.4}{figure:#}   95 % interval {:.4} to {:.4}",
        report.accuracy, interval.low, interval.high
    )?;
    let baseline = &report.majority_baseline;
    writeln!(
        console.out,
        "baseline   {:.4}   {dim}always {:?}{dim:#}",
        baseline.share, labels[baseline.class]
    )?;
    writeln!(console.out, "loss       {:.4}", evaluation.loss)?;
    let mcc = report.matthews_correlation.map_or("undefined".to_owned(), |mcc| format!("{mcc:.4}"));
    writeln!(console.out, "MCC        {mcc}\n")?;
    print_classes(console, report, labels)?;
    writeln!(console.out)?;
    print_confusion(console, report, labels)
}

fn print_classes(
    console: &mut Console,
    report: &ClassificationReport,
    labels: &[String],
) -> anyhow::Result<()> {
    let dim = console.style(style::DIM);
    let width = label_width(labels).max("weighted".len());
    let defined = |value: Option<f64>| value.map_or("undefined".to_owned(), |value| format!("{value:.4}"));
    writeln!(
        console.out,
        "{dim}{:width$}  {:>9}  {:>9}  {:>9}  {:>7}{dim:#}",
        "label", "precision", "recall", "F1", "rows"
    )?;
    for (scores, label) in report.classes.iter().zip(labels) {
        let figures = [scores.precision, scores.recall, scores.f1].map(defined);
        writeln!(
            console.out,
            "{label:width$}  {:>9}  {:>9}  {:>9}  {:>7}",
            figures[0], figures[1], figures[2], scores.support
        )?;
    }
    // An undefined figure counts as 0 in an average, as scikit-learn has it; the star says so.
    let average =
        |average: &Average| format!("{:.4}{}", average.value, if average.n_undefined > 0 { "*" } else { "" });
    for (name, averages) in [("macro", &report.macro_average), ("weighted", &report.weighted_average)] {
        let figures = [&averages.precision, &averages.recall, &averages.f1].map(average);
        writeln!(
            console.out,
            "{dim}{name:width$}  {:>9}  {:>9}  {:>9}{dim:#}",
            figures[0], figures[1], figures[2]
        )?;
    }
    Ok(())
}

/// Labels down, answers across.
fn print_confusion(
    console: &mut Console,
    report: &ClassificationReport,
    labels: &[String],
) -> anyhow::Result<()> {
    const SHOWN_MAX: usize = 12;
    if labels.len() > SHOWN_MAX {
        writeln!(console.out, "the confusion matrix of {} labels is in --json", labels.len())?;
        return Ok(());
    }
    let dim = console.style(style::DIM);
    let width = label_width(labels).max("label \\ answer".len());
    write!(console.out, "{dim}{:width$}{dim:#}", "label \\ answer")?;
    for label in labels {
        write!(console.out, "  {label:>7}")?;
    }
    writeln!(console.out)?;
    for (label, counts) in labels.iter().zip(&report.confusion.counts) {
        write!(console.out, "{label:width$}")?;
        for (count, answer) in counts.iter().zip(labels) {
            let cell = answer.chars().count().max(7);
            write!(console.out, "  {count:>cell$}")?;
        }
        writeln!(console.out)?;
    }
    Ok(())
}

fn label_width(labels: &[String]) -> usize {
    labels.iter().map(|label| label.chars().count()).max().unwrap_or(0)
}
