//! What a run will read: its largest micro-batch, and how many different words.

use super::Prospect;
use super::memory::n_through_words;
use crate::rows::TrainingRows;
use bertlab_model::BatchSize;

/// Epochs whose order is looked through.
const EPOCHS_MAX: u64 = 16;
/// Updates of an epoch that are looked through where rows are blocks of a corpus.
const BLOCK_UPDATES_MAX: usize = 32;

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
        let (arguments, plan, train) = (prospect.arguments, prospect.plan, prospect.train);
        let size = |rows: &[usize]| BatchSize {
            n_rows: rows.len(),
            n_tokens: rows.iter().map(|&row| train.length(row)).sum(),
            n_labelled: rows.iter().map(|&row| n_through_words(train, row, prospect.masked_share)).sum(),
        };
        let batch_size = arguments.per_device_train_batch_size;
        let rows_per_update = batch_size * plan.accumulation;
        let mut words = Words { last_seen: vec![0; prospect.model.spec.encoder.vocab_size], n_updates: 0 };
        let mut reading = Self { largest: BatchSize::default(), n_words_of_update: 0, n_words: 0 };
        for epoch in 0..plan.n_epochs.min(EPOCHS_MAX) {
            let n_updates = plan.n_steps.saturating_sub(epoch * plan.n_updates_per_epoch) as usize;
            let order = train.order(arguments, epoch);
            let starts = (0..order.len()).step_by(rows_per_update).take(n_updates.min(updates_max(train)));
            for rows in starts.map(|start| order.rows(start..start + rows_per_update)) {
                let largest = rows.chunks(batch_size).map(size).max_by_key(|size| size.n_tokens);
                let larger = largest.filter(|size| size.n_tokens > reading.largest.n_tokens);
                reading.largest = larger.unwrap_or(reading.largest);
                // Other epochs read the same words, in other company. Rows that cannot be read are refused later.
                if epoch == 0 {
                    let rows: Vec<_> = rows.iter().filter_map(|&row| train.example(row).ok()).collect();
                    let ids = rows.iter().flat_map(|row| &row.input_ids);
                    reading.n_words_of_update = reading.n_words_of_update.max(words.count(ids));
                }
            }
        }
        reading.n_words = match train {
            TrainingRows::Examples(_) => words.n_seen(),
            // What was not looked at may hold any word.
            TrainingRows::Blocks(_) => words.last_seen.len(),
        };
        reading
    }
}

/// Updates that are looked through: blocks of a corpus are as long as each other, and as rich in words.
fn updates_max(train: TrainingRows<'_>) -> usize {
    match train {
        TrainingRows::Examples(_) => usize::MAX,
        TrainingRows::Blocks(_) => BLOCK_UPDATES_MAX,
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
