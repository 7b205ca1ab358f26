//! What each class counts in the loss: given, or so that rare classes count as much as common ones.

use crate::arguments::{ClassWeights, TrainingArguments};
use crate::error::TrainError;
use bertlab_data::{Example, Target, label_counts};
use bertlab_model::{HeadKind, HeadSpec, ProblemType};

/// What each class of the head counts in a run with these settings and training rows; none where all count the same.
/// `[C]`, as PyTorch's `CrossEntropyLoss(weight)`, and of several labels per row `BCEWithLogitsLoss(pos_weight)`.
///
/// # Errors
/// A head without classes; names or a number of weights that do not fit; weights that are not above 0.
pub fn class_weights(
    arguments: &TrainingArguments,
    head: &HeadSpec,
    rows: &[Example],
) -> Result<Option<Vec<f32>>, TrainError> {
    let Some(asked) = &arguments.class_weights else { return Ok(None) };
    let refused =
        |found: String, wanted: String| TrainError::Setting { name: "class_weights", found, wanted };
    let is_multi_label = head.problem_type == ProblemType::MultiLabel;
    let has_classes = match head.kind {
        HeadKind::SequenceClassification => head.problem_type != ProblemType::Regression,
        kind => kind == HeadKind::TokenClassification,
    };
    if !has_classes {
        let found = format!("given for {}", head.kind.name());
        return Err(refused(found, "a task with classes: theirs are the weights".to_owned()));
    }
    let weights = match asked {
        ClassWeights::Balanced => balanced(head, rows, is_multi_label),
        ClassWeights::ById(weights) => weights.clone(),
        ClassWeights::ByName(by_name) => {
            if let Some(name) = by_name.keys().find(|name| !head.labels.contains(name)) {
                return Err(refused(
                    format!("for {name:?}"),
                    format!("names among {}", head.labels.join(", ")),
                ));
            }
            head.labels.iter().map(|name| by_name.get(name).copied().unwrap_or(1.0)).collect()
        }
    };
    let (n_found, n_classes) = (weights.len(), head.labels.len());
    if n_found != n_classes {
        let wanted = format!("one for each class, by id ({})", head.labels.join(", "));
        return Err(refused(format!("{n_found} numbers"), wanted));
    }
    if let Some(weight) = weights.iter().find(|weight| !(weight.is_finite() && **weight > 0.0)) {
        return Err(refused(weight.to_string(), "numbers above 0".to_owned()));
    }
    Ok(Some(weights.into_iter().map(|weight| weight as f32).collect()))
}

fn balanced(head: &HeadSpec, rows: &[Example], is_multi_label: bool) -> Vec<f64> {
    let targets: Vec<Target> = rows.iter().filter_map(|row| row.target.clone()).collect();
    let counts = label_counts(&targets, head.labels.len());
    let n_items: usize = if is_multi_label { targets.len() } else { counts.iter().sum() };
    let n_present = counts.iter().filter(|&&count| count > 0).count();
    let weight = |&count: &usize| {
        let (n, n_items) = (count as f64, n_items as f64);
        match is_multi_label {
            _ if count == 0 => 1.0,
            true if n == n_items => 1.0,
            true => (n_items - n) / n,
            false => n_items / (n_present as f64 * n),
        }
    };
    counts.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bertlab_model::Reads;

    fn head(kind: HeadKind, problem_type: ProblemType) -> HeadSpec {
        let labels = ["neg", "pos", "never"].map(str::to_owned).to_vec();
        HeadSpec {
            kind,
            labels,
            problem_type,
            reads: Reads::FirstTokens,
            pooler: None,
            dropout: 0.0,
            predictions: None,
        }
    }

    fn rows(targets: impl IntoIterator<Item = Target>) -> Vec<Example> {
        targets.into_iter().map(|target| Example { target: Some(target), ..Example::default() }).collect()
    }

    fn weights(words: &str, head: &HeadSpec, rows: &[Example]) -> Result<Vec<f32>, String> {
        let class_weights = Some(words.parse()?);
        let arguments = TrainingArguments { class_weights, ..TrainingArguments::default() };
        let weights = super::class_weights(&arguments, head, rows).map_err(|error| error.to_string())?;
        Ok(weights.expect("they were asked for"))
    }

    #[test]
    fn balanced_weights_are_those_of_scikit_learn() {
        // sklearn.utils.class_weight.compute_class_weight("balanced", classes=[0, 1], y=[0, 0, 0, 1])
        let classes = head(HeadKind::SequenceClassification, ProblemType::SingleLabel);
        let four = rows([0, 0, 0, 1].map(Target::Class));
        assert_eq!(weights("balanced", &classes, &four), Ok(vec![2.0 / 3.0, 2.0, 1.0]));
        let tokens = head(HeadKind::TokenClassification, ProblemType::SingleLabel);
        let two = rows([vec![-100, 0, 0], vec![0, 1, -100]].map(Target::Tokens));
        assert_eq!(weights("balanced", &tokens, &two), Ok(vec![2.0 / 3.0, 2.0, 1.0]));
        let several = head(HeadKind::SequenceClassification, ProblemType::MultiLabel);
        let rows = rows(
            [[1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 1.0, 0.0]].map(|row| Target::Classes(row.to_vec())),
        );
        assert_eq!(weights("balanced", &several, &rows), Ok(vec![2.0, 1.0, 1.0]));
    }

    #[test]
    fn given_weights_fit_the_classes_or_are_refused() {
        let classes = head(HeadKind::SequenceClassification, ProblemType::SingleLabel);
        assert_eq!(weights("pos=3.5", &classes, &[]), Ok(vec![1.0, 3.5, 1.0]));
        assert_eq!(weights("2, 1,0.5", &classes, &[]), Ok(vec![2.0, 1.0, 0.5]));
        let regression = head(HeadKind::SequenceClassification, ProblemType::Regression);
        for (words, head, message) in [
            ("good=2", &classes, "names among neg, pos, never"),
            ("1,2", &classes, "2 numbers; wanted one for each class"),
            ("1,0,1", &classes, "numbers above 0"),
            ("1,NaN,1", &classes, "numbers above 0"),
            ("1,two", &classes, "\"two\" is no number"),
            ("pos=2,3", &classes, "\"3\" is no NAME=X"),
            ("balanced", &regression, "a task with classes"),
        ] {
            let error = weights(words, head, &[]).expect_err(words);
            assert!(error.contains(message), "{words}: {error}");
        }
    }
}
