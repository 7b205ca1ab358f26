//! What an evaluation looks like.

use std::io::Write;

use bertlab::train::metrics::calibration::Calibration;
use bertlab::train::metrics::classification::{Average, Averages, ClassScores, ClassificationReport};
use bertlab::train::metrics::multilabel::MultiLabelReport;
use bertlab::train::{Evaluation, Scores};
use serde_json::{Map, Value, json};

use super::{Console, style, tagging};

/// The figures that a person watches, as "name value".
pub fn figure_lines(evaluation: &Evaluation) -> Vec<String> {
    let figure = |value: Option<f64>| value.map_or("undefined".to_owned(), |value| format!("{value:.4}"));
    evaluation.main_metrics().into_iter().map(|(name, value)| format!("{name} {}", figure(value))).collect()
}

/// Every figure as JSON; undefined is null.
pub fn scores_json(evaluation: &Evaluation, labels: &[String]) -> Value {
    let mut object = serde_json::Map::new();
    object.insert("n_rows".to_owned(), json!(evaluation.n_rows));
    for (name, value) in evaluation.metrics() {
        object.insert(name.to_owned(), json!(value));
    }
    match &evaluation.scores {
        Scores::Classification(report) => object.extend(classification_json(report, labels)),
        Scores::MultiLabel(report) => object.extend(multi_label_json(report, labels)),
        Scores::Regression(report) => {
            let interval = report.pearson_interval.map(|interval| [interval.low, interval.high]);
            object.insert("pearson_interval".to_owned(), json!(interval));
        }
        Scores::Tagging(report) => tagging::add_json(&mut object, report, labels),
        _ => {}
    }
    Value::Object(object)
}

fn classification_json(report: &ClassificationReport, labels: &[String]) -> Map<String, Value> {
    let interval = report.accuracy_interval;
    let probabilities = report.probabilities.as_ref();
    let auroc = |class: usize| probabilities.and_then(|found| found.auroc.classes[class]);
    object([
        ("accuracy_interval", json!([interval.low, interval.high])),
        ("confusion", json!(report.confusion.counts)),
        ("labels", json!(labels)),
        ("classes", classes_json(&report.classes, labels, auroc)),
        ("calibration", json!(probabilities.map(|found| calibration_json(&found.calibration)))),
    ])
}

fn multi_label_json(report: &MultiLabelReport, labels: &[String]) -> Map<String, Value> {
    let interval = report.subset_accuracy_interval;
    let probabilities = report.probabilities.as_ref();
    let auroc = |label: usize| probabilities.and_then(|found| found.auroc[label]);
    object([
        ("accuracy_interval", json!([interval.low, interval.high])),
        ("labels", json!(labels)),
        ("classes", classes_json(&report.labels, labels, auroc)),
        ("calibration", json!(probabilities.map(|found| calibration_json(&found.calibration)))),
    ])
}

fn classes_json(classes: &[ClassScores], labels: &[String], auroc: impl Fn(usize) -> Option<f64>) -> Value {
    let class = |(id, (scores, label)): (usize, (&ClassScores, &String))| {
        json!({
            "label": label, "precision": scores.precision, "recall": scores.recall, "f1": scores.f1,
            "auroc": auroc(id), "support": scores.support,
        })
    };
    classes.iter().zip(labels).enumerate().map(class).collect()
}

/// The bins that hold answers.
fn calibration_json(calibration: &Calibration) -> Value {
    let filled = calibration.bins.iter().filter(|bin| bin.n_answers > 0);
    filled
        .map(|bin| {
            json!({
                "above": bin.low, "to": bin.high, "n": bin.n_answers, "mean_probability": bin.mean_probability,
                "share_right": bin.share_right(),
            })
        })
        .collect()
}

fn object<const N: usize>(pairs: [(&str, Value); N]) -> Map<String, Value> {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// For a person.
pub fn print(console: &mut Console, evaluation: &Evaluation, labels: &[String]) -> anyhow::Result<()> {
    match &evaluation.scores {
        Scores::Classification(report) => print_classification(console, evaluation, report, labels),
        Scores::MultiLabel(report) => {
            figure_lines(evaluation).iter().try_for_each(|line| writeln!(console.out, "{line}"))?;
            writeln!(console.out)?;
            let [micro, weighted] = [report.micro_average, report.weighted_average];
            let averages = [
                ("micro", micro.as_ref()),
                ("macro", Some(&report.macro_average)),
                ("weighted", weighted.as_ref()),
                ("samples", Some(&report.samples_average)),
            ];
            print_classes(console, &report.labels, &averages, labels)
        }
        Scores::Tagging(report) => tagging::print(console, evaluation.loss, report, labels),
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
    writeln!(console.out, "MCC        {mcc}")?;
    if let Some(found) = &report.probabilities {
        let auroc = found.auroc_value().map_or("undefined".to_owned(), |auroc| format!("{auroc:.4}"));
        let of = if labels.len() == 2 {
            format!("of {:?}", labels[1])
        } else {
            "each label against the rest".to_owned()
        };
        writeln!(console.out, "AUROC      {auroc}   {dim}{of}{dim:#}")?;
        let error = found.calibration.expected_error;
        writeln!(console.out, "calibration error {error:.4}   {dim}Brier score {:.4}{dim:#}", found.brier)?;
    }
    writeln!(console.out)?;
    let averages = [("macro", Some(&report.macro_average)), ("weighted", Some(&report.weighted_average))];
    print_classes(console, &report.classes, &averages, labels)?;
    writeln!(console.out)?;
    print_confusion(console, report, labels)
}

fn print_classes(
    console: &mut Console,
    classes: &[ClassScores],
    all_averages: &[(&str, Option<&Averages>)],
    labels: &[String],
) -> anyhow::Result<()> {
    let dim = console.style(style::DIM);
    let width = label_width(labels).max("weighted".len());
    writeln!(
        console.out,
        "{dim}{:width$}  {:>9}  {:>9}  {:>9}  {:>7}{dim:#}",
        "label", "precision", "recall", "F1", "rows"
    )?;
    for (scores, label) in classes.iter().zip(labels) {
        let figures = [scores.precision, scores.recall, scores.f1].map(defined);
        writeln!(
            console.out,
            "{label:width$}  {:>9}  {:>9}  {:>9}  {:>7}",
            figures[0], figures[1], figures[2], scores.support
        )?;
    }
    all_averages.iter().try_for_each(|&(name, averages)| print_average(console, width, name, averages))
}

/// A line under a table of labels, where there is such an average.
pub fn print_average(
    console: &mut Console,
    width: usize,
    name: &str,
    averages: Option<&Averages>,
) -> anyhow::Result<()> {
    let Some(averages) = averages else { return Ok(()) };
    let dim = console.style(style::DIM);
    let figures = [&averages.precision, &averages.recall, &averages.f1].map(average);
    writeln!(
        console.out,
        "{dim}{name:width$}  {:>9}  {:>9}  {:>9}{dim:#}",
        figures[0], figures[1], figures[2]
    )?;
    Ok(())
}

/// A figure, or the word that there is none.
pub fn defined(value: Option<f64>) -> String {
    value.map_or("undefined".to_owned(), |value| format!("{value:.4}"))
}

/// A figure in which undefined ones count as 0, as scikit-learn has it; the star says so.
fn average(average: &Average) -> String {
    format!("{:.4}{}", average.value, if average.n_undefined > 0 { "*" } else { "" })
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
