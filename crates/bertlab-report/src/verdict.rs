//! What a result means, in words: beside the answer that needs no model, with its uncertainty, or that it means nothing.

use crate::number::{counted, figure, number, percent, percent_number};
use crate::run::{EvaluationFacts, Outcome, RunReport, TrainingFacts};
use bertlab_data::preflight::{Kind, Severity};
use bertlab_train::metrics::classification::ClassificationReport;
use bertlab_train::metrics::interval::Interval;
use bertlab_train::metrics::multilabel::MultiLabelReport;
use bertlab_train::metrics::regression::RegressionReport;
use bertlab_train::metrics::tagging::TaggingReport;
use bertlab_train::{Divergence, MaskedLmScores, Scores};

/// How good the news is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Better than the answer that needs no model.
    Better,
    /// Not shown to be better, or not known.
    Unclear,
    /// Worse, or without a meaning.
    Bad,
}

/// A share beside what it must be compared with, all 0 to 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// What was reached.
    pub share: f64,
    /// Its 95 % interval.
    pub interval: Interval,
    /// What needs no model.
    pub baseline: f64,
    /// What that is, in words.
    pub baseline_name: String,
}

/// What a result means.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// How good the news is.
    pub tone: Tone,
    /// The result in one sentence.
    pub headline: String,
    /// What it means.
    pub meaning: String,
    /// What to know before believing it.
    pub cautions: Vec<String>,
    /// The shares behind it, where there are such.
    pub comparison: Option<Comparison>,
}

/// Reads the figures.
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

/// A run whose loss grew is no result, whatever its figures, but for an earlier checkpoint that was loaded.
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
        _ => "No step was logged".to_owned(),
    };
    let meaning = "Nothing was evaluated: how good the model is on texts that it has not seen is not known.";
    plain(Tone::Unclear, headline, meaning.to_owned())
}

/// A share that needs a model against one that needs none.
fn compared(headline: String, comparison: Comparison) -> Verdict {
    let Comparison { share, interval, baseline, baseline_name } = &comparison;
    let points = format!("{} points", percent_number((share - baseline).abs()));
    let (tone, meaning) = if interval.low > *baseline {
        (Tone::Better, format!("{points} better than {baseline_name} ({}).", percent(*baseline)))
    } else if interval.high < *baseline {
        (Tone::Bad, format!("{points} worse than {baseline_name} ({}).", percent(*baseline)))
    } else {
        let what = format!(
            "Not shown to be better than {baseline_name} ({}): that lies within the interval.",
            percent(*baseline)
        );
        (Tone::Unclear, what)
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
        "{} of {rows} are right ({})",
        percent(scores.accuracy),
        interval_words(scores.accuracy_interval)
    );
    let commonest = name_of(labels, scores.majority_baseline.class);
    if scores.majority_baseline.share == 1.0 {
        let meaning = format!(
            "That means nothing: all rows have the label {commonest}, so always answering it is right every time."
        );
        return plain(Tone::Bad, headline, meaning);
    }
    let comparison = Comparison {
        share: scores.accuracy,
        interval: scores.accuracy_interval,
        baseline: scores.majority_baseline.share,
        baseline_name: format!("always answering {commonest}"),
    };
    let mut verdict = compared(headline, comparison);
    let never: Vec<String> = (scores.classes.iter().enumerate())
        .filter(|(_, class)| class.recall == Some(0.0))
        .map(|(id, class)| format!("{} ({})", name_of(labels, id), counted(class.support, "row")))
        .collect();
    if !never.is_empty() {
        verdict.cautions.push(format!("Never found: {}.", listed(&never, 6)));
    }
    verdict
}

