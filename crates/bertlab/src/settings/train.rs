//! Settings of a fine-tuning job.

use std::path::PathBuf;

use bertlab_data::Sampling;
use bertlab_data::preflight::Split;
use bertlab_feedback::Hint;
use bertlab_settings::{Given, Settings, SettingsFile, Word, settings};
use bertlab_train::{MaskingOptions, Resume, TrainError, TrainingArguments, foreign};

use super::rows::{ColumnSettings, DatasetSettings, EncodingSettings, LengthSettings, TruncationSettings};
use crate::train::Seeds;
use crate::{DatasetFiles, Error, HoldOut, RowsRequest, Task, TrainJob};

settings! {
    /// The model, the rows and the output of a fine-tuning job.
    #[derive(Clone, Debug, PartialEq)]
    pub struct JobSettings {
        [""]
        /// Model to fine-tune: tiny, a folder, or a name on the hub
        model: Option<String> = None, positional(), old_names(&["model_name_or_path"]), value_name("MODEL");
        /// Files of rows to train on
        train_file: Vec<PathBuf> = Vec::new();
        /// Files of rows to evaluate on during training, and to choose the best model by
        validation_file: Vec<PathBuf> = Vec::new(), old_names(&["eval_file"]),
            excludes(&["validation_share"]);
        /// Files of rows to evaluate the final model on, once
        test_file: Vec<PathBuf> = Vec::new();
        /// Share of the training rows to hold out for evaluation, if there is no validation file; 0 for none
        validation_share: Option<f64> = None, share(), excludes(&["validation_file"]), value_name("SHARE"),
            default_is("0.1, at most 5,000 rows, if there are 100 rows or more");
        /// Maximum number of rows to train on
        max_train_samples: Option<usize> = None;
        /// Maximum number of rows of a split to evaluate on
        max_eval_samples: Option<usize> = None;
        /// How these rows are chosen
        sample: Word<Sampling> = Word(Sampling::Stratified), choices(&["stratified", "random", "first"]),
            value_name("HOW");
        /// Output folder
        output_dir: Option<PathBuf> = None, value_name("DIR");
        /// Overwrite a run in the output folder
        overwrite_output_dir: bool = false;
        /// Resume the run in `output_dir` from its newest checkpoint or from this one, which may come from
        /// HuggingFace's Trainer
        resume_from_checkpoint: Resume = Resume::No, excludes(&["overwrite_output_dir"]), value_or("true"),
            value_name("CHECKPOINT");
        /// Train with several seeds, each in DIR/seed-N, and report the spread of every metric: how many,
        /// from `seed` on (5), or which (1,2,3). All use the same rows; their order, dropout and new weights
        /// differ
        seeds: Option<Seeds> = None, value_name("SEEDS");
        /// Task to train for
        task: Option<Task> = None, default_is("from the checkpoint's head and the data"), value_name("TASK");
        /// Train a new head for the data's labels, even if the checkpoint has a head: all weights on top of
        /// the base model are new, as in HuggingFace (BERT's pooler belongs to the base model and stays)
        new_head: bool = false;
        /// Label all tokens of a word, not only its first (B-PER, then I-PER). Metrics stay by word;
        /// HuggingFace's are then by token
        label_all_tokens: bool = false;
        /// Train even if all rows of a split have the same label
        allow_single_class: bool = false;
        /// Train even if a finding about the rows makes the result meaningless
        ignore_findings: bool = false;
        /// Use random weights if the folder has none, to measure speed
        random_weights: bool = false;
    }
}

/// All settings of a fine-tuning job, as far as they are given.
///
/// ```
/// use bertlab::settings::{SettingsFile, TrainSettings};
///
/// # fn main() -> Result<(), bertlab::Error> {
/// let body = r#"{"model": "tiny", "train_file": "rows.csv", "output_dir": "out", "learning_rate": 1e-4}"#;
/// let file = SettingsFile::from_json(body, "request".to_owned())?;
/// let (settings, notes) = TrainSettings::default().over(file)?;
/// let job = settings.job(false)?;
/// assert_eq!((job.model.as_str(), job.arguments.learning_rate), ("tiny", 1e-4));
/// assert!(notes.is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct TrainSettings {
    /// Model, rows, output.
    pub job: Given<JobSettings>,
    /// A data set in place of files.
    pub dataset: Given<DatasetSettings>,
    /// Columns of tables.
    pub columns: Given<ColumnSettings>,
    /// How text files are read.
    pub encoding: Given<EncodingSettings>,
    /// How long rows are.
    pub length: Given<LengthSettings>,
    /// What is kept of long texts.
    pub truncation: Given<TruncationSettings>,
    /// What is masked, for masked language models.
    pub masking: Given<MaskingOptions>,
    /// How the model is trained.
    pub arguments: Given<TrainingArguments>,
}

