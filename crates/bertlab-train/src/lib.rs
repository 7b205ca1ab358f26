//! Data sets, losses, the optimizer, the training loop, evaluation.

mod arguments;
pub mod data;
mod error;
mod evaluate;
mod examples;
pub mod losses;
pub mod metrics;
mod objective;
mod optimizer;
mod order;
mod output;
mod plan;
pub mod preflight;
mod progress;
mod reporter;
mod resume;
mod run;
mod schedule;
mod state;

pub use arguments::{IntervalStrategy, SamplingStrategy, TrainingArguments};
pub use error::TrainError;
pub use evaluate::{Answer, Evaluation, Scores, answers, evaluate};
pub use examples::{Example, Truncated, examples};
pub use objective::Objective;
pub use optimizer::Optimizer;
pub use output::check_output_dir;
pub use plan::Plan;
pub use reporter::{Progress, Reporter, Silent};
pub use resume::Resume;
pub use run::{Trainer, TrainingSummary};
pub use schedule::{Schedule, SchedulerType};
pub use state::Record;
