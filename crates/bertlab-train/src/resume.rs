//! Taking a run up again: which checkpoint, and whether it is whole and of this very run.

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use crate::optimizer::Optimizer;
use crate::output::{Output, read_weights};
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
}

/// The run that would be taken up again.
pub(crate) struct Wanted<'a> {
    pub(crate) model: &'a Model,
    pub(crate) arguments: &'a TrainingArguments,
    pub(crate) identity: &'a Identity,
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

    /// This very checkpoint.
    ///
    /// # Errors
    /// Files that are missing or damaged; a checkpoint of a run with other data or settings.
    pub(crate) fn read(&self, folder: &Path) -> Result<Saved, TrainError> {
        let progress = SavedProgress::read(folder)?;
        let changes = self.identity.changes_since(&progress.identity);
        if !changes.is_empty() {
            let what = changes.join("; ");
            return Err(TrainError::ChangedRun { checkpoint: folder.to_path_buf(), what });
        }
        let state = TrainerState::read(folder)?;
        let saved = read_weights(folder, self.model.spec.head.kind)?;
        if saved.spec != self.model.spec {
            let what = "the model has another shape, other labels or another dropout".to_owned();
            return Err(TrainError::ChangedRun { checkpoint: folder.to_path_buf(), what });
        }
        let optimizer = Optimizer::read(folder, self.model, self.arguments)?;
        let steps = [progress.global_step, state.global_step, optimizer.n_steps()];
        if steps.iter().any(|&step| step != steps[0]) {
            let why = format!("its files are of different steps ({steps:?})");
            return Err(TrainError::DamagedCheckpoint { file: folder.to_path_buf(), why });
        }
        let params = saved.params().clone();
        Ok(Saved { folder: folder.to_path_buf(), params, optimizer, state, progress })
    }
}
