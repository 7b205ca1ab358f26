//! HuggingFace's `TrainingArguments` as flags. A flag's field is called as the setting's; one that is not given is null.

use bertlab::train::{
    ClassWeights, IntervalStrategy, ReportTo, SamplingStrategy, SaveStrategy, SchedulerType,
};
use serde::Serialize;

use crate::words::yes_or_no;

/// HuggingFace's TrainingArguments.
#[derive(clap::Args, Serialize)]
#[command(next_help_heading = "Settings, by HuggingFace's names")]
pub struct Settings {
    /// How often each row is seen [default: 3]
    #[arg(long, value_name = "N")]
    num_train_epochs: Option<f64>,
    /// Update steps in all, instead of epochs; -1 for none
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    max_steps: Option<i64>,
    /// Rows of one micro-batch [default: 8]
    #[arg(long, value_name = "N", alias = "batch-size", alias = "per-gpu-train-batch-size")]
    per_device_train_batch_size: Option<usize>,
    /// Rows of one evaluation batch, where a loss is averaged by batch [default: 8]
    #[arg(long, value_name = "N", alias = "per-gpu-eval-batch-size")]
    per_device_eval_batch_size: Option<usize>,
    /// Micro-batches of one update [default: 1]
    #[arg(long, value_name = "N")]
    gradient_accumulation_steps: Option<usize>,
    /// The highest learning rate [default: 5e-5]
    #[arg(long, value_name = "X")]
    learning_rate: Option<f64>,
    /// Of weights that are neither biases nor in a norm [default: 0]
    #[arg(long, value_name = "X")]
    weight_decay: Option<f64>,
    /// [default: 0.9]
    #[arg(long, value_name = "X")]
    adam_beta1: Option<f64>,
    /// [default: 0.999]
    #[arg(long, value_name = "X")]
    adam_beta2: Option<f64>,
    /// [default: 1e-8]
    #[arg(long, value_name = "X")]
    adam_epsilon: Option<f64>,
    /// Gradients are scaled down to this norm; 0 switches it off [default: 1]
    #[arg(long, value_name = "X")]
    max_grad_norm: Option<f64>,
    /// How the learning rate goes [default: linear]
    #[arg(long, value_name = "TYPE", value_parser = serde_words::<SchedulerType>)]
    lr_scheduler_type: Option<SchedulerType>,
    /// Steps over which the learning rate rises; below 1 a share of all steps [default: 0]
    #[arg(long, value_name = "N")]
    warmup_steps: Option<f64>,
    /// The same as a share of all steps [default: 0]
    #[arg(long, value_name = "X")]
    warmup_ratio: Option<f64>,
    /// [default: 0]
    #[arg(long, value_name = "X")]
    label_smoothing_factor: Option<f64>,
    /// Less memory for a third more time
    #[arg(long, value_name = "BOOL", alias = "activation-checkpointing")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    gradient_checkpointing: Option<bool>,
    /// Matrix products in bf16, the rest in f32: faster where the processor has it
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    bf16: Option<bool>,
    /// Not here: it says why, and what to use instead
    #[arg(long, value_name = "BOOL", hide = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    fp16: Option<bool>,
    /// Of order, dropout and new weights [default: 42]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// Of the order alone [default: the seed]
    #[arg(long, value_name = "N")]
    data_seed: Option<u64>,
    /// In which order rows come: random, sequential, group_by_length [default: random]
    #[arg(long, value_name = "HOW", value_parser = serde_words::<SamplingStrategy>)]
    train_sampling_strategy: Option<SamplingStrategy>,
    /// Leave out an epoch's last micro-batch when it is not full
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    dataloader_drop_last: Option<bool>,
    /// When to log losses: no, steps, epoch [default: steps]
    #[arg(long, value_name = "WHEN", value_parser = serde_words::<IntervalStrategy>)]
    logging_strategy: Option<IntervalStrategy>,
    /// Steps between two log lines; below 1 a share of all [default: about a hundred lines in all]
    #[arg(long, value_name = "N")]
    logging_steps: Option<f64>,
    /// Log the first step [default: true where lines come by steps]
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    logging_first_step: Option<bool>,
    /// When to evaluate: no, steps, epoch [default: epoch]
    #[arg(long, value_name = "WHEN", value_parser = serde_words::<IntervalStrategy>)]
    #[arg(alias = "evaluation-strategy")]
    eval_strategy: Option<IntervalStrategy>,
    /// Steps between two evaluations; below 1 a share of all [default: as logging]
    #[arg(long, value_name = "N")]
    eval_steps: Option<f64>,
    /// No evaluation before so many steps or epochs [default: 0]
    #[arg(long, value_name = "N")]
    eval_delay: Option<f64>,
    /// Evaluate before the first step too
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    eval_on_start: Option<bool>,
    /// When to save a checkpoint: no, steps, epoch, best (when an evaluation is) [default: epoch]
    #[arg(long, value_name = "WHEN", value_parser = serde_words::<SaveStrategy>)]
    save_strategy: Option<SaveStrategy>,
    /// Steps between two checkpoints; below 1 a share of all [default: 500]
    #[arg(long, value_name = "N")]
    save_steps: Option<f64>,
    /// How many checkpoints are kept, the best among them [default: all]
    #[arg(long, value_name = "N")]
    save_total_limit: Option<usize>,
    /// Checkpoints without the optimizer's memory: smaller, but no run goes on from them
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    save_only_model: Option<bool>,
    /// End with the best checkpoint [default: true, where there is one to choose]
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    load_best_model_at_end: Option<bool>,
    /// Which figure decides: loss, accuracy, f1_macro, ... [default: loss]
    #[arg(long, value_name = "NAME")]
    metric_for_best_model: Option<String>,
    /// Whether more of it is better [default: unless it is a loss]
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    greater_is_better: Option<bool>,
    /// End after so many evaluations in a row that are not better than the best [default: never]
    #[arg(long, value_name = "N")]
    early_stopping_patience: Option<u64>,
    /// Better by more than this, that is [default: 0]
    #[arg(long, value_name = "X")]
    early_stopping_threshold: Option<f64>,
    /// Figures go there too: none, tensorboard [default: none]
    #[arg(long, value_name = "WHERE", value_parser = serde_words::<ReportTo>)]
    report_to: Option<ReportTo>,
    /// The name of old of --train-sampling-strategy group_by_length
    #[arg(long, value_name = "BOOL", hide = true)]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    group_by_length: Option<bool>,
    /// Everything is computed on the CPU
    #[arg(long, value_name = "BOOL", hide = true, alias = "use-cpu")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    no_cuda: Option<bool>,
    #[command(flatten)]
    #[serde(flatten)]
    learning: Learning,
}

