//! `bertlab lab`: the lab "Explore BERT", task by task, on any model.

use std::io::Write;
use std::path::PathBuf;

use bertlab::lab::{LabReport, LabTraining, SAMPLES, TrainingTask};
use bertlab::{Columns, HeadChoice, HeadKind, ModelOptions, OpenOptions, PreparedTraining, open_model};

use crate::args::GlobalArguments;
use crate::print::live::TerminalReporter;
use crate::print::progress::RowBars;
use crate::print::{Console, lab};
use crate::stop::Stop;

/// Walk through the lab "Explore BERT" on a model
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab lab bert-base-uncased
  bertlab lab ./all-MiniLM-L6-v2 --json
  bertlab lab distilbert-base-uncased --train --train-file train.parquet \\
      --validation-file test.parquet
  bertlab lab ./all-MiniLM-L6-v2 --train --train-file reviews.csv --validation-file held-out.csv \\
      --max-train-samples 1000 --max-eval-samples 1000 --output-dir lab-run

T1 what the model is made of, T2 words in context, T3 all hidden states, T4 fine-tuning with the \
lab's settings. On bert-base-uncased the lab's printed figures stand beside the numbers.")]
pub struct Arguments {
    /// A folder, or a name on the hub (bert-base-uncased, organisation/model)
    #[arg(value_name = "MODEL")]
    model: String,
    /// Of new weights, and in T4 of the choice of rows, their order and dropout
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Print a JSON object: likeness, t1, t2, t3, t4
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    training: TrainingFlags,
}

/// T4.
#[derive(clap::Args)]
#[command(next_help_heading = "T4, fine-tuning")]
struct TrainingFlags {
    /// Do T4 too: fine-tune on one's own rows, with the lab's settings
    #[arg(long, requires_all = ["train_file", "validation_file"])]
    train: bool,
    /// Rows to learn from; several files are read one after the other
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "train")]
    train_file: Vec<PathBuf>,
    /// Rows to evaluate on
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "train")]
    validation_file: Vec<PathBuf>,
    /// The column that holds the texts [default: found by its name]
    #[arg(long, value_name = "NAME", requires = "train")]
    text_column: Option<String>,
    /// The column that holds the labels [default: found by its name]
    #[arg(long, value_name = "NAME", requires = "train")]
    label_column: Option<String>,
    /// Learn from so many rows at most, every label keeping its share
    #[arg(long, value_name = "N", default_value_t = SAMPLES, requires = "train")]
    max_train_samples: usize,
    /// Evaluate on so many rows at most
    #[arg(long, value_name = "N", default_value_t = SAMPLES, requires = "train")]
    max_eval_samples: usize,
    /// Cut texts to so many tokens [default: what the model takes]
    #[arg(long, value_name = "N", requires = "train")]
    max_length: Option<usize>,
    /// Where T4 writes: a folder that is not there yet, or empty
    #[arg(long, value_name = "DIR", default_value = "bertlab-lab-output", requires = "train")]
    output_dir: PathBuf,
}

impl Arguments {
    /// What T4 needs; none where it is not asked for.
    fn training(&self, global: &GlobalArguments) -> Option<LabTraining> {
        let flags = &self.training;
        let columns = Columns {
            text: flags.text_column.clone(),
            pair: None,
            label: flags.label_column.clone(),
            ..Columns::default()
        };
        flags.train.then(|| LabTraining {
            model: self.model.clone(),
            offline: global.offline,
            train_files: flags.train_file.clone(),
            validation_files: flags.validation_file.clone(),
            columns,
            max_train_samples: flags.max_train_samples,
            max_eval_samples: flags.max_eval_samples,
            max_length: flags.max_length,
            seed: self.seed,
            output_dir: flags.output_dir.clone(),
        })
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let training = arguments.training(global);
    training.as_ref().map_or(Ok(()), LabTraining::check)?;
    let mut report = explore(&arguments, global, console)?;
    if !arguments.json {
        lab::print_exploration(console, &arguments.model, &report)?;
    }
    match &training {
        Some(training) => report.t4 = Some(fine_tune(training, arguments.json, console)?),
        None if !arguments.json => lab::print_what_training_would_do(console, &arguments.model)?,
        None => {}
    }
    if arguments.json { console.json_line(&report) } else { Ok(()) }
}

/// T1 to T3, on the bare encoder as in the lab.
fn explore(
    arguments: &Arguments,
    global: &GlobalArguments,
    console: &mut Console,
) -> anyhow::Result<LabReport> {
    let open = OpenOptions {
        head: HeadChoice::Kind(HeadKind::None),
        seed: arguments.seed,
        ..OpenOptions::default()
    };
    let opened = open_model(&arguments.model, &ModelOptions { open, offline: global.offline })?;
    console.report(&opened.report)?;
    Ok(opened.lab()?)
}

fn fine_tune(training: &LabTraining, as_json: bool, console: &mut Console) -> anyhow::Result<TrainingTask> {
    if !as_json {
        lab::print_training_heading(console)?;
    }
    let mut prepared = prepare(training, console)?;
    let first_rows = training.first_rows(&prepared.question)?;
    if !as_json {
        lab::print_before_training(console, &first_rows, &prepared)?;
        console.out.flush()?;
    }
    console.report(&prepared.opened.report)?;
    let mut reporter = TerminalReporter::new(console, as_json, Stop::default());
    let summary = prepared.train(&mut reporter)?;
    reporter.finish();
    if !as_json {
        lab::print_after_training(console, &prepared, &summary)?;
    }
    Ok(TrainingTask::of(first_rows, &prepared, &summary))
}

/// Reads and tokenizes the rows, with a bar for each split.
fn prepare(training: &LabTraining, console: &Console) -> anyhow::Result<PreparedTraining> {
    let mut bars = RowBars::new(console);
    let job = training.job();
    let prepared = job.prepare(&mut |split, n_done, n_rows| bars.show(split, n_done, n_rows))?;
    bars.finish();
    Ok(prepared)
}
