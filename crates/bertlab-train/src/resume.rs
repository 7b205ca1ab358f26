//! Taking a run up again: which checkpoint, and whether it is whole and of this very run.

mod huggingface;

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use crate::optimizer::Optimizer;
use crate::output::{Output, read_weights};
use crate::plan::Plan;
use crate::progress::{Identity, SavedProgress};
use crate::reporter::Reporter;
use crate::state::TrainerState;
use bertlab_model::{Model, Params};
use bertlab_settings::{Kind, SettingValue};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Where a run starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Resume {
    /// At the beginning.
    #[default]
    No,
    /// At the newest whole checkpoint of its output folder.
    Newest,
    /// At this checkpoint.
    From(PathBuf),
}

impl From<String> for Resume {
    /// `true`, `false` or a folder.
    fn from(word: String) -> Self {
        match word.as_str() {
            "true" => Self::Newest,
            "false" => Self::No,
            _ => Self::From(word.into()),
        }
    }
}

impl SettingValue for Resume {
    const KIND: Kind = Kind::Text;

    /// As HuggingFace's `resume_from_checkpoint`: true, false or a folder.
    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        match value {
            Value::Bool(true) => Ok(Self::Newest),
            Value::Bool(false) => Ok(Self::No),
            Value::String(word) => Ok(word.clone().into()),
            _ => Err("true, false or a checkpoint's folder".to_owned()),
        }
    }

    fn words(&self) -> String {
        match self {
            Self::No => "not set".to_owned(),
            Self::Newest => "the newest checkpoint".to_owned(),
            Self::From(folder) => folder.display().to_string(),
        }
    }
}

/// All that a checkpoint knows about its run.
pub(crate) struct Saved {
    pub(crate) folder: PathBuf,
    pub(crate) params: Params,
    pub(crate) optimizer: Optimizer,
    pub(crate) state: TrainerState,
    pub(crate) progress: SavedProgress,
    /// What a person may want to know of how it goes on.
    pub(crate) notes: Vec<String>,
    /// What may not be as it was.
    pub(crate) warnings: Vec<String>,
}

/// The run that would be taken up again.
pub(crate) struct Wanted<'a> {
    pub(crate) model: &'a Model,
    pub(crate) arguments: &'a TrainingArguments,
    pub(crate) plan: &'a Plan,
    pub(crate) identity: &'a Identity,
}

/// Refuses a checkpoint whose run had other settings, or an optimizer that is none of ours, before its rows are there.
///
/// # Errors
/// As said; files that are missing or damaged.
pub(crate) fn check_settings(checkpoint: &Path, arguments: &TrainingArguments) -> Result<(), TrainError> {
    if huggingface::wrote(checkpoint) {
        return huggingface::check_optimizer(checkpoint);
    }
    SavedProgress::read(checkpoint)?.identity.check_settings(checkpoint, arguments)
}

impl Wanted<'_> {
    /// The newest checkpoint that is whole. The reporter is told of those that are not.
    ///
    /// # Errors
    /// No whole checkpoint; one whose data or settings are others.
    pub(crate) fn newest(&self, output: &Output, reporter: &mut dyn Reporter) -> Result<Saved, TrainError> {
        let steps = output.checkpoints()?;
        if steps.is_empty() {
            return Err(output.nothing_to_resume());
        }
        let mut reasons = Vec::new();
        for step in steps.into_iter().rev() {
            let folder = output.checkpoint(step);
            match self.read(&folder) {
                Err(error @ TrainError::ChangedRun { .. }) => return Err(error),
                Err(error) => {
                    reporter.skipped(&folder, &error);
                    reasons.push(error.to_string());
                }
                saved => return saved,
            }
        }
        let why = format!("no checkpoint is whole ({})", reasons.join("; "));
        Err(TrainError::NothingToResume { folder: output.folder().to_path_buf(), why })
    }

    /// This very checkpoint: one of ours, or of HuggingFace's Trainer.
    ///
    /// # Errors
    /// Files that are missing or damaged; a checkpoint of a run with other data or settings.
    pub(crate) fn read(&self, folder: &Path) -> Result<Saved, TrainError> {
        if huggingface::wrote(folder) {
            return self.read_huggingface(folder);
        }
        let progress = SavedProgress::read(folder)?;
        let changes = self.identity.changes_since(&progress.identity);
        if !changes.is_empty() {
            return Err(changed(folder, changes.join("; ")));
        }
        let state = TrainerState::read(folder)?;
        let saved = read_weights(folder, self.model.spec.head.kind)?;
        if saved.spec != self.model.spec {
            return Err(changed(folder, "the model has another shape, other labels or another dropout"));
        }
        let optimizer = Optimizer::read(folder, self.model, self.arguments)?;
        let n_steps = optimizer.n_steps() + progress.elsewhere.n_skipped;
        let steps = [progress.global_step, state.global_step, n_steps];
        if steps.iter().any(|&step| step != steps[0]) {
            let why = format!("its files are of different steps ({steps:?})");
            return Err(TrainError::DamagedCheckpoint { file: folder.to_path_buf(), why });
        }
        let (folder, params) = (folder.to_path_buf(), saved.params().clone());
        Ok(Saved { folder, params, optimizer, state, progress, notes: Vec::new(), warnings: Vec::new() })
    }
}

fn changed(checkpoint: &Path, what: impl Into<String>) -> TrainError {
    TrainError::ChangedRun { checkpoint: checkpoint.to_path_buf(), what: what.into() }
}
