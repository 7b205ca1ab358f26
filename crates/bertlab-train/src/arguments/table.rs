//! The table of training settings. A new setting is a row here, and the lines that use it.

use super::choice::{IntervalStrategy, ReportTo, SamplingStrategy, SaveStrategy};
use super::class_weights::ClassWeights;
use crate::error::TrainError;
use crate::schedule::SchedulerType;
use bertlab_settings::{Range, Settings, settings};
use serde::Serialize;

settings! {
    /// The settings of a training run.
    #[derive(Clone, Debug, PartialEq, Serialize)]
    pub struct TrainingArguments {
        ["Settings, by HuggingFace's names"]
        /// Number of passes over the training rows
        num_train_epochs: f64 = 3.0, above(0.0), replaces("max_steps"), value_name("N");
        /// Total number of update steps, which overrides the number of epochs; -1 for no limit
        max_steps: Option<u64> = None, count(), none_below_1();
        /// Rows per training micro-batch
        per_device_train_batch_size: usize = 8, count(),
            old_names(&["per_gpu_train_batch_size", "batch_size"]);
        /// Rows per evaluation batch, for losses that are averaged by batch
        per_device_eval_batch_size: usize = 8, count(), old_names(&["per_gpu_eval_batch_size"]);
        /// Micro-batches whose gradients are summed for one update
        gradient_accumulation_steps: usize = 1, count();
        /// Peak learning rate
        learning_rate: f64 = 5e-5, at_least(0.0);
        /// Weight decay (not applied to biases and LayerNorm weights)
        weight_decay: f64 = 0.0, at_least(0.0);
        /// AdamW's beta1: decay of the running mean of gradients
        adam_beta1: f64 = 0.9, share();
        /// AdamW's beta2: decay of the running mean of squared gradients
        adam_beta2: f64 = 0.999, share();
        /// AdamW's epsilon, for numerical stability
        adam_epsilon: f64 = 1e-8, above(0.0);
        /// Maximum norm of the gradients, for clipping; 0 disables it
        max_grad_norm: f64 = 1.0, at_least(0.0);
        /// Learning rate schedule
        lr_scheduler_type: SchedulerType = SchedulerType::Linear, old_names(&["lr_scheduler"]),
            value_name("TYPE");
        /// Steps over which the learning rate rises to its peak; below 1: a share of all steps
        warmup_steps: f64 = 0.0, at_least(0.0), replaces("warmup_ratio"), value_name("N");
        /// Share of all steps over which the learning rate rises to its peak, if `warmup_steps` is 0
        warmup_ratio: f64 = 0.0, share(), replaces("warmup_steps");
        /// Label smoothing of the cross-entropy
        label_smoothing_factor: f64 = 0.0, share(), old_names(&["label_smoothing"]);
        /// Recompute activations in the backward pass: less memory, about a third more time
        gradient_checkpointing: bool = false, may_change(), old_names(&["activation_checkpointing"]);
        /// Compute the encoder's matrix products in bf16 and the rest in f32; faster on processors that
        /// support it
        bf16: bool = false;
        /// Not supported: use `bf16`
        fp16: bool = false, hidden(), off(
            "bf16",
            "training in f16 needs a GPU's f16 units and a scaled loss. bf16 is as small and needs no scaling"
        );
        /// Random seed for the order of rows, dropout and new weights
        seed: u64 = 42;
        /// Random seed for the order of rows only
        data_seed: Option<u64> = None, default_is("`seed`");
        /// Order of the training rows
        train_sampling_strategy: SamplingStrategy = SamplingStrategy::Random, value_name("ORDER"),
            old_switches(&[("group_by_length", "group_by_length")]);
        /// Drop the last micro-batch of an epoch if it is not full
        dataloader_drop_last: bool = false;
        /// When to log the loss; a step's loss that has no line of its own is in the next line's mean
        logging_strategy: IntervalStrategy = IntervalStrategy::Steps, value_name("WHEN");
        /// Steps between two log lines; below 1: a share of all steps. The last step is always logged
        logging_steps: Option<f64> = None, steps(), default_is("about 100 lines per run"), value_name("N");
        /// Log the first step
        logging_first_step: Option<bool> = None, default_is("true if logging by steps");
        /// When to evaluate
        eval_strategy: Option<IntervalStrategy> = None, default_is("epoch, if there are rows for it"),
            old_names(&["evaluation_strategy"]), value_name("WHEN");
        /// Steps between two evaluations; below 1: a share of all steps
        eval_steps: Option<f64> = None, steps(), default_is("`logging_steps`"), value_name("N");
        /// Steps or epochs (as `eval_strategy` counts) before the first evaluation
        eval_delay: f64 = 0.0, at_least(0.0), value_name("N");
        /// Evaluate before the first step too; this evaluation cannot be the best
        eval_on_start: bool = false;
        /// When to save a checkpoint; best: after every evaluation that improves on all before it
        save_strategy: SaveStrategy = SaveStrategy::Epoch, may_change(), value_name("WHEN");
        /// Steps between two checkpoints; below 1: a share of all steps
        save_steps: f64 = 500.0, steps(), may_change(), value_name("N");
        /// Maximum number of checkpoints to keep, including the best
        save_total_limit: Option<usize> = None, count(), may_change(), default_is("all");
        /// Save checkpoints without the optimizer's state: a third of the size, but a run cannot resume from
        /// them
        save_only_model: bool = false, may_change();
        /// Load the best checkpoint at the end of the run
        load_best_model_at_end: Option<bool> = None, may_change(), default_is("true, if there is one");
        /// Metric that decides which model is best: loss, accuracy, f1_macro, ...
        metric_for_best_model: Option<String> = None, default_is("loss"), value_name("NAME");
        /// Whether a greater metric is better
        greater_is_better: Option<bool> = None, default_is("true, unless it is a loss or an error");
        /// Stop after so many evaluations in a row without improvement on the best
        early_stopping_patience: Option<u64> = None, count(), default_is("never");
        /// How much the metric must improve to count for early stopping
        early_stopping_threshold: f64 = 0.0, at_least(0.0);
        /// Where to report metrics, besides the log
        report_to: ReportTo = ReportTo::None, may_change(), value_name("WHERE");
        ["What is trained, and how fast"]
        /// Freeze the embeddings
        freeze_embeddings: bool = false;
        /// Freeze the first N layers; with `freeze_embeddings`, their backward pass is skipped
        freeze_layers: usize = 0;
        /// Learning rate of each layer relative to the one above it; the embeddings come below the first
        /// layer, the head and the top layer have the full rate
        layerwise_lr_decay: f64 = 1.0, range(Range::Factor);
        /// Weight of each class in the loss: balanced (rare classes count as much as common ones), by name
        /// (neg=2,pos=1), or by id (2,1)
        class_weights: Option<ClassWeights> = None, value_name("WEIGHTS");
        /// Dropout probability during this run, everywhere
        dropout: Option<f64> = None, share(), default_is("as in config.json"), value_name("P");
    }
}

impl TrainingArguments {
    /// Checks that every setting is in its range.
    ///
    /// # Errors
    /// The first setting that is out of its range.
    pub fn check(&self) -> Result<(), TrainError> {
        // The number of epochs is not used where the number of steps is given.
        let unused = self.max_steps.map(|_| "num_train_epochs");
        let mut used = Self::TABLE.iter().filter(|setting| Some(setting.name) != unused);
        match used.find_map(|setting| setting.out_of_range(self)) {
            Some(refusal) => Err(refusal.into()),
            None => Ok(()),
        }
    }
}
