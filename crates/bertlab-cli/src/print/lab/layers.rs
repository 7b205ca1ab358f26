//! T3 for a person.

use std::io::Write;

use bertlab::lab::LayersTask;

use super::{headline, paragraph, print_figure};
use crate::print::Console;
use crate::print::numbers::shape;

/// Columns of the longest label.
const LABEL_WIDTH: usize = 42;

pub(super) fn print(console: &mut Console, task: &LayersTask) -> anyhow::Result<()> {
    headline(console, "T3  All hidden states")?;
    let n = task.n_hidden_states;
    paragraph(
        console,
        &format!(
            "There are {n} hidden states, each {}: hidden_states[0] is the embeddings' output, 1 to {} are the layers', \
             and the last one is last_hidden_state.",
            shape(&task.shape),
            n - 1
        ),
    )?;
    let averaged = match task.n_averaged {
        n_averaged if n_averaged < n => format!("The mean of the last {n_averaged} of them"),
        n_averaged => format!("The mean of all {n_averaged} of them (the lab takes the last four)"),
    };
    paragraph(
        console,
        &format!("{averaged} for CPU in sentence 1, against T2's vector of CPU, as the lab compares them:"),
    )?;
    print_figure(console, "mean of layers ~ T2's CPU", LABEL_WIDTH, &task.last_four)?;
    writeln!(console.out)?;
    paragraph(
        console,
        "Two things change at once there: the layers, and the occurrences (T2's CPU is the mean of sentences 1 and 2). \
         One at a time:",
    )?;
    print_figure(console, "layers only (sentence 1, mean ~ last)", LABEL_WIDTH, &task.layers_only)?;
    let occurrences = "occurrences only (last layer, 1 ~ 1 and 2)";
    print_figure(console, occurrences, LABEL_WIDTH, &task.occurrences_only)?;
    Ok(writeln!(console.out)?)
}
