//! What a run writes: checkpoints, and the model at its end.

use super::{Run, Trainer, TrainingSummary};
use crate::error::TrainError;
use crate::machine;
use crate::output::{Checkpoint, Output, read_weights};
use crate::plan::Plan;
use crate::progress::{SavedProgress, Seconds};
use crate::results::Samples;
use crate::state::{Best, TrainerState};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Says what could not be written, and that the rest is safe.
pub(super) fn saving<T>(folder: &Path, result: Result<T, TrainError>) -> Result<T, TrainError> {
    result.map_err(|source| TrainError::NotSaved { folder: folder.to_path_buf(), source: Box::new(source) })
}

/// How a run ends that was asked to stop after its last step, and can go on from its checkpoint.
pub(super) fn interruption(state: &TrainerState, plan: &Plan, output: &Output) -> TrainError {
    let step = state.global_step;
    TrainError::Interrupted { step, n_steps: plan.n_steps, checkpoint: output.checkpoint(step) }
}

impl Run<'_, '_> {
    /// The checkpoint that is due.
    pub(super) fn save(&mut self) -> Result<(), TrainError> {
        let step = self.state.global_step;
        let folder = self.output.checkpoint(step);
        if let Some(best) = self.state.best.as_mut().filter(|best| best.global_step == step) {
            best.checkpoint = Some(folder.display().to_string());
        }
        self.save_checkpoint(!self.trainer.arguments.save_only_model)
    }

    /// Ends the run between two updates, or in an evaluation, with a checkpoint from which it can go on. That one is no
    /// candidate for the best: without the interruption it would not be there.
    pub(super) fn stop(&mut self) -> Result<(), TrainError> {
        if self.resumable_at != Some(self.state.global_step) {
            self.save_checkpoint(true)?;
        }
        Err(interruption(&self.state, &self.plan, &self.output))
    }

    fn save_checkpoint(&mut self, is_resumable: bool) -> Result<(), TrainError> {
        let start = Instant::now();
        let step = self.state.global_step;
        let folder = self.output.checkpoint(step);
        self.reporter.saving(&folder);
        let state = self.state.to_json(self.trainer.arguments, &self.plan);
        let progress = self.progress();
        let checkpoint = Checkpoint {
            model: self.trainer.model,
            tokenizer: self.trainer.tokenizer,
            state: &state,
            resumable: is_resumable.then_some((&self.optimizer, &progress)),
        };
        saving(&folder, self.output.save_checkpoint(&folder, &checkpoint))?;
        saving(self.output.folder(), self.output.save_state(&state))?;
        self.resumable_at = is_resumable.then_some(step);
        self.forget_old()?;
        self.seconds.save += start.elapsed().as_secs_f64();
        self.reporter.saved(&folder);
        Ok(())
    }

    fn progress(&self) -> SavedProgress {
        SavedProgress {
            global_step: self.state.global_step,
            evaluated_at: self.evaluated_at,
            unevaluated: self.unevaluated,
            losses: self.losses,
            seconds: Seconds { total: self.seconds_in_all(), ..self.seconds },
            elsewhere: self.elsewhere,
            identity: self.identity.clone(),
        }
    }

    fn seconds_in_all(&self) -> f64 {
        self.seconds.total + self.start.elapsed().as_secs_f64()
    }

    /// Removes checkpoints beyond the limit.
    pub(super) fn forget_old(&self) -> Result<(), TrainError> {
        let best = self.state.best.as_ref().map(|best| best.global_step);
        self.output.forget_old(self.trainer.arguments.save_total_limit, self.state.global_step, best)
    }

    /// What comes after the last update.
    pub(super) fn finish(mut self) -> Result<TrainingSummary, TrainError> {
        self.is_ending = true;
        let loaded = self.load_best()?;
        self.evaluate_at_end(loaded.is_some())?;
        let seconds = self.seconds_in_all();
        let rows = (self.state.epoch - self.elsewhere.epoch) * self.plan.n_rows as f64;
        let n_steps = (self.state.global_step - self.elsewhere.n_steps) as f64;
        let train_loss = self.losses.total / (self.state.global_step - self.elsewhere.n_unlogged) as f64;
        self.log([
            ("train_runtime", (seconds * 1e4).round() / 1e4),
            ("train_samples_per_second", (rows / seconds * 1e3).round() / 1e3),
            ("train_steps_per_second", (n_steps / seconds * 1e3).round() / 1e3),
            ("total_flos", self.state.total_flos),
            ("train_loss", train_loss),
        ]);
        let stopped_early = self.has_stopped_early();
        let final_model = self.save_final()?;
        // Last, so that nothing is lost when it takes long; its figures join the log.
        let test = self.test()?;
        if test.is_some() {
            self.save_state()?;
        }
        let time = Duration::from_secs_f64;
        Ok(TrainingSummary {
            train_loss,
            n_steps: self.state.global_step,
            train_time: time(self.seconds.train),
            eval_time: time(self.seconds.eval),
            save_time: time(self.seconds.save),
            forecast: self.forecast,
            peak_memory: machine::peak_resident_bytes(),
            evaluation: self.last_evaluation,
            test,
            divergence: self.losses.divergence(),
            stopped_early,
            loaded,
            final_model,
        })
    }

    /// Evaluates the model as it ends, where that was not done yet. Where the run before this one did it,
    /// the figures are in the log already.
    fn evaluate_at_end(&mut self, is_best_loaded: bool) -> Result<(), TrainError> {
        let is_current = !is_best_loaded && self.evaluated_at == Some(self.state.global_step);
        if self.trainer.eval.is_empty() {
            return Ok(());
        }
        if !is_current {
            return self.evaluate_aside();
        }
        if self.last_evaluation.is_none() {
            self.last_evaluation = Some(self.evaluation()?);
        }
        Ok(())
    }

    fn save_final(&mut self) -> Result<PathBuf, TrainError> {
        let start = Instant::now();
        let folder = self.output.final_model();
        self.reporter.saving(&folder);
        saving(&folder, self.output.save_final(self.trainer.model, self.trainer.tokenizer))?;
        self.save_state()?;
        self.seconds.save += start.elapsed().as_secs_f64();
        Ok(folder)
    }

    /// The log, and what HuggingFace's scripts make of it.
    fn save_state(&self) -> Result<(), TrainError> {
        let Trainer { train, eval, test, .. } = &self.trainer;
        let samples = Samples { train: train.len(), eval: eval.len(), test: test.len() };
        saving(self.output.folder(), self.output.save_results(&self.state.log_history, samples))?;
        let state = self.state.to_json(self.trainer.arguments, &self.plan);
        saving(self.output.folder(), self.output.save_state(&state))
    }

    /// Goes back to the best checkpoint, where it is asked for (or makes sense) and is not the last state.
    fn load_best(&mut self) -> Result<Option<Best>, TrainError> {
        if self.trainer.arguments.load_best_model_at_end == Some(false) {
            return Ok(None);
        }
        let Some(best) = self.state.best.clone().filter(|best| best.global_step != self.state.global_step)
        else {
            return Ok(None);
        };
        let Some(saved_at) = &best.checkpoint else { return Ok(None) };
        // A run that was moved, or taken up in another folder, still knows where it was.
        let here = self.output.checkpoint(best.global_step);
        let folder = if here.is_dir() { here } else { PathBuf::from(saved_at) };
        let saved = read_weights(&folder, self.trainer.model.spec.head.kind)?;
        self.trainer.model.update(|params| *params = saved.params().clone());
        Ok(Some(best))
    }
}
