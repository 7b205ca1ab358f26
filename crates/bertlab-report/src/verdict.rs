//! Interpretation of results in words: compared with a baseline, with confidence intervals and warnings.

use crate::number::{counted, figure, number, percent, percent_number};
use crate::run::{EvaluationFacts, Outcome, RunReport, TrainingFacts};
use bertlab_data::preflight::{Kind, Severity};
use bertlab_train::metrics::classification::ClassificationReport;
use bertlab_train::metrics::interval::Interval;
use bertlab_train::metrics::multilabel::MultiLabelReport;
use bertlab_train::metrics::regression::RegressionReport;
use bertlab_train::metrics::tagging::TaggingReport;
use bertlab_train::{Divergence, MaskedLmScores, Scores};

/// Whether a result is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Better than the baseline.
    Better,
    /// Not significantly different from the baseline, or unknown.
    Unclear,
    /// Worse than the baseline, or not informative.
    Bad,
}

/// A metric and its baseline, from 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// The metric.
    pub share: f64,
    /// Its 95 % confidence interval.
    pub interval: Interval,
    /// The metric of a constant prediction.
    pub baseline: f64,
    /// The baseline in words.
    pub baseline_name: String,
}

/// The interpretation of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Whether the result is good.
    pub tone: Tone,
    /// The result in one sentence.
    pub headline: String,
    /// What the result means.
    pub meaning: String,
    /// Reasons for caution.
    pub cautions: Vec<String>,
    /// The comparison with a baseline, if there is one.
    pub comparison: Option<Comparison>,
}

/// Interprets the results of a run or an evaluation.
pub fn verdict(report: &RunReport) -> Verdict {
    let mut verdict = match &report.evaluation {
        None => not_evaluated(report),
        Some(facts) => match &facts.evaluation.scores {
            Scores::Classification(scores) => of_classes(scores, facts, &report.model.labels),
            Scores::MultiLabel(scores) => of_label_sets(scores, facts, &report.model.labels),
            Scores::Regression(scores) => of_numbers(scores, facts),
            Scores::Tagging(scores) => of_tags(scores, &report.model.labels),
            Scores::MaskedLm(scores) => of_hidden_tokens(scores),
        },
    };
    if let Some(training) = &report.training
        && let Some(divergence) = training.divergence
    {
        tell_divergence(&mut verdict, training, divergence);
    }
    verdict.cautions.extend(cautions(report));
    verdict
}

/// Reports divergence. Without an earlier checkpoint that was loaded, the model is not usable, whatever its
/// metrics.
fn tell_divergence(verdict: &mut Verdict, training: &TrainingFacts, Divergence { first, last }: Divergence) {
    let what = format!("its loss grew from {} to {}", number(first), number(last));
    let rate = training.arguments.learning_rate;
    let hint = format!("Train again with a smaller learning rate (it was {rate:e}) or a longer warm-up.");
    if let Some(step) = training.loaded_step {
        verdict
            .cautions
            .push(format!("The training diverged after step {step}, whose model this is: {what}. {hint}"));
        return;
    }
    let figures = std::mem::replace(&mut verdict.headline, format!("The training diverged: {what}"));
    verdict.tone = Tone::Bad;
    verdict.meaning = format!("The model is not usable. {figures}: {} {hint}", lower_first(&verdict.meaning));
}

fn plain(tone: Tone, headline: String, meaning: String) -> Verdict {
    Verdict { tone, headline, meaning, cautions: Vec::new(), comparison: None }
}

fn not_evaluated(report: &RunReport) -> Verdict {
    let losses: Vec<f64> = report
        .training
        .iter()
        .flat_map(|training| &training.log)
        .filter_map(|record| record.get("loss")?.as_f64())
        .collect();
    let headline = match (losses.first(), losses.last()) {
        (Some(first), Some(last)) => {
            format!("The training loss went from {} to {}", number(*first), number(*last))
        }
        _ => "No steps were logged".to_owned(),
    };
    let meaning = "There was no evaluation: the model's quality on unseen texts is unknown.";
    plain(Tone::Unclear, headline, meaning.to_owned())
}

