//! What a run learns from: rows in memory, or blocks of a corpus on disk.

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use crate::order::{Order, epoch_order};
use bertlab_data::{Blocks, Example};
use std::borrow::Cow;

/// Rows to learn from.
#[derive(Clone, Copy, Debug)]
pub enum TrainingRows<'a> {
    /// All in memory, with targets or to be masked.
    Examples(&'a [Example]),
    /// On disk, to be masked.
    Blocks(&'a Blocks),
}

impl<'a> TrainingRows<'a> {
    /// How many there are.
    pub fn len(self) -> usize {
        match self {
            Self::Examples(examples) => examples.len(),
            Self::Blocks(blocks) => blocks.len(),
        }
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// Tokens of a row.
    pub fn length(self, row: usize) -> usize {
        match self {
            Self::Examples(examples) => examples[row].input_ids.len(),
            Self::Blocks(blocks) => blocks.length_of(row),
        }
    }

    /// Tokens of all rows.
    pub fn n_tokens(self) -> usize {
        match self {
            Self::Examples(examples) => examples.iter().map(|example| example.input_ids.len()).sum(),
            Self::Blocks(blocks) => blocks.n_tokens() as usize,
        }
    }

    /// A row.
    ///
    /// # Errors
    /// Of blocks: a file that cannot be read any more.
    pub(crate) fn example(self, row: usize) -> Result<Cow<'a, Example>, TrainError> {
        match self {
            Self::Examples(examples) => Ok(Cow::Borrowed(&examples[row])),
            Self::Blocks(blocks) => Ok(Cow::Owned(blocks.example(row)?)),
        }
    }

    /// Those in memory.
    pub(crate) fn in_memory(self) -> &'a [Example] {
        match self {
            Self::Examples(examples) => examples,
            Self::Blocks(_) => &[],
        }
    }

    /// The order of an epoch's rows.
    pub(crate) fn order(self, arguments: &TrainingArguments, epoch: u64) -> Order {
        let seed = arguments.data_seed.unwrap_or(arguments.seed);
        let strategy = arguments.train_sampling_strategy;
        match self {
            Self::Examples(examples) => {
                let rows_per_update =
                    arguments.per_device_train_batch_size * arguments.gradient_accumulation_steps;
                let lengths: Vec<usize> = examples.iter().map(|example| example.input_ids.len()).collect();
                Order::List(epoch_order(strategy, &lengths, rows_per_update, seed, epoch))
            }
            Self::Blocks(blocks) => Order::of_equal_rows(strategy, blocks.len(), seed, epoch),
        }
    }
}
