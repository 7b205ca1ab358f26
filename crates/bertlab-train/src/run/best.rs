//! Which evaluation was the best, when to stop early, and whether the settings of both fit together.

use super::Run;
use crate::arguments::{IntervalStrategy, SaveStrategy, TrainingArguments};
use crate::error::TrainError;
use crate::evaluate::{Evaluation, evaluate};
use crate::metrics::is_error;
use crate::objective::Objective;
use crate::plan::Plan;
use crate::state::Best;
use bertlab_data::Example;
use bertlab_feedback::{Hint, Meter};
use bertlab_model::Model;

impl TrainingArguments {
    /// The metric that decides, without HuggingFace's prefix `eval_`.
    pub(crate) fn best_metric_name(&self) -> &str {
        let name = self.metric_for_best_model.as_deref().unwrap_or("loss");
        name.strip_prefix("eval_").unwrap_or(name)
    }

    fn more_is_better(&self) -> bool {
        let name = self.best_metric_name();
        self.greater_is_better.unwrap_or(!is_error(name))
    }
}

/// Refuses settings of the best checkpoint and of early stopping that do not fit together: HuggingFace's
/// conditions.
pub(super) fn check(arguments: &TrainingArguments, plan: &Plan) -> Result<(), TrainError> {
    let wish = |name, found: &str, wanted: String| {
        Err(TrainError::Setting { name, found: found.to_owned(), wanted })
    };
    let evaluation = || {
        let file = Hint::Setting("validation_file");
        format!("evaluations: rows for them ({file}) and an eval_strategy of steps or epoch")
    };
    let loads_best = arguments.load_best_model_at_end == Some(true);
    if plan.eval.0 == IntervalStrategy::No {
        if let Some(patience) = arguments.early_stopping_patience {
            return wish("early_stopping_patience", &patience.to_string(), evaluation());
        }
        if plan.save.0 == SaveStrategy::Best {
            return wish("save_strategy", "best", evaluation());
        }
        if loads_best {
            return wish("load_best_model_at_end", "true", evaluation());
        }
    }
    if !loads_best || plan.save.0 == SaveStrategy::Best {
        return Ok(());
    }
    let fits = match (plan.eval.0, plan.save.0) {
        (IntervalStrategy::Epoch, SaveStrategy::Epoch) => true,
        (IntervalStrategy::Steps, SaveStrategy::Steps) => plan.save.1.is_multiple_of(plan.eval.1),
        _ => false,
    };
    if fits {
        return Ok(());
    }
    wish("load_best_model_at_end", "true", checkpoints_wanted(plan))
}

/// What makes every checkpoint one that was evaluated.
fn checkpoints_wanted(plan: &Plan) -> String {
    let ((evaluates, eval_steps), (saves, save_steps)) = (plan.eval, plan.save);
    let now = match (evaluates, saves) {
        (IntervalStrategy::Steps, SaveStrategy::Steps) => {
            format!(
                "a run of this many steps is evaluated every {eval_steps} and saved every {save_steps} steps"
            )
        }
        _ => format!("eval_strategy is {} and save_strategy is {}", word(&evaluates), word(&saves)),
    };
    format!(
        "checkpoints that were evaluated ({now}): a save_strategy of best, or one like eval_strategy, with a \
         multiple of eval_steps as save_steps"
    )
}

/// As it is written in files.
fn word(strategy: &impl serde::Serialize) -> String {
    let value = serde_json::to_value(strategy).expect("a word");
    value.as_str().unwrap_or_default().to_owned()
}

/// Refuses a `metric_for_best_model` that evaluations do not give, before hours have gone into the first of them.
pub(super) fn check_metric(
    arguments: &TrainingArguments,
    model: &Model,
    objective: &Objective,
    eval: &[Example],
) -> Result<(), TrainError> {
    if arguments.best_metric_name() == "loss" || eval.is_empty() {
        return Ok(());
    }
    // Rows that cannot be evaluated are refused when all of them are.
    match evaluate(model, objective, &eval[..1], 1, &Meter::silent()) {
        Ok(evaluation) => metric(arguments, &evaluation).map(|_| ()),
        Err(_) => Ok(()),
    }
}

/// The metric that decides; none where it is undefined.
fn metric(arguments: &TrainingArguments, evaluation: &Evaluation) -> Result<Option<f64>, TrainError> {
    let metrics = evaluation.metrics();
    let name = arguments.best_metric_name();
    match metrics.iter().find(|(known, _)| *known == name) {
        Some((_, value)) => Ok(value.filter(|value| value.is_finite())),
        None => {
            let names: Vec<&str> = metrics.iter().map(|(name, _)| *name).collect();
            let (found, wanted) = (name.to_owned(), format!("one of {}", names.join(", ")));
            Err(TrainError::Setting { name: "metric_for_best_model", found, wanted })
        }
    }
}

