//! `bertlab evaluate`: what a classifier's answers are worth.

use std::path::PathBuf;

use bertlab::report::{evaluation_report, write_page};
use bertlab::settings::{
    ColumnSettings, DatasetSettings, EncodingSettings, LengthSettings, TruncationSettings,
};
use bertlab::train::MaskingOptions;
use bertlab::{ModelOptions, OpenOptions, RowsRequest, Sampling, Split, open_trained};

use crate::args::{DtypeArguments, GlobalArguments, one_of};
use crate::flags::Flags;
use crate::print::Console;
use crate::print::cache::note_uses;
use crate::print::evaluation::{print, scores_json};
use crate::print::prose::command_line;
use crate::print::tagging::words_in_words;

/// Score a classifier on labelled rows
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab evaluate out/final_model --test-file test.csv
  bertlab evaluate out/final_model --test-file test.parquet --max-samples 1000 --json
  bertlab evaluate out/final_model --dataset stanfordnlp/imdb --max-samples 1000
  bertlab evaluate out/final_model --test-file test.csv --report test.html

A masked language model takes plain texts, and hides the same tokens each time.
Beside the accuracy stand its 95 % interval and what always answering the commonest label would reach.
Entities are counted as seqeval counts them. Words that truncation takes count as answered \"O\"; HuggingFace's
run_ner leaves them out.")]
pub struct Arguments {
    /// tiny, a folder, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: String,
    /// Labelled rows: .csv, .tsv, .jsonl, .parquet, CoNLL, a pattern, or a folder with a sub-folder or text file per class
    #[arg(long, value_name = "FILE", required_unless_present = "dataset", conflicts_with = "dataset")]
    #[arg(num_args = 1..)]
    test_file: Vec<PathBuf>,
    /// A data set on the hub (stanfordnlp/imdb), or a folder of one, in place of files
    #[arg(long, value_name = "DATASET")]
    dataset: Option<String>,
    /// Which of the data set's configurations, such as sst2 of nyu-mll/glue [default: the one that is meant]
    #[arg(long, value_name = "NAME", requires = "dataset")]
    dataset_config: Option<String>,
    /// The data set's split [default: test]
    #[arg(long, value_name = "NAME", requires = "dataset")]
    test_split: Option<String>,
    #[command(flatten)]
    columns: Flags<ColumnSettings>,
    #[command(flatten)]
    encoding: Flags<EncodingSettings>,
    /// Take so many rows at most
    #[arg(long, value_name = "N")]
    max_samples: Option<usize>,
    /// How they are chosen: stratified, random, first
    #[arg(long, value_name = "HOW", default_value = "stratified")]
    #[arg(value_parser = one_of::<Sampling>(&["stratified", "random", "first"]))]
    sample: Sampling,
    /// Of that choice, and of what is hidden (masked-lm)
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    #[command(flatten)]
    length: Flags<LengthSettings>,
    #[command(flatten)]
    truncation: Flags<TruncationSettings>,
    #[command(flatten)]
    masking: Flags<MaskingOptions>,
    #[command(flatten)]
    dtype: DtypeArguments,
    /// Write a page to read: figures, confusion, calibration, the most confident mistakes
    #[arg(long, value_name = "FILE.html")]
    report: Option<PathBuf>,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let open = OpenOptions { dtype: arguments.dtype.dtype, ..OpenOptions::default() };
    let options = ModelOptions { open, offline: global.offline };
    let mut opened = open_trained(&arguments.model, &options, "evaluate")?;
    let options = arguments
        .length
        .0
        .values()
        .options(arguments.truncation.0.values(), *arguments.masking.0.values())?;
    opened.set_keep(options.keep)?;
    console.report(&opened.report)?;
    let dataset = DatasetSettings {
        dataset: arguments.dataset,
        dataset_config: arguments.dataset_config,
        test_split: arguments.test_split,
        ..DatasetSettings::default()
    };
    let found = dataset.files(&[Split::Test], global.offline)?;
    let request = RowsRequest {
        files: found.map_or(arguments.test_file, |found| found.test),
        optional: false,
        columns: arguments.columns.0.values().columns(),
        encoding: arguments.encoding.0.values().encoding.0,
        max_samples: arguments.max_samples,
        sampling: arguments.sample,
        seed: arguments.seed,
    };
    let evaluated = opened.evaluate(&request, &options, &**console.bars())?;
    note_uses(console, &options.cache)?;
    let counts = evaluated.rows.counts.as_ref();
    if let Some((label, unit)) = counts.and_then(|counts| Some((counts.only_label()?, counts.unit))) {
        console.warn(format!("all {unit}s have the label {label:?}: the accuracy means nothing"))?;
    }
    if evaluated.rows.truncated.n_rows > 0 {
        let truncated = evaluated.rows.truncated;
        console.note(format!("{} rows were cut to {} tokens", truncated.n_rows, truncated.max_length))?;
    }
    if let Some(words) = evaluated.rows.of_words.as_ref().filter(|words| words.n_unread > 0 || words.was_iob1)
    {
        console.note(words_in_words(words))?;
    }
    if let Some(file) = &arguments.report {
        let report =
            evaluation_report(&opened, &arguments.model, &evaluated, &request.files, Some(command_line()));
        write_page(file, &report)?;
        console.note(format!("the report is in {}", file.display()))?;
    }
    let labels = &opened.model.spec.head.labels;
    if arguments.json {
        return console.json_line(&scores_json(&evaluated.evaluation, labels));
    }
    print(console, &evaluated.evaluation, labels)
}
