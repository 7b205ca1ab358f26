//! The loss of a head's outputs, averaged as HuggingFace averages it.

use super::inputs::Targets;
use bertlab_compute::Tensor;
use bertlab_model::{Batch, HeadGradient, HeadOutput, Model, ProblemType};
use bertlab_train::losses::{
    CrossEntropy, IGNORED, Loss, binary_cross_entropy, cross_entropy, mean_squared_error, span,
};

/// The mean loss and its gradient.
pub(super) fn loss(
    model: &Model,
    batch: &Batch,
    output: &HeadOutput,
    targets: &Targets,
) -> (f64, HeadGradient) {
    let logits = output.logits.as_ref().expect("a head with targets has logits");
    let loss = match targets {
        Targets::Classes(classes) => mean_cross_entropy(logits, classes),
        Targets::Numbers(numbers) if model.spec.head.problem_type == ProblemType::MultiLabel => {
            binary_cross_entropy(logits, numbers, 1.0 / batch.n_rows() as f64, None)
        }
        Targets::Numbers(numbers) => mean_squared_error(logits, numbers, 1.0 / batch.n_rows() as f64),
        Targets::Spans(spans) => span(logits, batch.row_starts(), spans, weight),
        Targets::Pretraining(words, None) => mean_cross_entropy(logits, words),
        Targets::Pretraining(words, Some(rows)) => return pretraining(output, logits, words, rows),
    };
    (loss.value, HeadGradient { logits: Some(loss.d_logits), ..HeadGradient::default() })
}

/// Masked LM and next sentence, added.
fn pretraining(output: &HeadOutput, logits: &Tensor, words: &[i64], rows: &[i64]) -> (f64, HeadGradient) {
    let words = mean_cross_entropy(logits, words);
    let relationship = output.relationship_logits.as_ref();
    let rows = relationship.map(|logits| mean_cross_entropy(logits, rows));
    let value = words.value + rows.as_ref().map_or(0.0, |loss| loss.value);
    let gradient = HeadGradient {
        logits: Some(words.d_logits),
        relationship_logits: rows.map(|loss| loss.d_logits),
        last_hidden_state: None,
    };
    (value, gradient)
}

fn mean_cross_entropy(logits: &Tensor, classes: &[i64]) -> Loss {
    let n_items = classes.iter().filter(|&&class| class != IGNORED).count();
    let how = CrossEntropy { weight: weight(n_items), label_smoothing: 0.0, class_weights: None };
    cross_entropy(logits, classes, how)
}

fn weight(n_items: usize) -> f64 {
    1.0 / n_items.max(1) as f64
}
