//! `Gradients`: what the backward passes of an update sum.

use crate::model::Model;
use crate::params::Params;
use crate::slot::{GradientSum, Place, Role, Slot};
use crate::spec::Spec;
use bertlab_compute::Tensor;
use bertlab_compute::ops::rows;
use std::sync::Arc;

/// The gradients of a model's weights, summed over the micro-batches of an update.
///
/// Of the table of words only the rows that the update reads have a gradient, and only those are held: an update
/// reads a few hundred of tens of thousands. Where a masked-LM part is tied to the table, all rows have one.
pub struct Gradients {
    spec: Spec,
    /// Shaped as the weights; but the table of words as `words` says.
    pub(crate) params: Params<GradientSum>,
    pub(crate) words: Words,
}

/// Which rows of the table of words have a gradient.
pub(crate) enum Words {
    All,
    /// Those that the update reads. By word, where its row stands in the gradient. `[V]`
    Read(Vec<Option<u32>>),
}

/// The gradient of one weight.
#[derive(Clone, Copy)]
pub struct WeightGradient<'a> {
    /// What the weight is.
    pub slot: &'a Arc<Slot>,
    /// Shaped as the weight, or `[n, D]` with `rows`.
    pub sum: &'a Tensor,
    /// Where each of the weight's rows stands in `sum`; rows that stand nowhere have the gradient 0. None where
    /// all stand in their place.
    pub rows: Option<&'a [Option<u32>]>,
}

impl Gradients {
    /// Of the weights of `model` that are trained.
    pub fn new(model: &Model) -> Self {
        let (spec, device) = (&model.spec, model.params().embeddings.word.device());
        let mut params = Params::build(spec, &mut |slot| {
            let is_trained = model.is_trained(&slot);
            GradientSum::zeros(slot, is_trained, device)
        });
        let words = if Self::are_of_all_words(model) {
            Words::All
        } else {
            params.embeddings.word.tensor = Tensor::zeros_on(device, &[0, spec.encoder.width]);
            Words::Read(vec![None; spec.encoder.vocab_size])
        };
        Self { spec: spec.clone(), params, words }
    }

    /// Whether words have gradients, but only those that an update reads.
    pub fn are_of_read_words(model: &Model) -> bool {
        are_words_trained(model) && !Self::are_of_all_words(model)
    }

    /// Whether every word has a gradient in every update: a masked-LM part is tied to their table.
    fn are_of_all_words(model: &Model) -> bool {
        model.spec.head.is_tied() && are_words_trained(model)
    }

    /// How many numbers are held in an update that reads `n_words` different words.
    pub fn n_numbers(model: &Model, n_words: usize) -> usize {
        let encoder = &model.spec.encoder;
        let n_absent = encoder.vocab_size.saturating_sub(n_words);
        model.n_trained() - if Self::are_of_read_words(model) { n_absent * encoder.width } else { 0 }
    }

    /// Begins an update: all sums become 0. `words`: every word that its micro-batches read; repetitions do not matter.
    pub fn begin(&mut self, words: impl IntoIterator<Item = u32>) {
        if let Words::Read(rows) = &mut self.words {
            let width = self.params.embeddings.word.width();
            rows.fill(None);
            let mut n = 0;
            for word in words {
                // One outside the table is refused with its batch.
                let Some(row) = rows.get_mut(word as usize) else { continue };
                row.get_or_insert_with(|| {
                    n += 1;
                    n - 1
                });
            }
            let n = n as usize;
            let table = &mut self.params.embeddings.word.tensor;
            let device = table.device();
            *table = Tensor::zeros_on(device, &[0, width]); // Its memory serves the next.
            *table = Tensor::zeros_on(device, &[n, width]);
        }
        let are_all = matches!(self.words, Words::All);
        let sums = self.params.all_mut().into_iter();
        sums.filter(|sum| are_all || sum.slot.role != Role::WordTable).for_each(GradientSum::begin);
    }

    /// Every sum, in the order of [`Params::weights`].
    pub fn sums(&mut self) -> Vec<WeightGradient<'_>> {
        self.finish();
        let rows = match &self.words {
            Words::All => None,
            Words::Read(rows) => Some(rows.as_slice()),
        };
        let rows_of = |slot: &Slot| rows.filter(|_| slot.role == Role::WordTable);
        let sums = self.params.all().into_iter();
        sums.map(|sum| WeightGradient { slot: &sum.slot, sum, rows: rows_of(&sum.slot) }).collect()
    }

    /// All of them, shaped as the weights.
    pub fn into_params(mut self) -> Params {
        self.finish();
        if let Words::Read(rows) = &self.words {
            let sums = &mut self.params.embeddings.word.tensor;
            let (n_words, width) = (rows.len(), sums.width());
            let mut words = vec![0; sums.n_rows()];
            for (word, row) in rows.iter().enumerate() {
                if let Some(row) = row {
                    words[*row as usize] = word;
                }
            }
            *sums = Tensor::from_buffer(&[n_words, width], rows::scatter(&*sums, width, &words, n_words));
        }
        let mut params = Params::zeros(&self.spec);
        for (weight, sum) in params.weights_mut().into_iter().zip(self.params.all_mut()) {
            **weight = std::mem::replace(&mut sum.tensor, Tensor::zeros(&[0]));
        }
        params
    }

    /// Where no pass was added, the sums are 0.
    fn finish(&mut self) {
        self.params.all_mut().into_iter().for_each(GradientSum::finish);
    }
}

/// Whether the table of words is trained.
fn are_words_trained(model: &Model) -> bool {
    !model.frozen().holds(Place::Embeddings)
}

impl Words {
    /// Where the words' rows stand in the gradient. Panics when one was not named as the update began.
    pub(crate) fn rows_of(&self, words: &[u32]) -> Vec<u32> {
        match self {
            Self::All => words.to_vec(),
            Self::Read(rows) => {
                let row =
                    |&word: &u32| rows[word as usize].expect("an update's words are named when it begins");
                words.iter().map(row).collect()
            }
        }
    }

    /// Where the row of one word stands, if it has one.
    pub(crate) fn row_of(&self, word: u32) -> Option<u32> {
        match self {
            Self::All => Some(word),
            Self::Read(rows) => rows.get(word as usize).copied().flatten(),
        }
    }
}
