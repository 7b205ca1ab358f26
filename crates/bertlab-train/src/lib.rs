//! Losses, the optimizer, the training loop, evaluation.

mod arguments;
mod class_weights;
mod divergence;
mod error;
mod evaluate;
mod forecast;
mod freezing;
pub mod losses;
pub mod machine;
mod masked_lm_scores;
mod masking;
pub mod metrics;
mod objective;
mod optimizer;
mod order;
mod output;
mod plan;
mod progress;
mod reporter;
mod results;
mod resume;
mod rows;
mod run;
mod schedule;
mod state;
mod word_answers;

pub use arguments::{
    ClassWeights, IntervalStrategy, ReadArguments, ReportTo, SamplingStrategy, SaveStrategy,
    TrainingArguments, foreign,
};
pub use class_weights::class_weights;
pub use divergence::Divergence;
pub use error::TrainError;
pub use evaluate::{Answer, Evaluation, Scores, answers, evaluate};
pub use forecast::{Forecast, MemoryForecast, Remedy, TimeForecast};
pub use freezing::frozen;
pub use masked_lm_scores::MaskedLmScores;
pub use masking::{Masking, MaskingOptions};
pub use objective::{Averaging, Objective};
pub use optimizer::Optimizer;
pub use output::check_output_dir;
pub use plan::Plan;
pub use progress::FILE_NAME as PROGRESS_FILE;
pub use reporter::{Both, Reporter, Silent, StepFigures};
pub use resume::Resume;
pub use rows::TrainingRows;
pub use run::{Trainer, TrainingSummary};
pub use schedule::{Schedule, SchedulerType};
pub use state::{Record, saved_log};
pub use word_answers::WordAnswer;
