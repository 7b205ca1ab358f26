//! `TrainingArguments`: HuggingFace's names and, unless said otherwise, its defaults.

mod error;
mod foreign;
mod given;
mod names;
mod read;

pub use error::SettingsError;
pub use given::GivenSettings;
pub use read::ReadArguments;

use crate::class_weights::ClassWeights;
use crate::error::TrainError;
use crate::schedule::SchedulerType;
use serde::{Deserialize, Serialize};

/// When something happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IntervalStrategy {
    /// Never.
    No,
    /// Every so many update steps, and at the last.
    Steps,
    /// At the end of every epoch.
    Epoch,
}

/// When checkpoints are saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SaveStrategy {
    /// Never.
    No,
    /// Every so many update steps, and at the last.
    Steps,
    /// At the end of every epoch.
    Epoch,
    /// After every evaluation that is better than all before it.
    Best,
}

/// Where figures of a run go, beside the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportTo {
    /// Nowhere.
    None,
    /// TensorBoard's event files.
    Tensorboard,
}

/// In which order training rows come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SamplingStrategy {
    /// In a new random order every epoch.
    Random,
    /// In file order.
    Sequential,
    /// Random, with rows of similar length together.
    GroupByLength,
}

/// The settings of a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainingArguments {
    /// How often each row is seen.
    pub num_train_epochs: f64,
    /// Update steps in all; overrides `num_train_epochs`.
    pub max_steps: Option<u64>,
    /// Rows of one micro-batch.
    pub per_device_train_batch_size: usize,
    /// Rows of one evaluation batch, where HuggingFace averages by batch.
    pub per_device_eval_batch_size: usize,
    /// Micro-batches of one update.
    pub gradient_accumulation_steps: usize,
    /// The highest.
    pub learning_rate: f64,
    /// Of weights that are neither biases nor in a norm.
    pub weight_decay: f64,
    /// β1
    pub adam_beta1: f64,
    /// β2
    pub adam_beta2: f64,
    /// ε
    pub adam_epsilon: f64,
    /// Gradients are scaled down to this norm; 0 switches clipping off.
    pub max_grad_norm: f64,
    /// How the learning rate goes.
    pub lr_scheduler_type: SchedulerType,
    /// Steps over which the learning rate rises; below 1 a share of all steps.
    pub warmup_steps: f64,
    /// The same as a share of all steps, where `warmup_steps` is 0.
    pub warmup_ratio: f64,
    /// ε of the smoothed cross-entropy.
    pub label_smoothing_factor: f64,
    /// Keep a layer's input alone and compute the rest again: less memory, a third more time.
    pub gradient_checkpointing: bool,
    /// Matrix products of the encoder in bf16; weights, sums and the optimizer stay in f32.
    pub bf16: bool,
    /// Refused: f16 needs loss scaling, and processors do not compute in it. `bf16` is what to use.
    pub fp16: bool,
    /// Of order, dropout and new weights.
    pub seed: u64,
    /// Of the order alone; `seed` when none.
    pub data_seed: Option<u64>,
    /// The order of rows.
    pub train_sampling_strategy: SamplingStrategy,
    /// Leave out an epoch's last micro-batch when it is not full.
    pub dataloader_drop_last: bool,
    /// When losses are logged. A step's loss that has no line of its own is in the next line's mean.
    pub logging_strategy: IntervalStrategy,
    /// Steps between two log lines, below 1 a share of all steps; about a hundred lines in all when none
    /// (HuggingFace: 500). The last step always has a line.
    pub logging_steps: Option<f64>,
    /// Log the first step; when none, where lines come by steps (HuggingFace: no).
    pub logging_first_step: Option<bool>,
    /// When to evaluate; every epoch when none and there are rows for it (HuggingFace: no).
    pub eval_strategy: Option<IntervalStrategy>,
    /// Steps between two evaluations, below 1 a share of all steps; `logging_steps` when none.
    pub eval_steps: Option<f64>,
    /// No evaluation before so many steps or epochs, whichever `eval_strategy` counts.
    pub eval_delay: f64,
    /// Evaluate once before the first step; that one is no candidate for the best.
    pub eval_on_start: bool,
    /// When to save (HuggingFace: steps).
    pub save_strategy: SaveStrategy,
    /// Steps between two saves, below 1 a share of all steps.
    pub save_steps: f64,
    /// How many checkpoints are kept, the best among them; all when none.
    pub save_total_limit: Option<usize>,
    /// Checkpoints without the optimizer's memory: a third of the size, but no run goes on from them.
    pub save_only_model: bool,
    /// End with the best checkpoint; when none, where there is something to choose from (HuggingFace: no).
    pub load_best_model_at_end: Option<bool>,
    /// Which evaluation metric decides; the loss when none.
    pub metric_for_best_model: Option<String>,
    /// Whether more of it is better; unless it is a loss or an error (mse, brier, ...) when none.
    pub greater_is_better: Option<bool>,
    /// End after so many evaluations in a row that did not improve on the best; never when none. As
    /// HuggingFace's EarlyStoppingCallback.
    pub early_stopping_patience: Option<u64>,
    /// By how much more than this the metric must improve for the patience to begin anew.
    pub early_stopping_threshold: f64,
    /// Who else is told the run's figures.
    pub report_to: ReportTo,
    /// The embeddings keep their bits. (This and what follows HuggingFace does not have.)
    pub freeze_embeddings: bool,
    /// So many layers, counted from the bottom, keep their bits.
    pub freeze_layers: usize,
    /// Every layer learns this many times as fast as the one above it, the embeddings as a layer below all;
    /// the head and the top layer at the learning rate. 1 changes nothing.
    pub layerwise_lr_decay: f64,
    /// What each class counts in the loss; all the same when none.
    pub class_weights: Option<ClassWeights>,
    /// The share that dropout takes while this run trains, everywhere; what config.json says when none. The saved
    /// config stays as it is.
    pub dropout: Option<f64>,
}

