//! `bertlab train`: fine-tune on one's own rows.

mod settings;

use std::io::Write;
use std::path::PathBuf;

use bertlab::train::Resume;
use bertlab::{Columns, HoldOut, RowsRequest, Sampling, Task, TrainJob};

use crate::args::{ColumnArguments, GlobalArguments, LengthArguments, MaskingArguments, one_of, task_parser};
use crate::print::Console;
use crate::print::progress::RowBars;
use crate::print::training::{TerminalReporter, print_preparation, print_summary, say_findings};
use settings::Settings;

/// Fine-tune a model on labelled rows
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab train ./all-MiniLM-L6-v2 --train-file reviews.csv --validation-file held-out.csv \
      --output-dir out
  bertlab train distilbert-base-uncased --train-file train.parquet --validation-file test.parquet \\
      --max-train-samples 5000 --max-eval-samples 5000 --num-train-epochs 1 --learning-rate 2e-5 \\
      --per-device-train-batch-size 4 --gradient-accumulation-steps 8 \
      --weight-decay 0.01 --output-dir out
  bertlab train MODEL ... --output-dir out --resume-from-checkpoint     after Ctrl-C or a crash
  bertlab evaluate out/final_model --test-file more.csv

Files: .csv, .tsv, .jsonl, .parquet, or a folder with one sub-folder of .txt files per class, as
aclImdb/train. Without a --validation-file a tenth of the training rows is held out. Rows are looked
at first, as by `bertlab check`: what would make the result meaningless stops the training. Settings have HuggingFace's names and defaults, except where [default: ...] says
otherwise. The result lies in DIR/final_model, the log in DIR/trainer_state.json. Ctrl-C ends a run
after the current step, with a checkpoint; taken up again, it ends as if it had never stopped.")]
pub struct Arguments {
    /// A folder, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    data: DataArguments,
    /// Where everything is written
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    /// Write over a run that lies there
    #[arg(long)]
    overwrite_output_dir: bool,
    /// Go on with the run in --output-dir, from its newest checkpoint or from this one
    #[arg(long, value_name = "CHECKPOINT", num_args = 0..=1, default_missing_value = "true")]
    #[arg(conflicts_with = "overwrite_output_dir")]
    resume_from_checkpoint: Option<Resume>,
    /// What to learn [default: what the checkpoint's head and the data say]
    #[arg(long, value_name = "TASK", value_parser = task_parser())]
    task: Option<Task>,
    /// A new classifier for the data's labels, whatever head the checkpoint has
    #[arg(long)]
    new_head: bool,
    /// Go on although a split has one label only
    #[arg(long)]
    allow_single_class: bool,
    /// Go on although a finding about the rows makes the result meaningless
    #[arg(long)]
    ignore_findings: bool,
    /// Use random weights where the folder has none: for speed alone
    #[arg(long)]
    random_weights: bool,
    #[command(flatten)]
    settings: Settings,
    /// Print the summary as a JSON object
    #[arg(long)]
    json: bool,
}

/// Which rows.
#[derive(clap::Args)]
struct DataArguments {
    /// Rows to learn from; several files are read one after the other
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    train_file: Vec<PathBuf>,
    /// Rows to evaluate on while training, and to choose the best model by
    #[arg(long, value_name = "FILE", num_args = 1..)]
    validation_file: Vec<PathBuf>,
    /// Rows to evaluate the final model on, once
    #[arg(long, value_name = "FILE", num_args = 1..)]
    test_file: Vec<PathBuf>,
    /// Without a validation file: the share of the training rows that is held out to evaluate on; 0
    /// for none [default: 0.1, at most 5,000 rows, of 100 rows on]
    #[arg(long, value_name = "SHARE", conflicts_with = "validation_file", value_parser = share)]
    validation_share: Option<f64>,
    #[command(flatten)]
    columns: ColumnArguments,
    /// Learn from so many rows at most
    #[arg(long, value_name = "N")]
    max_train_samples: Option<usize>,
    /// Evaluate on so many rows of a split at most
    #[arg(long, value_name = "N")]
    max_eval_samples: Option<usize>,
    /// How those rows are chosen: stratified, random, first
    #[arg(long, value_name = "HOW", default_value = "stratified")]
    #[arg(value_parser = one_of::<Sampling>(&["stratified", "random", "first"]))]
    sample: Sampling,
    #[command(flatten)]
    length: LengthArguments,
    #[command(flatten)]
    masking: MaskingArguments,
}

impl Arguments {
    fn job(self, global: &GlobalArguments) -> anyhow::Result<TrainJob> {
        let arguments = self.settings.arguments();
        let data = self.data;
        let columns = Columns::from(data.columns);
        let seed = arguments.seed;
        let rows = |files: Vec<PathBuf>, max_samples| RowsRequest {
            files,
            columns: columns.clone(),
            max_samples,
            sampling: data.sample,
            seed,
        };
        Ok(TrainJob {
            model: self.model,
            offline: global.offline,
            allow_random: self.random_weights,
            task: self.task,
            new_head: self.new_head,
            train: rows(data.train_file, data.max_train_samples),
            validation: (!data.validation_file.is_empty())
                .then(|| rows(data.validation_file, data.max_eval_samples)),
            hold_out: HoldOut { share: data.validation_share, max_samples: data.max_eval_samples },
            test: (!data.test_file.is_empty()).then(|| rows(data.test_file, data.max_eval_samples)),
            text: data.length.options(Some(data.masking))?,
            allow_single_class: self.allow_single_class,
            ignore_findings: self.ignore_findings,
            arguments,
            output_dir: self.output_dir,
            overwrite_output_dir: self.overwrite_output_dir,
            resume: self.resume_from_checkpoint.unwrap_or_default(),
        })
    }
}

/// A part of the rows, from 0 to below 1.
fn share(word: &str) -> Result<f64, String> {
    let share: f64 = word.parse().map_err(|error| format!("{error}"))?;
    if (0.0..1.0).contains(&share) { Ok(share) } else { Err("wanted a number in [0, 1)".to_owned()) }
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let as_json = arguments.json;
    let job = arguments.job(global)?;
    let starts_anew = job.resume == Resume::No;
    let mut bars = RowBars::new(console);
    let mut prepared = job.prepare(&mut |split, n_done, n_rows| bars.show(split, n_done, n_rows))?;
    bars.finish();
    if starts_anew {
        // Of a run that goes on, all weights come from its checkpoint.
        console.report(&prepared.opened.report)?;
    }
    if !as_json {
        print_preparation(console, &prepared)?;
        console.out.flush()?;
    }
    say_findings(console, &prepared)?;
    let stop = crate::stop::on_signals()?;
    let mut reporter = TerminalReporter::new(console, as_json, stop);
    let summary = prepared.train(&mut reporter);
    reporter.finish();
    let summary = summary?;
    print_summary(console, &prepared, &summary, as_json)
}
