//! Fine-tuning: a checkpoint and labelled rows in, a folder with the trained model out.

mod task;

use std::path::{Path, PathBuf};

use bertlab_checkpoint::open_config;
use bertlab_model::{HeadChoice, HeadKind, OpenOptions, Precision, configured_labels};
use bertlab_train::data::{Dataset, LabelSpace, infer_label_space};
use bertlab_train::{
    Masking, Plan, Reporter, Resume, TrainError, Trainer, TrainingArguments, TrainingSummary,
    check_output_dir, frozen,
};

use crate::labelled::{LabelledRows, Question, RowsRequest, configured_head};
use crate::{Error, ModelOptions, OpenedModel, TextOptions, open_model, resolve};

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
    /// A new classifier, whatever head the checkpoint has.
    pub new_head: bool,
    /// Rows to learn from.
    pub train: RowsRequest,
    /// Rows to evaluate on.
    pub validation: Option<RowsRequest>,
    /// How texts become rows.
    pub text: TextOptions,
    /// Go on although a split has one label only.
    pub allow_single_class: bool,
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
    /// Rows to evaluate on.
    pub validation: Option<LabelledRows>,
    /// Of plain texts: what is hidden, other tokens in every epoch.
    pub masking: Option<Masking>,
    job: TrainJob,
}

/// Which rows are being tokenized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// Rows to learn from.
    Train,
    /// Rows to evaluate on.
    Validation,
}

/// Rows of a split with their targets.
type Rows = (Dataset, Vec<bertlab_train::data::Target>);

impl TrainJob {
    /// Reads, checks and tokenizes the rows, and opens the model with the head that they need.
    /// `progress` is told the split, rows done, and rows in all.
    ///
    /// # Errors
    /// Settings, files, labels or a model that cannot be; a split with one label only.
    pub fn prepare(self, progress: &mut dyn FnMut(Split, usize, usize)) -> Result<PreparedTraining, Error> {
        self.arguments.check()?;
        check_output_dir(&self.output_dir, self.overwrite_output_dir, &self.resume, &self.arguments)?;
        let folder = resolve(&self.model, self.offline)?;
        let dataset = self.train.read()?;
        let configured = configured_head(&folder)?;
        let (question, mut opened) = match Task::chosen(self.task, configured) {
            Task::SequenceClassification => self.open_classifier(&folder, configured, &dataset)?,
            task => self.open_token_model(task, &dataset)?,
        };
        opened.model.freeze(frozen(&self.arguments, &opened.model.spec)?);
        opened.set_keep(self.text.keep)?;
        let targets = question.targets(&dataset)?;
        let train = self.train.choose(dataset, targets);
        let validation = self.validation.as_ref().map(|request| read_rows(request, &question)).transpose()?;
        self.check_classes("training", &question, &train)?;
        if let Some(rows) = &validation {
            self.check_classes("evaluation", &question, rows)?;
        }
        let mut tokenize = |split, rows: Rows| {
            let n_rows = rows.1.len();
            let mut progress = |n_done| progress(split, n_done, n_rows);
            opened.labelled_rows(&question, rows, &self.text, &mut progress)
        };
        let train = tokenize(Split::Train, train)?;
        let mut validation = validation.map(|rows| tokenize(Split::Validation, rows)).transpose()?;
        let masking = self.masking(&opened, &question, validation.as_mut())?;
        Ok(PreparedTraining { opened, question, train, validation, masking, job: self })
    }

    /// A sequence classifier for the data's labels: the checkpoint's own where it has one.
    fn open_classifier(
        &self,
        folder: &Path,
        configured: HeadKind,
        dataset: &Dataset,
    ) -> Result<(Question, OpenedModel), Error> {
        let kind = HeadKind::SequenceClassification;
        let given = if configured == kind && !self.new_head {
            let (problem_type, names) = configured_labels(&open_config(folder)?)?;
            Some(LabelSpace { problem_type, names })
        } else {
            None
        };
        let space = infer_label_space(dataset, given.as_ref())?;
        let opened = self.open(kind, Some(&space))?;
        if given.is_some() && !opened.report.reshaped.is_empty() {
            // A classifier that its own config does not fit is no new one: opened plainly, it is refused in words.
            return self.open(kind, None).map(|opened| (Question::Rows(space), opened));
        }
        Ok((Question::Rows(space), opened))
    }

