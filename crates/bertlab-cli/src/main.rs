//! The bertlab program: words on the command line to calls of the library, and its answers to the terminal.

mod args;
mod commands;
mod flags;
mod print;
mod spelling;
mod stop;
mod words;

use std::process::ExitCode;

use anyhow::ensure;
use clap::{CommandFactory, FromArgMatches, Parser};

use args::GlobalArguments;
use bertlab::hint::spelled_by;
use commands::Command;
use print::Console;
use spelling::CommandLine;

/// Look into BERT-family encoders, embed with them, fine-tune and evaluate them.
#[derive(Parser)]
#[command(name = "bertlab", version, max_term_width = 100, disable_help_subcommand = true)]
struct Arguments {
    #[command(flatten)]
    global: GlobalArguments,
    #[command(subcommand)]
    command: Option<Command>,
}

fn main() -> ExitCode {
    let Arguments { global, command } = arguments();
    let mut console = Console::new(global.color, global.quiet);
    spelled_by(&CommandLine, || match run(&global, command, &mut console) {
        Ok(()) => ExitCode::SUCCESS,
        // Whoever reads our output (`head`, a pager) has seen enough.
        Err(error) if is_closed_pipe(&error) => ExitCode::SUCCESS,
        Err(error) if stop::is_interruption(&error) => {
            console.notice(&error);
            ExitCode::from(stop::EXIT_CODE)
        }
        Err(error) => {
            console.error(&error);
            ExitCode::FAILURE
        }
    })
}

/// What clap makes of the command line; where it is wrong, it says so and ends the program.
fn arguments() -> Arguments {
    let command = words::taking_negative_numbers(Arguments::command());
    let words = words::plain_words(&command, std::env::args_os());
    let mut matches = command.get_matches_from(words);
    Arguments::from_arg_matches_mut(&mut matches).unwrap_or_else(|error| error.exit())
}

fn run(global: &GlobalArguments, command: Option<Command>, console: &mut Console) -> anyhow::Result<()> {
    if let Some(n_threads) = global.threads {
        ensure!(bertlab::set_n_threads(n_threads.get()), "{n_threads} threads could not be started");
    }
    bertlab::set_default_progress(console.bars().clone());
    match command {
        Some(command) => command.run(global, console)?,
        None => commands::overview::run(console)?,
    }
    console.finish()
}

fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let is_closed = |cause: &std::io::Error| cause.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(is_closed))
}
