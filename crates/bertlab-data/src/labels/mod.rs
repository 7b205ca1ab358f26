//! What the labels of a data set mean: the kind of problem, the classes by name, and each row's target.

mod infer;
mod resolve;
mod words;

pub use bertlab_model::ProblemType;
pub use infer::infer_label_space;
pub use resolve::{targets, targets_by_row, token_targets, token_targets_by_row};
pub use words::{becomes_iob2, infer_word_labels, label_all_tokens, word_targets, word_targets_by_row};

/// The label of a token that counts in no loss and no metric, as PyTorch and HuggingFace have it.
pub const IGNORED_TOKEN: i64 = -100;

/// The outputs of a classifier: what kind they are, and what each is called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelSpace {
    /// The kind of problem.
    pub problem_type: ProblemType,
    /// `id2label`, by id; as many as the classifier has outputs.
    pub names: Vec<String>,
}

/// The right answer for one row.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// The class id, below the number of classes.
    Class(usize),
    /// One number from 0 to 1 per class.
    Classes(Vec<f32>),
    /// The number to predict, finite.
    Value(f32),
    /// Several numbers to predict, one per output, finite.
    Values(Vec<f32>),
    /// A class id per token of a ready row, [`IGNORED_TOKEN`] where none is asked for: masked language models, token classification.
    Tokens(Vec<i64>),
    /// Labels of a row of words.
    Words(WordLabels),
}

/// The labels of a row's words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WordLabels {
    /// A class id per word, which its first token gets; [`IGNORED_TOKEN`] where none counts.
    pub first: Vec<i64>,
    /// What a word's further tokens get; empty where they count in nothing.
    pub further: Vec<i64>,
}

/// How many rows have each class; of several labels per row each counts (from 0.5 up), of token labels each token.
///
/// Numbers have no classes and count nowhere; neither do ids from `n_classes` up.
pub fn label_counts(targets: &[Target], n_classes: usize) -> Vec<usize> {
    let mut counts = vec![0; n_classes];
    let mut count = |class: usize| {
        if let Some(count) = counts.get_mut(class) {
            *count += 1;
        }
    };
    for target in targets {
        match target {
            Target::Class(class) => count(*class),
            Target::Classes(shares) => {
                shares
                    .iter()
                    .enumerate()
                    .filter(|(_, share)| **share >= 0.5)
                    .for_each(|(class, _)| count(class));
            }
            Target::Tokens(tokens) | Target::Words(WordLabels { first: tokens, .. }) => {
                tokens.iter().filter_map(|&token| usize::try_from(token).ok()).for_each(&mut count)
            }
            Target::Value(_) | Target::Values(_) => {}
        }
    }
    counts
}

/// HuggingFace's name for a class without a name.
fn generic_name(class: usize) -> String {
    format!("LABEL_{class}")
}

/// The id in a name such as "LABEL_3".
fn generic_id(name: &str) -> Option<usize> {
    name.strip_prefix("LABEL_")?.parse().ok()
}

fn generic_names(n_classes: usize) -> Vec<String> {
    (0..n_classes).map(generic_name).collect()
}
