//! The job of a training (which model, which rows, where to) as flags, and as keys of the file of `--config`.

use std::path::PathBuf;

use anyhow::{Context, bail};
use bertlab::train::{Resume, Seeds, TrainingArguments};
use bertlab::{Columns, HoldOut, RowsRequest, Sampling, Split, Task, TrainJob};
use serde::{Deserialize, Deserializer, Serialize};

use crate::args::{
    ColumnArguments, DatasetArguments, EncodingArguments, GlobalArguments, LengthArguments, MaskingArguments,
    one_of, task_parser,
};
use crate::words::yes_or_no;

/// Everything but HuggingFace's TrainingArguments. A field is a flag, and a key of files by the same name.
#[derive(Clone, Debug, Default, clap::Args, Serialize, Deserialize)]
#[serde(default)]
pub struct JobSettings {
    /// tiny, a folder, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: Option<String>,
    /// Rows to learn from; several files are read one after the other
    #[arg(long, value_name = "FILE", num_args = 1..)]
    #[serde(deserialize_with = "one_or_many")]
    train_file: Vec<PathBuf>,
    /// Rows to evaluate on while training, and to choose the best model by
    #[arg(long, value_name = "FILE", num_args = 1..)]
    #[serde(deserialize_with = "one_or_many")]
    validation_file: Vec<PathBuf>,
    /// Rows to evaluate the final model on, once
    #[arg(long, value_name = "FILE", num_args = 1..)]
    #[serde(deserialize_with = "one_or_many")]
    test_file: Vec<PathBuf>,
    #[command(flatten)]
    #[serde(flatten)]
    dataset: DatasetArguments,
    /// Without a validation file: the share of the training rows that is held out to evaluate on; 0
    /// for none [default: 0.1, at most 5,000 rows, of 100 rows on]
    #[arg(long, value_name = "SHARE", conflicts_with = "validation_file", value_parser = share)]
    validation_share: Option<f64>,
    #[command(flatten)]
    #[serde(flatten)]
    columns: ColumnArguments,
    #[command(flatten)]
    #[serde(flatten)]
    encoding: EncodingArguments,
    /// Learn from so many rows at most
    #[arg(long, value_name = "N")]
    max_train_samples: Option<usize>,
    /// Evaluate on so many rows of a split at most
    #[arg(long, value_name = "N")]
    max_eval_samples: Option<usize>,
    /// How those rows are chosen: stratified, random, first [default: stratified]
    #[arg(long, value_name = "HOW", hide_possible_values = true)]
    #[arg(value_parser = one_of::<Sampling>(&["stratified", "random", "first"]))]
    sample: Option<Sampling>,
    #[command(flatten)]
    #[serde(flatten)]
    length: LengthArguments,
    #[command(flatten)]
    #[serde(flatten)]
    masking: MaskingArguments,
    /// Where everything is written
    #[arg(long, value_name = "DIR")]
    output_dir: Option<PathBuf>,
    /// Write over a run that lies there
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    overwrite_output_dir: Option<bool>,
    /// Go on with the run in --output-dir, from its newest checkpoint or from this one, which
    /// HuggingFace's Trainer may have saved
    #[arg(long, value_name = "CHECKPOINT", num_args = 0..=1, default_missing_value = "true")]
    #[arg(conflicts_with = "overwrite_output_dir")]
    resume_from_checkpoint: Option<Resume>,
    /// Train with several seeds, each in DIR/seed-N, and show the spread of all figures: how many from
    /// --seed on (5), or which (1,2,3). The rows are the same in all; order, dropout and new weights differ
    #[arg(long, value_name = "SEEDS")]
    pub seeds: Option<Seeds>,
    /// What to learn [default: what the checkpoint's head and the data say]
    #[arg(long, value_name = "TASK", value_parser = task_parser())]
    task: Option<Task>,
    /// A new head for the data's labels, whatever head the checkpoint has: all weights on the base model are new,
    /// as in HuggingFace (BERT's pooler belongs to the base model and stays)
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    new_head: Option<bool>,
    /// Of words with labels: label all tokens of a word, not its first alone (B-PER, then
    /// I-PER). Figures are by word all the same; HuggingFace's are then by token
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    label_all_tokens: Option<bool>,
    /// Go on although a split has one label only
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    allow_single_class: Option<bool>,
    /// Go on although a finding about the rows makes the result meaningless
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    ignore_findings: Option<bool>,
    /// Use random weights where the folder has none: for speed alone
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    random_weights: Option<bool>,
}

