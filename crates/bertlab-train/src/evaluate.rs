//! A model's answers over many rows, and what they are worth.

use crate::error::TrainError;
use crate::masked_lm_scores::MaskedLmScores;
use crate::metrics::Figure;
use crate::metrics::classification::ClassificationReport;
use crate::metrics::multilabel::MultiLabelReport;
use crate::metrics::regression::RegressionReport;
use crate::metrics::tagging::TaggingReport;
use crate::objective::{Averaging, Objective, logits};
use crate::word_answers::{WordAnswer, sentence, word_answers};
use bertlab_compute::Tensor;
use bertlab_data::{Example, Target, batch};
use bertlab_feedback::Meter;
use bertlab_model::{HeadKind, Model, ProblemType};
use std::time::{Duration, Instant};

/// Tokens of one evaluation batch, about: enough to fill the cores, few enough to stay in the caches.
pub(crate) const TOKENS: usize = 1024;

/// What a model said about one row.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Of a sequence classifier. `[C]`
    pub logits: Vec<f32>,
    /// The sum of the loss over the row's items, and how many there are.
    pub loss: f64,
    /// Rows count 1, token tasks their labelled tokens.
    pub n_items: usize,
    /// What they count together: as many, or the sum of their classes' weights.
    pub count: f64,
    /// Labelled tokens whose likeliest class is right.
    pub n_right: usize,
    /// Labelled tokens whose class is one of the five likeliest.
    pub n_right_of_5: usize,
    /// Of a token classifier: every word that has a label; of rows of ids, every labelled token.
    pub words: Vec<WordAnswer>,
}

/// The answers to all examples, in their order. Rows of like length are run together, which changes
/// nothing: a row's answer does not depend on its neighbours. `meter` counts the rows.
///
/// # Errors
/// A row that the model cannot take, or whose logits are NaN or infinite; [`TrainError::Cancelled`].
pub fn answers(
    model: &Model,
    objective: &Objective,
    examples: &[Example],
    meter: &Meter<'_>,
) -> Result<Vec<Answer>, TrainError> {
    let mut by_length: Vec<usize> = (0..examples.len()).collect();
    by_length.sort_by_key(|&i| std::cmp::Reverse(examples[i].input_ids.len()));
    let mut answers = vec![Answer::default(); examples.len()];
    let mut n_done = 0;
    meter.set(n_done as u64)?;
    while n_done < by_length.len() {
        let longest = examples[by_length[n_done]].input_ids.len().max(1);
        let n = (TOKENS / longest).clamp(1, by_length.len() - n_done);
        let chosen = &by_length[n_done..n_done + n];
        let rows: Vec<&Example> = chosen.iter().map(|&i| &examples[i]).collect();
        let found = batch_answers(model, objective, &rows).map_err(|error| error.in_rows(chosen))?;
        for (&i, answer) in chosen.iter().zip(found) {
            answers[i] = answer;
        }
        n_done += n;
        meter.set(n_done as u64)?;
    }
    Ok(answers)
}

fn batch_answers(
    model: &Model,
    objective: &Objective,
    examples: &[&Example],
) -> Result<Vec<Answer>, TrainError> {
    let batch = batch(&model.spec.encoder, examples.iter().copied())?;
    let is_masked_lm = model.spec.head.kind == HeadKind::MaskedLm;
    let tokens = Objective::labelled_tokens(&batch, examples).filter(|_| is_masked_lm);
    if tokens.as_ref().is_some_and(Vec::is_empty) {
        return Ok(vec![Answer::default(); examples.len()]);
    }
    let output = model.forward_head(&batch, tokens.as_deref());
    let logits = logits(&output);
    model.check_finite(&batch, logits.as_slice())?;
    let mut first = 0;
    let mut answer = |example: &&Example| {
        let n_rows = match (&example.target, model.spec.head.kind) {
            (_, HeadKind::SequenceClassification) => 1,
            (_, HeadKind::MaskedLm) => Objective::n_items(example),
            _ => example.input_ids.len(),
        };
        let rows: Vec<usize> = (first..first + n_rows).collect();
        first += n_rows;
        row_answer(model, objective, &logits.gather_rows(&rows), example)
    };
    Ok(examples.iter().map(&mut answer).collect())
}

