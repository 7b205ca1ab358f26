//! The section about calibration.

use super::{figure, section};
use crate::chart::calibration;
use crate::markup::Markup;
use crate::number::percent_number;
use crate::run::{EvaluationFacts, RunReport};
use bertlab_train::Scores;
use bertlab_train::metrics::calibration::Calibration;

pub(super) fn write(main: &mut Markup, report: &RunReport) {
    let Some(found) = report.evaluation.as_ref().and_then(of) else { return };
    section(main, "Calibration", |section| {
        section.leaf("p", &[], &words(found));
        section.within("div", &[("class", "charts")], |charts| {
            let caption = "On the dashed line probabilities equal accuracies; below it the model is \
                overconfident. Whiskers: 95 % intervals; grey: number of predictions.";
            figure(charts, "Reliability diagram", &calibration::scene(found), caption);
        });
    });
}

/// The calibration of predictions with probabilities.
pub(crate) fn of(facts: &EvaluationFacts) -> Option<&Calibration> {
    match &facts.evaluation.scores {
        Scores::Classification(scores) => scores.probabilities.as_ref().map(|found| &found.calibration),
        Scores::MultiLabel(scores) => scores.probabilities.as_ref().map(|found| &found.calibration),
        _ => None,
    }
}

fn words(calibration: &Calibration) -> String {
    let n_answers: usize = calibration.bins.iter().map(|bin| bin.n_answers).sum();
    let n_right: usize = calibration.bins.iter().map(|bin| bin.n_right).sum();
    let sum: f64 =
        calibration.bins.iter().filter_map(|bin| Some(bin.mean_probability? * bin.n_answers as f64)).sum();
    let (promised, kept) = (sum / n_answers as f64, n_right as f64 / n_answers as f64);
    format!(
        "Mean predicted probability {} %, accuracy {} %. Expected calibration error: {} points, the mean \
         difference of the two within each bin.",
        percent_number(promised),
        percent_number(kept),
        percent_number(calibration.expected_error)
    )
}
