//! The section about regression: predictions and true values.

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
    section(main, "Predictions and true values", |section| {
        section.within("div", &[("class", "charts")], |charts| {
            let shown = wanted.len().div_ceil(scatter::DOTS_MAX);
            let caption = match shown {
                0 | 1 => {
                    "One dot per row; on the dashed line prediction and true value are equal.".to_owned()
                }
                every => format!("One dot for every {every} rows of {}.", grouped(wanted.len())),
            };
            figure(charts, "Predictions", &scatter::scene(&wanted, &found), &caption);
            let caption =
                "Above the dashed line the prediction is too high. A slope shows shrinkage towards the mean.";
            figure(charts, "Errors", &scatter::residuals(&wanted, &found), caption);
        });
    });
}

/// True values and predictions of all outputs.
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
