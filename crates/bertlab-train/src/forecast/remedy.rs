//! Settings under which a run fits that otherwise would not.

use super::{MemoryForecast, Prospect};
use crate::arguments::TrainingArguments;
use serde::Serialize;

/// Settings under which the same updates need less memory.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Remedy {
    /// Rows of one micro-batch.
    pub per_device_train_batch_size: usize,
    /// Micro-batches of one update: as many rows as before.
    pub gradient_accumulation_steps: usize,
    /// Whether layers are computed again instead of kept.
    pub gradient_checkpointing: bool,
    /// Bytes at the peak.
    pub peak: u64,
    /// How much longer training takes, about: 1 is as long as before.
    pub time_factor: f64,
}

/// What computing every layer once more costs: a forward pass beside a forward and a backward one.
const CHECKPOINTING_FACTOR: f64 = 4.0 / 3.0;

/// Smaller micro-batches alone, and checkpointing with micro-batches as large as it allows; those that fit.
pub(super) fn remedies(prospect: Prospect<'_>, memory: &MemoryForecast) -> Vec<Remedy> {
    if memory.fits() != Some(false) {
        return Vec::new();
    }
    let checkpoints = prospect.arguments.gradient_checkpointing;
    let mut remedies = Vec::new();
    for is_checkpointed in [checkpoints, true] {
        let mut sizes = halves(prospect.arguments);
        let fitting =
            sizes.find_map(|(size, accumulation)| remedy(prospect, (size, accumulation), is_checkpointed));
        remedies.extend(fitting);
        if checkpoints {
            break;
        }
    }
    remedies.dedup_by_key(|remedy| (remedy.per_device_train_batch_size, remedy.gradient_checkpointing));
    remedies
}

/// The batch size, its half, and so on, each with an accumulation that keeps the rows of an update.
fn halves(arguments: &TrainingArguments) -> impl Iterator<Item = (usize, usize)> {
    let rows = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps;
    let sizes = std::iter::successors(Some(arguments.per_device_train_batch_size), |&size| Some(size / 2));
    sizes.take_while(|&size| size > 0).map(move |size| (size, rows.div_ceil(size)))
}

fn remedy(
    prospect: Prospect<'_>,
    (size, accumulation): (usize, usize),
    is_checkpointed: bool,
) -> Option<Remedy> {
    let before = prospect.arguments.gradient_checkpointing;
    let arguments = TrainingArguments {
        per_device_train_batch_size: size,
        gradient_accumulation_steps: accumulation,
        gradient_checkpointing: is_checkpointed,
        ..prospect.arguments.clone()
    };
    let memory = MemoryForecast::new(Prospect { arguments: &arguments, ..prospect });
    (memory.fits() == Some(true)).then_some(Remedy {
        per_device_train_batch_size: size,
        gradient_accumulation_steps: accumulation,
        gradient_checkpointing: is_checkpointed,
        peak: memory.peak,
        time_factor: if is_checkpointed && !before { CHECKPOINTING_FACTOR } else { 1.0 },
    })
}
