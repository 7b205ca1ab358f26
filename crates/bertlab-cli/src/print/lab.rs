//! The lab for a person: what each step computes, in words, with its numbers.

mod layers;
mod model;
mod training;
mod words;

use std::io::Write;
use std::path::Path;

use bertlab_lab::{Figure, LabReport, NextStep};

use crate::print::{Console, prose, style};

pub use training::{print_after_training, print_before_training, print_training_heading};

/// T1 to T3.
pub fn print_exploration(console: &mut Console, name: &str, report: &LabReport) -> anyhow::Result<()> {
    print_introduction(console, name, report)?;
    model::print(console, &report.t1)?;
    words::print(console, &report.t2)?;
    layers::print(console, &report.t3)
}

fn print_introduction(console: &mut Console, name: &str, report: &LabReport) -> anyhow::Result<()> {
    let heading = console.style(style::HEADING);
    writeln!(console.out, "{heading}The lab \"Explore BERT\" on {name}{heading:#}\n")?;
    paragraph(console, &report.introduction())
}

/// Where the pictures are, and what to try next.
pub fn print_end(console: &mut Console, report: &Path, next: &[NextStep]) -> anyhow::Result<()> {
    headline(console, "What to try next")?;
    let (figure, dim) = (console.style(style::FIGURE), console.style(style::DIM));
    writeln!(console.out, "{figure}{}{figure:#} shows all of this as pictures.\n", report.display())?;
    for step in next {
        for line in prose::lines(&step.words, console.width().min(prose::WIDTH_MAX)) {
            writeln!(console.out, "{line}")?;
        }
        for line in step.command.lines() {
            writeln!(console.out, "  {dim}{line}{dim:#}")?;
        }
    }
    writeln!(console.out)?;
    paragraph(
        console,
        "Where bertlab is not installed, `cargo run --release --` stands for it; `cargo install --path crates/bertlab-cli` \
         puts it on the path.",
    )
}

/// A task's headline.
fn headline(console: &mut Console, text: &str) -> anyhow::Result<()> {
    let heading = console.style(style::HEADING);
    writeln!(console.out, "{heading}{text}\n{}{heading:#}", "─".repeat(text.chars().count()))?;
    Ok(())
}

/// Prose, broken into lines, and an empty line.
fn paragraph(console: &mut Console, text: &str) -> anyhow::Result<()> {
    for line in prose::lines(text, console.width().min(prose::WIDTH_MAX)) {
        writeln!(console.out, "{line}")?;
    }
    Ok(writeln!(console.out)?)
}

/// A cosine after its label, with what the lab prints where that is of this model.
fn print_figure(console: &mut Console, label: &str, width: usize, figure: &Figure) -> anyhow::Result<()> {
    let (number, dim) = (console.style(style::FIGURE), console.style(style::DIM));
    let value = figure.value.map_or("undefined".to_owned(), |value| format!("{value:.6}"));
    let comparison = comparison(figure);
    let gap = if comparison.is_empty() { "" } else { "   " };
    writeln!(console.out, "  {label:<width$}  {number}{value:>9}{number:#}{gap}{dim}{comparison}{dim:#}")?;
    Ok(())
}

/// `the lab: 0.755164, agrees`; nothing where the lab has nothing to say.
fn comparison(figure: &Figure) -> String {
    let Some(printed) = figure.printed else { return String::new() };
    let verdict = match (figure.agrees, figure.difference) {
        (Some(true), _) => "agrees".to_owned(),
        (_, Some(difference)) => format!("differs by {difference:+.1e}"),
        (_, None) => "undefined here".to_owned(),
    };
    format!("the lab: {printed:.6}, {verdict}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: Option<f64>, printed: Option<f64>, agrees: Option<bool>) -> Figure {
        let difference = value.zip(printed).map(|(value, printed)| value - printed);
        Figure { name: "cos".to_owned(), value, printed, difference, agrees }
    }

    #[test]
    fn a_figure_says_whether_it_agrees_or_by_how_much_it_differs() {
        assert_eq!(comparison(&figure(Some(0.5), None, None)), "");
        let agreeing = figure(Some(0.900_215_3), Some(0.900_215_208_530_426), Some(true));
        assert_eq!(comparison(&agreeing), "the lab: 0.900215, agrees");
        let differing = figure(Some(0.8802), Some(0.9002), Some(false));
        assert_eq!(comparison(&differing), "the lab: 0.900200, differs by -2.0e-2");
        assert_eq!(comparison(&figure(None, Some(0.5), Some(false))), "the lab: 0.500000, undefined here");
    }
}
