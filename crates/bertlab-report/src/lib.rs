//! What a run leaves for a person: a report page, plots, a model card, TensorBoard events. Plain data in, text out.

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