/// When an evaluation is better than those before it.
struct Rule {
    more_is_better: bool,
    /// By how much more than this it must be, for early stopping.
    threshold: f64,
}

/// What an evaluation is to its run.
struct Verdict {
    /// Better than all before it. The first of equals stays the best; what is undefined never is.
    is_best: bool,
    /// Early stopping counts anew.
    has_gained: bool,
}

impl Rule {
    fn judge(&self, best: Option<f64>, value: Option<f64>, is_first: bool) -> Verdict {
        let Some(best) = best else {
            // HuggingFace's callback takes the first evaluation as a gain, whatever it says.
            return Verdict { is_best: value.is_some(), has_gained: value.is_some() || is_first };
        };
        let gain = |value: f64| if self.more_is_better { value - best } else { best - value };
        let gain = value.map_or(0.0, gain);
        Verdict { is_best: gain > 0.0, has_gained: gain > 0.0 && gain > self.threshold }
    }
}

impl Run<'_, '_> {
    /// Counts the evaluation for early stopping, and remembers it where it is the best so far. Gives whether it is.
    pub(super) fn judge(&mut self, evaluation: &Evaluation) -> Result<bool, TrainError> {
        let arguments = self.trainer.arguments;
        let value = metric(arguments, evaluation)?;
        let rule = Rule {
            more_is_better: arguments.more_is_better(),
            threshold: arguments.early_stopping_threshold,
        };
        let is_first = self.evaluated_at.is_none_or(|step| step == 0);
        let verdict = rule.judge(self.state.best.as_ref().map(|best| best.metric), value, is_first);
        self.state.patience_counter = if verdict.has_gained { 0 } else { self.state.patience_counter + 1 };
        if let Some(metric) = value.filter(|_| verdict.is_best) {
            self.reporter.best(self.state.global_step, metric);
            self.state.best = Some(Best { metric, global_step: self.state.global_step, checkpoint: None });
        }
        Ok(verdict.is_best)
    }

    /// Whether early stopping has ended the run.
    pub(super) fn has_stopped_early(&self) -> bool {
        self.state.has_stopped_early(self.trainer.arguments)
    }

    /// Whether there is nothing more to do: all steps are done, or early stopping has ended the run.
    pub(super) fn is_over(&self) -> bool {
        self.state.global_step >= self.plan.n_steps || self.has_stopped_early()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counters of early stopping and whether each value is the best so far, until `patience` is used up.
    fn judged(values: &[f64], more_is_better: bool, patience: u64, threshold: f64) -> (Vec<u64>, Vec<u8>) {
        let rule = Rule { more_is_better, threshold };
        let (mut best, mut counter, mut counters, mut bests) = (None, 0, Vec::new(), Vec::new());
        for (index, &value) in values.iter().enumerate() {
            let value = Some(value).filter(|value| value.is_finite());
            let verdict = rule.judge(best, value, index == 0);
            counter = if verdict.has_gained { 0 } else { counter + 1 };
            best = if verdict.is_best { value } else { best };
            counters.push(counter);
            bests.push(u8::from(verdict.is_best));
            if counter >= patience {
                break;
            }
        }
        (counters, bests)
    }

    /// The expected figures are of EarlyStoppingCallback and Trainer._determine_best_metric in transformers 5.24.0.
    #[test]
    fn early_stopping_counts_as_huggingfaces_callback() {
        const NAN: f64 = f64::NAN;
        type Case = (&'static [f64], bool, u64, f64, &'static [u64], &'static [u8]);
        let cases: [Case; 5] = [
            (&[0.5, 0.6, 0.6, 0.7, 0.65, 0.69, 0.1], true, 2, 0.0, &[0, 0, 1, 0, 1, 2], &[1, 1, 0, 1, 0, 0]),
            (&[1.0, 0.9, 0.85, 0.84, 0.5, 0.6, 0.45], false, 2, 0.1, &[0, 1, 2], &[1, 1, 1]),
            (&[NAN, 0.5, NAN, 0.6, 0.6, 0.6], true, 2, 0.0, &[0, 0, 1, 0, 1, 2], &[0, 1, 0, 1, 0, 0]),
            (&[0.5, 0.55, 0.6, 0.65, 0.7], true, 3, 0.2, &[0, 1, 2, 3], &[1, 1, 1, 1]),
            (&[NAN, NAN, NAN], true, 2, 0.0, &[0, 1, 2], &[0, 0, 0]),
        ];
        for (values, more_is_better, patience, threshold, counters, bests) in cases {
            let found = judged(values, more_is_better, patience, threshold);
            assert_eq!(found, (counters.to_vec(), bests.to_vec()), "{values:?}");
        }
    }
}
