//! What a run will read: its largest micro-batch, and how many different words.

use super::Prospect;
use super::memory::n_through_words;
use crate::arguments::TrainingArguments;
use crate::order::epoch_order;
use bertlab_model::BatchSize;

/// Epochs whose order is looked through.
const EPOCHS_MAX: u64 = 16;

/// What decides how much memory the rows of a run take.
pub(super) struct Reading {
    /// The micro-batch with the most tokens.
    pub(super) largest: BatchSize,
    /// Different words of the update that has most of them.
    pub(super) n_words_of_update: usize,
    /// Different words in all.
    pub(super) n_words: usize,
}

impl Reading {
    pub(super) fn new(prospect: Prospect<'_>) -> Self {
        let (arguments, plan, lengths) = (prospect.arguments, prospect.plan, prospect.lengths());
        let n_labelled: Vec<usize> =
            prospect.train.iter().map(|example| n_through_words(example, prospect.masked_share)).collect();
        let size = |rows: &[usize]| BatchSize {
            n_rows: rows.len(),
            n_tokens: rows.iter().map(|&row| lengths[row]).sum(),
            n_labelled: rows.iter().map(|&row| n_labelled[row]).sum(),
        };
        let batch_size = arguments.per_device_train_batch_size;
        let mut words = Words { last_seen: vec![0; prospect.model.spec.encoder.vocab_size], n_updates: 0 };
        let mut reading = Self { largest: BatchSize::default(), n_words_of_update: 0, n_words: 0 };
        for epoch in 0..plan.n_epochs.min(EPOCHS_MAX) {
            let n_updates = plan.n_steps.saturating_sub(epoch * plan.n_updates_per_epoch) as usize;
            let order = order(arguments, &lengths, epoch);
            for rows in order.chunks(batch_size * plan.accumulation).take(n_updates) {
                let largest = rows.chunks(batch_size).map(size).max_by_key(|size| size.n_tokens);
                let larger = largest.filter(|size| size.n_tokens > reading.largest.n_tokens);
                reading.largest = larger.unwrap_or(reading.largest);
                // Other epochs read the same words, in other company.
                if epoch == 0 {
                    let ids = rows.iter().flat_map(|&row| &prospect.train[row].input_ids);
                    reading.n_words_of_update = reading.n_words_of_update.max(words.count(ids));
                }
            }
        }
        reading.n_words = words.n_seen();
        reading
    }
}

/// Counts words.
struct Words {
    /// The update that read each word last, from 1. `[V]`
    last_seen: Vec<u64>,
    n_updates: u64,
}

impl Words {
    /// How many different words the next update reads.
    fn count<'a>(&mut self, ids: impl Iterator<Item = &'a u32>) -> usize {
        self.n_updates += 1;
        let n_updates = self.n_updates;
        // Words outside the vocabulary are refused later, with their row.
        ids.filter(|&&id| {
            let last_seen = self.last_seen.get_mut(id as usize);
            last_seen.is_some_and(|last| std::mem::replace(last, n_updates) != n_updates)
        })
        .count()
    }

    fn n_seen(&self) -> usize {
        self.last_seen.iter().filter(|&&update| update > 0).count()
    }
}

/// The order of an epoch, as the run will have it.
fn order(arguments: &TrainingArguments, lengths: &[usize], epoch: u64) -> Vec<usize> {
    let rows_per_update = arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps;
    let seed = arguments.data_seed.unwrap_or(arguments.seed);
    epoch_order(arguments.train_sampling_strategy, lengths, rows_per_update, seed, epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_counted_once_an_update_and_once_in_all() {
        let mut words = Words { last_seen: vec![0; 5], n_updates: 0 };
        assert_eq!(words.count([1, 3, 1, 3, 3].iter()), 2);
        assert_eq!(words.count([3, 4, 9].iter()), 2, "9 is no word");
        assert_eq!(words.n_seen(), 3);
    }
}
