//! What a masked language model's guesses are worth.

use crate::evaluate::Answer;
use crate::metrics::perplexity::perplexity;
use bertlab_data::{Example, Target};
use std::collections::HashMap;

/// What a masked language model's guesses are worth. Shares are of the hidden tokens; none where nothing was hidden.
#[derive(Clone, Debug, PartialEq)]
pub struct MaskedLmScores {
    /// e to the mean loss: between how many equally likely tokens the model hesitates.
    pub perplexity: Option<f64>,
    /// Guessed right.
    pub accuracy: Option<f64>,
    /// Among the five likeliest guesses.
    pub accuracy_top5: Option<f64>,
    /// The token that was hidden most often.
    pub commonest: Option<usize>,
    /// Its share: what always guessing it would reach.
    pub majority_baseline: Option<f64>,
    /// Hidden tokens.
    pub n_tokens: usize,
}

impl MaskedLmScores {
    /// Of examples whose targets are token ids, and the answers to them.
    pub(crate) fn new(examples: &[Example], answers: &[Answer]) -> Self {
        let sum = |count: fn(&Answer) -> usize| answers.iter().map(count).sum::<usize>();
        let n_tokens = sum(|answer| answer.n_items);
        let share = |n: usize| (n_tokens > 0).then(|| n as f64 / n_tokens as f64);
        let commonest = commonest(examples);
        Self {
            perplexity: perplexity(answers.iter().map(|answer| answer.loss).sum(), n_tokens),
            accuracy: share(sum(|answer| answer.n_right)),
            accuracy_top5: share(sum(|answer| answer.n_right_of_5)),
            commonest: commonest.map(|(id, _)| id),
            majority_baseline: commonest.and_then(|(_, n)| share(n)),
            n_tokens,
        }
    }

    /// The figures by name.
    pub(crate) fn metrics(&self) -> [(&'static str, Option<f64>); 4] {
        [
            ("perplexity", self.perplexity),
            ("accuracy", self.accuracy),
            ("accuracy_top5", self.accuracy_top5),
            ("majority_baseline", self.majority_baseline),
        ]
    }
}

/// The commonest target, and how often it occurs; of equals the lowest id.
fn commonest(examples: &[Example]) -> Option<(usize, usize)> {
    let mut counts: HashMap<usize, usize> = HashMap::new();
    for example in examples {
        let Some(Target::Tokens(labels)) = &example.target else { continue };
        for id in labels.iter().filter_map(|&label| usize::try_from(label).ok()) {
            *counts.entry(id).or_default() += 1;
        }
    }
    counts.into_iter().max_by_key(|&(id, n)| (n, std::cmp::Reverse(id)))
}
