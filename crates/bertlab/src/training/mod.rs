//! Fine-tuning: a checkpoint and labelled rows in, a folder with the trained model out.

mod findings;
mod reported;
mod rows;
mod seeds;
mod task;

use bertlab_feedback::Progress;
use std::path::{Path, PathBuf};

use bertlab_checkpoint::open_config;
use bertlab_data::preflight::{Preflight, Split};
use bertlab_data::{Dataset, Example, LabelSpace, ProblemType, infer_label_space, infer_word_labels};
use bertlab_model::{ComputeDtype, HeadChoice, HeadKind, OpenOptions, configured_labels, vocab_size};
use bertlab_report::RunReport;
use bertlab_train::{
    Both, Forecast, Masking, Plan, Reporter, Resume, Trainer, TrainingArguments, TrainingRows,
    TrainingSummary, check_output_dir, class_weights, frozen,
};

use crate::labelled::{LabelledRows, Question, RowsRequest, configured_head};
use crate::{Error, ModelOptions, OpenedModel, TextOptions, open_model, resolve};

pub(crate) use reported::Witness;
pub use rows::{HeldOutRows, HoldOut};
pub use seeds::{SEEDS_FILE, SeedResult, SeedRuns, SeedSummary, Seeds, Spread};
pub use task::Task;

/// A fine-tuning job.
#[derive(Clone, Debug)]
pub struct TrainJob {
    /// A folder or a hub name.
    pub model: String,
    /// Never ask the network.
    pub offline: bool,
    /// Random weights where the folder has none.
    pub allow_random: bool,
    /// What to learn; what the checkpoint's head says when none.
    pub task: Option<Task>,
    /// A new head, whatever head the checkpoint has: [`OpenOptions::new_head`].
    pub new_head: bool,
    /// Rows to learn from.
    pub train: RowsRequest,
    /// Rows to evaluate on while training, and to choose the best model by.
    pub validation: Option<RowsRequest>,
    /// Where there are none: what is cut from the training rows for it.
    pub hold_out: HoldOut,
    /// Rows to evaluate on once, at the end.
    pub test: Option<RowsRequest>,
    /// How texts become rows.
    pub text: TextOptions,
    /// A word's further tokens have a label too, and not its first alone.
    pub label_all_tokens: bool,
    /// Go on although a split has one label only.
    pub allow_single_class: bool,
    /// Go on although the preflight found what makes the result meaningless.
    pub ignore_findings: bool,
    /// The settings.
    pub arguments: TrainingArguments,
    /// Where everything goes.
    pub output_dir: PathBuf,
    /// Write over a run that lies there.
    pub overwrite_output_dir: bool,
    /// Go on with a run that was interrupted.
    pub resume: Resume,
}

/// A job whose model and rows are ready: what is left is to train.
pub struct PreparedTraining {
    /// The model, its head perhaps new.
    pub opened: OpenedModel,
    /// What it learns.
    pub question: Question,
    /// Rows to learn from.
    pub train: LabelledRows,
    /// Rows to evaluate on while training.
    pub validation: Option<LabelledRows>,
    /// Rows to evaluate on at the end.
    pub test: Option<LabelledRows>,
    /// How the validation rows were cut from the training rows, if they were.
    pub held_out: Option<HeldOutRows>,
    /// What was found in the rows, worst first.
    pub preflight: Preflight,
    /// What each class counts in the loss, where they differ. `[C]`
    pub class_weights: Option<Vec<f32>>,
    /// Of plain texts: what is hidden, other tokens in every epoch.
    pub masking: Option<Masking>,
    /// The command line that began it, for the report.
    pub command: Option<String>,
    /// What the run left, once it was made.
    pub report: Option<RunReport>,
    job: TrainJob,
}

impl TrainJob {
    /// With HuggingFace's settings: `model`, a folder or a name, learns from `train`, of which a tenth is
    /// held out, and leaves everything in `output_dir`.
    pub fn new(model: impl Into<String>, train: RowsRequest, output_dir: impl Into<PathBuf>) -> Self {
        Self {
            model: model.into(),
            offline: false,
            allow_random: false,
            task: None,
            new_head: false,
            train,
            validation: None,
            hold_out: HoldOut::default(),
            test: None,
            text: TextOptions::default(),
            label_all_tokens: false,
            allow_single_class: false,
            ignore_findings: false,
            arguments: TrainingArguments::default(),
            output_dir: output_dir.into(),
            overwrite_output_dir: false,
            resume: Resume::No,
        }
    }

    /// Reads, checks and tokenizes the rows, and opens the model with the head that they need.
    ///
    /// # Errors
    /// Settings, files, labels or a model that cannot be; rows on which a result would mean nothing.
    pub fn prepare(self, progress: &dyn Progress) -> Result<PreparedTraining, Error> {
        self.arguments.check()?;
        check_output_dir(&self.output_dir, self.overwrite_output_dir, &self.resume, &self.arguments)?;
        let folder = resolve(&self.model, self.offline)?;
        let dataset = self.train.clone().for_task(self.task).read()?;
        let question = self.question(&folder, configured_head(&folder)?, &dataset)?;
        let (opened, masking) = self.set_up(&question)?;
        let mut rows = self.rows(dataset, &question)?;
        let findings = std::mem::take(&mut rows.findings);
        let held_out = rows.held_out;
        let (mut ready, mut preflight) = self.ready(&opened, &question, rows, progress)?;
        let mut take = |split| {
            let place = ready.iter().position(|(known, _)| *known == split)?;
            Some(ready.swap_remove(place).1)
        };
        let train = take(Split::Training).expect("there are always training rows");
        let (validation, test) = (take(Split::Validation), take(Split::Test));
        let chosen_on_test = self.chosen_on_test(&self.plan(&train.examples, validation.is_some()));
        for finding in findings.into_iter().chain(chosen_on_test) {
            preflight = preflight.with(finding);
        }
        let class_weights = class_weights(&self.arguments, &opened.model.spec.head, &train.examples)?;
        Ok(PreparedTraining {
            class_weights,
            opened,
            question,
            train,
            validation,
            test,
            held_out,
            preflight,
            masking,
            command: None,
            report: None,
            job: self,
        })
    }

