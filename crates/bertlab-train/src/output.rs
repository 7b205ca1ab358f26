//! The output folder: `checkpoint-N/`, `final_model/`, `trainer_state.json`, `training_args.json`.

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use bertlab_checkpoint::{Error as CheckpointError, atomic};
use bertlab_model::{HeadChoice, Model, OpenOptions, Params, open, write_pretrained};
use bertlab_text::Tokenizer;
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A run's output folder.
pub(crate) struct Output {
    folder: PathBuf,
}

impl Output {
    /// Makes the folder; refuses one that holds a run already, unless told to write over it.
    pub(crate) fn create(folder: &Path, overwrite: bool) -> Result<Self, TrainError> {
        let output = Self { folder: folder.to_path_buf() };
        let found = ["trainer_state.json", "final_model"].into_iter().find(|name| folder.join(name).exists());
        match found {
            Some(found) if !overwrite => {
                return Err(TrainError::OutputInUse {
                    folder: folder.to_path_buf(),
                    found: found.to_owned(),
                });
            }
            Some(_) => {
                for step in output.checkpoints()? {
                    output.remove(&output.checkpoint(step))?;
                }
            }
            None => {}
        }
        std::fs::create_dir_all(folder).map_err(|source| io(folder, "make the folder", source))?;
        Ok(output)
    }

    pub(crate) fn checkpoint(&self, step: u64) -> PathBuf {
        self.folder.join(format!("checkpoint-{step}"))
    }

    /// The model, its tokenizer and the run's state, all or nothing.
    pub(crate) fn save_checkpoint(
        &self,
        folder: &Path,
        model: &Model,
        tokenizer: Option<&Tokenizer>,
        state: &Value,
    ) -> Result<(), TrainError> {
        atomic::write_folder(folder, |staging| {
            write_pretrained(staging, model, tokenizer)?;
            write_json(&staging.join("trainer_state.json"), state)
        })
    }

    pub(crate) fn save_state(&self, state: &Value) -> Result<(), TrainError> {
        write_json(&self.folder.join("trainer_state.json"), state)
    }

    pub(crate) fn save_arguments(&self, arguments: &TrainingArguments) -> Result<(), TrainError> {
        let value = serde_json::to_value(arguments).expect("arguments are plain values");
        write_json(&self.folder.join("training_args.json"), &value)
    }

    pub(crate) fn save_final(
        &self,
        model: &Model,
        tokenizer: Option<&Tokenizer>,
    ) -> Result<PathBuf, TrainError> {
        let folder = self.folder.join("final_model");
        atomic::write_folder(&folder, |staging| write_pretrained(staging, model, tokenizer))?;
        Ok(folder)
    }

    /// The weights of a checkpoint of this run.
    pub(crate) fn read_weights(&self, step: u64, model: &Model) -> Result<Params, TrainError> {
        let options = OpenOptions { head: HeadChoice::Kind(model.spec.head.kind), ..OpenOptions::default() };
        let (saved, _) = open(&self.checkpoint(step), &options)?;
        Ok(saved.params().clone())
    }

    /// Removes the oldest checkpoints beyond `limit`; the best one stays.
    pub(crate) fn forget_old(&self, limit: Option<usize>, best: Option<u64>) -> Result<(), TrainError> {
        let Some(limit) = limit else { return Ok(()) };
        let steps = self.checkpoints()?;
        let last = steps.last().copied();
        let mut n_kept = steps.len();
        for step in steps {
            if n_kept > limit && Some(step) != best && Some(step) != last {
                self.remove(&self.checkpoint(step))?;
                n_kept -= 1;
            }
        }
        Ok(())
    }

    /// The steps of the checkpoints that are there, ascending.
    fn checkpoints(&self) -> Result<Vec<u64>, TrainError> {
        let entries =
            std::fs::read_dir(&self.folder).map_err(|source| io(&self.folder, "list the folder", source))?;
        let step =
            |entry: std::fs::DirEntry| entry.file_name().to_str()?.strip_prefix("checkpoint-")?.parse().ok();
        let mut steps: Vec<u64> = entries.filter_map(|entry| step(entry.ok()?)).collect();
        steps.sort_unstable();
        Ok(steps)
    }

    fn remove(&self, folder: &Path) -> Result<(), TrainError> {
        Ok(std::fs::remove_dir_all(folder).map_err(|source| io(folder, "remove the checkpoint", source))?)
    }
}

fn write_json(path: &Path, value: &Value) -> Result<(), TrainError> {
    let mut text = serde_json::to_vec_pretty(value).expect("a JSON value is valid JSON");
    text.push(b'\n');
    Ok(atomic::write_file(path, &text)?)
}

fn io(path: &Path, action: &'static str, source: std::io::Error) -> CheckpointError {
    CheckpointError::Io { path: path.to_path_buf(), action, source }
}
