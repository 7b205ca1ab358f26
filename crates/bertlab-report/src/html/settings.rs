//! The section about settings; those that differ from their defaults come first.

use super::{section, table};
use crate::markup::Markup;
use crate::run::RunReport;
use crate::settings::settings;

pub(super) fn write(main: &mut Markup, report: &RunReport) {
    let Some(training) = &report.training else { return };
    let all = settings(&training.arguments);
    let n_changed = all.iter().filter(|setting| setting.default.is_some()).count();
    let (changed, rest) = all.split_at(n_changed);
    section(main, "Settings", |section| {
        if changed.is_empty() {
            section.leaf("p", &[], "All settings have their default values.");
        } else {
            let rows: Vec<Vec<String>> = changed
                .iter()
                .map(|setting| {
                    let default = setting.default.clone().unwrap_or_default();
                    vec![setting.name.clone(), setting.value.clone(), default]
                })
                .collect();
            table(section, &["setting", "value", "default"], &rows);
        }
        section.within("details", &[], |details| {
            details.leaf("summary", &[], "Settings with default values");
            let rows: Vec<Vec<String>> =
                rest.iter().map(|setting| vec![setting.name.clone(), setting.value.clone()]).collect();
            table(details, &["setting", "value"], &rows);
        });
    });
}
