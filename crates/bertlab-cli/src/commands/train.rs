//! `bertlab train`: fine-tune on one's own rows.

use std::io::Write;
use std::path::PathBuf;

use bertlab::train::{IntervalStrategy, Resume, SamplingStrategy, SchedulerType, TrainingArguments};
use bertlab::{Columns, RowsRequest, Sampling, Task, TrainJob};

use crate::args::{ColumnArguments, GlobalArguments, one_of, task_parser};
use crate::print::Console;
use crate::print::progress::RowBars;
use crate::print::training::{TerminalReporter, print_preparation, print_summary};

/// Fine-tune a model on labelled rows
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab train ./all-MiniLM-L6-v2 --train-file reviews.csv --validation-file held-out.csv \
      --output-dir out
  bertlab train distilbert-base-uncased --train-file train.parquet --validation-file test.parquet \\
      --max-train-samples 5000 --max-eval-samples 5000 --num-train-epochs 1 --learning-rate 2e-5 \\
      --per-device-train-batch-size 4 --gradient-accumulation-steps 8 \
      --weight-decay 0.01 --output-dir out
  bertlab train MODEL ... --output-dir out --resume-from-checkpoint     after Ctrl-C or a crash
  bertlab evaluate out/final_model --test-file more.csv

Files: .csv, .tsv, .jsonl, .parquet, or a folder with one sub-folder of .txt files per class, as
aclImdb/train. Settings have HuggingFace's names and defaults, except where [default: ...] says
otherwise. The result lies in DIR/final_model, the log in DIR/trainer_state.json. Ctrl-C ends a run
after the current step, with a checkpoint; taken up again, it ends as if it had never stopped.")]
pub struct Arguments {
    /// A folder, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    data: DataArguments,
    /// Where everything is written
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    /// Write over a run that lies there
    #[arg(long)]
    overwrite_output_dir: bool,
    /// Go on with the run in --output-dir, from its newest checkpoint or from this one
    #[arg(long, value_name = "CHECKPOINT", num_args = 0..=1, default_missing_value = "true")]
    #[arg(conflicts_with = "overwrite_output_dir")]
    resume_from_checkpoint: Option<Resume>,
    /// What to learn [default: what the checkpoint's head and the data say]
    #[arg(long, value_name = "TASK", value_parser = task_parser())]
    task: Option<Task>,
    /// A new classifier for the data's labels, whatever head the checkpoint has
    #[arg(long)]
    new_head: bool,
    /// Go on although a split has one label only
    #[arg(long)]
    allow_single_class: bool,
    /// Use random weights where the folder has none: for speed alone
    #[arg(long)]
    random_weights: bool,
    #[command(flatten)]
    settings: Settings,
    /// Print the summary as a JSON object
    #[arg(long)]
    json: bool,
}

/// Which rows.
#[derive(clap::Args)]
struct DataArguments {
    /// Rows to learn from; several files are read one after the other
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    train_file: Vec<PathBuf>,
    /// Rows to evaluate on
    #[arg(long, value_name = "FILE", num_args = 1..)]
    validation_file: Vec<PathBuf>,
    #[command(flatten)]
    columns: ColumnArguments,
    /// Learn from so many rows at most
    #[arg(long, value_name = "N")]
    max_train_samples: Option<usize>,
    /// Evaluate on so many rows at most
    #[arg(long, value_name = "N")]
    max_eval_samples: Option<usize>,
    /// How those rows are chosen: stratified, random, first
    #[arg(long, value_name = "HOW", default_value = "stratified")]
    #[arg(value_parser = one_of::<Sampling>(&["stratified", "random", "first"]))]
    sample: Sampling,
    /// Cut texts to so many tokens [default: what the model takes]
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
}

/// HuggingFace's TrainingArguments.
#[derive(clap::Args)]
#[command(next_help_heading = "Settings, by HuggingFace's names")]
struct Settings {
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
}

impl Settings {
    fn arguments(&self) -> TrainingArguments {
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

impl Arguments {
    fn job(self, global: &GlobalArguments) -> TrainJob {
        let arguments = self.settings.arguments();
        let data = self.data;
        let columns = Columns::from(data.columns);
        let seed = arguments.seed;
        let rows = |files: Vec<PathBuf>, max_samples| RowsRequest {
            files,
            columns: columns.clone(),
            max_samples,
            sampling: data.sample,
            seed,
        };
        TrainJob {
            model: self.model,
            offline: global.offline,
            allow_random: self.random_weights,
            task: self.task,
            new_head: self.new_head,
            train: rows(data.train_file, data.max_train_samples),
            validation: (!data.validation_file.is_empty())
                .then(|| rows(data.validation_file, data.max_eval_samples)),
            max_length: data.max_length,
            allow_single_class: self.allow_single_class,
            arguments,
            output_dir: self.output_dir,
            overwrite_output_dir: self.overwrite_output_dir,
            resume: self.resume_from_checkpoint.unwrap_or_default(),
        }
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let as_json = arguments.json;
    let job = arguments.job(global);
    let starts_anew = job.resume == Resume::No;
    let mut bars = RowBars::new(console);
    let mut prepared = job.prepare(&mut |split, n_done, n_rows| bars.show(split, n_done, n_rows))?;
    bars.finish();
    if starts_anew {
        // Of a run that goes on, all weights come from its checkpoint.
        console.report(&prepared.opened.report)?;
    }
    if !as_json {
        print_preparation(console, &prepared)?;
        console.out.flush()?;
    }
    let stop = crate::stop::on_signals()?;
    let mut reporter = TerminalReporter::new(console, as_json, stop);
    let summary = prepared.train(&mut reporter);
    reporter.finish();
    let summary = summary?;
    print_summary(console, &prepared, &summary, as_json)
}
