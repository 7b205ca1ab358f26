//! `bertlab fill-mask`: what a masked-language model puts in the place of a mask.

use std::io::Write;
use std::num::NonZeroUsize;

use bertlab::explore::{MaskPrediction, fill_mask};
use bertlab::{HeadChoice, HeadKind, OpenOptions, OpenedModel};
use serde::Serialize;

use crate::args::{GlobalArguments, ModelArguments};
use crate::print::{Console, style};

/// Guess hidden words with a masked-language model
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab fill-mask bert-base-uncased \"Paris is the [MASK] of France.\"
  bertlab fill-mask roberta-base \"Paris is the <mask> of France.\" --top-k 10 --json")]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// A text with one or more masks
    #[arg(value_name = "TEXT")]
    text: String,
    /// How many candidates per mask
    #[arg(long, value_name = "K", default_value = "5")]
    top_k: NonZeroUsize,
    /// Print a JSON object: text, masks (position, candidates with token, id, score, sequence), is_trained
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Filled<'a> {
    text: &'a str,
    is_trained: bool,
    masks: Vec<MaskPrediction>,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let open = OpenOptions { head: HeadChoice::Kind(HeadKind::MaskedLm), ..OpenOptions::default() };
    let opened = arguments.model.open(open, global)?;
    let is_trained = tell_of_new_weights(console, &opened)?;
    let masks = fill_mask(&opened.model, opened.tokenizer()?, &arguments.text, arguments.top_k.get())?;
    if arguments.json {
        return console.json_line(&Filled { text: &arguments.text, is_trained, masks });
    }
    let has_many = masks.len() > 1;
    for (index, mask) in masks.iter().enumerate() {
        print(console, mask, has_many.then_some(index + 1))?;
    }
    Ok(())
}

/// Whether the head's weights come from the checkpoint; says so aloud if they do not.
fn tell_of_new_weights(console: &mut Console, opened: &OpenedModel) -> anyhow::Result<bool> {
    let report = &opened.report;
    let is_trained = report.new.is_empty();
    if !is_trained {
        console.report(report)?;
        console
            .warn("these predictions mean nothing: this checkpoint holds no masked-language-model head")?;
    }
    Ok(is_trained)
}

fn print(console: &mut Console, mask: &MaskPrediction, number: Option<usize>) -> anyhow::Result<()> {
    let (figure, heading) = (console.style(style::FIGURE), console.style(style::HEADING));
    let dim = console.style(style::DIM);
    if let Some(number) = number {
        writeln!(console.out, "mask {number}")?;
    }
    let width = mask.candidates.iter().map(|candidate| candidate.token.chars().count()).max().unwrap_or(0);
    for candidate in &mask.candidates {
        let (percent, token, sequence) = (100.0 * candidate.score, &candidate.token, &candidate.sequence);
        writeln!(
            console.out,
            "{figure}{percent:6.2} %{figure:#}  {heading}{token:<width$}{heading:#}  {dim}{sequence}{dim:#}"
        )?;
    }
    Ok(())
}
