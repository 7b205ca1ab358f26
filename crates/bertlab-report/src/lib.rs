//! Reports of runs: HTML pages, SVG plots, model cards and TensorBoard event files. Plain data in, text out.
//!
//! ```
//! use bertlab_report::{ModelFacts, RunReport, page, plots};
//!
//! let model = ModelFacts { name: "tiny".to_owned(), ..ModelFacts::default() };
//! let report = RunReport { model, ..RunReport::default() };
//! assert!(page(&report).starts_with("<!DOCTYPE html>"));
//! assert!(plots(&report).is_empty());
//! ```

mod card;
mod chart;
mod curves;
mod html;
mod lab;
mod markup;
mod mistakes;
mod number;
mod plots;
mod run;
mod settings;
pub mod tensorboard;
mod verdict;

pub use card::model_card;
pub use html::{lab_page, page};
pub use lab::{LabFacts, LayersFacts, ModelTreeFacts, ModuleLine, PairFacts, TokenFacts, WordsFacts};
pub use plots::{Plot, plots};
pub use run::{
    EvaluationFacts, ModelFacts, Outcome, RepeatFacts, RowFacts, RunReport, Seconds, SplitFacts,
    TrainingFacts,
};
pub use verdict::{Comparison, Tone, Verdict, verdict};