impl Default for TrainingArguments {
    fn default() -> Self {
        Self {
            num_train_epochs: 3.0,
            max_steps: None,
            per_device_train_batch_size: 8,
            per_device_eval_batch_size: 8,
            gradient_accumulation_steps: 1,
            learning_rate: 5e-5,
            weight_decay: 0.0,
            adam_beta1: 0.9,
            adam_beta2: 0.999,
            adam_epsilon: 1e-8,
            max_grad_norm: 1.0,
            lr_scheduler_type: SchedulerType::Linear,
            warmup_steps: 0.0,
            warmup_ratio: 0.0,
            label_smoothing_factor: 0.0,
            gradient_checkpointing: false,
            bf16: false,
            fp16: false,
            seed: 42,
            data_seed: None,
            train_sampling_strategy: SamplingStrategy::Random,
            dataloader_drop_last: false,
            logging_strategy: IntervalStrategy::Steps,
            logging_steps: None,
            logging_first_step: None,
            eval_strategy: None,
            eval_steps: None,
            eval_delay: 0.0,
            eval_on_start: false,
            save_strategy: SaveStrategy::Epoch,
            save_steps: 500.0,
            save_total_limit: None,
            save_only_model: false,
            load_best_model_at_end: None,
            metric_for_best_model: None,
            greater_is_better: None,
            early_stopping_patience: None,
            early_stopping_threshold: 0.0,
            report_to: ReportTo::None,
            freeze_embeddings: false,
            freeze_layers: 0,
            layerwise_lr_decay: 1.0,
            class_weights: None,
            dropout: None,
        }
    }
}

impl TrainingArguments {
    /// Refuses what cannot be.
    ///
    /// # Errors
    /// The first setting that is out of its range.
    pub fn check(&self) -> Result<(), TrainError> {
        if self.fp16 {
            let wanted = "false: training in f16 needs a GPU's f16 units and a scaled loss. --bf16 is as small, \
                          needs no scaling, and is computed here";
            return Err(TrainError::Setting {
                name: "fp16",
                found: "true".to_owned(),
                wanted: wanted.to_owned(),
            });
        }
        let positive =
            |name, value: f64| range(name, value, value > 0.0 && value.is_finite(), "a number above 0");
        let at_least_0 =
            |name, value: f64| range(name, value, value >= 0.0 && value.is_finite(), "a number from 0 on");
        let share = |name, value: f64| range(name, value, (0.0..1.0).contains(&value), "a number in [0, 1)");
        let count = |name, value: usize| range(name, value as f64, value > 0, "a whole number from 1 on");
        let steps = |name, value: f64| {
            let is_inside = value > 0.0 && value.is_finite() && (value < 1.0 || value.fract() == 0.0);
            range(
                name,
                value,
                is_inside,
                "a whole number of steps from 1 on, or a share of all steps below 1",
            )
        };
        if self.max_steps.is_none() {
            positive("num_train_epochs", self.num_train_epochs)?;
        }
        count("max_steps", self.max_steps.unwrap_or(1) as usize)?;
        count("per_device_train_batch_size", self.per_device_train_batch_size)?;
        count("per_device_eval_batch_size", self.per_device_eval_batch_size)?;
        count("gradient_accumulation_steps", self.gradient_accumulation_steps)?;
        count("early_stopping_patience", self.early_stopping_patience.unwrap_or(1) as usize)?;
        steps("logging_steps", self.logging_steps.unwrap_or(1.0))?;
        steps("eval_steps", self.eval_steps.unwrap_or(1.0))?;
        steps("save_steps", self.save_steps)?;
        at_least_0("eval_delay", self.eval_delay)?;
        at_least_0("early_stopping_threshold", self.early_stopping_threshold)?;
        count("save_total_limit", self.save_total_limit.unwrap_or(1))?;
        at_least_0("learning_rate", self.learning_rate)?;
        at_least_0("weight_decay", self.weight_decay)?;
        at_least_0("max_grad_norm", self.max_grad_norm)?;
        at_least_0("warmup_steps", self.warmup_steps)?;
        share("warmup_ratio", self.warmup_ratio)?;
        share("label_smoothing_factor", self.label_smoothing_factor)?;
        share("dropout", self.dropout.unwrap_or(0.0))?;
        share("adam_beta1", self.adam_beta1)?;
        share("adam_beta2", self.adam_beta2)?;
        let (name, decay) = ("layerwise_lr_decay", self.layerwise_lr_decay);
        range(name, decay, decay > 0.0 && decay <= 1.0, "a number above 0, at most 1")?;
        positive("adam_epsilon", self.adam_epsilon)
    }
}

fn range(name: &'static str, value: f64, is_inside: bool, wanted: &str) -> Result<(), TrainError> {
    if is_inside {
        return Ok(());
    }
    Err(TrainError::Setting { name, found: value.to_string(), wanted: wanted.to_owned() })
}
