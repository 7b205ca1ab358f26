//! `bertlab lab`: the lab "Explore BERT", task by task, on any model.

use std::io::Write;
use std::path::PathBuf;

use bertlab::report::RunReport;
use bertlab::{Columns, HeadChoice, HeadKind, ModelOptions, OpenOptions, PreparedTraining, open_model};
use bertlab_lab::{
    FirstRows, LabData, LabFiles, LabFolder, LabReport, LabSettings, LabTraining, NextStep, SAMPLES,
    TrainingTask, model_to_train, write_lab_report,
};

use crate::args::GlobalArguments;
use crate::print::live::TerminalReporter;
use crate::print::prose::quoted;
use crate::print::{Console, lab};
use crate::stop::Stop;

/// What is looked into where no model is named.
const MODEL: &str = "tiny";

/// Walk through the lab "Explore BERT" on a model
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab lab                                                the model and the reviews that bertlab brings
  bertlab lab ./all-MiniLM-L6-v2 --no-train
  bertlab lab --model bert-base-uncased --data stanfordnlp/imdb          the lab as it is written
  bertlab lab distilbert-base-uncased --train-file train.parquet --validation-file test.parquet \\
      --max-train-samples 1000 --max-eval-samples 1000

T1 what the model is made of, T2 words in context, T3 all hidden states, T4 fine-tuning. Pictures of all go into \
lab-report.html in --output-dir. On bert-base-uncased the lab's printed figures stand beside the numbers. With --data or \
--train-file T4 has the lab's settings, else such as learn from a few hundred rows.")]
pub struct Arguments {
    /// tiny, a folder, or a name on the hub (bert-base-uncased) [default: tiny]
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// The same as a flag
    #[arg(long = "model", value_name = "MODEL", conflicts_with = "model")]
    model_flag: Option<String>,
    /// Of new weights, and in T4 of the choice of rows, their order and dropout
    #[arg(long, value_name = "N", default_value_t = 42)]
    seed: u64,
    /// Where the report and T4's model go: a folder that is not there yet, or an earlier lab's
    #[arg(long, value_name = "DIR", default_value = "bertlab-lab")]
    output_dir: PathBuf,
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
    /// Leave T4 out
    #[arg(long)]
    no_train: bool,
    /// A data set to learn from: a folder, or a name on the hub (stanfordnlp/imdb) [default: film reviews that bertlab
    /// brings]
    #[arg(long, value_name = "DATASET", conflicts_with_all = ["train_file", "no_train"])]
    data: Option<String>,
    /// Rows to learn from; several files are read one after the other
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "validation_file", conflicts_with = "no_train")]
    train_file: Vec<PathBuf>,
    /// Rows to evaluate on
    #[arg(long, value_name = "FILE", num_args = 1.., requires = "train_file")]
    validation_file: Vec<PathBuf>,
    /// The model that is fine-tuned [default: MODEL; with bert-base-uncased and --data distilbert-base-uncased, as in
    /// the lab]
    #[arg(long, value_name = "MODEL", conflicts_with = "no_train")]
    train_model: Option<String>,
    /// The column that holds the texts [default: found by its name]
    #[arg(long, value_name = "NAME")]
    text_column: Option<String>,
    /// The column that holds the labels [default: found by its name]
    #[arg(long, value_name = "NAME")]
    label_column: Option<String>,
    /// Learn from so many rows at most, every label keeping its share
    #[arg(long, value_name = "N", default_value_t = SAMPLES)]
    max_train_samples: usize,
    /// Evaluate on so many rows at most
    #[arg(long, value_name = "N", default_value_t = SAMPLES)]
    max_eval_samples: usize,
    /// Cut texts to so many tokens [default: what the model takes]
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
}

impl TrainingFlags {
    fn data(&self) -> LabData {
        match &self.data {
            Some(name) => LabData::Dataset(name.clone()),
            None if self.train_file.is_empty() => LabData::Reviews,
            None => LabData::Files(LabFiles {
                train: self.train_file.clone(),
                validation: self.validation_file.clone(),
            }),
        }
    }
}

impl Arguments {
    fn model(&self) -> &str {
        self.model.as_deref().or(self.model_flag.as_deref()).unwrap_or(MODEL)
    }

