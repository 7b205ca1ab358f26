//! `bertlab decode`: ids to text.

use std::io::Write;

use serde::Serialize;

use crate::args::GlobalArguments;
use crate::print::Console;

/// Turn token ids into text
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab decode bert-base-uncased 101 1045 2031 1037 2047 17368 999 102
  bertlab decode ./my-model 101 7592 102 --skip-special-tokens")]
pub struct Arguments {
    /// tiny, a folder with a tokenizer, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: String,
    /// Token ids
    #[arg(value_name = "ID", required = true)]
    ids: Vec<u32>,
    /// Leave [CLS], [SEP] and their like out
    #[arg(long)]
    skip_special_tokens: bool,
    /// Print a JSON object: text, tokens
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Decoded {
    text: String,
    tokens: Vec<String>,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let opened = bertlab::open_tokenizer(&arguments.model, global.offline)?;
    let text = opened.tokenizer.decode(&arguments.ids, arguments.skip_special_tokens)?;
    if arguments.json {
        let tokens = opened.tokenizer.tokens(&arguments.ids)?;
        return console.json_line(&Decoded { text, tokens });
    }
    writeln!(console.out, "{text}")?;
    Ok(())
}