impl JobSettings {
    /// The job with these settings.
    ///
    /// # Errors
    /// Where something is missing that every job needs.
    pub fn job(self, arguments: TrainingArguments, global: &GlobalArguments) -> anyhow::Result<TrainJob> {
        let model = self.model.clone().context(
            "which model? Give a folder or a name on the hub after `bertlab train`, or `model` in the file of --config",
        )?;
        let output_dir = self
            .output_dir
            .clone()
            .context("where to? Give --output-dir DIR, or `output_dir` in the file of --config")?;
        let (train_file, validation_file, test_file) = self.files(global)?;
        if let Some(found) = self.validation_share.filter(|share| !(0.0..1.0).contains(share)) {
            bail!("validation_share is {found}; wanted a number in [0, 1)");
        }
        let columns = Columns::from(self.columns.clone());
        let rows = |files: Vec<PathBuf>, max_samples| RowsRequest {
            files,
            columns: columns.clone(),
            encoding: self.encoding.encoding.unwrap_or_default(),
            max_samples,
            sampling: self.sample.unwrap_or_default(),
            seed: arguments.seed,
            optional: false,
        };
        Ok(TrainJob {
            model,
            offline: global.offline,
            allow_random: self.random_weights.unwrap_or_default(),
            task: self.task,
            new_head: self.new_head.unwrap_or_default(),
            train: rows(train_file, self.max_train_samples),
            validation: (!validation_file.is_empty()).then(|| rows(validation_file, self.max_eval_samples)),
            hold_out: HoldOut { share: self.validation_share, max_samples: self.max_eval_samples },
            test: (!test_file.is_empty()).then(|| RowsRequest {
                optional: self.test_file.is_empty() && self.dataset.test_split.is_none(),
                ..rows(test_file, self.max_eval_samples)
            }),
            text: self.length.options(Some(self.masking))?,
            label_all_tokens: self.label_all_tokens.unwrap_or_default(),
            allow_single_class: self.allow_single_class.unwrap_or_default(),
            ignore_findings: self.ignore_findings.unwrap_or_default(),
            arguments,
            output_dir,
            overwrite_output_dir: self.overwrite_output_dir.unwrap_or_default(),
            resume: self.resume_from_checkpoint.unwrap_or_default(),
        })
    }
}

impl JobSettings {
    /// Files to learn from, to evaluate on while training and at the end: of the data set, or given.
    fn files(&self, global: &GlobalArguments) -> anyhow::Result<(Vec<PathBuf>, Vec<PathBuf>, Vec<PathBuf>)> {
        let given = (self.train_file.clone(), self.validation_file.clone(), self.test_file.clone());
        let all = [Split::Training, Split::Validation, Split::Test];
        let (train, validation, test) = given;
        let Some(found) = self.dataset.files(&all, global.offline)? else {
            if train.is_empty() {
                bail!(
                    "no rows to learn from: give --train-file FILE or --dataset NAME, or `train_file` or `dataset` in the \
                     file of --config"
                );
            }
            return Ok((train, validation, test));
        };
        if !train.is_empty() {
            bail!("--dataset and --train-file both say what to learn from: give one of them");
        }
        let or = |given: Vec<PathBuf>, found| if given.is_empty() { found } else { given };
        Ok((found.train, or(validation, found.validation), or(test, found.test)))
    }
}

/// A part of the rows, from 0 to below 1.
fn share(word: &str) -> Result<f64, String> {
    let share: f64 = word.parse().map_err(|error| format!("{error}"))?;
    if (0.0..1.0).contains(&share) { Ok(share) } else { Err("wanted a number in [0, 1)".to_owned()) }
}

/// In files one path may stand without a list around it.
fn one_or_many<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a file's name, or a list of them")]
    enum Paths {
        One(PathBuf),
        Many(Vec<PathBuf>),
    }
    Ok(match Paths::deserialize(value)? {
        Paths::One(path) => vec![path],
        Paths::Many(paths) => paths,
    })
}
