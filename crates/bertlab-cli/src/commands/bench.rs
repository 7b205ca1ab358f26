//! `bertlab bench`: how fast a model runs here.

use std::io::Write;

use bertlab::bench::{BenchJob, BenchResult, bench};
use bertlab::{HeadChoice, HeadKind, ModelOptions, OpenOptions, open_model};

use crate::args::{DtypeArguments, GlobalArguments};
use crate::print::{Console, numbers, style};

/// Measure speed and memory on random tokens
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab bench bert-base-uncased --batch 8 --seq 128
  bertlab bench ./my-model --batch 4 --seq 384 --dtype bf16 --train --json

A folder with config.json alone is enough: speed does not depend on the weights, so random ones are made.")]
pub struct Arguments {
    /// tiny, a folder, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: String,
    /// Rows
    #[arg(long, value_name = "B", default_value_t = 8)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=65_536))]
    batch: u32,
    /// Tokens of each
    #[arg(long, value_name = "S", default_value_t = 128)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    seq: u32,
    #[command(flatten)]
    dtype: DtypeArguments,
    /// A whole training step (forward, backward, update) instead of a forward pass
    #[arg(long)]
    train: bool,
    /// Counted runs
    #[arg(long, value_name = "N", default_value_t = 9)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=10_000))]
    runs: u32,
    /// Print a JSON object: median_ms, gflops, ceiling_gflops, peak_rss_mb, ...
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let kind = if arguments.train { HeadKind::SequenceClassification } else { HeadKind::None };
    let open = OpenOptions {
        head: HeadChoice::Kind(kind),
        allow_random: true,
        dtype: arguments.dtype.dtype,
        ..OpenOptions::default()
    };
    let mut opened = open_model(&arguments.model, &ModelOptions { open, offline: global.offline })?;
    if opened.report.format.is_none() {
        console.report(&opened.report)?;
    }
    let job = BenchJob {
        batch: arguments.batch as usize,
        seq: arguments.seq as usize,
        train: arguments.train,
        n_runs: arguments.runs as usize,
    };
    let result = bench(&mut opened.model, job)?;
    if arguments.json { console.json_line(&result) } else { print(console, &result) }
}

fn print(console: &mut Console, result: &BenchResult) -> anyhow::Result<()> {
    let figure = console.style(style::FIGURE);
    writeln!(
        console.out,
        "time      {figure}{:.2} ms{figure:#}, from {:.2} to {:.2}",
        result.median_ms, result.min_ms, result.max_ms
    )?;
    writeln!(console.out, "tokens    {} per second", numbers::grouped(result.tokens_per_second as usize))?;
    writeln!(
        console.out,
        "compute   {:.0} GFLOP/s, {:.0} % of the {:.0} that this machine's units gave",
        result.gflops,
        100.0 * result.gflops / result.ceiling_gflops,
        result.ceiling_gflops
    )?;
    if let Some(peak) = result.peak_rss_mb {
        writeln!(console.out, "memory    {peak:.0} MB at most")?;
    }
    Ok(())
}
