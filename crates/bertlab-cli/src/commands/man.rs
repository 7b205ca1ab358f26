//! `bertlab man`: manual pages.

use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::{Command, CommandFactory};
use clap_mangen::Man;

use crate::args::GlobalArguments;
use crate::print::Console;
use crate::print::numbers::counted;
use crate::print::training::print_line;

/// Write manual pages, one for each command
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab man ~/.local/share/man/man1
  man bertlab-train")]
pub struct Arguments {
    /// The folder that they are written into; it is made where it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs the command.
pub fn run(arguments: Arguments, _global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder).with_context(|| format!("{}: it cannot be made", folder.display()))?;
    // Built, so that commands know their whole names and the options that all of them have.
    let mut program = crate::Arguments::command();
    program.build();
    let commands: Vec<Command> = program.get_subcommands().cloned().collect();
    for command in std::iter::once(&program).chain(&commands) {
        write(folder, command)?;
    }
    let pages = counted(commands.len() + 1, "manual page");
    print_line(console, "written", &format!("{pages} in {}", folder.display()))
}

fn write(folder: &Path, command: &Command) -> anyhow::Result<()> {
    let mut page = Vec::new();
    Man::new(command.clone()).render(&mut page).context("a page could not be made")?;
    let name = command.get_display_name().unwrap_or(command.get_name());
    let file = folder.join(format!("{name}.1"));
    std::fs::write(&file, page).with_context(|| format!("{}: it cannot be written", file.display()))
}