/// Compares a metric with its baseline.
fn compared(headline: String, comparison: Comparison) -> Verdict {
    let Comparison { share, interval, baseline, baseline_name } = &comparison;
    let points = format!("{} points", percent_number((share - baseline).abs()));
    let (tone, meaning) = if interval.low > *baseline {
        (Tone::Better, format!("{points} better than {baseline_name} ({}).", percent(*baseline)))
    } else if interval.high < *baseline {
        (Tone::Bad, format!("{points} worse than {baseline_name} ({}).", percent(*baseline)))
    } else {
        let meaning = format!(
            "Not significantly better than {baseline_name} ({}), which lies within the interval.",
            percent(*baseline)
        );
        (Tone::Unclear, meaning)
    };
    Verdict { comparison: Some(comparison), ..plain(tone, headline, meaning) }
}

fn interval_words(interval: Interval) -> String {
    format!("95 % interval {} to {}", percent_number(interval.low), percent(interval.high))
}

fn name_of(labels: &[String], id: usize) -> String {
    labels.get(id).map_or_else(|| format!("label {id}"), |label| format!("“{label}”"))
}

fn of_classes(scores: &ClassificationReport, facts: &EvaluationFacts, labels: &[String]) -> Verdict {
    let rows = counted(scores.n_rows, &format!("{} row", facts.split));
    let headline = format!(
        "Accuracy {} on {rows} ({})",
        percent(scores.accuracy),
        interval_words(scores.accuracy_interval)
    );
    let majority = name_of(labels, scores.majority_baseline.class);
    if scores.majority_baseline.share == 1.0 {
        let meaning = format!(
            "This is not informative: all rows have the label {majority}, so always predicting it is always \
             correct."
        );
        return plain(Tone::Bad, headline, meaning);
    }
    let comparison = Comparison {
        share: scores.accuracy,
        interval: scores.accuracy_interval,
        baseline: scores.majority_baseline.share,
        baseline_name: format!("always predicting {majority}"),
    };
    let mut verdict = compared(headline, comparison);
    let never: Vec<String> = (scores.classes.iter().enumerate())
        .filter(|(_, class)| class.recall == Some(0.0))
        .map(|(id, class)| format!("{} ({})", name_of(labels, id), counted(class.support, "row")))
        .collect();
    if !never.is_empty() {
        verdict.cautions.push(format!("Labels that were never predicted correctly: {}.", listed(&never, 6)));
    }
    verdict
}

fn of_label_sets(scores: &MultiLabelReport, facts: &EvaluationFacts, labels: &[String]) -> Verdict {
    let rows = counted(scores.n_rows, &format!("{} row", facts.split));
    let f1 = figure(scores.micro_average.map(|average| average.f1.value));
    let headline = format!(
        "All labels correct on {} of {rows} ({}); micro F1 {f1}",
        percent(scores.subset_accuracy),
        interval_words(scores.subset_accuracy_interval)
    );
    let names: Vec<String> = scores.baseline.labels.iter().map(|&id| name_of(labels, id)).collect();
    let set = if names.is_empty() { "no label".to_owned() } else { names.join(" and ") };
    if scores.baseline.share == 1.0 {
        let meaning = format!(
            "This is not informative: all rows have {set}, so always predicting that is always correct."
        );
        return plain(Tone::Bad, headline, meaning);
    }
    let comparison = Comparison {
        share: scores.subset_accuracy,
        interval: scores.subset_accuracy_interval,
        baseline: scores.baseline.share,
        baseline_name: format!("always predicting {set}"),
    };
    compared(headline, comparison)
}

fn of_numbers(scores: &RegressionReport, facts: &EvaluationFacts) -> Verdict {
    let rows = counted(scores.n_rows, &format!("{} row", facts.split));
    let error = figure(scores.mean_absolute_error);
    let Some(explained) = scores.r_squared else {
        let headline = format!("Mean absolute error {error} on {rows}");
        let meaning = "This is not informative: all true values are equal, or a prediction is not a number.";
        return plain(Tone::Bad, headline, meaning.to_owned());
    };
    let correlation = match (scores.pearson, scores.pearson_interval) {
        (Some(pearson), Some(interval)) => {
            format!(
                "Pearson correlation {pearson:.3} on {rows} (95 % interval {:.3} to {:.3})",
                interval.low, interval.high
            )
        }
        (Some(pearson), None) => format!("Pearson correlation {pearson:.3} on {rows}"),
        (None, _) => format!("All predictions are equal, on {rows}"),
    };
    let meaning = if explained > 0.0 {
        format!(
            "{} of the variance is explained (always predicting the mean explains none); mean absolute error \
             {error}.",
            percent(explained)
        )
    } else {
        format!("Not better than always predicting the mean: R² is {explained:.3}, the mean's is 0.")
    };
    plain(if explained > 0.0 { Tone::Better } else { Tone::Bad }, correlation, meaning)
}