    /// What T4 needs, its files found or fetched; none where it is left out.
    fn training(
        &self,
        folder: &LabFolder,
        data: &LabData,
        global: &GlobalArguments,
    ) -> anyhow::Result<Option<LabTraining>> {
        let flags = &self.training;
        if flags.no_train {
            return Ok(None);
        }
        let files = data.files(folder, global.offline)?;
        let training = LabTraining {
            model: flags.train_model.clone().unwrap_or_else(|| model_to_train(self.model(), data)),
            offline: global.offline,
            train_files: files.train,
            validation_files: files.validation,
            columns: Columns {
                text: flags.text_column.clone(),
                label: flags.label_column.clone(),
                ..Columns::default()
            },
            max_train_samples: flags.max_train_samples,
            max_eval_samples: flags.max_eval_samples,
            max_length: flags.max_length,
            seed: self.seed,
            settings: LabSettings::AsInTheLab,
            output_dir: folder.training(data),
        };
        training.check()?;
        Ok(Some(training))
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let (folder, data) = (LabFolder(arguments.output_dir.clone()), arguments.training.data());
    folder.check(&data)?;
    let mut training = arguments.training(&folder, &data, global)?;
    let mut report = explore(&arguments, global, console)?;
    if !arguments.json {
        lab::print_exploration(console, arguments.model(), &report)?;
    }
    let mut run = None;
    if let Some(training) = &mut training {
        if data == LabData::Reviews {
            training.settings = LabSettings::few_rows(report.t1.width);
        }
        let (task, left) = fine_tune(training, &data, arguments.json, console)?;
        (report.t4, run) = (Some(task), left);
    }
    let trained = report.t4.as_ref().map(|task| quoted(&task.final_model.to_string_lossy()));
    let next = next_steps(&quoted(arguments.model()), trained.as_deref());
    write_lab_report(&folder.report(), arguments.model(), &report, run.as_ref(), &next)?;
    if arguments.json {
        return console.json_line(&report);
    }
    lab::print_end(console, &folder.report(), &next)
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
    let opened = open_model(arguments.model(), &ModelOptions { open, offline: global.offline })?;
    if opened.report.format.is_none() {
        console.report(&opened.report)?;
    }
    Ok(LabReport::of(&opened)?)
}

/// T4, and what the run has left for a report.
fn fine_tune(
    training: &LabTraining,
    data: &LabData,
    as_json: bool,
    console: &mut Console,
) -> anyhow::Result<(TrainingTask, Option<RunReport>)> {
    if !as_json {
        lab::print_training_heading(console, training)?;
    }
    let mut prepared = prepare(training, console)?;
    // Of our own rows it is known that they are not sorted.
    let first_rows: Vec<FirstRows> = match data {
        LabData::Reviews => Vec::new(),
        _ => training.first_rows(&prepared.question)?,
    };
    if !as_json {
        lab::print_before_training(console, &first_rows, &prepared)?;
        console.out.flush()?;
    }
    let mut reporter = TerminalReporter::new(console, as_json, Stop::default());
    let summary = prepared.train(&mut reporter);
    reporter.finish();
    let summary = summary?;
    let task = TrainingTask::of(training, first_rows, &prepared, &summary);
    if !as_json {
        lab::print_after_training(console, &prepared, &summary, &task)?;
    }
    Ok((task, prepared.report))
}

/// Reads and tokenizes the rows, with a bar for each split.
fn prepare(training: &LabTraining, console: &Console) -> anyhow::Result<PreparedTraining> {
    Ok(training.job().prepare(&**console.bars())?)
}

/// What to try after the lab on `model`; `trained`: the folder of the model that T4 has left.
fn next_steps(model: &str, trained: Option<&str>) -> Vec<NextStep> {
    let step = |words: &str, command: String| NextStep { words: words.to_owned(), command };
    let mut steps = Vec::new();
    if let Some(trained) = trained {
        steps.push(step(
            "Ask the model that was just trained:",
            format!(
                "bertlab predict {trained} \\\n    \"The plot is thin, but I laughed all the way through.\""
            ),
        ));
    }
    steps.push(step(
        "Fine-tune on your own texts, a CSV with the columns text and label:",
        format!("bertlab train {model} --train-file yours.csv --output-dir out"),
    ));
    steps.push(step(
        "Look at words of your own in context:",
        format!("bertlab words {model} --word cold --sentence \"A cold drink.\" \"A cold reply.\""),
    ));
    steps.push(step(
        "The lab as it is written (its models and IMDB are downloaded once, about 0.8 GB; half an \
         hour on two cores):",
        "bertlab lab --model bert-base-uncased --data stanfordnlp/imdb".to_owned(),
    ));
    steps
}
