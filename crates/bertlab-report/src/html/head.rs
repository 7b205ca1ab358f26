//! The head of a page: title, interpretation of the result, main metrics.

use crate::markup::Markup;
use crate::number::{date, figure, percent};
use crate::run::RunReport;
use crate::verdict::{Comparison, Tone, Verdict, verdict};

const STYLE: &str = include_str!("style.css");

/// Writes title and style sheet.
pub(super) fn write(head: &mut Markup, title: &str) {
    head.empty("meta", &[("charset", "utf-8")]);
    head.empty("meta", &[("name", "viewport"), ("content", "width=device-width, initial-scale=1")]);
    head.empty("meta", &[("name", "color-scheme"), ("content", "light dark")]);
    head.leaf("title", &[], title);
    head.within("style", &[], |style| {
        style.raw(STYLE);
    });
}

/// The title of a report.
pub(super) fn page_title(report: &RunReport) -> String {
    format!("{} – {}", kind(report), title(report))
}

fn kind(report: &RunReport) -> &'static str {
    if report.training.is_some() { "Training report" } else { "Evaluation report" }
}

/// The model and its data.
fn title(report: &RunReport) -> String {
    let model = &report.model.name;
    match report.splits.first().and_then(|split| split.files.first()) {
        Some(file) => format!("{model} on {file}"),
        None => model.clone(),
    }
}

/// Writes the heading of a report.
pub(super) fn write_verdict(main: &mut Markup, report: &RunReport) {
    let verdict = verdict(report);
    main.within("header", &[], |header| {
        let line = format!("{} · {}", kind(report), date(report.repeat.written_at));
        header.leaf("p", &[("class", "kind")], &line);
        header.leaf("p", &[("class", "about")], &title(report));
        header.leaf("h1", &[], &verdict.headline);
        write_meaning(header, &verdict);
    });
    write_figures(main, report);
}

/// Writes the interpretation of a result.
pub(super) fn write_meaning(markup: &mut Markup, verdict: &Verdict) {
    let tone = match verdict.tone {
        Tone::Better => "meaning better",
        Tone::Unclear => "meaning unclear",
        Tone::Bad => "meaning bad",
    };
    markup.leaf("p", &[("class", tone)], &verdict.meaning);
    if let Some(comparison) = &verdict.comparison {
        write_comparison(markup, comparison);
    }
    write_cautions(markup, verdict);
}

/// Writes a scale from 0 to 100 % with the metric, its interval and the baseline.
fn write_comparison(header: &mut Markup, comparison: &Comparison) {
    let at = |share: f64| format!("{:.2}%", 100.0 * share);
    let words = format!(
        "{}, interval {} to {}; {}: {}",
        percent(comparison.share),
        percent(comparison.interval.low),
        percent(comparison.interval.high),
        comparison.baseline_name,
        percent(comparison.baseline)
    );
    header.within("div", &[("class", "scale"), ("role", "img"), ("aria-label", &words)], |scale| {
        scale.within("div", &[("class", "track")], |track| {
            let width = at(comparison.interval.high - comparison.interval.low);
            let range = format!("left:{};width:{width}", at(comparison.interval.low));
            track.leaf("span", &[("class", "range"), ("style", &range)], "");
            let reached = format!("left:{}", at(comparison.share));
            track.leaf("span", &[("class", "reached"), ("style", &reached)], "");
            let left = format!("left:{}", at(comparison.baseline));
            track.leaf("span", &[("class", "baseline"), ("style", &left)], "");
        });
        scale.within("div", &[("class", "ends")], |ends| {
            for end in ["0 %", "50 %", "100 %"] {
                ends.leaf("span", &[], end);
            }
        });
        scale.within("p", &[("class", "legend")], |legend| {
            legend.leaf("i", &[("class", "key reached")], "").text("this model with 95 % interval");
            legend.leaf("i", &[("class", "key baseline")], "").text(&comparison.baseline_name);
        });
    });
}

fn write_cautions(header: &mut Markup, verdict: &Verdict) {
    if verdict.cautions.is_empty() {
        return;
    }
    header.within("ul", &[("class", "cautions")], |list| {
        for caution in &verdict.cautions {
            list.leaf("li", &[], caution);
        }
    });
}

/// Writes the main metrics as tiles, and all other metrics as a table.
fn write_figures(main: &mut Markup, report: &RunReport) {
    let Some(facts) = &report.evaluation else { return };
    let shown = facts.evaluation.main_metrics();
    main.within("div", &[("class", "tiles")], |tiles| {
        for (name, value) in &shown {
            tiles.within("div", &[], |tile| {
                tile.leaf("b", &[], &figure(*value));
                tile.leaf("span", &[], &words(name));
            });
        }
    });
    let more = facts.evaluation.metrics().split_off(shown.len());
    if more.is_empty() {
        return;
    }
    main.within("details", &[], |details| {
        details.leaf("summary", &[], "All metrics");
        let rows: Vec<Vec<String>> =
            more.into_iter().map(|(name, value)| vec![name.to_owned(), figure(value)]).collect();
        super::table(details, &["metric", "value"], &rows);
    });
}

/// The name of a metric in words.
fn words(name: &str) -> String {
    match name {
        "f1_macro" => "F1, macro".to_owned(),
        "f1_micro" => "F1, micro".to_owned(),
        "matthews_correlation" => "Matthews correlation".to_owned(),
        "auroc" => "AUROC".to_owned(),
        "mse" => "mean squared error".to_owned(),
        "mae" => "mean absolute error".to_owned(),
        "r_squared" => "R²".to_owned(),
        name => name.replace('_', " "),
    }
}
