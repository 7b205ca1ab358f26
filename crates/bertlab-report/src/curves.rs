//! Curves of a training log: losses, main evaluation metric, learning rate, gradient norm.

use crate::chart::lines::{Level, Lines, Series};
use crate::chart::scene::Role;
use crate::number::number;
use crate::run::TrainingFacts;
use bertlab_train::Record;

/// A curve with heading and caption.
pub(crate) struct Curve {
    /// Name of its file, without extension.
    pub(crate) file: &'static str,
    pub(crate) heading: String,
    pub(crate) lines: Lines,
    pub(crate) caption: String,
}

/// All curves for which the log has values.
pub(crate) fn all(training: &TrainingFacts) -> Vec<Curve> {
    let curves = [loss(training), evaluation(training), learning_rate(training), gradient_norm(training)];
    curves.into_iter().flatten().collect()
}

/// Step and value of each record with this metric; NaN if the value is not a number.
pub(crate) fn points(log: &[Record], name: &str) -> Vec<(f64, f64)> {
    let point = |record: &Record| {
        let value = record.get(name)?;
        Some((record.get("step")?.as_f64()?, value.as_f64().unwrap_or(f64::NAN)))
    };
    log.iter().filter_map(point).collect()
}

fn lines(training: &TrainingFacts, title: &str, y_label: &str, series: Vec<Series>) -> Lines {
    let last = training.log.iter().filter_map(|record| record.get("step")?.as_f64()).fold(0.0, f64::max);
    Lines {
        title: title.to_owned(),
        x_label: "update step",
        y_label: y_label.to_owned(),
        series,
        level: None,
        last_step: last,
        from_zero: false,
    }
}

fn loss(training: &TrainingFacts) -> Option<Curve> {
    let (train, eval) = (points(&training.log, "loss"), points(&training.log, "eval_loss"));
    let last = train.last()?.1;
    let mut series =
        vec![Series { name: "training".to_owned(), points: train, role: Role::First, has_dots: false }];
    let mut caption =
        format!("Mean over the steps since the previous log record; final value {}.", number(last));
    if let Some(lowest) =
        eval.iter().copied().filter(|point| point.1.is_finite()).min_by(|a, b| a.1.total_cmp(&b.1))
    {
        caption += &format!(" Lowest evaluation loss {} at step {}.", number(lowest.1), lowest.0);
        if eval.last().is_some_and(|end| end.0 > lowest.0 && end.1 > 1.05 * lowest.1) {
            caption += " It rises after that step, which indicates overfitting.";
        }
        series.push(Series {
            name: "evaluation".to_owned(),
            points: eval,
            role: Role::Second,
            has_dots: true,
        });
    }
    let mut lines = lines(training, "Loss by update step", "loss", series);
    lines.from_zero = true;
    Some(Curve { file: "loss", heading: "Loss".to_owned(), lines, caption })
}

/// A metric that identifies the task, the task's main metric, and its name in words.
const MAIN_METRICS: [(&str, &str, &str); 5] = [
    ("eval_perplexity", "eval_perplexity", "perplexity"),
    ("eval_f1_strict", "eval_f1", "entity F1"),
    ("eval_pearson", "eval_pearson", "Pearson correlation"),
    ("eval_f1_samples", "eval_f1_micro", "F1, micro"),
    ("eval_accuracy", "eval_accuracy", "accuracy"),
];

fn evaluation(training: &TrainingFacts) -> Option<Curve> {
    let has = |name: &str| training.log.iter().any(|record| record.contains_key(name));
    let (_, name, words) = *MAIN_METRICS.iter().find(|(mark, _, _)| has(mark))?;
    let values = points(&training.log, name);
    if values.iter().filter(|point| point.1.is_finite()).count() < 2 {
        return None;
    }
    let best = values.iter().copied().filter(|point| point.1.is_finite()).reduce(|best, point| {
        let is_better = if name == "eval_perplexity" { point.1 < best.1 } else { point.1 > best.1 };
        if is_better { point } else { best }
    })?;
    let series = Series { name: words.to_owned(), points: values, role: Role::Second, has_dots: true };
    let mut lines = lines(training, &format!("{words} by update step"), words, vec![series]);
    let baseline = points(&training.log, "eval_majority_baseline").last().map(|point| point.1);
    if let Some(value) = baseline.filter(|value| name == "eval_accuracy" && value.is_finite()) {
        lines.level = Some(Level { name: "majority baseline".to_owned(), value });
    }
    let caption = format!("On the evaluation rows; best value {} at step {}.", number(best.1), best.0);
    Some(Curve { file: "evaluation", heading: format!("Evaluation: {words}"), lines, caption })
}

fn learning_rate(training: &TrainingFacts) -> Option<Curve> {
    let points = points(&training.log, "learning_rate");
    let highest = points.iter().map(|point| point.1).fold(0.0, f64::max);
    if points.is_empty() {
        return None;
    }
    let series = Series { name: "learning rate".to_owned(), points, role: Role::First, has_dots: false };
    let mut lines = lines(training, "Learning rate by update step", "learning rate", vec![series]);
    lines.from_zero = true;
    let caption = format!("Maximum {highest:e}.");
    Some(Curve { file: "learning_rate", heading: "Learning rate".to_owned(), lines, caption })
}

fn gradient_norm(training: &TrainingFacts) -> Option<Curve> {
    let points = points(&training.log, "grad_norm");
    let limit = training.arguments.max_grad_norm;
    let n_above = points.iter().filter(|point| point.1 > limit).count();
    if points.is_empty() {
        return None;
    }
    let n = points.len();
    let series = Series { name: "gradient norm".to_owned(), points, role: Role::First, has_dots: false };
    let mut lines = lines(training, "Gradient norm by update step", "L2 norm", vec![series]);
    lines.from_zero = true;
    let mut caption = "Before clipping, at the logged steps.".to_owned();
    if limit > 0.0 {
        lines.level = Some(Level { name: format!("clipped above {limit}"), value: limit });
        caption = format!("Before clipping; {n_above} of {n} logged steps were clipped.");
    }
    Some(Curve { file: "gradient_norm", heading: "Gradient norm".to_owned(), lines, caption })
}
