//! A regression's answers beside the wanted values.

use super::{figure, section};
use crate::chart::scatter;
use crate::markup::Markup;
use crate::number::grouped;
use crate::run::{EvaluationFacts, RunReport};
use bertlab_data::Target;
use bertlab_train::Scores;

pub(super) fn write(main: &mut Markup, report: &RunReport) {
    let Some(facts) = &report.evaluation else { return };
    let Scores::Regression(_) = &facts.evaluation.scores else { return };
    let (wanted, found) = pairs(facts);
    if wanted.is_empty() {
        return;
    }
    section(main, "Answers and wanted values", |section| {
        section.within("div", &[("class", "charts")], |charts| {
            let shown = wanted.len().div_ceil(scatter::DOTS_MAX);
            let caption = match shown {
                0 | 1 => "A dot for each row; on the dashed line answer and wanted value agree.".to_owned(),
                every => format!("A dot for one row in {every} of {}.", grouped(wanted.len())),
            };
            figure(charts, "Answers", &scatter::scene(&wanted, &found), &caption);
            let caption = "Above the dashed line the answer is too high. A slope means that answers keep to the middle.";
            figure(charts, "Errors", &scatter::residuals(&wanted, &found), caption);
        });
    });
}

/// Wanted values and answers, all outputs together.
pub(crate) fn pairs(facts: &EvaluationFacts) -> (Vec<f32>, Vec<f32>) {
    let (mut wanted, mut found) = (Vec::new(), Vec::new());
    for (row, answer) in facts.answered() {
        match &row.target {
            Some(Target::Value(value)) => wanted.push(*value),
            Some(Target::Values(values)) => wanted.extend_from_slice(values),
            _ => continue,
        }
        found.extend_from_slice(&answer.logits);
    }
    (wanted, found)
}
