//! The charts of a report as separate SVG files.

use crate::chart::{confusion, lengths, scatter, svg};
use crate::html::{pairs, rows_by_length};
use crate::run::RunReport;
use crate::{chart, curves, html};
use bertlab_train::Scores;

/// A chart as an SVG file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plot {
    /// Name of the file, for example "loss.svg".
    pub file_name: String,
    /// SVG with a white background.
    pub svg: String,
}

/// All charts of a report.
pub fn plots(report: &RunReport) -> Vec<Plot> {
    let mut scenes = Vec::new();
    for curve in report.training.iter().flat_map(curves::all) {
        scenes.push((curve.file, curve.lines.scene()));
    }
    if let Some(facts) = &report.evaluation {
        match &facts.evaluation.scores {
            Scores::Classification(scores) => {
                if report.model.labels.len() <= confusion::LABELS_MAX {
                    scenes.push((
                        "confusion",
                        confusion::scene(&report.model.labels, &scores.confusion.counts),
                    ));
                }
                let ranges = lengths::ranges(rows_by_length(facts));
                if !ranges.is_empty() {
                    scenes.push(("accuracy_by_length", lengths::scene(&ranges, scores.accuracy)));
                }
            }
            Scores::Regression(_) => {
                let (wanted, found) = pairs(facts);
                if !wanted.is_empty() {
                    scenes.push(("answers", scatter::scene(&wanted, &found)));
                    scenes.push(("errors", scatter::residuals(&wanted, &found)));
                }
            }
            _ => {}
        }
        if let Some(calibration) = html::calibration_of(facts) {
            scenes.push(("calibration", chart::calibration::scene(calibration)));
        }
    }
    let plot = |(name, scene): (&str, chart::scene::Scene)| Plot {
        file_name: format!("{name}.svg"),
        svg: svg::file(&scene),
    };
    scenes.into_iter().map(plot).collect()
}
