//! `bertlab train --seeds`: the same training several times, and how far its figures are from chance.

use std::io::Write;

use bertlab::TrainJob;
use bertlab::train::{SEEDS_FILE, SeedRuns, SeedSummary, Seeds, Spread};

use crate::print::live::TerminalReporter;
use crate::print::training::{print_preparation, say_findings};
use crate::print::{Console, style};

/// Trains with every seed that is not done.
pub fn run(job: TrainJob, seeds: &Seeds, as_json: bool, console: &mut Console) -> anyhow::Result<()> {
    let output_dir = job.output_dir.clone();
    let mut runs = SeedRuns::prepare(job, seeds, &**console.bars())?;
    console.report(&runs.prepared().opened.report)?;
    if !as_json {
        print_preparation(console, runs.prepared())?;
    }
    say_findings(console, runs.prepared())?;
    let stop = crate::stop::on_signals()?;
    let (all, heading) = (runs.seeds().to_vec(), console.style(style::HEADING));
    for (index, &seed) in all.iter().enumerate() {
        let is_done = runs.result(seed).is_some();
        if !as_json {
            let done = if is_done { ": done before" } else { "" };
            writeln!(console.out, "{heading}seed {seed}{heading:#} ({} of {}){done}", index + 1, all.len())?;
            console.out.flush()?;
        }
        if !is_done {
            let mut reporter = TerminalReporter::new(console, as_json, stop.clone());
            let summary = runs.train(seed, &mut reporter);
            reporter.finish();
            summary?;
        }
    }
    let summary = runs.summary();
    if as_json {
        return console.json_line(&summary);
    }
    print_summary(console, &summary)?;
    Ok(writeln!(
        console.out,
        "models in {}/seed-N/final_model, figures in {SEEDS_FILE}",
        output_dir.display()
    )?)
}

/// A line per figure; then whether they say anything.
fn print_summary(console: &mut Console, summary: &SeedSummary) -> anyhow::Result<()> {
    let (heading, figure) = (console.style(style::HEADING), console.style(style::FIGURE));
    let title = format!("{} seeds", summary.runs.len());
    writeln!(
        console.out,
        "{heading}{title:<28}{:>9}   {:<9}{:>9}{:>9}{heading:#}",
        "mean", "spread", "min", "max"
    )?;
    let is_figure = |name: &&String| name.as_str() != "majority_baseline";
    for name in summary.metrics.keys().filter(is_figure) {
        let Spread { n, mean, standard_deviation, min, max } = summary.metrics[name];
        let spread = standard_deviation.map_or("-".to_owned(), |deviation| format!("{deviation:.4}"));
        write!(console.out, "{name:<28}{figure}{mean:>9.4}{figure:#} ± {spread:<9}{min:>9.4}{max:>9.4}")?;
        let defined = if n < summary.runs.len() { format!("  (of {n})") } else { String::new() };
        writeln!(console.out, "{defined}")?;
    }
    let Some((gain, spread)) = summary.gain_and_spread() else { return Ok(()) };
    let points = |share: f64| 100.0 * share;
    if gain <= 0.0 {
        console.warn(format!(
            "the mean accuracy is no better than always the commonest label ({:+.1} points)",
            points(gain)
        ))
    } else if spread > gain {
        console.warn(format!(
            "accuracy varies by ±{:.1} points from seed to seed, more than the {:.1} points by which it is better than \
             always the commonest label: this may be chance. More rows or epochs would tell",
            points(spread),
            points(gain)
        ))
    } else {
        Ok(writeln!(console.out, "better than always the commonest label by {:.1} points", points(gain))?)
    }
}
