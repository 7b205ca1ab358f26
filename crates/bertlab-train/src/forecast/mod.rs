//! What a run will cost, before its first step: memory from config and lengths, time from one forward pass. Plain data.

mod memory;
mod pace;
mod reading;
mod remedy;
mod time;

pub use memory::MemoryForecast;
pub(crate) use memory::n_through_words;
pub(crate) use pace::Pace;
pub use remedy::Remedy;
use remedy::remedies;
pub use time::TimeForecast;

use crate::arguments::TrainingArguments;
use crate::plan::Plan;
use crate::rows::TrainingRows;
use bertlab_data::Example;
use bertlab_model::Model;
use serde::Serialize;

/// What a run will cost.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Forecast {
    /// At its peak.
    pub memory: MemoryForecast,
    /// Where the run would not fit: settings under which it would, the cheapest first.
    pub remedies: Vec<Remedy>,
    /// In all.
    pub time: TimeForecast,
}

/// What a forecast is made from.
#[derive(Clone, Copy)]
pub(crate) struct Prospect<'a> {
    pub(crate) model: &'a Model,
    pub(crate) arguments: &'a TrainingArguments,
    pub(crate) plan: &'a Plan,
    pub(crate) train: TrainingRows<'a>,
    pub(crate) eval: &'a [Example],
    /// The share of tokens that are masked anew in every epoch, where they are.
    pub(crate) masked_share: f64,
    /// Bytes that the process could still get; unknown where the system does not tell.
    pub(crate) free: Option<u64>,
}

impl Forecast {
    /// Looks ahead; takes as long as two forward passes over a few hundred tokens.
    pub(crate) fn new(prospect: Prospect<'_>) -> (Self, Pace) {
        let memory = MemoryForecast::new(prospect);
        let pace = Pace::new(prospect);
        (Self { memory, remedies: remedies(prospect, &memory), time: pace.ahead() }, pace)
    }
}
