//! `bertlab completions`: what a shell needs to complete command lines.

use std::io::Write;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::GlobalArguments;
use crate::print::Console;

/// Print a script by which a shell completes bertlab's command lines
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab completions bash > ~/.local/share/bash-completion/completions/bertlab
  bertlab completions zsh > \"${fpath[1]}/_bertlab\"
  bertlab completions fish > ~/.config/fish/completions/bertlab.fish")]
pub struct Arguments {
    /// Which shell
    #[arg(value_name = "SHELL")]
    shell: Shell,
}

/// Runs the command.
pub fn run(arguments: Arguments, _global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let mut script = Vec::new();
    // Written into memory first: the generator panics where a reader has gone.
    clap_complete::generate(arguments.shell, &mut crate::Arguments::command(), "bertlab", &mut script);
    Ok(console.out.write_all(&script)?)
}