    fn open_token_model(&self, task: Task, dataset: &Dataset) -> Result<(Question, OpenedModel), Error> {
        let opened = self.open(task.head(), None)?;
        let question = match task {
            Task::MaskedLm => Question::of_masked_lm(dataset, opened.model.spec.encoder.vocab_size),
            _ => Question::Tokens { head: task.head(), n_classes: opened.model.spec.head.n_outputs() },
        };
        Ok((question, opened))
    }

    /// What hides tokens of plain texts: in training; of the rows to evaluate on at once, by the seed of their choice.
    fn masking(
        &self,
        opened: &OpenedModel,
        question: &Question,
        validation: Option<&mut LabelledRows>,
    ) -> Result<Option<Masking>, Error> {
        if *question != Question::Texts {
            return Ok(None);
        }
        if let (Some(rows), Some(request)) = (validation, &self.validation) {
            rows.hide(&opened.masking(&self.text, request.seed)?);
        }
        opened.masking(&self.text, self.arguments.seed).map(Some)
    }

    fn open(&self, kind: HeadKind, space: Option<&LabelSpace>) -> Result<OpenedModel, Error> {
        let open = OpenOptions {
            head: HeadChoice::Kind(kind),
            labels: space.map(|space| (space.problem_type, space.names.clone())),
            seed: self.arguments.seed,
            allow_random: self.allow_random,
            precision: if self.arguments.bf16 { Precision::Bf16 } else { Precision::F32 },
            trains: false, // Packed for training when training begins.
        };
        open_model(&self.model, &ModelOptions { open, offline: self.offline })
    }

    /// Stops where every answer would be right by chance.
    fn check_classes(&self, split: &'static str, question: &Question, rows: &Rows) -> Result<(), Error> {
        let counts = crate::LabelCounts::of(question, &rows.1);
        let Some(label) = counts.as_ref().and_then(|counts| counts.only_label()) else { return Ok(()) };
        if self.allow_single_class {
            return Ok(());
        }
        let request = if split == "training" { Some(&self.train) } else { self.validation.as_ref() };
        let is_cut = request.is_some_and(|request| request.max_samples == Some(rows.1.len()));
        let hint = if is_cut {
            "The file is probably sorted by label, as IMDB is: take rows with --sample stratified"
        } else {
            "Look at the label column, or add rows with other labels"
        };
        Err(TrainError::SingleClass { split, n_rows: rows.1.len(), label: label.to_owned(), hint }.into())
    }
}

fn read_rows(request: &RowsRequest, question: &Question) -> Result<Rows, Error> {
    let dataset = request.read()?;
    let targets = question.targets(&dataset)?;
    Ok(request.choose(dataset, targets))
}

impl PreparedTraining {
    /// The settings.
    pub fn arguments(&self) -> &TrainingArguments {
        &self.job.arguments
    }

    /// What the run will do.
    pub fn plan(&self) -> Plan {
        let lengths: Vec<usize> = self.train.examples.iter().map(|example| example.input_ids.len()).collect();
        Plan::new(&self.job.arguments, &lengths, self.validation.is_some())
    }

    /// Trains, and writes checkpoints, `final_model/` and `trainer_state.json`.
    ///
    /// # Errors
    /// As [`Trainer::train`].
    pub fn train(&mut self, reporter: &mut dyn Reporter) -> Result<TrainingSummary, Error> {
        let (model, tokenizer) = self.opened.model_and_tokenizer();
        let trainer = Trainer {
            model,
            tokenizer,
            train: &self.train.examples,
            eval: self.validation.as_ref().map_or(&[], |rows| &rows.examples),
            masking: self.masking.as_ref(),
            arguments: &self.job.arguments,
            output_dir: &self.job.output_dir,
            overwrite_output_dir: self.job.overwrite_output_dir,
            resume: self.job.resume.clone(),
        };
        Ok(trainer.train(reporter)?)
    }
}
