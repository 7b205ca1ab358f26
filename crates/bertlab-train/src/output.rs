//! The output folder: `checkpoint-N/`, `final_model/`, `trainer_state.json`, `training_args.json`.

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use crate::optimizer::Optimizer;
use crate::progress::{self, SavedProgress};
use crate::results::{self, Samples};
use crate::resume::{self, Resume};
use crate::state::{self, Record};
use bertlab_checkpoint::{Error as CheckpointError, atomic};
use bertlab_model::{HeadChoice, HeadKind, Model, OpenOptions, open, write_pretrained};
use bertlab_text::Tokenizer;
use serde_json::Value;
use std::path::{Path, PathBuf};

const FINAL_MODEL: &str = "final_model";
const ARGUMENTS: &str = "training_args.json";
const CHECKPOINT: &str = "checkpoint-";

/// A run's output folder.
pub(crate) struct Output {
    folder: PathBuf,
}

/// What a checkpoint holds.
pub(crate) struct Checkpoint<'a> {
    pub(crate) model: &'a Model,
    pub(crate) tokenizer: Option<&'a Tokenizer>,
    /// trainer_state.json
    pub(crate) state: &'a Value,
    /// What the run needs to go on from here; none for the model alone.
    pub(crate) resumable: Option<(&'a Optimizer, &'a SavedProgress)>,
}

/// Refuses an output folder before anything is read, opened or made: one that holds a run (unless it is written
/// over or taken up), one that holds none to take up or a run with other settings, one that cannot be written.
/// [`crate::Trainer::train`] looks again, with the rows in hand.
///
/// # Errors
/// As said, with what lies there and what to try.
pub fn check_output_dir(
    folder: &Path,
    overwrite: bool,
    resume: &Resume,
    arguments: &TrainingArguments,
) -> Result<(), TrainError> {
    let output = Output { folder: folder.to_path_buf() };
    let steps = if folder.is_dir() { output.checkpoints()? } else { Vec::new() };
    let is_taken_up = match resume {
        Resume::No => false,
        Resume::Newest => {
            let newest = steps.last().ok_or_else(|| output.nothing_to_resume())?;
            // One that is damaged is skipped later, with a word.
            if let Ok(progress) = SavedProgress::read(&output.checkpoint(*newest)) {
                progress.identity.check_settings(&output.checkpoint(*newest), arguments)?;
            }
            true
        }
        Resume::From(checkpoint) => {
            resume::check_settings(checkpoint, arguments)?;
            folder.is_dir() && output.holds(checkpoint)
        }
    };
    if !overwrite
        && !is_taken_up
        && let Some(found) = output.run_found(&steps)
    {
        return Err(TrainError::OutputInUse { folder: folder.to_path_buf(), found });
    }
    check_writable(folder)
}

