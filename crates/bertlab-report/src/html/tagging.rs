//! The section about token classification: entities by type, or labels of words.

use super::{figure, section, table};
use crate::chart::confusion;
use crate::markup::Markup;
use crate::number::{figure as number, grouped};
use crate::run::RunReport;
use bertlab_train::Scores;
use bertlab_train::metrics::classification::ClassScores;
use bertlab_train::metrics::entities::EntityReport;

pub(super) fn write(main: &mut Markup, report: &RunReport) {
    let Some(facts) = &report.evaluation else { return };
    let Scores::Tagging(scores) = &facts.evaluation.scores else { return };
    match &scores.entities {
        Some(entities) => section(main, "Entities", |section| write_entities(section, entities)),
        None => section(main, "Results by label", |section| {
            let labels = report.model.labels.iter().zip(&scores.labels);
            let rows: Vec<Vec<String>> = labels.map(|(label, scores)| row(label, scores)).collect();
            table(section, &["label", "precision", "recall", "F1", "words"], &rows);
        }),
    }
    if scores.n_unread > 0 {
        let words =
            format!("{} words were removed by truncation and count as wrong.", grouped(scores.n_unread));
        main.leaf("p", &[("class", "aside")], &words);
    }
}

fn write_entities(markup: &mut Markup, entities: &EntityReport) {
    let mut rows: Vec<Vec<String>> =
        entities.scores.types.iter().map(|of_type| row(&of_type.name, &of_type.scores)).collect();
    rows.push(row("all types", &entities.scores.micro));
    table(markup, &["type", "precision", "recall", "F1", "entities"], &rows);
    let words = "An entity is correct if its words and its type are, as in seqeval.";
    markup.leaf("p", &[("class", "aside")], words);
    let mut names = entities.type_names.clone();
    names.push("(none)".to_owned());
    markup.within("div", &[("class", "charts")], |charts| {
        if names.len() <= confusion::LABELS_MAX {
            let scene = confusion::scene(&names, &entities.confusion.counts);
            let caption = "Rows: true types, columns: predicted types.";
            figure(charts, "Confusion of entity types", &scene, caption);
        }
        charts.within("figure", &[], |figure| {
            figure.leaf("h3", &[], "Types of errors");
            let errors = &entities.errors;
            let kinds = [
                ("correct", errors.n_right),
                ("correct words, wrong type", errors.n_wrong_type),
                ("wrong boundaries", errors.n_wrong_border),
                ("missed", errors.n_missed),
                ("spurious", errors.n_spurious),
            ];
            let rows: Vec<Vec<String>> =
                kinds.iter().map(|(name, n)| vec![(*name).to_owned(), grouped(*n)]).collect();
            table(figure, &["kind", "entities"], &rows);
        });
    });
}

fn row(name: &str, scores: &ClassScores) -> Vec<String> {
    let [precision, recall, f1] = [scores.precision, scores.recall, scores.f1].map(number);
    vec![name.to_owned(), precision, recall, f1, grouped(scores.support)]
}
