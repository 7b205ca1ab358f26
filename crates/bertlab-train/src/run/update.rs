//! One update of the weights: micro-batches forward and backward, clipping, AdamW.

use super::Run;
use crate::error::TrainError;
use crate::examples::{Example, batch};
use crate::objective::{Objective, logits};
use crate::optimizer::{clipping, gradient_norm};
use bertlab_compute::random::mix;
use bertlab_model::{HeadGradient, HeadKind, Training};
use std::time::Instant;

/// What one update did.
pub(super) struct Update {
    pub(super) loss: f64,
    pub(super) gradient_norm: f64,
    pub(super) learning_rate: f64,
    pub(super) n_tokens: usize,
}

impl Run<'_, '_> {
    /// One update of the weights from `rows`, a micro-batch at a time; every row weighs the same. Where
    /// rows have labelled tokens, those of a micro-batch are averaged first, as HuggingFace does.
    pub(super) fn update(&mut self, rows: &[usize]) -> Result<Update, TrainError> {
        let start = Instant::now();
        let (arguments, train) = (self.trainer.arguments, self.trainer.train);
        for (_, gradient) in self.gradients.named_mut() {
            gradient.as_mut_slice().fill(0.0);
        }
        let step_key = mix(arguments.seed, self.state.global_step);
        let mut loss = 0.0;
        for (index, part) in rows.chunks(arguments.per_device_train_batch_size).enumerate() {
            let examples: Vec<&Example> = part.iter().map(|&row| &train[row]).collect();
            let n_items: usize = examples.iter().map(|example| Objective::n_items(example)).sum();
            let weight = part.len() as f64 / rows.len() as f64 / n_items.max(1) as f64;
            loss += self.add_gradients(&examples, weight, mix(step_key, index as u64))?;
        }
        let learning_rate = self.plan.schedule.rate(self.state.global_step);
        let gradient_norm = gradient_norm(&self.gradients);
        if !loss.is_finite() || !gradient_norm.is_finite() {
            return Err(self.not_finite(rows, loss, gradient_norm, learning_rate));
        }
        let scale = clipping(gradient_norm, arguments.max_grad_norm);
        let (optimizer, gradients) = (&mut self.optimizer, &self.gradients);
        self.trainer.model.update(|params| optimizer.step(params, gradients, learning_rate, scale));
        self.seconds.train += start.elapsed().as_secs_f64();
        let n_tokens = rows.iter().map(|&row| train[row].input_ids.len()).sum();
        Ok(Update { loss, gradient_norm, learning_rate, n_tokens })
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