fn row_answer(model: &Model, objective: &Objective, logits: &Tensor, example: &Example) -> Answer {
    let n_items = Objective::n_items(example);
    let loss = if n_items > 0 { objective.row_loss(logits, example) } else { 0.0 };
    let is_row = model.spec.head.kind == HeadKind::SequenceClassification;
    let (n_right, n_right_of_5) = match &example.target {
        Some(Target::Tokens(labels)) => n_right_tokens(logits, labels),
        _ => (0, 0),
    };
    let is_tagger = model.spec.head.kind == HeadKind::TokenClassification;
    Answer {
        logits: if is_row { logits.as_slice().to_vec() } else { Vec::new() },
        loss,
        n_items,
        count: objective.count(example),
        n_right,
        n_right_of_5,
        words: if is_tagger { word_answers(logits, example) } else { Vec::new() },
    }
}

/// How many labelled tokens' classes are the likeliest, and how many are among the five likeliest. `logits`: of every
/// token, or of the labelled ones alone.
fn n_right_tokens(logits: &Tensor, labels: &[i64]) -> (usize, usize) {
    let all = logits.n_rows() == labels.len();
    let labelled = labels.iter().enumerate().filter(|&(_, &label)| label >= 0);
    let ranks = labelled
        .enumerate()
        .map(|(nth, (i, &label))| rank(logits.row(if all { i } else { nth }), label as usize));
    ranks.fold((0, 0), |(first, of_5), rank| (first + usize::from(rank < 1), of_5 + usize::from(rank < 5)))
}

/// How many classes are likelier than this one; of equals the first is.
fn rank(logits: &[f32], class: usize) -> usize {
    let own = logits[class];
    let is_before = |&(other, &x): &(usize, &f32)| x > own || (x == own && other < class);
    logits.iter().enumerate().filter(is_before).count()
}

/// What the answers are worth, by the kind of question.
#[derive(Clone, Debug)]
pub enum Scores {
    /// Exactly one class.
    Classification(Box<ClassificationReport>),
    /// Any of several labels.
    MultiLabel(Box<MultiLabelReport>),
    /// Numbers.
    Regression(Box<RegressionReport>),
    /// A label for each word.
    Tagging(Box<TaggingReport>),
    /// Hidden tokens.
    MaskedLm(MaskedLmScores),
}

/// One evaluation.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// As HuggingFace's Trainer averages it.
    /// NaN where no token had a target.
    pub loss: f64,
    /// Rows.
    pub n_rows: usize,
    /// What the answers are worth.
    pub scores: Scores,
    /// How long it took.
    pub runtime: Duration,
    /// The answers, in the examples' order.
    pub answers: Vec<Answer>,
}

/// Runs the model over labelled examples and scores its answers. `batch_size`: rows over which
/// HuggingFace's Trainer averages a token loss before it averages over batches. `meter` counts the rows.
///
/// # Errors
/// No rows; as [`answers`].
pub fn evaluate(
    model: &Model,
    objective: &Objective,
    examples: &[Example],
    batch_size: usize,
    meter: &Meter<'_>,
) -> Result<Evaluation, TrainError> {
    if examples.is_empty() {
        return Err(TrainError::NoRows("evaluation"));
    }
    let start = Instant::now();
    let answers = answers(model, objective, examples, meter)?;
    let scores = scores(model, examples, &answers).ok_or(TrainError::NoRows("labelled evaluation"))?;
    Ok(Evaluation {
        loss: match objective.averaging {
            _ if answers.iter().all(|answer| answer.n_items == 0) => f64::NAN,
            Averaging::Batches => mean_loss(&answers, batch_size),
            Averaging::Items => mean_loss(&answers, answers.len()),
        },
        n_rows: examples.len(),
        scores,
        runtime: start.elapsed(),
        answers,
    })
}

