//! `bertlab convert`: a checkpoint of any kind as safetensors, of the type that is wanted.

use std::path::PathBuf;

use bertlab::Dtype;
use clap::builder::TypedValueParser;
use serde_json::json;

use crate::args::GlobalArguments;
use crate::print::Console;
use crate::print::numbers::{bytes, grouped};
use crate::print::training::print_line;

/// Save a checkpoint anew, as safetensors in f32, bf16 or f16
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab convert ./old-model --output-dir new-model             pickles, shards, old names
  bertlab convert ./my-model --dtype bf16 --output-dir half-size

The folder opens in HuggingFace transformers as it is. Where MODEL holds sentence-transformers' files, they go along.")]
pub struct Arguments {
    /// tiny, a folder, or a name on the hub (bert-base-uncased, organisation/model)
    #[arg(value_name = "MODEL")]
    model: String,
    /// The type of the weights in the file: f32, bf16, f16; rounded to the nearest
    #[arg(long, value_name = "TYPE", default_value = "f32", hide_possible_values = true, value_parser = type_parser())]
    dtype: Dtype,
    /// A folder that is not there yet
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    /// Print a JSON object: class_name, n_parameters, bytes, folder
    #[arg(long)]
    json: bool,
}

fn type_parser() -> impl TypedValueParser<Value = Dtype> {
    clap::builder::PossibleValuesParser::new(["f32", "bf16", "f16"]).map(|word| {
        let dtype = Dtype::from_safetensors_name(&word.to_uppercase());
        dtype.expect("the parser lets only these names through")
    })
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let Arguments { model, dtype, output_dir, json } = arguments;
    let converted = bertlab::convert(&model, global.offline, dtype, &output_dir)?;
    console.report(&converted.report)?;
    if json {
        return console.json_line(&json!({
            "class_name": converted.class_name,
            "n_parameters": converted.n_parameters,
            "bytes": converted.n_bytes,
            "folder": output_dir,
        }));
    }
    let found = format!(
        "{}, {} parameters as {dtype}, {}",
        converted.class_name,
        grouped(converted.n_parameters),
        bytes(converted.n_bytes as usize)
    );
    print_line(console, "model", &found)?;
    print_line(console, "folder", &output_dir.display().to_string())
}
