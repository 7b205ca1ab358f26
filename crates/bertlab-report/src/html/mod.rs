//! `report.html`: one file without scripts and external resources.

mod calibration;
mod classes;
mod curves;
mod data;
mod head;
mod lab;
mod mistakes;
mod numbers;
mod run;
mod settings;
mod tagging;

pub(crate) use calibration::of as calibration_of;
pub(crate) use classes::rows_by_length;
pub use lab::lab_page;
pub(crate) use numbers::pairs;

use crate::chart::scene::Scene;
use crate::chart::svg;
use crate::markup::Markup;
use crate::run::RunReport;

/// The HTML page of a run or an evaluation.
pub fn page(report: &RunReport) -> String {
    document(&head::page_title(report), |main| write_sections(main, report))
}

/// A complete page; `fill` writes its sections.
fn document(title: &str, fill: impl FnOnce(&mut Markup)) -> String {
    let mut page = Markup::default();
    page.raw("<!DOCTYPE html>\n");
    page.within("html", &[("lang", "en")], |html| {
        html.within("head", &[], |inner| head::write(inner, title));
        html.within("body", &[], |body| {
            body.within("main", &[], fill);
        });
    });
    page.raw("\n");
    page.finish()
}

fn write_sections(main: &mut Markup, report: &RunReport) {
    head::write_verdict(main, report);
    curves::write(main, report);
    classes::write(main, report);
    tagging::write(main, report);
    numbers::write(main, report);
    calibration::write(main, report);
    mistakes::write(main, report);
    data::write(main, report);
    settings::write(main, report);
    run::write(main, report);
}

/// Writes a section with a heading.
fn section(main: &mut Markup, heading: &str, fill: impl FnOnce(&mut Markup)) {
    main.within("section", &[], |section| {
        section.leaf("h2", &[], heading);
        fill(section);
    });
}

/// Writes a chart with title and caption.
fn figure(markup: &mut Markup, name: &str, scene: &Scene, caption: &str) {
    markup.within("figure", &[], |figure| {
        figure.leaf("h3", &[], name);
        figure.append(svg::inline(scene));
        if !caption.is_empty() {
            figure.leaf("figcaption", &[], caption);
        }
    });
}

/// Writes a table; the first column has row headings, the others have numbers.
fn table(markup: &mut Markup, headings: &[&str], rows: &[Vec<String>]) {
    markup.within("div", &[("class", "wide")], |wide| {
        wide.within("table", &[], |table| {
            table.within("thead", &[], |head| {
                head.within("tr", &[], |row| {
                    for heading in headings {
                        row.leaf("th", &[("scope", "col")], heading);
                    }
                });
            });
            table.within("tbody", &[], |body| {
                for cells in rows {
                    body.within("tr", &[], |row| {
                        for (index, cell) in cells.iter().enumerate() {
                            if index == 0 {
                                row.leaf("th", &[("scope", "row")], cell);
                            } else {
                                row.leaf("td", &[], cell);
                            }
                        }
                    });
                }
            });
        });
    });
}

/// Writes names and values; empty values are omitted.
fn facts(markup: &mut Markup, pairs: &[(&str, String)]) {
    markup.within("dl", &[], |list| {
        for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
            list.within("div", &[], |pair| {
                pair.leaf("dt", &[], name);
                pair.leaf("dd", &[], value);
            });
        }
    });
}
