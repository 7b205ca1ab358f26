//! `Gradients`: what the backward passes of an update sum.

use crate::model::Model;
use crate::params::{Layer, Params};
use bertlab_compute::{Buffer, Tensor};

/// The canonical name of the table of words.
const WORDS: &str = "embeddings.word_embeddings.weight";

/// The gradients of a model's weights, summed over the micro-batches of an update.
///
/// Of the table of words only the rows that the update reads have a gradient, and only those are held: an update
/// reads a few hundred of tens of thousands. Where a masked-LM part is tied to the table, all rows have one.
pub struct Gradients {
    /// Shaped as the weights; but the table of words as `words` says.
    pub(crate) params: Params,
    pub(crate) words: Words,
    /// No pass was added yet: the layers' dense weights still hold an earlier update's sums, to be replaced.
    pub(crate) are_fresh: bool,
}

/// Which rows of the table of words have a gradient.
pub(crate) enum Words {
    All,
    /// Those that the update reads. By word, where its row stands in the gradient. `[V]`
    Read(Vec<Option<u32>>),
}

/// A layer's sums.
pub(crate) struct LayerSums<'a> {
    pub layer: &'a mut Layer,
    /// As [`Gradients::are_fresh`].
    pub are_fresh: bool,
}

/// The gradient of one weight.
#[derive(Clone, Copy)]
pub struct Sum<'a> {
    /// Shaped as the weight, or `[n, D]` with `rows`.
    pub gradient: &'a Tensor,
    /// Where each of the weight's rows stands in `gradient`; rows that stand nowhere have the gradient 0. None where
    /// all stand in their place.
    pub rows: Option<&'a [Option<u32>]>,
}

impl Gradients {
    /// Of the weights of `model` that are trained.
    pub fn new(model: &Model) -> Self {
        let spec = &model.spec;
        let mut params = Params::zeros(spec);
        let words = if Self::are_of_all_words(model) {
            Words::All
        } else {
            params.embeddings.word = Tensor::zeros(&[0, spec.encoder.width]);
            Words::Read(vec![None; spec.encoder.vocab_size])
        };
        Self { params, words, are_fresh: true }
    }

    /// Whether words have gradients, but only those that an update reads.
    pub fn are_of_read_words(model: &Model) -> bool {
        model.is_trained(WORDS) && !Self::are_of_all_words(model)
    }

    /// Whether every word has a gradient in every update: a masked-LM part is tied to their table.
    fn are_of_all_words(model: &Model) -> bool {
        let head = &model.spec.head;
        head.has_predictions() && head.is_tied && model.is_trained(WORDS)
    }

    /// How many numbers are held in an update that reads `n_words` different words.
    pub fn n_numbers(model: &Model, n_words: usize) -> usize {
        let encoder = &model.spec.encoder;
        let n_absent = encoder.vocab_size.saturating_sub(n_words);
        model.n_trained() - if Self::are_of_read_words(model) { n_absent * encoder.width } else { 0 }
    }

    /// Begins an update: all sums become 0. `words`: every word that its micro-batches read; repetitions do not matter.
    pub fn begin(&mut self, words: impl IntoIterator<Item = u32>) {
        self.are_fresh = true;
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
            self.params.embeddings.word = Tensor::zeros(&[0, width]); // Its memory serves the next.
            self.params.embeddings.word = Tensor::from_buffer(&[n, width], Buffer::zeros(n * width));
        }
        let are_all = matches!(self.words, Words::All);
        for (name, gradient) in self.params.named_mut() {
            if !is_replaced(&name) && (are_all || name != WORDS) {
                gradient.as_mut_slice().fill(0.0);
            }
        }
    }

    /// Every sum with the canonical name of its weight, in the order of [`Params::named`].
    pub fn named(&mut self) -> Vec<(String, Sum<'_>)> {
        self.settle();
        let rows = match &self.words {
            Words::All => None,
            Words::Read(rows) => Some(rows.as_slice()),
        };
        let sum = |name: &str, gradient| Sum { gradient, rows: rows.filter(|_| name == WORDS) };
        let named = self.params.named().into_iter();
        named.map(|(name, gradient)| (name.clone(), sum(&name, gradient))).collect()
    }

    /// All of them, shaped as the weights.
    pub fn into_params(mut self) -> Params {
        self.settle();
        let Words::Read(rows) = &self.words else { return self.params };
        let sums = std::mem::replace(&mut self.params.embeddings.word, Tensor::zeros(&[0]));
        let mut all = Tensor::zeros(&[rows.len(), sums.width()]);
        for (word, row) in rows.iter().enumerate() {
            if let Some(row) = row {
                all.row_mut(word).copy_from_slice(sums.row(*row as usize));
            }
        }
        self.params.embeddings.word = all;
        self.params
    }

    /// Where no pass was added, the sums are 0.
    fn settle(&mut self) {
        if std::mem::take(&mut self.are_fresh) {
            for (name, gradient) in self.params.named_mut() {
                if is_replaced(&name) {
                    gradient.as_mut_slice().fill(0.0);
                }
            }
        }
    }
}

/// Whether the first pass of an update replaces this gradient: the layers' dense weights, nearly all numbers there
/// are. To set them to 0 and add costs two more ways through memory.
fn is_replaced(canonical: &str) -> bool {
    canonical.starts_with("encoder.layer.")
        && canonical.ends_with(".weight")
        && !canonical.ends_with("LayerNorm.weight")
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
