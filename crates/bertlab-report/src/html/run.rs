//! The model, the time it took, and how to do it again.

use super::{facts, section};
use crate::markup::Markup;
use crate::number::{date, duration, grouped, percent};
use crate::run::{RunReport, Seconds};

pub(super) fn write(main: &mut Markup, report: &RunReport) {
    section(main, "Model", |section| {
        let model = &report.model;
        facts(
            section,
            &[
                ("name", model.name.clone()),
                ("class", model.class_name.clone()),
                ("parameters", grouped(model.n_parameters)),
                ("encoder", format!("{} layers, width {}", model.n_layers, grouped(model.width))),
                ("longest row", format!("{} tokens", grouped(model.tokens_max))),
            ],
        );
        for remark in &model.remarks {
            section.leaf("p", &[("class", "aside")], remark);
        }
    });
    if let Some(seconds) = report.training.as_ref().and_then(|training| training.seconds) {
        section(main, "Time", |section| write_seconds(section, seconds));
    }
    section(main, "Do it again", |section| {
        let repeat = &report.repeat;
        if let Some(command) = &repeat.command {
            section.within("pre", &[], |block| {
                block.within("code", &[], |code| write_command(code, command));
            });
        }
        let seed = report.training.as_ref().map(|training| training.arguments.seed.to_string());
        facts(
            section,
            &[
                ("seed", seed.unwrap_or_default()),
                ("bertlab", repeat.version.clone()),
                ("machine", repeat.machine.clone()),
                ("threads", if repeat.n_threads == 0 { String::new() } else { repeat.n_threads.to_string() }),
                ("written", date(repeat.written_at)),
            ],
        );
        let words =
            "The same rows, settings and seed give the same weights, bit for bit, on any number of threads.";
        section.leaf("p", &[("class", "aside")], words);
    });
}

/// Words that stay whole: a browser would break lines at hyphens.
fn write_command(code: &mut Markup, command: &str) {
    for word in command.split_inclusive(' ') {
        code.leaf("span", &[], word.trim_end()).text(&word[word.trim_end().len()..]);
    }
}

/// A bar of three parts would say no more than three numbers.
fn write_seconds(markup: &mut Markup, seconds: Seconds) {
    let total = seconds.training + seconds.evaluation + seconds.saving;
    let part =
        |value: f64| format!("{} ({})", duration(value), percent(value / total.max(f64::MIN_POSITIVE)));
    facts(
        markup,
        &[
            ("training", part(seconds.training)),
            ("evaluation", part(seconds.evaluation)),
            ("saving", part(seconds.saving)),
        ],
    );
}
