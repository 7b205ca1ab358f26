//! The wrong predictions with the highest probability.

use crate::run::EvaluationFacts;
use bertlab_data::Target;
use bertlab_train::Scores;
use bertlab_train::metrics::classification::likeliest;
use bertlab_train::metrics::probability::{sigmoid, softmax};

/// Number of errors shown.
const SHOWN: usize = 12;

/// A wrong prediction.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mistake {
    /// The number of the row among the evaluated rows, from 1.
    pub(crate) row: usize,
    pub(crate) text: String,
    /// The second text of a pair.
    pub(crate) pair: Option<String>,
    pub(crate) answer: String,
    /// Probability of the predicted label.
    pub(crate) probability: f64,
    pub(crate) wanted: String,
    /// Probability of the true label, for single-label classification.
    pub(crate) probability_of_wanted: Option<f64>,
}

/// Wrong predictions, by descending probability; for classification and multi-label classification.
pub(crate) fn most_confident(facts: &EvaluationFacts, labels: &[String]) -> Vec<Mistake> {
    let is_multi_label = matches!(facts.evaluation.scores, Scores::MultiLabel(_));
    let name = |id: usize| labels.get(id).cloned().unwrap_or_else(|| id.to_string());
    let mut mistakes = Vec::new();
    for (index, (row, answer)) in facts.answered().enumerate() {
        let (row_number, text, pair) = (index + 1, row.text.clone(), row.pair.clone());
        match &row.target {
            Some(Target::Class(class)) if likeliest(&answer.logits) != *class => {
                let probabilities = softmax(&answer.logits);
                let found = likeliest(&answer.logits);
                mistakes.push(Mistake {
                    row: row_number,
                    text,
                    pair,
                    answer: name(found),
                    probability: probabilities[found],
                    wanted: name(*class),
                    probability_of_wanted: Some(probabilities[*class]),
                });
            }
            Some(Target::Classes(truth)) if is_multi_label => {
                let Some((label, probability)) = most_confident_wrong_label(truth, &answer.logits) else {
                    continue;
                };
                let (with, without) = (name(label), format!("not {}", name(label)));
                let is_set = truth[label] >= 0.5;
                let (answer, wanted) = if is_set { (without, with) } else { (with, without) };
                let probability_of_wanted = None;
                mistakes.push(Mistake {
                    row: row_number,
                    text,
                    pair,
                    answer,
                    probability,
                    wanted,
                    probability_of_wanted,
                });
            }
            _ => {}
        }
    }
    mistakes.retain(|mistake| mistake.probability.is_finite());
    // The sort is stable: rows with equal probability stay in order.
    mistakes.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    mistakes.truncate(SHOWN);
    mistakes
}

/// The wrongly predicted label with the highest probability.
fn most_confident_wrong_label(truth: &[f32], logits: &[f32]) -> Option<(usize, f64)> {
    let wrong = truth
        .iter()
        .zip(logits)
        .enumerate()
        .filter(|(_, (share, logit))| (**share >= 0.5) != (**logit > 0.0));
    let sure = wrong.map(|(label, (_, logit))| (label, sigmoid(logit.abs())));
    sure.max_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)))
}
