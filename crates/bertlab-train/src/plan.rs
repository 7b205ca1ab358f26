//! What a run will do, before it does anything: micro-batches, update steps, when to log, evaluate, save.

use crate::arguments::{IntervalStrategy, TrainingArguments};
use crate::schedule::Schedule;

/// The steps of a run. Update steps are rounded up: the last accumulation of an epoch may be short.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Training rows.
    pub n_rows: usize,
    /// Their tokens.
    pub n_tokens: usize,
    /// Micro-batches of one epoch.
    pub n_micro_batches: usize,
    /// Micro-batches of one update.
    pub accumulation: usize,
    /// Updates of one epoch.
    pub n_updates_per_epoch: u64,
    /// Updates in all.
    pub n_steps: u64,
    /// Epochs begun.
    pub n_epochs: u64,
    /// The learning rate.
    pub schedule: Schedule,
    /// Steps between two log lines.
    pub logging_steps: u64,
    /// When to evaluate, and every how many steps.
    pub eval: (IntervalStrategy, u64),
    /// When to save, and every how many steps.
    pub save: (IntervalStrategy, u64),
}

/// Log lines of a run, about, where nothing else is said.
const LOG_LINES: u64 = 100;

impl Plan {
    /// The plan for `lengths.len()` rows.
    pub fn new(arguments: &TrainingArguments, lengths: &[usize], has_eval_rows: bool) -> Self {
        let (n_rows, batch_size) = (lengths.len(), arguments.per_device_train_batch_size);
        let n_micro_batches =
            if arguments.dataloader_drop_last { n_rows / batch_size } else { n_rows.div_ceil(batch_size) };
        let accumulation = arguments.gradient_accumulation_steps;
        let n_updates_per_epoch = n_micro_batches.div_ceil(accumulation) as u64;
        let by_epochs = (arguments.num_train_epochs * n_updates_per_epoch as f64).ceil() as u64;
        let n_steps = arguments.max_steps.unwrap_or(by_epochs);
        let n_warmup_steps = warmup_steps(arguments, n_steps);
        let logging_steps = arguments.logging_steps.unwrap_or(n_steps.div_ceil(LOG_LINES).max(1));
        let eval_strategy = match arguments.eval_strategy {
            _ if !has_eval_rows => IntervalStrategy::No,
            strategy => strategy.unwrap_or(IntervalStrategy::Epoch),
        };
        Self {
            n_rows,
            n_tokens: lengths.iter().sum(),
            n_micro_batches,
            accumulation,
            n_updates_per_epoch,
            n_steps,
            n_epochs: n_steps.div_ceil(n_updates_per_epoch.max(1)),
            schedule: Schedule {
                kind: arguments.lr_scheduler_type,
                learning_rate: arguments.learning_rate,
                n_warmup_steps,
                n_steps,
            },
            logging_steps,
            eval: (eval_strategy, arguments.eval_steps.unwrap_or(logging_steps)),
            save: (arguments.save_strategy, arguments.save_steps),
        }
    }

    /// Whether something with this rhythm is due after update `step` (from 1).
    pub fn is_due(&self, (strategy, steps): (IntervalStrategy, u64), step: u64, ends_epoch: bool) -> bool {
        match strategy {
            IntervalStrategy::No => false,
            IntervalStrategy::Steps => step.is_multiple_of(steps) || step == self.n_steps,
            IntervalStrategy::Epoch => ends_epoch || step == self.n_steps,
        }
    }

    /// Micro-batches of an epoch's last update.
    pub fn n_last_accumulation(&self) -> usize {
        match self.n_micro_batches % self.accumulation {
            0 => self.accumulation.min(self.n_micro_batches),
            rest => rest,
        }
    }
}

/// Below 1 it is a share; shares are rounded up.
fn warmup_steps(arguments: &TrainingArguments, n_steps: u64) -> u64 {
    let steps = arguments.warmup_steps;
    if steps >= 1.0 {
        return steps as u64;
    }
    let share = if steps > 0.0 { steps } else { arguments.warmup_ratio };
    (share * n_steps as f64).ceil() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_labs_5000_rows_take_157_steps_and_the_last_has_2_micro_batches() {
        let arguments = TrainingArguments {
            num_train_epochs: 1.0,
            per_device_train_batch_size: 4,
            gradient_accumulation_steps: 8,
            ..TrainingArguments::default()
        };
        let plan = Plan::new(&arguments, &[10; 5000], true);
        assert_eq!((plan.n_micro_batches, plan.n_steps, plan.n_last_accumulation()), (1250, 157, 2));
        assert_eq!(plan.logging_steps, 2);
    }

    #[test]
    fn steps_override_epochs_and_shares_of_warmup_are_rounded_up() {
        let arguments = TrainingArguments {
            max_steps: Some(11),
            per_device_train_batch_size: 4,
            gradient_accumulation_steps: 3,
            warmup_ratio: 0.1,
            ..TrainingArguments::default()
        };
        let plan = Plan::new(&arguments, &[10; 32], false);
        assert_eq!((plan.n_steps, plan.n_updates_per_epoch, plan.n_epochs), (11, 3, 4));
        assert_eq!(plan.schedule.n_warmup_steps, 2);
        assert!(!plan.is_due(plan.eval, 11, true));
    }
}
