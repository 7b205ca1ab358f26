//! Why a training or an evaluation cannot go on, in words.

use bertlab_data::DataError;
use bertlab_data::preflight::Split;
use bertlab_feedback::{Cancelled, Hint};
use std::path::PathBuf;

/// The setting that says where a run is written.
const OUTPUT_DIR: &str = "output_dir";
/// The setting that resumes a run.
const RESUME: &str = "resume_from_checkpoint";

/// Everything that this crate refuses.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The caller cancelled the work.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The data cannot be read, or do not fit the model.
    #[error(transparent)]
    Data(#[from] DataError),
    /// The model cannot be opened, run or saved.
    #[error(transparent)]
    Model(#[from] bertlab_model::Error),
    /// A text cannot be tokenized.
    #[error(transparent)]
    Text(#[from] bertlab_text::Error),
    /// A file cannot be written.
    #[error(transparent)]
    Checkpoint(#[from] bertlab_checkpoint::Error),
    /// A file of settings.
    #[error(transparent)]
    Settings(#[from] bertlab_settings::SettingsError),
    /// A setting that cannot be.
    #[error("{name} is {found}; wanted {wanted}")]
    Setting {
        /// HuggingFace's name of it.
        name: &'static str,
        /// What was given.
        found: String,
        /// What can be given.
        wanted: String,
    },
    /// Every training row has the same label.
    #[error(
        "all {n_rows} {split} {unit}s have the label {label:?}: whatever a model answers, its accuracy would mean nothing. \
         {hint} ({} goes on all the same)",
        Hint::On("allow_single_class")
    )]
    SingleClass {
        /// Which rows.
        split: Split,
        /// How many.
        n_rows: usize,
        /// "row" or "word".
        unit: &'static str,
        /// The label's name.
        label: String,
        /// What to try.
        hint: String,
    },
    /// A loss, or a gradient, that is no number.
    #[error(
        "the training diverged at step {step}: the loss is {loss:.4e}, the norm of its gradients \
         {gradient_norm:.4e}. Rows of the step, counted from 1 in the training data: {rows}. \
         Try a smaller learning rate (now {learning_rate:e}), more warmup, or look at those rows. What was saved before stays"
    )]
    NotFinite {
        /// The step, from 1.
        step: u64,
        /// NaN or infinite, or else the norm is.
        loss: f64,
        /// L2, before clipping.
        gradient_norm: f64,
        /// The rows' numbers.
        rows: String,
        /// Of the step.
        learning_rate: f64,
    },
    /// Nothing to work on.
    #[error("there are no {0} rows")]
    NoRows(&'static str),
    /// An output folder that already holds a run.
    #[error(
        "{} already holds a run ({found}). Go on with it by {}, choose another {}, or give {}",
        folder.display(), Hint::On(RESUME), Hint::Setting(OUTPUT_DIR), Hint::On("overwrite_output_dir")
    )]
    OutputInUse {
        /// The folder.
        folder: PathBuf,
        /// What lies there.
        found: String,
    },
    /// An output folder that cannot be.
    #[error(
        "{}: nothing can be written there: {source}. Choose another {}, or make room or leave to write there",
        folder.display(), Hint::Setting(OUTPUT_DIR)
    )]
    OutputNotWritable {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A run that cannot be taken up again: there is no whole checkpoint.
    #[error(
        "{}: there is nothing to resume from: {why}. Start without {}", folder.display(), Hint::Setting(RESUME)
    )]
    NothingToResume {
        /// The output folder.
        folder: PathBuf,
        /// What was found.
        why: String,
    },
    /// A checkpoint of a run with other data or settings.
    #[error(
        "{}: this is not the run that was begun: {what}. Give what it was begun with, or start a new one in another \
         {}",
        checkpoint.display(), Hint::Setting(OUTPUT_DIR)
    )]
    ChangedRun {
        /// The checkpoint.
        checkpoint: PathBuf,
        /// What is now and what was then.
        what: String,
    },
    /// A checkpoint from which no run can go on.
    #[error("{}: no run can go on from here: {why}", file.display())]
    DamagedCheckpoint {
        /// The file, or the folder.
        file: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing more can be written.
    #[error(
        "{} could not be saved: {source}. What was saved before stays: make room, then go on with \
         {}",
        folder.display(), Hint::On(RESUME)
    )]
    NotSaved {
        /// What was to be written.
        folder: PathBuf,
        /// Why not.
        source: Box<TrainError>,
    },
    /// The run was asked to stop, and did.
    #[error(
        "stopped after step {step} of {n_steps}, which is saved in {}. Go on with the same command and \
         {}",
        checkpoint.display(), Hint::On(RESUME)
    )]
    Interrupted {
        /// The last step that was made.
        step: u64,
        /// Steps in all.
        n_steps: u64,
        /// Where it is saved.
        checkpoint: PathBuf,
    },
}

impl TrainError {
    /// Names the row of a result as the caller counts it. `rows`: the caller's row of each row of the batch.
    #[must_use]
    pub(crate) fn in_rows(self, rows: &[usize]) -> Self {
        match self {
            Self::Model(error) => Self::Model(error.in_rows(rows)),
            other => other,
        }
    }
}

impl From<bertlab_settings::OutOfRange> for TrainError {
    fn from(refusal: bertlab_settings::OutOfRange) -> Self {
        Self::Setting { name: refusal.name, found: refusal.found, wanted: refusal.wanted }
    }
}
