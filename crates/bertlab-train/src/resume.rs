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
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// Where a run starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ResumeWord", into = "ResumeWord")]
pub enum Resume {
    /// At the beginning.
    #[default]
    No,
    /// At the newest whole checkpoint of its output folder.
    Newest,
    /// At this checkpoint.
    From(PathBuf),
}

/// As files hold it.
#[derive(Serialize, Deserialize)]
#[serde(untagged, expecting = "true, false or a checkpoint's folder")]
enum ResumeWord {
    Whether(bool),
    Where(String),
}

impl From<ResumeWord> for Resume {
    fn from(word: ResumeWord) -> Self {
        match word {
            ResumeWord::Whether(true) => Self::Newest,
            ResumeWord::Whether(false) => Self::No,
            ResumeWord::Where(folder) => match folder.parse() {
                Ok(resume) => resume,
            },
        }
    }
}

impl From<Resume> for ResumeWord {
    fn from(resume: Resume) -> Self {
        match resume {
            Resume::No => Self::Whether(false),
            Resume::Newest => Self::Whether(true),
            Resume::From(folder) => Self::Where(folder.display().to_string()),
        }
    }
}

impl FromStr for Resume {
    type Err = Infallible;

    /// As HuggingFace's `resume_from_checkpoint`: `true`, `false` or a folder.
    fn from_str(word: &str) -> Result<Self, Infallible> {
        Ok(match word {
            "true" => Self::Newest,
            "false" => Self::No,
            folder => Self::From(PathBuf::from(folder)),
        })
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