fn of_label_sets(scores: &MultiLabelReport, facts: &EvaluationFacts, labels: &[String]) -> Verdict {
    let rows = counted(scores.n_rows, &format!("{} row", facts.split));
    let f1 = figure(scores.micro_average.map(|average| average.f1.value));
    let headline = format!(
        "{} of {rows} have every label right ({}); F1 over all labels {f1}",
        percent(scores.subset_accuracy),
        interval_words(scores.subset_accuracy_interval)
    );
    let names: Vec<String> = scores.baseline.labels.iter().map(|&id| name_of(labels, id)).collect();
    let set = if names.is_empty() { "no label".to_owned() } else { names.join(" and ") };
    if scores.baseline.share == 1.0 {
        let meaning =
            format!("That means nothing: all rows have {set}, so always answering that is right every time.");
        return plain(Tone::Bad, headline, meaning);
    }
    let comparison = Comparison {
        share: scores.subset_accuracy,
        interval: scores.subset_accuracy_interval,
        baseline: scores.baseline.share,
        baseline_name: format!("always answering {set}"),
    };
    compared(headline, comparison)
}

fn of_numbers(scores: &RegressionReport, facts: &EvaluationFacts) -> Verdict {
    let rows = counted(scores.n_rows, &format!("{} row", facts.split));
    let error = figure(scores.mean_absolute_error);
    let Some(explained) = scores.r_squared else {
        let headline = format!("Answers are {error} off on average, on {rows}");
        let meaning = "That means nothing: all wanted values are the same, or an answer is no number.";
        return plain(Tone::Bad, headline, meaning.to_owned());
    };
    let correlation = match (scores.pearson, scores.pearson_interval) {
        (Some(pearson), Some(interval)) => {
            format!(
                "Correlation {pearson:.3} with the wanted values on {rows} (95 % interval {:.3} to {:.3})",
                interval.low, interval.high
            )
        }
        (Some(pearson), None) => format!("Correlation {pearson:.3} with the wanted values on {rows}"),
        (None, _) => format!("Every answer is the same, on {rows}"),
    };
    let meaning = if explained > 0.0 {
        format!(
            "{} of the variance is explained, and answers are {error} off on average; always answering the mean \
             explains nothing.",
            percent(explained)
        )
    } else {
        format!("No better than always answering the mean: R² is {explained:.3}, the mean's is 0.")
    };
    plain(if explained > 0.0 { Tone::Better } else { Tone::Bad }, correlation, meaning)
}

fn of_tags(scores: &TaggingReport, labels: &[String]) -> Verdict {
    let sentences = counted(scores.n_sentences, "sentence");
    let words = format!(
        "{} of {} have the right label ({})",
        percent(scores.accuracy),
        counted(scores.n_words, "word"),
        interval_words(scores.accuracy_interval)
    );
    let commonest = name_of(labels, scores.majority_baseline.class);
    let baseline = Comparison {
        share: scores.accuracy,
        interval: scores.accuracy_interval,
        baseline: scores.majority_baseline.share,
        baseline_name: format!("always answering {commonest}"),
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
    let tokens = counted(scores.n_tokens, "hidden token");
    let Some(perplexity) = scores.perplexity else {
        return plain(
            Tone::Bad,
            "No perplexity".to_owned(),
            "Nothing was hidden, so nothing was guessed.".to_owned(),
        );
    };
    let headline = format!("Perplexity {perplexity:.2} over {tokens}");
    let share = |value: Option<f64>| value.map_or("undefined".to_owned(), percent);
    let meaning = format!(
        "As unsure as among {perplexity:.1} equally likely tokens. {} are guessed at once, {} within five guesses; \
         always guessing the commonest token finds {}.",
        share(scores.accuracy),
        share(scores.accuracy_top5),
        share(scores.majority_baseline)
    );
    let is_better = scores.accuracy > scores.majority_baseline;
    plain(if is_better { Tone::Better } else { Tone::Unclear }, headline, meaning)
}

/// What holds for every kind of question.
fn cautions(report: &RunReport) -> Vec<String> {
    let mut cautions = Vec::new();
    if let Some(training) = &report.training {
        if let Outcome::Ended(why) = &training.outcome {
            cautions.push(format!("The run did not come to its end: {why}"));
        }
        let n_evaluations = training.log.iter().filter(|record| record.contains_key("eval_loss")).count();
        if let Some(step) = training.loaded_step {
            cautions.push(format!(
                "The model is that of step {step}, the best of {} on these same rows: on others it will do a little worse.",
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

/// The first of a list, and how many more there are.
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
