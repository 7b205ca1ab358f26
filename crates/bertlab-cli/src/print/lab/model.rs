//! T1 for a person.

use std::io::Write;

use bertlab_lab::{ModelTask, QueryModule};

use super::{headline, paragraph};
use crate::print::numbers::{grouped, shape};
use crate::print::{Console, module_tree, style};

/// What BERT calls its first query matrix; other families have other names.
const PATH_IN_BERT: &str = "encoder.layer.0.attention.self.query";

/// Columns of a bar for all parameters.
const BAR_WIDTH: f64 = 30.0;

pub(super) fn print(console: &mut Console, task: &ModelTask) -> anyhow::Result<()> {
    headline(console, "T1  What the model is made of")?;
    paragraph(
        console,
        "A model is a set of tensors: tables of numbers that training has found. The numbers are its parameters.",
    )?;
    let printed = task.printed;
    count(console, "tensors", task.counts.n_tensors, printed.map(|counts| counts.n_tensors))?;
    count(console, "parameters", task.counts.n_parameters, printed.map(|counts| counts.n_parameters))?;
    writeln!(console.out)?;
    print_parts(console, task)?;
    if let Some(pooler) = &task.pooler {
        paragraph(
            console,
            &format!(
                "The {} ({} parameters) is counted, but nothing below uses it: T2 and T3 read the tokens' vectors, which \
                 come before it.",
                pooler.name,
                grouped(pooler.n_parameters)
            ),
        )?;
    }
    for remark in &task.remarks {
        paragraph(console, &format!("At opening: {remark}."))?;
    }
    paragraph(console, "The modules as PyTorch prints them, equal layers folded, with their parameters:")?;
    module_tree::print(console, &task.tree)?;
    writeln!(console.out)?;
    print_query(console, &task.query)
}

fn count(console: &mut Console, name: &str, here: usize, printed: Option<usize>) -> anyhow::Result<()> {
    let (figure, dim) = (console.style(style::FIGURE), console.style(style::DIM));
    write!(console.out, "  {name:<11} {figure}{:>11}{figure:#}", grouped(here))?;
    if let Some(printed) = printed {
        let verdict = if printed == here { "agrees".to_owned() } else { format!("here {}", grouped(here)) };
        write!(console.out, "   {dim}the lab: {}, {verdict}{dim:#}", grouped(printed))?;
    }
    Ok(writeln!(console.out)?)
}

fn print_parts(console: &mut Console, task: &ModelTask) -> anyhow::Result<()> {
    let bar = console.style(style::BAR);
    for part in &task.parts {
        let blocks = "█".repeat((part.share * BAR_WIDTH).round().max(1.0) as usize);
        writeln!(
            console.out,
            "  {:<11} {:>11}  {:>5.1} %  {bar}{blocks}{bar:#}",
            part.name,
            grouped(part.n_parameters),
            100.0 * part.share
        )?;
    }
    Ok(writeln!(console.out)?)
}

fn print_query(console: &mut Console, query: &QueryModule) -> anyhow::Result<()> {
    let figure = console.style(style::FIGURE);
    let name = if query.path == PATH_IN_BERT { String::new() } else { format!(" (in BERT: {PATH_IN_BERT})") };
    paragraph(
        console,
        &format!("The query matrix of the first layer's attention, get_submodule('{}'){name}:", query.path),
    )?;
    writeln!(console.out, "  {}", query.text)?;
    writeln!(
        console.out,
        "  weight {figure}{}{figure:#}, mean {:.6}, standard deviation {:.6}\n",
        shape(&query.weight_shape),
        query.mean,
        query.std
    )?;
    paragraph(
        console,
        &format!(
            "The shape is [out, in]: a vector x becomes W x + b. The {} rows are {} heads, stacked: rows 0 to {} are the \
             first head, the next {} the second, and so on.",
            query.weight_shape[0],
            query.n_heads,
            query.head_width - 1,
            query.head_width
        ),
    )
}
