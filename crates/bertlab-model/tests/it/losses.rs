//! The reference's losses over a golden's labels, in f64, with their gradients: enough to check a backward pass.
//!
//! Axes: B rows, T packed tokens, C outputs of the head.

use std::collections::BTreeMap;

use bertlab_checkpoint::NamedArray;
use bertlab_compute::Tensor;
use bertlab_model::{Batch, HeadGradient, HeadKind, HeadOutput, Model, ProblemType};

use crate::padded::Inputs;

/// A label that takes no part.
const IGNORED: i64 = -100;

/// A mean, and its gradient with respect to the logits.
type Loss = (f64, Tensor);

/// The golden's loss of these outputs.
pub fn loss(
    model: &Model,
    batch: &Batch,
    output: &HeadOutput,
    inputs: &Inputs,
    golden: &BTreeMap<String, NamedArray>,
) -> (f64, HeadGradient) {
    let logits = output.logits.as_ref().expect("a head with a loss has logits");
    let classes = |name: &str| golden[name].to_i64().expect("classes");
    let numbers = || {
        let array = &golden["labels"];
        array.to_f32().unwrap_or_else(|_| classes("labels").iter().map(|&class| class as f32).collect())
    };
    let head = &model.spec.head;
    let (mut value, d) = match (head.kind, head.problem_type) {
        (HeadKind::SequenceClassification, ProblemType::SingleLabel) => {
            cross_entropy(logits, &classes("labels"))
        }
        (HeadKind::SequenceClassification, ProblemType::MultiLabel) => by_output(logits, &numbers(), binary),
        (HeadKind::SequenceClassification, ProblemType::Regression) => by_output(logits, &numbers(), square),
        (HeadKind::QuestionAnswering, _) => {
            span(logits, batch, inputs, ["start_positions", "end_positions"].map(classes))
        }
        _ => cross_entropy(logits, &inputs.of_tokens(&classes("labels"))),
    };
    let mut gradient = HeadGradient { logits: Some(d), ..HeadGradient::default() };
    if let (Some(logits), true) = (&output.relationship_logits, golden.contains_key("next_sentence_label")) {
        let (more, d) = cross_entropy(logits, &classes("next_sentence_label"));
        value += more;
        gradient.relationship_logits = Some(d);
    }
    (value, gradient)
}

/// Over rows of `logits [n, C]`.
fn cross_entropy(logits: &Tensor, classes: &[i64]) -> Loss {
    let n_items = classes.iter().filter(|&&class| class != IGNORED).count().max(1) as f64;
    let mut d = Tensor::zeros(logits.shape());
    let mut value = 0.0;
    for (row, &class) in classes.iter().enumerate().filter(|&(_, &class)| class != IGNORED) {
        let (cost, gradient) = minus_log_softmax(logits.row(row).iter().copied(), class as usize);
        value += cost / n_items;
        for (d, gradient) in d.row_mut(row).iter_mut().zip(gradient) {
            *d = (gradient / n_items) as f32;
        }
    }
    (value, d)
}

/// `-ln softmax(x)[class]`, and its gradient.
fn minus_log_softmax(x: impl Iterator<Item = f32>, class: usize) -> (f64, Vec<f64>) {
    let x: Vec<f64> = x.map(f64::from).collect();
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = x.iter().map(|x| (x - largest).exp()).sum();
    let mut gradient: Vec<f64> = x.iter().map(|x| (x - largest).exp() / sum).collect();
    gradient[class] -= 1.0;
    (sum.ln() + largest - x[class], gradient)
}

/// Starts and ends of answers, each averaged over the rows whose answer is among their tokens, then over the two.
/// `logits [T, 2]`; `positions`: columns of the padded matrix. `[B]`
fn span(logits: &Tensor, batch: &Batch, inputs: &Inputs, positions: [Vec<i64>; 2]) -> Loss {
    let mut d = Tensor::zeros(logits.shape());
    let mut value = 0.0;
    for (side, positions) in positions.iter().enumerate() {
        let place = |(columns, &position): (&Vec<usize>, &i64)| {
            columns.iter().position(|&column| column as i64 == position)
        };
        let places: Vec<Option<usize>> = inputs.columns.iter().zip(positions).map(place).collect();
        let n_items = places.iter().flatten().count().max(1) as f64;
        for (tokens, place) in batch.row_starts().windows(2).zip(places) {
            let Some(place) = place else { continue };
            let tokens = tokens[0]..tokens[1];
            let scores = tokens.clone().map(|token| logits.row(token)[side]);
            let (cost, gradient) = minus_log_softmax(scores, place);
            value += cost / n_items / 2.0;
            tokens.zip(gradient).for_each(|(token, gradient)| {
                d.row_mut(token)[side] = (gradient / n_items / 2.0) as f32;
            });
        }
    }
    (value, d)
}

/// The mean of `cost(x, y)` over all outputs.
fn by_output(logits: &Tensor, targets: &[f32], cost: impl Fn(f64, f64) -> (f64, f64)) -> Loss {
    assert_eq!(logits.len(), targets.len(), "a target for every output");
    let n = logits.len() as f64;
    let costs = logits.as_slice().iter().zip(targets).map(|(&x, &y)| cost(x.into(), y.into()));
    let (values, gradients): (Vec<f64>, Vec<f32>) =
        costs.map(|(value, gradient)| (value / n, (gradient / n) as f32)).unzip();
    (values.iter().sum(), Tensor::from_vec(logits.shape(), gradients))
}

/// Binary cross-entropy of a logit.
fn binary(x: f64, y: f64) -> (f64, f64) {
    let probability = 1.0 / (1.0 + (-x).exp());
    (-y * probability.ln() - (1.0 - y) * (1.0 - probability).ln(), probability - y)
}

/// The squared error.
fn square(x: f64, y: f64) -> (f64, f64) {
    ((x - y).powi(2), 2.0 * (x - y))
}