fn of_tags(scores: &TaggingReport, labels: &[String]) -> Verdict {
    let sentences = counted(scores.n_sentences, "sentence");
    let words = format!(
        "Accuracy {} on {} ({})",
        percent(scores.accuracy),
        counted(scores.n_words, "word"),
        interval_words(scores.accuracy_interval)
    );
    let majority = name_of(labels, scores.majority_baseline.class);
    let baseline = Comparison {
        share: scores.accuracy,
        interval: scores.accuracy_interval,
        baseline: scores.majority_baseline.share,
        baseline_name: format!("always predicting {majority}"),
    };
    let Some(entities) = &scores.entities else { return compared(words, baseline) };
    let interval = entities.f1_interval.map_or(String::new(), |interval| {
        format!(" (95 % interval {:.3} to {:.3})", interval.low, interval.high)
    });
    let f1 = figure(entities.scores.micro.f1);
    let mut verdict = compared(format!("Entity F1 {f1}{interval} on {sentences}"), baseline);
    verdict.meaning = format!("{words}: {}", lower_first(&verdict.meaning));
    if entities.scores.micro.f1.is_none_or(|f1| f1 == 0.0) {
        verdict.tone = Tone::Bad;
    }
    verdict
}

fn of_hidden_tokens(scores: &MaskedLmScores) -> Verdict {
    let tokens = counted(scores.n_tokens, "masked token");
    let Some(perplexity) = scores.perplexity else {
        return plain(
            Tone::Bad,
            "No perplexity".to_owned(),
            "No tokens were masked, so none were predicted.".to_owned(),
        );
    };
    let headline = format!("Perplexity {perplexity:.2} over {tokens}");
    let share = |value: Option<f64>| value.map_or("undefined".to_owned(), percent);
    let meaning = format!(
        "As uncertain as a choice among {perplexity:.1} equally likely tokens. Top-1 accuracy {}, top-5 \
         accuracy {}; always predicting the most frequent token gives {}.",
        share(scores.accuracy),
        share(scores.accuracy_top5),
        share(scores.majority_baseline)
    );
    let is_better = scores.accuracy > scores.majority_baseline;
    plain(if is_better { Tone::Better } else { Tone::Unclear }, headline, meaning)
}

/// Reasons for caution that apply to every task.
fn cautions(report: &RunReport) -> Vec<String> {
    let mut cautions = Vec::new();
    if let Some(training) = &report.training {
        if let Outcome::Ended(why) = &training.outcome {
            cautions.push(format!("The run did not finish: {why}"));
        }
        let n_evaluations = training.log.iter().filter(|record| record.contains_key("eval_loss")).count();
        if let Some(step) = training.loaded_step {
            cautions.push(format!(
                "The model is that of step {step}, the best of {} on these rows: expect slightly lower \
                 results on other rows.",
                counted(n_evaluations.saturating_sub(1), "evaluation")
            ));
        }
    }
    let grave = report.findings.iter().filter(|finding| {
        finding.severity == Severity::Fatal
            || matches!(finding.kind, Kind::Leakage | Kind::ContradictingLabels)
    });
    cautions.extend(grave.map(|finding| finding.sentence.clone()));
    cautions
}

/// The first `n_max` names, and the number of others.
pub(crate) fn listed(names: &[String], n_max: usize) -> String {
    let shown = names.iter().take(n_max).cloned().collect::<Vec<_>>().join(", ");
    if names.len() > n_max { format!("{shown} and {} more", names.len() - n_max) } else { shown }
}

fn lower_first(sentence: &str) -> String {
    let mut characters = sentence.chars();
    characters
        .next()
        .map_or(String::new(), |first| first.to_lowercase().collect::<String>() + characters.as_str())
}
