//! T3 for a person.

use std::io::Write;

use bertlab_lab::LayersTask;

use super::{headline, paragraph, print_figure};
use crate::print::numbers::shape;
use crate::print::{Console, style};

/// Columns of a cosine of 1.
const BAR_WIDTH: f32 = 20.0;
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
    paragraph(
        console,
        "A word's vector starts as its entry in a table and is changed by every layer. CPU in sentence 1, how near it is to \
         what it will be at the end, and to GPU in sentence 3:",
    )?;
    print_by_layer(console, task)?;
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

/// A line for each hidden state: CPU against itself at the end, and against GPU.
fn print_by_layer(console: &mut Console, task: &LayersTask) -> anyhow::Result<()> {
    let bar = console.style(style::BAR);
    writeln!(console.out, "  {:<12}  {:<30}CPU ~ GPU", "hidden state", "CPU ~ itself at the end")?;
    for (state, (end, gpu)) in task.towards_last.iter().zip(&task.cpu_gpu).enumerate() {
        write!(console.out, "  {state:<12}")?;
        for (cosine, gap) in [(end, 20), (gpu, 0)] {
            let Some(cosine) = cosine else {
                write!(console.out, "  undefined{:gap$}", "")?;
                continue;
            };
            let blocks = (cosine.max(0.0) * BAR_WIDTH).round() as usize;
            let rest = if gap == 0 { 0 } else { BAR_WIDTH as usize - blocks };
            write!(console.out, "  {cosine:>7.4} {bar}{}{bar:#}{:rest$}", "█".repeat(blocks), "")?;
        }
        writeln!(console.out)?;
    }
    Ok(writeln!(console.out)?)
}
