//! Which loss a model is trained with, over examples of any kind.

use crate::losses::{CrossEntropy, IGNORED, Loss, binary_cross_entropy, cross_entropy, mean_squared_error};
use bertlab_compute::Tensor;
use bertlab_data::{Example, Target};
use bertlab_model::{Batch, HeadOutput};

/// What is minimised.
#[derive(Clone, Debug, Default)]
pub struct Objective {
    /// ε of the smoothed cross-entropy.
    pub label_smoothing: f64,
    /// Over what the loss of tokens is averaged.
    pub averaging: Averaging,
    /// What each class counts; all the same when none. `[C]`
    pub class_weights: Option<Vec<f32>>,
}

/// Over what a loss is averaged where rows have several items (tokens). Where every row is one item, both are the same.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Averaging {
    /// Over the items of a batch first, then over batches, each counting its rows: what HuggingFace's Trainer does with
    /// rows that bring their labels.
    #[default]
    Batches,
    /// Over all items at once: every item weighs the same, however rows fell into batches.
    Items,
}

impl Averaging {
    /// What an item of a micro-batch is multiplied by in an update. `n_rows` and `counts` (above 0): of the micro-batch
    /// and of the whole update; counts are [`Objective::count`]s.
    pub fn weight(self, (n_rows, n_rows_all): (usize, usize), (count, count_all): (f64, f64)) -> f64 {
        match self {
            Self::Batches => n_rows as f64 / n_rows_all as f64 / count,
            Self::Items => 1.0 / count_all,
        }
    }
}

/// The packed tokens of a batch that have a target.
pub type Tokens = Option<Vec<usize>>;

impl Objective {
    /// How many items an example's loss averages over: 1 for a row, or its labelled tokens.
    pub fn n_items(example: &Example) -> usize {
        match &example.target {
            Some(Target::Tokens(labels)) => labels.iter().filter(|&&label| label != IGNORED).count(),
            Some(_) => 1,
            None => 0,
        }
    }

    /// What an example's items count together in a mean, which is over the sum of that: each its class's weight, as in
    /// PyTorch; 1 without class weights, and where a row may have several labels (`pos_weight` does not count there).
    pub fn count(&self, example: &Example) -> f64 {
        match (&self.class_weights, &example.target) {
            (Some(weights), Some(Target::Class(class))) => f64::from(weights[*class]),
            (Some(weights), Some(Target::Tokens(labels))) => {
                let labelled = labels.iter().filter(|&&label| label != IGNORED);
                labelled.map(|&label| f64::from(weights[label as usize])).sum()
            }
            _ => Self::n_items(example) as f64,
        }
    }

    /// Over what an update averages. Rows with one answer weigh the same however they fell into micro-batches, or as
    /// their class does.
    pub(crate) fn averaging_of_update(&self, examples: &[&Example]) -> Averaging {
        match examples.first().and_then(|example| example.target.as_ref()) {
            Some(Target::Class(_)) => Averaging::Items,
            _ => self.averaging,
        }
    }

    /// Which packed tokens have a target, where targets are per token: only they need go through a
    /// masked-LM head.
    pub fn labelled_tokens(batch: &Batch, examples: &[&Example]) -> Tokens {
        let mut tokens = None;
        for (start, example) in batch.row_starts().iter().zip(examples) {
            if let Some(Target::Tokens(labels)) = &example.target {
                let labelled = labels.iter().enumerate().filter(|&(_, &label)| label != IGNORED);
                tokens.get_or_insert_with(Vec::new).extend(labelled.map(|(i, _)| start + i));
            }
        }
        tokens
    }

    /// The loss of a batch, every item counting `weight`. `logits`: of rows, of all packed tokens, or of
    /// the labelled tokens alone.
    pub fn loss(&self, logits: &Tensor, examples: &[&Example], weight: f64) -> Loss {
        let class_weights = self.class_weights.as_deref();
        let how = CrossEntropy { weight, label_smoothing: self.label_smoothing, class_weights };
        let targets = || examples.iter().filter_map(|example| example.target.as_ref());
        match targets().next() {
            Some(Target::Class(_)) => {
                let class = |target: &Target| match target {
                    Target::Class(class) => *class as i64,
                    _ => IGNORED,
                };
                cross_entropy(logits, &targets().map(class).collect::<Vec<_>>(), how)
            }
            Some(Target::Tokens(_)) => cross_entropy(logits, &token_targets(logits, examples), how),
            Some(Target::Classes(_)) => {
                binary_cross_entropy(logits, &numbers(examples), weight, class_weights)
            }
            Some(Target::Value(_) | Target::Values(_)) => {
                mean_squared_error(logits, &numbers(examples), weight)
            }
            Some(Target::Words(_)) => unreachable!("labels of words became labels of tokens with the tokens"),
            None => Loss { value: 0.0, d_logits: Tensor::zeros(logits.shape()) },
        }
    }

    /// The sum of one row's loss over its items, from its own logits.
    pub fn row_loss(&self, logits: &Tensor, example: &Example) -> f64 {
        self.loss(logits, &[example], 1.0).value
    }
}

/// A class for every row of logits: of all tokens, or of the labelled ones alone.
fn token_targets(logits: &Tensor, examples: &[&Example]) -> Vec<i64> {
    let all = examples.iter().flat_map(|example| match &example.target {
        Some(Target::Tokens(labels)) => labels.as_slice(),
        _ => &[],
    });
    let n_all: usize = examples.iter().map(|example| example.input_ids.len()).sum();
    if logits.n_rows() == n_all {
        return all.copied().collect();
    }
    all.copied().filter(|&label| label != IGNORED).collect()
}

fn numbers(examples: &[&Example]) -> Vec<f32> {
    let mut numbers = Vec::new();
    for example in examples {
        match &example.target {
            Some(Target::Classes(values) | Target::Values(values)) => numbers.extend_from_slice(values),
            Some(Target::Value(value)) => numbers.push(*value),
            _ => {}
        }
    }
    numbers
}

/// The head's logits.
pub fn logits(output: &HeadOutput) -> &Tensor {
    output.logits.as_ref().expect("only models with a head that has logits are trained and evaluated")
}
