//! `bertlab forward`: arrays in, arrays out.

use std::io::Write;
use std::path::PathBuf;

use bertlab::{HeadChoice, HeadKind, NamedArray, OpenOptions, forward};
use serde::Serialize;

use crate::args::{DtypeArguments, GlobalArguments, ModelArguments, head_parser};
use crate::print::{Console, numbers, style};

/// Run arrays through a model
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab forward ./my-model --inputs in.safetensors --outputs out.safetensors
  bertlab forward ./my-model --gradients --inputs a.safetensors --outputs b.safetensors

In: input_ids [rows, columns]; where wanted attention_mask, token_type_ids, and labels or start_positions \
and end_positions.
Out, as HuggingFace names them: last_hidden_state, hidden_states.I, attentions.I, pooler_output, logits, \
start_logits, end_logits, prediction_logits, seq_relationship_logits, loss, and grad.NAME with --gradients.")]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// A safetensors file of inputs
    #[arg(long, value_name = "FILE")]
    inputs: PathBuf,
    /// The safetensors file to write
    #[arg(long, value_name = "FILE")]
    outputs: PathBuf,
    /// Also write every parameter's gradient of the loss
    #[arg(long)]
    gradients: bool,
    /// Which head, instead of the one that config.json names
    #[arg(long, value_name = "HEAD", value_parser = head_parser())]
    head: Option<HeadKind>,
    /// Use random weights where the folder has none: for sizes and speed alone
    #[arg(long)]
    random_weights: bool,
    #[command(flatten)]
    dtype: DtypeArguments,
    /// Print a JSON object: the shape of every array written
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Written {
    outputs: PathBuf,
    shapes: serde_json::Map<String, serde_json::Value>,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let open = OpenOptions {
        head: arguments.head.map_or(HeadChoice::AsConfigured, HeadChoice::Kind),
        allow_random: arguments.random_weights,
        dtype: arguments.dtype.dtype,
        ..OpenOptions::default()
    };
    let opened = arguments.model.open(open, global)?;
    console.report(&opened.report)?;
    let arrays = forward::run(&opened.model, &arguments.inputs, &arguments.outputs, arguments.gradients)?;
    if arguments.json {
        let shape = |array: &NamedArray| (array.name.clone(), serde_json::json!(array.shape));
        let shapes = arrays.iter().map(shape).collect();
        return console.json_line(&Written { outputs: arguments.outputs, shapes });
    }
    print(console, &arrays)?;
    console.note(format!(
        "wrote {} to {}",
        numbers::counted(arrays.len(), "array"),
        arguments.outputs.display()
    ))
}

fn print(console: &mut Console, arrays: &[NamedArray]) -> anyhow::Result<()> {
    let dim = console.style(style::DIM);
    let width = arrays.iter().map(|array| array.name.len()).max().unwrap_or(0);
    for array in arrays {
        let value = match array.to_f32().as_deref() {
            Ok([value]) => format!("{value}"),
            _ => numbers::shape(&array.shape),
        };
        writeln!(console.out, "{:<width$}  {dim}{value}{dim:#}", array.name)?;
    }
    Ok(())
}
