//! `bertlab check`: what can be wrong with labelled rows, before a training.

use std::path::PathBuf;

use anyhow::bail;
use bertlab::check::CheckJob;
use bertlab::settings::{
    ColumnSettings, DatasetSettings, EncodingSettings, LengthSettings, TruncationSettings,
};
use bertlab::train::MaskingOptions;
use bertlab::{RowsRequest, Split, Task};

use crate::args::{GlobalArguments, task_parser};
use crate::flags::Flags;
use crate::print::Console;
use crate::print::cache::note_uses;
use crate::print::check::{as_json, print};
use crate::print::numbers::counted;

/// Look for what would make a fine-tuning's result meaningless
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab check ./all-MiniLM-L6-v2 --train-file train.csv --validation-file held-out.csv
  bertlab check bert-base-uncased --train-file train.parquet --test-file test.parquet --json
  bertlab check bert-base-uncased --dataset stanfordnlp/imdb

Looks at labels (one only, sorted, unequal, unusable, never learnt), texts (blank, repeated, in \
several splits, with contradicting labels), lengths (what is cut) and tokens that are unknown. Weights are not needed. The \
exit code is 1 where a finding is fatal.")]
pub struct Arguments {
    /// tiny, a folder, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: String,
    /// Rows to learn from; several files are read one after the other
    #[arg(long, value_name = "FILE", required_unless_present = "dataset", conflicts_with = "dataset")]
    #[arg(num_args = 1..)]
    train_file: Vec<PathBuf>,
    /// Rows to evaluate on while training
    #[arg(long, value_name = "FILE", num_args = 1..)]
    validation_file: Vec<PathBuf>,
    /// Rows to evaluate on at the end
    #[arg(long, value_name = "FILE", num_args = 1..)]
    test_file: Vec<PathBuf>,
    #[command(flatten)]
    dataset: Flags<DatasetSettings>,
    #[command(flatten)]
    columns: Flags<ColumnSettings>,
    #[command(flatten)]
    encoding: Flags<EncodingSettings>,
    #[command(flatten)]
    length: Flags<LengthSettings>,
    #[command(flatten)]
    truncation: Flags<TruncationSettings>,
    /// What to learn [default: what the checkpoint's head and the data say]
    #[arg(long, value_name = "TASK", value_parser = task_parser())]
    task: Option<Task>,
    /// A new head for the data's labels, whatever head the checkpoint has
    #[arg(long)]
    new_head: bool,
    /// Print a JSON object: model, question, max_length, splits, findings, n_fatal
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn job(&self, global: &GlobalArguments) -> anyhow::Result<CheckJob> {
        let (columns, dataset) = (self.columns.0.values().columns(), self.dataset.0.values());
        let all = [Split::Training, Split::Validation, Split::Test];
        let found = dataset.files(&all, global.offline)?.unwrap_or_default();
        let rows = |given: &[PathBuf], found: Vec<PathBuf>| {
            let files = if given.is_empty() { found } else { given.to_vec() };
            (!files.is_empty()).then(|| RowsRequest {
                files,
                columns: columns.clone(),
                encoding: self.encoding.0.values().encoding.0,
                ..RowsRequest::default()
            })
        };
        Ok(CheckJob {
            model: self.model.clone(),
            offline: global.offline,
            task: self.task,
            new_head: self.new_head,
            train: rows(&self.train_file, found.train).unwrap_or_default(),
            validation: rows(&self.validation_file, found.validation),
            test: rows(&self.test_file, found.test).map(|request| RowsRequest {
                optional: self.test_file.is_empty() && dataset.test_split.is_none(),
                ..request
            }),
            text: self.length.0.values().options(self.truncation.0.values(), MaskingOptions::default())?,
        })
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let job = arguments.job(global)?;
    let checked = job.run(&**console.bars())?;
    note_uses(console, &job.text.cache)?;
    if arguments.json {
        console.json_line(&as_json(&arguments.model, &checked))?;
    } else {
        print(console, &arguments.model, &checked)?;
    }
    match checked.preflight.n_fatal() {
        0 => Ok(()),
        n => bail!("{}: a result on these rows would mean nothing", counted(n, "fatal finding")),
    }
}
