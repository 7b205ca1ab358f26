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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::rows::TrainingRows;
    use bertlab_data::Example;
    use bertlab_model::{OpenOptions, open};
    use std::path::Path;

    /// What fits into so much free memory, for updates of 16,384 rows on a small model.
    fn remedies_with(free: u64, arguments: &TrainingArguments) -> (MemoryForecast, Vec<Remedy>) {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../goldens/training/distilbert-uneven-accumulation/init");
        let (model, _) = open(&golden, &OpenOptions::default()).expect("it belongs to the repository");
        let row = Example { input_ids: vec![5; 20], ..Example::default() };
        let rows = vec![row; 16_384];
        let plan = Plan::new(arguments, (rows.len(), 20 * rows.len()), false);
        let prospect = Prospect {
            model: &model,
            arguments,
            plan: &plan,
            train: TrainingRows::Examples(&rows),
            eval: &[],
            masked_share: 0.0,
            free: Some(free),
        };
        let memory = MemoryForecast::new(prospect);
        (memory, remedies(prospect, &memory))
    }

    fn arguments() -> TrainingArguments {
        TrainingArguments { per_device_train_batch_size: 16_384, ..TrainingArguments::default() }
    }

    #[test]
    fn what_fits_needs_no_remedy() {
        let (memory, remedies) = remedies_with(64 << 30, &arguments());
        assert_eq!((memory.fits(), remedies.len()), (Some(true), 0));
        assert_eq!(memory.batch_tokens, 16_384 * 20);
    }

    #[test]
    fn what_does_not_fit_is_cut_into_smaller_micro_batches_of_the_same_updates() {
        let (memory, _) = remedies_with(64 << 30, &arguments());
        // Room for all but half of what the micro-batch keeps.
        let free = memory.peak - memory.held - (memory.activations + memory.working) / 2;
        let (memory, remedies) = remedies_with(free, &arguments());
        assert_eq!(memory.fits(), Some(false));
        let [smaller, checkpointed] = &remedies[..] else { panic!("two ways: {remedies:?}") };
        assert!(smaller.per_device_train_batch_size <= 8192 && !smaller.gradient_checkpointing);
        assert!(checkpointed.gradient_checkpointing && checkpointed.time_factor > 1.3);
        assert!(checkpointed.per_device_train_batch_size >= smaller.per_device_train_batch_size);
        for remedy in &remedies {
            let n_rows = remedy.per_device_train_batch_size * remedy.gradient_accumulation_steps;
            assert_eq!(n_rows, 16_384, "the same updates");
            // Not compared with `free`: what the process holds changes while other tests run beside this one.
            assert!(remedy.peak < memory.peak, "{remedy:?}");
        }
    }

    #[test]
    fn where_nothing_fits_nothing_is_made_up() {
        let (memory, remedies) = remedies_with(0, &arguments());
        assert_eq!((memory.fits(), remedies), (Some(false), Vec::new()));
    }
}
