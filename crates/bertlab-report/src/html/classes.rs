//! The section about classes: confusion matrix, metrics by class, accuracy by length.

use super::{figure, section, table};
use crate::chart::{confusion, lengths};
use crate::markup::Markup;
use crate::number::{figure as number, grouped, percent, shortened};
use crate::run::{EvaluationFacts, RunReport};
use bertlab_data::Target;
use bertlab_train::Scores;
use bertlab_train::metrics::classification::{
    Average, Averages, ClassScores, ClassificationReport, ConfusionMatrix, likeliest,
};

/// Number of confused pairs listed if the matrix is too large.
const PAIRS_SHOWN: usize = 20;

pub(super) fn write(main: &mut Markup, report: &RunReport) {
    let Some(facts) = &report.evaluation else { return };
    match &facts.evaluation.scores {
        Scores::Classification(scores) => section(main, "Results by class", |section| {
            write_classes(section, facts, scores, &report.model.labels);
        }),
        Scores::MultiLabel(scores) => section(main, "Results by label", |section| {
            let auroc = |id: usize| scores.probabilities.as_ref().and_then(|found| found.auroc[id]);
            let averages = [
                ("micro", scores.micro_average.as_ref()),
                ("macro", Some(&scores.macro_average)),
                ("weighted", scores.weighted_average.as_ref()),
                ("samples", Some(&scores.samples_average)),
            ];
            write_table(section, &report.model.labels, &scores.labels, auroc, &averages);
        }),
        _ => {}
    }
}

fn write_classes(
    markup: &mut Markup,
    facts: &EvaluationFacts,
    scores: &ClassificationReport,
    labels: &[String],
) {
    let ranges = lengths::ranges(rows_by_length(facts));
    markup.within("div", &[("class", "charts")], |charts| {
        if labels.len() <= confusion::LABELS_MAX {
            let scene = confusion::scene(labels, &scores.confusion.counts);
            let caption =
                "Rows: true labels, columns: predictions; percentages are of the rows of each label.";
            figure(charts, "Confusion matrix", &scene, caption);
        }
        if !ranges.is_empty() {
            let scene = lengths::scene(&ranges, scores.accuracy);
            let caption = "Accuracy by text length, with 95 % intervals; dashed: all rows.";
            figure(charts, "Accuracy by length", &scene, caption);
        }
    });
    if labels.len() > confusion::LABELS_MAX {
        write_top_confusions(markup, labels, &scores.confusion);
    }
    let auroc = |id: usize| scores.probabilities.as_ref().and_then(|found| found.auroc.classes[id]);
    let averages = [("macro", Some(&scores.macro_average)), ("weighted", Some(&scores.weighted_average))];
    write_table(markup, labels, &scores.classes, auroc, &averages);
}

/// Number of tokens of each row, and whether its prediction is correct.
pub(crate) fn rows_by_length(facts: &EvaluationFacts) -> Vec<(usize, bool)> {
    let row = |(row, answer): (&crate::RowFacts, &bertlab_train::Answer)| match &row.target {
        Some(Target::Class(class)) => Some((row.n_tokens, likeliest(&answer.logits) == *class)),
        _ => None,
    };
    facts.answered().filter_map(row).collect()
}

/// The most frequently confused pairs of labels, for models with many labels.
fn write_top_confusions(markup: &mut Markup, labels: &[String], confusion: &ConfusionMatrix) {
    let mut pairs: Vec<(usize, usize, usize)> = Vec::new();
    for (label, counts) in confusion.counts.iter().enumerate() {
        let wrong = counts.iter().enumerate().filter(|&(answer, &count)| answer != label && count > 0);
        pairs.extend(wrong.map(|(answer, &count)| (count, label, answer)));
    }
    pairs.sort_by_key(|&(count, label, answer)| (std::cmp::Reverse(count), label, answer));
    let n_more = pairs.len().saturating_sub(PAIRS_SHOWN);
    let row = |&(count, label, answer): &(usize, usize, usize)| {
        let share = count as f64 / confusion.support(label) as f64;
        vec![labels[label].clone(), labels[answer].clone(), grouped(count), percent(share)]
    };
    markup.leaf("h3", &[], "Most frequent confusions");
    let rows: Vec<Vec<String>> = pairs.iter().take(PAIRS_SHOWN).map(row).collect();
    table(markup, &["label", "prediction", "rows", "of the label"], &rows);
    if n_more > 0 {
        markup.leaf("p", &[("class", "aside")], &format!("{} other pairs.", grouped(n_more)));
    }
}

fn write_table(
    markup: &mut Markup,
    labels: &[String],
    classes: &[ClassScores],
    auroc: impl Fn(usize) -> Option<f64>,
    averages: &[(&str, Option<&Averages>)],
) {
    let mut rows: Vec<Vec<String>> = Vec::new();
    for (id, scores) in classes.iter().enumerate() {
        let label = labels.get(id).map_or_else(|| id.to_string(), |label| shortened(label, 60));
        rows.push(vec![
            label,
            number(scores.precision),
            number(scores.recall),
            number(scores.f1),
            number(auroc(id)),
            grouped(scores.support),
        ]);
    }
    let mut is_any_undefined = false;
    for (name, averages) in averages {
        let Some(averages) = averages else { continue };
        let mut cell = |average: &Average| {
            is_any_undefined |= average.n_undefined > 0;
            format!("{}{}", number(Some(average.value)), if average.n_undefined > 0 { "*" } else { "" })
        };
        let cells = [&averages.precision, &averages.recall, &averages.f1].map(&mut cell);
        let [precision, recall, f1] = cells;
        rows.push(vec![format!("{name} average"), precision, recall, f1, String::new(), String::new()]);
    }
    table(markup, &["label", "precision", "recall", "F1", "AUROC", "rows"], &rows);
    if is_any_undefined {
        let words = "* Undefined metrics count as 0 in an average, as in scikit-learn.";
        markup.leaf("p", &[("class", "aside")], words);
    }
}
