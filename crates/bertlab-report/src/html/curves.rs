//! The section with training curves.

use super::{figure, section};
use crate::curves::{self, Curve};
use crate::markup::Markup;
use crate::run::RunReport;

/// The first `n_max` curves of a run: the loss, then the main evaluation metric.
pub(super) fn write_first(charts: &mut Markup, report: &RunReport, n_max: usize) {
    for curve in report.training.iter().flat_map(curves::all).take(n_max) {
        figure(charts, &curve.heading, &curve.lines.scene(), &curve.caption);
    }
}

pub(super) fn write(main: &mut Markup, report: &RunReport) {
    let curves: Vec<Curve> = report.training.iter().flat_map(curves::all).collect();
    if curves.is_empty() {
        return;
    }
    section(main, "Training curves", |section| {
        section.within("div", &[("class", "charts")], |charts| {
            for curve in &curves {
                figure(charts, &curve.heading, &curve.lines.scene(), &curve.caption);
            }
        });
    });
}
