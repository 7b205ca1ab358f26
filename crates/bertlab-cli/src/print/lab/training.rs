//! T4 for a person.

use std::io::Write;

use bertlab::PreparedTraining;
use bertlab::lab::FirstRows;
use bertlab::train::TrainingSummary;

use super::{headline, paragraph};
use crate::print::numbers::{counted, grouped};
use crate::print::prose::quoted;
use crate::print::training::{Summarized, print_preparation, print_summary};
use crate::print::{Console, style};

const SETTINGS: &str =
    "learning rate 2e-5, batches of 4 rows, 8 batches an update, one epoch, weight decay 0.01";

/// What T4 is.
pub fn print_training_heading(console: &mut Console) -> anyhow::Result<()> {
    headline(console, "T4  Fine-tuning")?;
    paragraph(
        console,
        &format!(
            "The encoder gets a classifier, and both are trained on labelled rows, with the lab's settings: {SETTINGS}."
        ),
    )?;
    console.finish()
}

/// T4 for those who did not ask for it: what it would do, and how.
pub fn print_what_training_would_do(console: &mut Console, model: &str) -> anyhow::Result<()> {
    headline(console, "T4  Fine-tuning")?;
    paragraph(
        console,
        &format!(
            "With --train the encoder gets a classifier, and both are trained on your labelled rows, with the lab's \
             settings: {SETTINGS}. The lab's 5,000 rows are 1,250 batches, so 157 updates, the last of 2 batches \
             instead of 8."
        ),
    )?;
    paragraph(
        console,
        "The lab's accuracy of 1.0 means nothing: IMDB's files are sorted by label, so that its first 5,000 rows are \
         all negative, and \"negative\" is always right. bertlab lets every label keep its share, counts labels before \
         it trains, and prints the accuracy beside that of always giving the commonest label.",
    )?;
    let dim = console.style(style::DIM);
    writeln!(console.out, "{dim}  bertlab lab {} --train \\{dim:#}", quoted(model))?;
    writeln!(console.out, "{dim}      --train-file train.parquet --validation-file test.parquet{dim:#}")?;
    Ok(())
}

/// What the lab's choice of rows would have been, and what the run will do.
pub fn print_before_training(
    console: &mut Console,
    first_rows: &[FirstRows],
    prepared: &PreparedTraining,
) -> anyhow::Result<()> {
    paragraph(
        console,
        "The lab takes the first 5,000 rows of each file, and IMDB's files are sorted by label: all 5,000 are negative, \
         and its accuracy of 1.0 means nothing. The labels among the first rows of your files:",
    )?;
    for rows in first_rows {
        print_first_rows(console, rows)?;
    }
    writeln!(console.out)?;
    paragraph(console, "bertlab draws rows so that every label keeps its share:")?;
    print_preparation(console, prepared)?;
    writeln!(console.out)?;
    paragraph(console, &steps(prepared))
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
) -> anyhow::Result<()> {
    writeln!(console.out)?;
    print_summary(console, Summarized::of(prepared, summary), false)?;
    writeln!(console.out)?;
    paragraph(
        console,
        "The accuracy is worth what it has above the baseline, within its interval: few rows leave it wide. One epoch \
         leaves one checkpoint, so there was no best one to choose.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(quoted("../all-MiniLM-L6-v2"), "../all-MiniLM-L6-v2");
        assert_eq!(quoted("my model"), "'my model'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }
}