impl TrainSettings {
    /// Lays these settings over those of a file. Beside them come notes for a person.
    ///
    /// # Errors
    /// Names and values that no setting has; settings of HuggingFace's that would change the result.
    pub fn over(self, mut file: SettingsFile) -> Result<(Self, Vec<String>), Error> {
        let all = Self {
            arguments: file.take(self.arguments)?,
            job: file.take(self.job)?,
            dataset: file.take(self.dataset)?,
            columns: file.take(self.columns)?,
            encoding: file.take(self.encoding)?,
            length: file.take(self.length)?,
            truncation: file.take(self.truncation)?,
            masking: file.take(self.masking)?,
        };
        Ok((all, file.finish(foreign)?))
    }

    /// The job with these settings.
    ///
    /// # Errors
    /// A setting that every job needs and that is not given; settings that contradict one another or are out
    /// of range.
    pub fn job(&self, offline: bool) -> Result<TrainJob, Error> {
        let job = self.job.values();
        let missing = |what, hint| Error::MissingSetting { what, give: vec![hint] };
        let model = job.model.clone();
        let model = model.ok_or_else(|| missing("the model", Hint::Value("model", "MODEL".into())))?;
        let output_dir = job.output_dir.clone();
        let output_dir = output_dir
            .ok_or_else(|| missing("the output folder", Hint::Value("output_dir", "DIR".into())))?;
        if let Some(refusal) = job.out_of_range() {
            return Err(TrainError::from(refusal).into());
        }
        let files = self.files(offline)?;
        let validation = self.rows(files.validation, job.max_eval_samples);
        let test = self.rows(files.test, job.max_eval_samples).map(|rows| RowsRequest {
            optional: job.test_file.is_empty() && self.dataset.values().test_split.is_none(),
            ..rows
        });
        Ok(TrainJob {
            model,
            offline,
            allow_random: job.random_weights,
            task: job.task,
            new_head: job.new_head,
            train: self.rows(files.train, job.max_train_samples).unwrap_or_default(),
            validation,
            hold_out: HoldOut { share: job.validation_share, max_samples: job.max_eval_samples },
            test,
            text: self.length.values().options(self.truncation.values(), *self.masking.values())?,
            label_all_tokens: job.label_all_tokens,
            allow_single_class: job.allow_single_class,
            ignore_findings: job.ignore_findings,
            arguments: self.arguments.values().clone(),
            output_dir,
            overwrite_output_dir: job.overwrite_output_dir,
            resume: job.resume_from_checkpoint.clone(),
        })
    }

    /// A request for the rows of these files; none where there are no files.
    fn rows(&self, files: Vec<PathBuf>, max_samples: Option<usize>) -> Option<RowsRequest> {
        (!files.is_empty()).then(|| RowsRequest {
            files,
            columns: self.columns.values().columns(),
            encoding: self.encoding.values().encoding.0,
            max_samples,
            sampling: self.job.values().sample.0,
            seed: self.arguments.values().seed,
            optional: false,
        })
    }

    /// Files to train on, to evaluate on during training and at the end: given, or of the data set.
    fn files(&self, offline: bool) -> Result<DatasetFiles, Error> {
        let job = self.job.values();
        let (train, validation, test) =
            (job.train_file.clone(), job.validation_file.clone(), job.test_file.clone());
        let all = [Split::Training, Split::Validation, Split::Test];
        let Some(found) = self.dataset.values().files(&all, offline)? else {
            if train.is_empty() {
                return Err(Error::MissingSetting {
                    what: "the rows to train on",
                    give: vec![
                        Hint::Value("train_file", "FILE".into()),
                        Hint::Value("dataset", "NAME".into()),
                    ],
                });
            }
            return Ok(DatasetFiles { train, validation, test });
        };
        if !train.is_empty() {
            return Err(Error::TwoSources {
                first: Hint::Setting("dataset"),
                second: Hint::Setting("train_file"),
            });
        }
        let or = |given: Vec<PathBuf>, found| if given.is_empty() { found } else { given };
        Ok(DatasetFiles {
            train: found.train,
            validation: or(validation, found.validation),
            test: or(test, found.test),
        })
    }
}
