//! `bertlab train`: fine-tune on one's own rows.

mod seeds;
mod settings;

use std::io::Write;
use std::path::PathBuf;

use anyhow::anyhow;
use bertlab::settings::{
    ColumnSettings, DatasetSettings, EncodingSettings, JobSettings, LengthSettings, SettingsFile,
    TrainSettings, TruncationSettings,
};
use bertlab::train::{MaskingOptions, Resume, Seeds};
use bertlab::{Error, TrainJob};

use crate::args::GlobalArguments;
use crate::flags::Flags;
use crate::print::Console;
use crate::print::cache::note_uses;
use crate::print::live::TerminalReporter;
use crate::print::prose::command_line;
use crate::print::training::{Summarized, print_preparation, print_summary, say_findings};
pub use settings::SettingFlags;

/// Fine-tune a model on labelled rows
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab train ./all-MiniLM-L6-v2 --train-file reviews.csv --validation-file held-out.csv \\
      --output-dir out
  bertlab train distilbert-base-uncased --train-file train.parquet --validation-file test.parquet \\
      --max-train-samples 5000 --max-eval-samples 5000 --num-train-epochs 1 --learning-rate 2e-5 \\
      --per-device-train-batch-size 4 --gradient-accumulation-steps 8 --weight-decay 0.01 \\
      --output-dir out
  bertlab train --config run.toml --learning-rate 1e-5                  flags override the file
  bertlab train MODEL --train-file rt-polaritydata --encoding windows-1252 --output-dir out
  bertlab train MODEL --dataset stanfordnlp/imdb --max-train-samples 5000 --max-eval-samples 1000 \\
      --output-dir out
  bertlab train MODEL ... --output-dir out --resume-from-checkpoint     after Ctrl-C or a crash
  bertlab train MODEL --train-file eng.train --validation-file eng.testa --output-dir ner \\
      --metric-for-best-model f1
  bertlab train MODEL --task masked-lm --train-file texts.txt --output-dir out
  bertlab train MODEL --train-file few.csv --freeze-embeddings --freeze-layers 4 --seeds 5 \\
      --class-weights balanced --output-dir out                         few or unequal rows
  bertlab evaluate out/final_model --test-file more.csv

Files: .csv, .tsv, .jsonl, .parquet, quoted patterns such as 'train-*.parquet', or a folder with one \
sub-folder of .txt files per class (aclImdb/train), or one text file per class, a text per line \
(pos.txt and neg.txt, rt-polarity.pos and rt-polarity.neg). Words with a label each: CoNLL \
(a word and its label per line, a blank line after every sentence), or lists \"tokens\" and \
\"ner_tags\" in .jsonl and .parquet; the label goes to a word's first token. masked-lm reads plain \
texts: .txt, or the text column of a table. Large data sets are tokenized once and kept for the next \
time (--no-cache). Without a --validation-file a tenth of the training rows is held out. Rows are \
looked at first, as by `bertlab check`: what would make the result meaningless stops the training.

Settings have HuggingFace's names and defaults, except where [default: ...] says otherwise. A file \
of --config holds them by the flags' names with underscores, the model and files too: \
`train_file = [\"a.csv\", \"b.csv\"]`.

The result lies in DIR/final_model, a report to read in DIR/report.html, its plots in DIR/plots, the \
log in DIR/trainer_state.json. Ctrl-C ends a run after the current step, with a checkpoint; taken up \
again, it ends as if it had never stopped.")]
pub struct Arguments {
    #[command(flatten)]
    job: Flags<JobSettings>,
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
    #[command(flatten)]
    masking: Flags<MaskingOptions>,
    /// Settings from a file (.toml, .json, also HuggingFace's JSON); flags override it
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the summary as a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingFlags,
}

impl Arguments {
    /// The job that file and flags describe, its seeds where there are several, and notes about both.
    fn job(self, global: &GlobalArguments) -> anyhow::Result<(TrainJob, Option<Seeds>, Vec<String>)> {
        let mut file = match &self.config {
            Some(file) => SettingsFile::read(file)?,
            None => SettingsFile::empty("command line".to_owned()),
        };
        self.settings.tell_foreign(&mut file);
        let flags = TrainSettings {
            job: self.job.0,
            dataset: self.dataset.0,
            columns: self.columns.0,
            encoding: self.encoding.0,
            length: self.length.0,
            truncation: self.truncation.0,
            masking: self.masking.0,
            arguments: self.settings.given().clone(),
        };
        let (settings, notes) = flags.over(file)?;
        let job = settings.job(global.offline).map_err(name_in_file)?;
        Ok((job, settings.job.values().seeds.clone(), notes))
    }
}

/// Says of a missing setting that the file of --config may hold it too.
fn name_in_file(error: Error) -> anyhow::Error {
    match &error {
        Error::MissingSetting { give, .. } => {
            let names: Vec<String> = give.iter().map(|hint| format!("`{}`", hint.name())).collect();
            anyhow!("{error}, or {} in the file of --config", names.join(" or "))
        }
        _ => error.into(),
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let as_json = arguments.json;
    let (job, seeds, notes) = arguments.job(global)?;
    notes.iter().try_for_each(|note| console.note(note))?;
    if let Some(seeds) = &seeds {
        return seeds::run(job, seeds, as_json, console);
    }
    let starts_anew = job.resume == Resume::No;
    let cache = job.text.cache.clone();
    let mut prepared = job.prepare(&**console.bars())?;
    prepared.command = Some(command_line());
    if starts_anew {
        // Of a run that goes on, all weights come from its checkpoint.
        console.report(&prepared.opened.report)?;
    }
    if !as_json {
        print_preparation(console, &prepared)?;
        console.out.flush()?;
    }
    note_uses(console, &cache)?;
    say_findings(console, &prepared)?;
    let stop = crate::stop::on_signals()?;
    let mut reporter = TerminalReporter::new(console, as_json, stop);
    let summary = prepared.train(&mut reporter);
    reporter.finish();
    let summary = summary?;
    print_summary(console, Summarized::of(&prepared, &summary), as_json)
}
