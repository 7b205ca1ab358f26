//! T4 for a person.

use std::io::Write;

use bertlab::PreparedTraining;
use bertlab::train::TrainingSummary;
use bertlab_lab::{FirstRows, LabSettings, LabTraining, TrainingTask};
use unicode_width::UnicodeWidthStr;

use super::{headline, paragraph};
use crate::print::matrix::shortened;
use crate::print::numbers::{counted, grouped};
use crate::print::training::{Summarized, print_preparation, print_summary};
use crate::print::{Console, area_chart, style};

/// Rows of the curve of the loss.
const CURVE_HEIGHT: usize = 8;
/// Its columns at most.
const CURVE_WIDTH_MAX: usize = 60;

/// What T4 is, and how it is done here.
pub fn print_training_heading(console: &mut Console, training: &LabTraining) -> anyhow::Result<()> {
    headline(console, "T4  Fine-tuning")?;
    const LABS: &str = "learning rate 2e-5, batches of 4 rows, 8 batches an update, one epoch";
    let how = match training.settings {
        LabSettings::AsInTheLab => format!("with the lab's settings: {LABS}, weight decay 0.01"),
        LabSettings::FewRows { learning_rate } => format!(
            "here on 280 short film reviews that bertlab brings, and judged by 100 others. The lab's settings ({LABS}) \
             would make 9 updates of them, too few to learn anything: here the learning rate is {learning_rate:.1e}, \
             8 rows are an update, and there are 10 epochs"
        ),
    };
    paragraph(
        console,
        &format!(
            "The encoder ({}) gets a classifier, and both are trained on labelled rows, {how}.",
            training.model
        ),
    )?;
    paragraph(
        console,
        "The lab takes the first 5,000 rows of IMDB's files, which are sorted by label: all 5,000 are negative, \"negative\" \
         is always right, and its accuracy of 1.0 means nothing. bertlab draws rows so that every label keeps its share, \
         counts labels before it trains, and prints the accuracy beside that of always giving the commonest label.",
    )?;
    console.finish()
}

/// What the lab's choice of rows would have been, and what the run will do.
pub fn print_before_training(
    console: &mut Console,
    first_rows: &[FirstRows],
    prepared: &PreparedTraining,
) -> anyhow::Result<()> {
    if !first_rows.is_empty() {
        paragraph(console, "The labels among the first rows of your files:")?;
        for rows in first_rows {
            print_first_rows(console, rows)?;
        }
        writeln!(console.out)?;
        paragraph(console, "The rows that are taken:")?;
    }
    print_preparation(console, prepared)?;
    writeln!(console.out)?;
    if prepared.plan().accumulation > 1 {
        paragraph(console, &steps(prepared))?;
    }
    for remark in prepared.opened.report.messages() {
        paragraph(console, &format!("At opening: {remark}."))?;
    }
    Ok(())
}

fn print_first_rows(console: &mut Console, rows: &FirstRows) -> anyhow::Result<()> {
    let (heading, dim) = (console.style(style::HEADING), console.style(style::DIM));
    let labels: Vec<String> =
        rows.labels.iter().map(|count| format!("{} {}", count.label, grouped(count.n_rows))).collect();
    let name = rows.file.file_name().unwrap_or(rows.file.as_os_str()).to_string_lossy();
    let which = if rows.n_rows < rows.n_rows_all {
        format!("the first {} of {}", grouped(rows.n_rows), grouped(rows.n_rows_all))
    } else {
        format!("all {}", grouped(rows.n_rows))
    };
    writeln!(console.out, "  {heading}{name}{heading:#} {dim}({which}){dim:#}: {}", labels.join(", "))?;
    if let Some(label) = rows.only_label() {
        writeln!(console.out, "    one label only: always saying \"{label}\" would be right every time")?;
    }
    Ok(())
}

/// How rows become updates.
fn steps(prepared: &PreparedTraining) -> String {
    let plan = prepared.plan();
    let (n_last, accumulation) = (plan.n_last_accumulation(), plan.accumulation);
    let last = if n_last < accumulation {
        format!("; the last has {n_last} of {accumulation} batches and takes the mean over their rows")
    } else {
        String::new()
    };
    format!(
        "{} are {}, and {accumulation} batches make an update: {}{last}. (The lab's 5,000 rows: 1,250 batches, 157 updates, \
         the last 2/8. Its version of the Trainer stopped at 156 and never learnt from the last 8 rows.)",
        counted(plan.n_rows, "row"),
        if plan.n_micro_batches == 1 {
            "1 batch".to_owned()
        } else {
            format!("{} batches", grouped(plan.n_micro_batches))
        },
        counted(plan.n_steps as usize, "update"),
    )
}

/// What came of it.
pub fn print_after_training(
    console: &mut Console,
    prepared: &PreparedTraining,
    summary: &TrainingSummary,
    task: &TrainingTask,
) -> anyhow::Result<()> {
    writeln!(console.out)?;
    print_summary(console, Summarized::of(prepared, summary), false)?;
    writeln!(console.out)?;
    print_curve(console, prepared)?;
    paragraph(
        console,
        "The accuracy is worth what it has above the baseline, within its interval: few rows leave it wide. The last state \
         is the result: the rows that judge it have chosen nothing.",
    )?;
    print_beside_the_lab(console, task)
}

/// The training loss over the run.
fn print_curve(console: &mut Console, prepared: &PreparedTraining) -> anyhow::Result<()> {
    let log = prepared.report.iter().filter_map(|report| report.training.as_ref()).flat_map(|run| &run.log);
    let losses: Vec<f64> = log.filter_map(|record| record.get("loss")?.as_f64()).collect();
    if losses.len() < 2 {
        return Ok(());
    }
    writeln!(console.out, "Training loss, from the first step to the last:\n")?;
    let bar = console.style(style::BAR);
    let width = console.width().saturating_sub(12).min(CURVE_WIDTH_MAX);
    for (label, line) in area_chart::lines(&losses, width, CURVE_HEIGHT) {
        writeln!(console.out, "  {label:>7} │{bar}{line}{bar:#}")?;
    }
    Ok(writeln!(console.out)?)
}

/// What the lab prints, and what was found here; nothing where the settings are not the lab's.
fn print_beside_the_lab(console: &mut Console, task: &TrainingTask) -> anyhow::Result<()> {
    let rows = task.beside_the_lab();
    let width = |column: usize| rows.iter().map(|row| row[column].width()).max().unwrap_or(0);
    let (first, second) = (width(0), width(1));
    if rows.is_empty() {
        return Ok(());
    }
    let (heading, dim) = (console.style(style::HEADING), console.style(style::DIM));
    writeln!(console.out, "{heading}{:first$}  {:second$}  here{heading:#}", "", "the lab")?;
    let room = console.width().saturating_sub(first + second + 4);
    for [name, printed, here] in &rows {
        let here = shortened(here, room);
        writeln!(console.out, "{name:first$}  {dim}{printed:second$}{dim:#}  {here}")?;
    }
    Ok(writeln!(console.out)?)
}
