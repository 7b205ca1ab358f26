//! One update of the weights: micro-batches forward and backward, clipping, AdamW.

use super::Run;
use crate::error::TrainError;
use crate::objective::{Objective, logits};
use crate::optimizer::{clipping, gradient_norm};
use bertlab_compute::random::mix;
use bertlab_data::{Example, batch};
use bertlab_model::{HeadGradient, HeadKind, Training};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::time::Instant;

/// What one update did.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Update {
    pub(super) loss: f64,
    pub(super) gradient_norm: f64,
    pub(super) learning_rate: f64,
    pub(super) n_tokens: usize,
}

impl Run<'_, '_> {
    /// One update of the weights from `rows`, a micro-batch at a time; every row weighs the same, or every labelled
    /// token, as [`Averaging`](crate::Averaging) says.
    pub(super) fn update(&mut self, rows: &[usize]) -> Result<Update, TrainError> {
        let start = Instant::now();
        let arguments = self.trainer.arguments;
        let step_key = mix(arguments.seed, self.state.global_step);
        let mut loss = 0.0;
        let examples = self.examples(rows)?;
        self.gradients.begin(examples.iter().flat_map(|example| example.input_ids.iter().copied()));
        let counts: Vec<f64> = examples.iter().map(|example| self.objective.count(example)).collect();
        let count_all = counts.iter().sum();
        let size = arguments.per_device_train_batch_size;
        for (index, (part, counts)) in examples.chunks(size).zip(counts.chunks(size)).enumerate() {
            let counts = (counts.iter().sum(), count_all);
            let part: Vec<&Example> = part.iter().map(AsRef::as_ref).collect();
            // Where nothing was masked there is nothing to learn, and no mean.
            if counts.0 > 0.0 {
                let averaging = self.objective.averaging_of_update(&part);
                let weight = averaging.weight((part.len(), rows.len()), counts);
                loss += self.add_gradients(&part, weight, mix(step_key, index as u64))?;
            }
        }
        let learning_rate = self.plan.schedule.rate(self.state.global_step);
        let gradient_norm = gradient_norm(&mut self.gradients, self.trainer.model);
        if !loss.is_finite() || !gradient_norm.is_finite() {
            return Err(self.not_finite(rows, loss, gradient_norm, learning_rate));
        }
        let scale = clipping(gradient_norm, arguments.max_grad_norm);
        let (optimizer, gradients) = (&mut self.optimizer, &mut self.gradients);
        self.trainer.model.update_trained(|params| optimizer.step(params, gradients, learning_rate, scale));
        self.seconds.train += start.elapsed().as_secs_f64();
        let n_tokens = examples.iter().map(|example| example.input_ids.len()).sum();
        Ok(Update { loss, gradient_norm, learning_rate, n_tokens })
    }

    /// The rows of an update; with masks of this epoch where masks are drawn anew.
    fn examples<'e>(&self, rows: &[usize]) -> Result<Vec<Cow<'e, Example>>, TrainError>
    where
        Self: 'e,
    {
        let (trainer, epoch) = (&self.trainer, self.state.global_step / self.plan.n_updates_per_epoch);
        let example = |&row: &usize| {
            let example = trainer.train.example(row)?;
            Ok(match trainer.masking {
                Some(masking) => Cow::Owned(masking.of_epoch(&example, epoch, row)),
                None => example,
            })
        };
        rows.iter().map(example).collect()
    }

    /// Forward and backward over one micro-batch; gives its part of the loss.
    fn add_gradients(&mut self, examples: &[&Example], weight: f64, key: u64) -> Result<f64, TrainError> {
        let model = &*self.trainer.model;
        let batch = batch(&model.spec.encoder, examples.iter().copied())?;
        let is_masked_lm = model.spec.head.kind == HeadKind::MaskedLm;
        let tokens = Objective::labelled_tokens(&batch, examples).filter(|_| is_masked_lm);
        let training = Training {
            dropout_key: Some(key),
            gradient_checkpointing: self.trainer.arguments.gradient_checkpointing,
            tokens: tokens.as_deref(),
            head_alone: true,
        };
        let (output, kept) = model.forward_keeping(&batch, training);
        let loss = self.objective.loss(logits(&output), examples, weight);
        let d = HeadGradient { logits: Some(loss.d_logits), ..HeadGradient::default() };
        model.backward(d, &batch, kept, &mut self.gradients);
        Ok(loss.value)
    }

    fn not_finite(&self, rows: &[usize], loss: f64, gradient_norm: f64, learning_rate: f64) -> TrainError {
        let rows: Vec<String> = rows.iter().map(|row| (row + 1).to_string()).collect();
        let (step, rows) = (self.state.global_step + 1, rows.join(", "));
        TrainError::NotFinite { step, loss, gradient_norm, rows, learning_rate }
    }
}