    /// The length that the trained model's texts are cut to. Blocks of a masked language model say nothing
    /// about that.
    fn length_to_remember(&self, question: &Question) -> Option<usize> {
        self.text.max_length.filter(|_| *question != Question::Texts)
    }

    fn plan(&self, examples: &[Example], has_validation_rows: bool) -> Plan {
        let n_tokens = examples.iter().map(|example| example.input_ids.len()).sum();
        Plan::new(&self.arguments, (examples.len(), n_tokens), has_validation_rows)
    }

    /// What the rows ask of a model whose config names the head `configured`.
    fn question(&self, folder: &Path, configured: HeadKind, dataset: &Dataset) -> Result<Question, Error> {
        let task = Task::chosen(self.task, configured, dataset);
        let config = open_config(folder)?;
        let is_own = configured == task.head() && !self.new_head;
        let own_labels = || is_own.then(|| configured_labels(&config)).transpose();
        Ok(match task {
            Task::SequenceClassification => {
                let given = own_labels()?.map(|(problem_type, names)| LabelSpace { problem_type, names });
                Question::Rows(infer_label_space(dataset, given.as_ref())?)
            }
            Task::TokenClassification => {
                let given = own_labels()?.map(|(_, names)| names);
                let names = infer_word_labels(dataset, given.as_deref())?;
                Question::Words { names, label_all_tokens: self.label_all_tokens }
            }
            Task::MaskedLm => Question::of_masked_lm(dataset, vocab_size(&config)?),
        })
    }

    /// The model as a run begins with it: the head that answers the question, what is frozen, how texts are
    /// read; and what is hidden of plain texts. Every run of several seeds begins here too.
    fn set_up(&self, question: &Question) -> Result<(OpenedModel, Option<Masking>), Error> {
        let mut opened = self.open(question)?;
        if let Question::Words { .. } = question {
            opened.read_words();
        }
        opened.model.freeze(frozen(&self.arguments, &opened.model.spec)?);
        opened.set_keep(self.text.keep)?;
        let masking = match question {
            Question::Texts => Some(opened.masking(&self.text, self.arguments.seed)?),
            _ => None,
        };
        Ok((opened, masking))
    }

    fn open(&self, question: &Question) -> Result<OpenedModel, Error> {
        let labels = match question {
            Question::Rows(space) => Some((space.problem_type, space.names.clone())),
            Question::Words { names, .. } => Some((ProblemType::SingleLabel, names.clone())),
            Question::Tokens { .. } | Question::Texts => None,
        };
        // Weights of a classifier mean something with the labels of their own config alone.
        let configured = configured_head(&resolve(&self.model, self.offline)?)?;
        let open = OpenOptions {
            head: HeadChoice::Kind(question.head()),
            new_head: self.new_head || (labels.is_some() && configured != question.head()),
            labels,
            seed: self.arguments.seed,
            allow_random: self.allow_random,
            dtype: if self.arguments.bf16 { ComputeDtype::Bf16 } else { ComputeDtype::F32 },
            ..OpenOptions::default()
        };
        open_model(&self.model, &ModelOptions { open, offline: self.offline })
    }
}

impl PreparedTraining {
    /// The settings.
    pub fn arguments(&self) -> &TrainingArguments {
        &self.job.arguments
    }

    /// What the run will do.
    pub fn plan(&self) -> Plan {
        self.job.plan(&self.train.examples, self.validation.is_some())
    }

    /// Trains, and writes checkpoints, `final_model/` and `trainer_state.json`; then `report.html` and
    /// `plots/`, of a run that did not come to its end too. Where these cannot be written the reporter is
    /// warned, and the run stands.
    ///
    /// # Errors
    /// As [`Trainer::train`].
    pub fn train(&mut self, reporter: &mut dyn Reporter) -> Result<TrainingSummary, Error> {
        let mut witness = Witness::new(&self.job.output_dir, self.job.arguments.report_to);
        let result = self.trainer().train(&mut Both(reporter, &mut witness)).map_err(Error::from);
        self.leave_report(&witness, &result, reporter);
        result
    }

    /// What the run will cost: its peak memory, what to do where that does not fit, its time. Takes as long
    /// as two forward passes over a few hundred tokens.
    ///
    /// # Errors
    /// Settings out of range.
    pub fn forecast(&mut self) -> Result<Forecast, Error> {
        Ok(self.trainer().forecast()?)
    }

    fn trainer(&mut self) -> Trainer<'_> {
        // After the rows are tokenized: the tokenizer's files are a part of their cache's key.
        self.opened.set_max_length(self.job.length_to_remember(&self.question));
        let (model, tokenizer) = self.opened.model_and_tokenizer();
        Trainer {
            model,
            tokenizer,
            train: TrainingRows::Examples(&self.train.examples),
            eval: self.validation.as_ref().map_or(&[], |rows| &rows.examples),
            test: self.test.as_ref().map_or(&[], |rows| &rows.examples),
            masking: self.masking.as_ref(),
            arguments: &self.job.arguments,
            output_dir: &self.job.output_dir,
            overwrite_output_dir: self.job.overwrite_output_dir,
            resume: self.job.resume.clone(),
        }
    }
}
