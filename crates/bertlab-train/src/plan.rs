//! What a run will do, before it does anything: micro-batches, update steps, when to log, evaluate, save.

use crate::arguments::{IntervalStrategy, SaveStrategy, TrainingArguments};
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
    /// When to log losses.
    pub logging_strategy: IntervalStrategy,
    /// Steps between two log lines.
    pub logging_steps: u64,
    /// Whether the first step has a line whatever the rhythm.
    pub logs_first_step: bool,
    /// When to evaluate, and every how many steps.
    pub eval: (IntervalStrategy, u64),
    /// No evaluation before so many steps or epochs.
    pub eval_delay: f64,
    /// When to save, and every how many steps.
    pub save: (SaveStrategy, u64),
}

/// A moment after an update.
#[derive(Clone, Copy, Debug)]
pub struct Moment {
    /// Updates done.
    pub step: u64,
    /// Epochs done, with fraction.
    pub epoch: f64,
    /// The epoch's last update.
    pub ends_epoch: bool,
    /// The run's last update: as planned, or stopped early.
    pub is_last: bool,
}

/// Log lines of a run, about, where nothing else is said.
const LOG_LINES: u64 = 100;

impl Plan {
    /// The plan for so many rows, which hold so many tokens together.
    pub fn new(
        arguments: &TrainingArguments,
        (n_rows, n_tokens): (usize, usize),
        has_eval_rows: bool,
    ) -> Self {
        let batch_size = arguments.per_device_train_batch_size;
        let n_micro_batches =
            if arguments.dataloader_drop_last { n_rows / batch_size } else { n_rows.div_ceil(batch_size) };
        let accumulation = arguments.gradient_accumulation_steps;
        let n_updates_per_epoch = n_micro_batches.div_ceil(accumulation) as u64;
        let by_epochs = (arguments.num_train_epochs * n_updates_per_epoch as f64).ceil() as u64;
        let n_steps = arguments.max_steps.unwrap_or(by_epochs);
        let n_warmup_steps = warmup_steps(arguments, n_steps);
        let steps =
            |steps: f64| if steps < 1.0 { (steps * n_steps as f64).ceil() as u64 } else { steps as u64 };
        let logging_steps = arguments.logging_steps.map_or(n_steps.div_ceil(LOG_LINES), steps).max(1);
        let logging_strategy = arguments.logging_strategy;
        let eval_strategy = match arguments.eval_strategy {
            _ if !has_eval_rows => IntervalStrategy::No,
            strategy => strategy.unwrap_or(IntervalStrategy::Epoch),
        };
        Self {
            n_rows,
            n_tokens,
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
            logging_strategy,
            logging_steps,
            logs_first_step: arguments
                .logging_first_step
                .unwrap_or(logging_strategy == IntervalStrategy::Steps),
            eval: (eval_strategy, arguments.eval_steps.map_or(logging_steps, steps).max(1)),
            eval_delay: arguments.eval_delay,
            save: (arguments.save_strategy, steps(arguments.save_steps).max(1)),
        }
    }

    /// Whether losses are logged after this update.
    pub fn logs(&self, moment: Moment) -> bool {
        let is_first = moment.step == 1 && self.logs_first_step;
        is_first || is_due((self.logging_strategy, self.logging_steps), moment)
    }

    /// Whether there is an evaluation after this update.
    pub fn evaluates(&self, moment: Moment) -> bool {
        let done = if self.eval.0 == IntervalStrategy::Epoch { moment.epoch } else { moment.step as f64 };
        is_due(self.eval, moment) && self.eval_delay <= done
    }

    /// Whether a checkpoint is saved after this update, whose evaluation (if there was one) was the best so far or not.
    pub fn saves(&self, moment: Moment, is_best: bool) -> bool {
        let (strategy, steps) = self.save;
        match strategy {
            SaveStrategy::No => false,
            SaveStrategy::Steps => is_due((IntervalStrategy::Steps, steps), moment),
            SaveStrategy::Epoch => is_due((IntervalStrategy::Epoch, steps), moment),
            SaveStrategy::Best => is_best,
        }
    }

    /// Epochs that are done after so many steps, with fraction.
    pub fn epochs_after(&self, step: u64) -> f64 {
        let (whole, rest) = (step / self.n_updates_per_epoch, step % self.n_updates_per_epoch);
        let n_done = (rest as usize * self.accumulation).min(self.n_micro_batches);
        whole as f64 + n_done as f64 / self.n_micro_batches as f64
    }

    /// Micro-batches of an epoch's last update.
    pub fn n_last_accumulation(&self) -> usize {
        match self.n_micro_batches % self.accumulation {
            0 => self.accumulation.min(self.n_micro_batches),
            rest => rest,
        }
    }
}

/// Whether something with this rhythm is due; the last update is always a moment for it.
fn is_due((strategy, steps): (IntervalStrategy, u64), moment: Moment) -> bool {
    match strategy {
        IntervalStrategy::No => false,
        IntervalStrategy::Steps => moment.step.is_multiple_of(steps) || moment.is_last,
        IntervalStrategy::Epoch => moment.ends_epoch || moment.is_last,
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
        let plan = Plan::new(&arguments, (5000, 50_000), true);
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
        let plan = Plan::new(&arguments, (32, 320), false);
        assert_eq!((plan.n_steps, plan.n_updates_per_epoch, plan.n_epochs), (11, 3, 4));
        assert_eq!(plan.schedule.n_warmup_steps, 2);
        assert!(!plan.evaluates(Moment { step: 11, epoch: 3.7, ends_epoch: true, is_last: true }));
    }
}