/// The mean over batches of the mean over items, each batch counting its rows.
fn mean_loss(answers: &[Answer], batch_size: usize) -> f64 {
    let batch_loss = |rows: &[Answer]| {
        let count: f64 = rows.iter().map(|answer| answer.count).sum();
        let sum: f64 = rows.iter().map(|answer| answer.loss).sum();
        if count > 0.0 { rows.len() as f64 * sum / count } else { 0.0 }
    };
    answers.chunks(batch_size).map(batch_loss).sum::<f64>() / answers.len() as f64
}

fn scores(model: &Model, examples: &[Example], answers: &[Answer]) -> Option<Scores> {
    let head = &model.spec.head;
    let targets = || examples.iter().filter_map(|example| example.target.as_ref());
    if head.kind == HeadKind::MaskedLm {
        return Some(Scores::MaskedLm(MaskedLmScores::new(examples, answers)));
    }
    if head.kind == HeadKind::TokenClassification {
        let sentences: Vec<_> = answers.iter().map(|answer| sentence(&answer.words)).collect();
        return TaggingReport::new(&head.labels, &sentences).map(|report| Scores::Tagging(Box::new(report)));
    }
    let logits: Vec<f32> = answers.iter().flat_map(|answer| &answer.logits).copied().collect();
    let n_outputs = head.n_outputs();
    match head.problem_type {
        ProblemType::SingleLabel => {
            let classes: Vec<usize> = targets().filter_map(class_of).collect();
            let report = ClassificationReport::of_logits(&classes, &logits, n_outputs)?;
            Some(Scores::Classification(Box::new(report)))
        }
        ProblemType::MultiLabel => {
            let truth: Vec<bool> = numbers(targets()).into_iter().map(|share| share >= 0.5).collect();
            let report = MultiLabelReport::of_logits(&truth, &logits, n_outputs)?;
            Some(Scores::MultiLabel(Box::new(report)))
        }
        ProblemType::Regression => {
            let report = RegressionReport::new(&numbers(targets()), &logits, n_outputs)?;
            Some(Scores::Regression(Box::new(report)))
        }
    }
}

fn class_of(target: &Target) -> Option<usize> {
    match target {
        Target::Class(class) => Some(*class),
        _ => None,
    }
}

fn numbers<'a>(targets: impl Iterator<Item = &'a Target>) -> Vec<f32> {
    let mut numbers = Vec::new();
    for target in targets {
        match target {
            Target::Classes(values) | Target::Values(values) => numbers.extend_from_slice(values),
            Target::Value(value) => numbers.push(*value),
            Target::Class(_) | Target::Tokens(_) | Target::Words(_) => {}
        }
    }
    numbers
}

impl Evaluation {
    /// The figures that a person watches, by name, without HuggingFace's prefix `eval_`: the loss first. Undefined is none.
    pub fn main_metrics(&self) -> Vec<Figure> {
        let mut metrics = vec![("loss", Some(self.loss).filter(|loss| !loss.is_nan()))];
        metrics.extend(match &self.scores {
            Scores::Classification(report) => report.figures(),
            Scores::MultiLabel(report) => report.figures(),
            Scores::Regression(report) => report.figures(),
            Scores::Tagging(report) => report.figures(),
            Scores::MaskedLm(scores) => scores.metrics().to_vec(),
        });
        metrics
    }

    /// Every figure by name: what is logged, and what `metric_for_best_model` can name.
    pub fn metrics(&self) -> Vec<Figure> {
        let mut metrics = self.main_metrics();
        metrics.extend(match &self.scores {
            Scores::Classification(report) => report.details(),
            Scores::MultiLabel(report) => report.details(),
            Scores::Regression(report) => report.details(),
            Scores::Tagging(report) => report.details(),
            Scores::MaskedLm(_) => Vec::new(),
        });
        metrics
    }
}