impl Settings {
    /// Whether the rows of a micro-batch are said.
    pub fn has_batch_size(&self) -> bool {
        self.per_device_train_batch_size.is_some()
    }
}

/// What HuggingFace's arguments do not have.
#[derive(clap::Args, Serialize)]
#[command(next_help_heading = "What learns, and how fast")]
struct Learning {
    /// The embeddings keep their weights
    #[arg(long, value_name = "BOOL")]
    #[arg(num_args = 0..=1, require_equals = true, default_missing_value = "true", value_parser = yes_or_no)]
    freeze_embeddings: Option<bool>,
    /// The first N layers keep their weights; with --freeze-embeddings their backward pass is saved
    #[arg(long, value_name = "N")]
    freeze_layers: Option<usize>,
    /// Each layer learns X times as fast as the one above, the embeddings slowest, the head and the top
    /// layer at the learning rate [default: 1]
    #[arg(long, value_name = "X")]
    layerwise_lr_decay: Option<f64>,
    /// What each class counts in the loss: balanced (rare ones as much as common ones), by name
    /// (neg=2,pos=1), or by id (2,1)
    #[arg(long, value_name = "WEIGHTS")]
    class_weights: Option<ClassWeights>,
    /// The share that dropout takes in this run, everywhere [default: what config.json says]
    #[arg(long, value_name = "P")]
    dropout: Option<f64>,
}

/// A word of an enum that config files hold too; what is wrong is said with all words that there are.
fn serde_words<T: serde::de::DeserializeOwned>(word: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|error| error.to_string())
}
