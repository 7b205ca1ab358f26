//! HuggingFace's `TrainingArguments` as flags.

use bertlab::train::{IntervalStrategy, SamplingStrategy, SchedulerType, TrainingArguments};

/// HuggingFace's TrainingArguments.
#[derive(clap::Args)]
#[command(next_help_heading = "Settings, by HuggingFace's names")]
pub struct Settings {
    /// How often each row is seen [default: 3]
    #[arg(long, value_name = "N")]
    num_train_epochs: Option<f64>,
    /// Update steps in all, instead of epochs
    #[arg(long, value_name = "N")]
    max_steps: Option<u64>,
    /// Rows of one micro-batch [default: 8]
    #[arg(long, value_name = "N", alias = "batch-size")]
    per_device_train_batch_size: Option<usize>,
    /// Rows of one evaluation batch, where a loss is averaged by batch [default: 8]
    #[arg(long, value_name = "N")]
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
    #[arg(long)]
    gradient_checkpointing: bool,
    /// Matrix products in bf16, the rest in f32: faster where the processor has it
    #[arg(long)]
    bf16: bool,
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
    #[arg(long)]
    dataloader_drop_last: bool,
    /// Steps between two log lines [default: about a hundred lines in all]
    #[arg(long, value_name = "N")]
    logging_steps: Option<u64>,
    /// When to evaluate: no, steps, epoch [default: epoch]
    #[arg(long, value_name = "WHEN", value_parser = serde_words::<IntervalStrategy>)]
    eval_strategy: Option<IntervalStrategy>,
    /// Steps between two evaluations [default: as logging]
    #[arg(long, value_name = "N")]
    eval_steps: Option<u64>,
    /// When to save a checkpoint: no, steps, epoch [default: epoch]
    #[arg(long, value_name = "WHEN", value_parser = serde_words::<IntervalStrategy>)]
    save_strategy: Option<IntervalStrategy>,
    /// Steps between two checkpoints [default: 500]
    #[arg(long, value_name = "N")]
    save_steps: Option<u64>,
    /// How many checkpoints are kept, the best among them [default: all]
    #[arg(long, value_name = "N")]
    save_total_limit: Option<usize>,
    /// Checkpoints without the optimizer's memory: smaller, but no run goes on from them
    #[arg(long)]
    save_only_model: bool,
    /// End with the best checkpoint [default: true, where there is one to choose]
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true")]
    load_best_model_at_end: Option<bool>,
    /// Which figure decides: loss, accuracy, f1_macro, ... [default: loss]
    #[arg(long, value_name = "NAME")]
    metric_for_best_model: Option<String>,
    /// Whether more of it is better [default: unless it is a loss]
    #[arg(long, value_name = "BOOL")]
    greater_is_better: Option<bool>,
    #[command(flatten)]
    learning: Learning,
}

/// What HuggingFace's arguments do not have.
#[derive(clap::Args)]
#[command(next_help_heading = "What learns, and how fast")]
struct Learning {
    /// The embeddings keep their weights
    #[arg(long)]
    freeze_embeddings: bool,
    /// The first N layers keep their weights; with --freeze-embeddings their backward pass is saved
    #[arg(long, value_name = "N")]
    freeze_layers: Option<usize>,
    /// Each layer learns X times as fast as the one above, the embeddings slowest, the head and the top
    /// layer at the learning rate [default: 1]
    #[arg(long, value_name = "X")]
    layerwise_lr_decay: Option<f64>,
}

impl Settings {
    /// The arguments that they are.
    pub fn arguments(&self) -> TrainingArguments {
        let default = TrainingArguments::default();
        macro_rules! given {
            ($($field:ident),* $(,)?) => {
                TrainingArguments {
                    $($field: self.$field.clone().unwrap_or(default.$field),)*
                    max_steps: self.max_steps,
                    gradient_checkpointing: self.gradient_checkpointing,
                    bf16: self.bf16,
                    data_seed: self.data_seed,
                    dataloader_drop_last: self.dataloader_drop_last,
                    logging_steps: self.logging_steps,
                    eval_strategy: self.eval_strategy,
                    eval_steps: self.eval_steps,
                    save_total_limit: self.save_total_limit,
                    save_only_model: self.save_only_model,
                    load_best_model_at_end: self.load_best_model_at_end,
                    metric_for_best_model: self.metric_for_best_model.clone(),
                    greater_is_better: self.greater_is_better,
                    freeze_embeddings: self.learning.freeze_embeddings,
                    freeze_layers: self.learning.freeze_layers.unwrap_or(default.freeze_layers),
                    layerwise_lr_decay: self.learning.layerwise_lr_decay.unwrap_or(default.layerwise_lr_decay),
                }
            };
        }
        given!(
            num_train_epochs,
            per_device_train_batch_size,
            per_device_eval_batch_size,
            gradient_accumulation_steps,
            learning_rate,
            weight_decay,
            adam_beta1,
            adam_beta2,
            adam_epsilon,
            max_grad_norm,
            lr_scheduler_type,
            warmup_steps,
            warmup_ratio,
            label_smoothing_factor,
            seed,
            train_sampling_strategy,
            save_strategy,
            save_steps,
        )
    }
}

/// A word of an enum that config files hold too; what is wrong is said with all words that there are.
fn serde_words<T: serde::de::DeserializeOwned>(word: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::String(word.to_owned())).map_err(|error| error.to_string())
}