/// Makes a file where the folder is, or will be, and takes it away again: the one answer that read-only and full
/// disks, permissions and paths through files all give.
fn check_writable(folder: &Path) -> Result<(), TrainError> {
    let refused = |source| TrainError::OutputNotWritable { folder: folder.to_path_buf(), source };
    let existing = folder.ancestors().find(|path| path.as_os_str().is_empty() || path.exists());
    let existing = existing.filter(|path| !path.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !existing.is_dir() {
        return Err(refused(std::io::Error::from(std::io::ErrorKind::NotADirectory)));
    }
    let trial = existing.join(format!(".bertlab-trial-{}", std::process::id()));
    std::fs::write(&trial, b"?").map_err(refused)?;
    std::fs::remove_file(&trial).map_err(refused)
}

impl Output {
    /// Makes the folder; refuses one that holds a run already, unless told to write over it.
    pub(crate) fn create(folder: &Path, overwrite: bool) -> Result<Self, TrainError> {
        let output = Self { folder: folder.to_path_buf() };
        std::fs::create_dir_all(folder).map_err(|source| io(folder, "make the folder", source))?;
        output.tidy()?;
        let steps = output.checkpoints()?;
        if !overwrite && let Some(found) = output.run_found(&steps) {
            return Err(TrainError::OutputInUse { folder: folder.to_path_buf(), found });
        }
        for step in steps {
            output.remove(&output.checkpoint(step))?;
        }
        Ok(output)
    }

    /// A folder whose run is taken up again; what interrupted saves left there is put right.
    pub(crate) fn reopen(folder: &Path) -> Result<Self, TrainError> {
        let output = Self { folder: folder.to_path_buf() };
        if !folder.is_dir() {
            return Err(output.nothing_to_resume());
        }
        output.tidy()?;
        Ok(output)
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(crate) fn checkpoint(&self, step: u64) -> PathBuf {
        self.folder.join(format!("{CHECKPOINT}{step}"))
    }

    pub(crate) fn nothing_to_resume(&self) -> TrainError {
        let why = if self.folder.is_dir() { "it holds no checkpoint" } else { "there is no such folder" };
        TrainError::NothingToResume { folder: self.folder.clone(), why: why.to_owned() }
    }

    /// Whether this is one of the folder's own checkpoints.
    pub(crate) fn holds(&self, checkpoint: &Path) -> bool {
        let parent = checkpoint.canonicalize().ok().and_then(|path| path.parent().map(Path::to_path_buf));
        parent.is_some() && parent == self.folder.canonicalize().ok()
    }

    /// All or nothing.
    pub(crate) fn save_checkpoint(&self, folder: &Path, what: &Checkpoint<'_>) -> Result<(), TrainError> {
        atomic::write_folder(folder, |staging| {
            write_pretrained(staging, what.model, what.tokenizer)?;
            if let Some((optimizer, progress)) = what.resumable {
                optimizer.write(staging, what.model)?;
                let value = serde_json::to_value(progress).expect("progress is plain values");
                write_json(&staging.join(progress::FILE_NAME), &value)?;
            }
            write_json(&staging.join(state::FILE_NAME), what.state)
        })
    }

    pub(crate) fn save_state(&self, state: &Value) -> Result<(), TrainError> {
        write_json(&self.folder.join(state::FILE_NAME), state)
    }

    /// What HuggingFace's scripts leave beside it at the end.
    pub(crate) fn save_results(&self, log: &[Record], samples: Samples) -> Result<(), TrainError> {
        results::write(&self.folder, log, samples)
    }

    pub(crate) fn save_arguments(&self, arguments: &TrainingArguments) -> Result<(), TrainError> {
        let value = serde_json::to_value(arguments).expect("arguments are plain values");
        write_json(&self.folder.join(ARGUMENTS), &value)
    }

    pub(crate) fn final_model(&self) -> PathBuf {
        self.folder.join(FINAL_MODEL)
    }

    pub(crate) fn save_final(&self, model: &Model, tokenizer: Option<&Tokenizer>) -> Result<(), TrainError> {
        Ok(atomic::write_folder(&self.final_model(), |staging| write_pretrained(staging, model, tokenizer))?)
    }

    /// Removes the oldest checkpoints beyond `limit`, counted up to step `now`; the best one stays. Later
    /// ones are remains of a run that was taken up again before them: they are replaced when it comes there.
    pub(crate) fn forget_old(
        &self,
        limit: Option<usize>,
        now: u64,
        best: Option<u64>,
    ) -> Result<(), TrainError> {
        let Some(limit) = limit else { return Ok(()) };
        let mut steps = self.checkpoints()?;
        steps.retain(|&step| step <= now);
        let mut n_kept = steps.len();
        for step in steps {
            if n_kept > limit && Some(step) != best && step != now {
                self.remove(&self.checkpoint(step))?;
                n_kept -= 1;
            }
        }
        Ok(())
    }

    /// The steps of the checkpoints that are there, ascending.
    pub(crate) fn checkpoints(&self) -> Result<Vec<u64>, TrainError> {
        let step = |name: &String| name.strip_prefix(CHECKPOINT)?.parse().ok();
        let mut steps: Vec<u64> = self.names()?.iter().filter_map(step).collect();
        steps.sort_unstable();
        Ok(steps)
    }

    /// What shows that a run lies here.
    fn run_found(&self, steps: &[u64]) -> Option<String> {
        let known = [state::FILE_NAME, FINAL_MODEL].map(str::to_owned).into_iter();
        let mut names = known.chain(steps.last().map(|step| format!("{CHECKPOINT}{step}")));
        names.find(|name| self.folder.join(name).exists())
    }

    /// Finishes or removes what saves that were killed have left: hidden names, made of the name that was
    /// to be written.
    fn tidy(&self) -> Result<(), TrainError> {
        for name in self.names()? {
            let Some(name) = name.strip_prefix('.') else { continue };
            let files = [state::FILE_NAME, ARGUMENTS].into_iter().chain(results::FILE_NAMES);
            if name.ends_with(".partial") && files.into_iter().any(|file| name.starts_with(file)) {
                let file = self.folder.join(format!(".{name}"));
                std::fs::remove_file(&file).map_err(|source| io(&file, "remove the file", source))?;
            }
            let target = name.split('.').next().unwrap_or_default();
            if target == FINAL_MODEL || target.starts_with(CHECKPOINT) {
                atomic::recover(&self.folder.join(target))?;
            }
        }
        Ok(())
    }

    /// The names of all that lies in the folder.
    fn names(&self) -> Result<Vec<String>, TrainError> {
        let entries =
            std::fs::read_dir(&self.folder).map_err(|source| io(&self.folder, "list the folder", source))?;
        Ok(entries.flatten().filter_map(|entry| entry.file_name().into_string().ok()).collect())
    }

    fn remove(&self, folder: &Path) -> Result<(), TrainError> {
        Ok(std::fs::remove_dir_all(folder).map_err(|source| io(folder, "remove the checkpoint", source))?)
    }
}

/// The model of a checkpoint, with every weight from its file.
pub(crate) fn read_weights(checkpoint: &Path, head: HeadKind) -> Result<Model, TrainError> {
    let options = OpenOptions { head: HeadChoice::Kind(head), ..OpenOptions::default() };
    let (saved, report) = open(checkpoint, &options)?;
    if !report.is_clean() {
        let why = report.messages().join("; ");
        return Err(TrainError::DamagedCheckpoint { file: checkpoint.to_path_buf(), why });
    }
    Ok(saved)
}

fn write_json(path: &Path, value: &Value) -> Result<(), TrainError> {
    let mut text = serde_json::to_vec_pretty(value).expect("a JSON value is valid JSON");
    text.push(b'\n');
    Ok(atomic::write_file(path, &text)?)
}

fn io(path: &Path, action: &'static str, source: std::io::Error) -> CheckpointError {
    CheckpointError::Io { path: path.to_path_buf(), action, source }
}
