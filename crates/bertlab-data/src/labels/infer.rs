//! From the labels of the training split to the classes: integers, names, numbers or lists.

use bertlab_feedback::Hint;
use std::collections::BTreeSet;

use super::super::error::DataError;
use super::super::{Dataset, RawLabel, Record};
use super::resolve::{is_zero_or_one, lists_are_ids, targets};
use super::{IGNORED_TOKEN, LabelSpace, ProblemType, generic_id, generic_names};

/// More classes than any classifier here has; a larger integer is an identifier or a score that was taken for a class.
const CLASSES_MAX: i64 = 100_000;

/// What one column's labels are, all rows together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Integers,
    Numbers,
    Names,
    IntegerLists,
    NumberLists,
    NameLists,
}

impl Kind {
    fn words(self) -> &'static str {
        match self {
            Kind::Integers => "integers",
            Kind::Numbers => "numbers",
            Kind::Names => "names",
            Kind::IntegerLists => "lists of integers",
            Kind::NumberLists => "lists of numbers",
            Kind::NameLists => "lists of names",
        }
    }

    /// The kind of a column that holds both, if there is one.
    fn join(self, other: Kind) -> Option<Kind> {
        use Kind::{IntegerLists, Integers, NumberLists, Numbers};
        match (self, other) {
            (a, b) if a == b => Some(a),
            (Integers, Numbers) | (Numbers, Integers) => Some(Numbers),
            (IntegerLists, NumberLists) | (NumberLists, IntegerLists) => Some(NumberLists),
            _ => None,
        }
    }
}

/// The label space for training on a data set.
///
/// With `given` (the head already has classes) the data must fit it; only names such as "LABEL_0", which say nothing, give way to as many names
/// from the data. Without it: integers from 0 are class ids (at least two classes, named "LABEL_0" and so on); integers from 1 up are names in
/// numeric order; texts are names in alphabetical order, unless all are numbers; numbers with a decimal point are a regression; lists are several
/// labels per row, or a regression of several outputs where they leave 0..1. A Parquet file's class names win over all of these.
///
/// # Errors
/// A row without a label, rows of different kinds, integers below 0 or beyond any class count, and all errors of [`targets`].
pub fn infer_label_space(train: &Dataset, given: Option<&LabelSpace>) -> Result<LabelSpace, DataError> {
    let space = match given {
        Some(given) => LabelSpace { problem_type: given.problem_type, names: better_names(train, given) },
        None => from_data(train)?,
    };
    targets(train, &space)?;
    Ok(space)
}

/// The data's names where the given ones are generic and there are as many.
fn better_names(train: &Dataset, given: &LabelSpace) -> Vec<String> {
    let is_generic = given.names.iter().enumerate().all(|(class, name)| generic_id(name) == Some(class));
    if !is_generic || given.problem_type == ProblemType::Regression {
        return given.names.clone();
    }
    let from_texts = || match kind(train) {
        Ok(Kind::Names | Kind::NameLists) => distinct_names(train),
        _ => Vec::new(),
    };
    let names = train.class_names.clone().unwrap_or_else(from_texts);
    if names.len() == given.names.len() { names } else { given.names.clone() }
}

fn from_data(train: &Dataset) -> Result<LabelSpace, DataError> {
    let kind = kind(train)?;
    let problem_type = problem_type(train, kind);
    if let (Some(names), true) = (&train.class_names, problem_type != ProblemType::Regression) {
        return Ok(LabelSpace { problem_type, names: names.clone() });
    }
    let names = match kind {
        Kind::Integers => integer_names(train)?,
        Kind::Numbers => generic_names(1),
        Kind::Names | Kind::NameLists => distinct_names(train),
        Kind::NumberLists => generic_names(longest_list(train)),
        Kind::IntegerLists => generic_names(n_classes_of_lists(train)?),
    };
    Ok(LabelSpace { problem_type, names })
}

fn problem_type(train: &Dataset, kind: Kind) -> ProblemType {
    let is_share = |value: &f64| (0.0..=1.0).contains(value);
    let has_only_shares = || {
        train.records.iter().all(|record| match &record.label {
            RawLabel::Numbers(list) => list.iter().all(is_share),
            _ => true,
        })
    };
    match kind {
        Kind::Integers | Kind::Names => ProblemType::SingleLabel,
        Kind::Numbers => ProblemType::Regression,
        Kind::IntegerLists if are_per_token(train) => ProblemType::SingleLabel,
        Kind::IntegerLists | Kind::NameLists => ProblemType::MultiLabel,
        Kind::NumberLists if has_only_shares() => ProblemType::MultiLabel,
        Kind::NumberLists => ProblemType::Regression,
    }
}

/// The kind of the whole column.
fn kind(train: &Dataset) -> Result<Kind, DataError> {
    let of_texts = kind_of_texts(train);
    let mut joined: Option<Kind> = None;
    for record in &train.records {
        let kind = match &record.label {
            RawLabel::Missing => {
                return Err(DataError::MissingLabel {
                    place: Box::new(train.place(record)),
                    column: train.label_column.clone(),
                });
            }
            RawLabel::Integer(_) => Kind::Integers,
            RawLabel::Number(_) => Kind::Numbers,
            RawLabel::Text(_) => of_texts,
            // A row without any class has the same empty list in every kind.
            RawLabel::Integers(list) if list.is_empty() => continue,
            RawLabel::Integers(_) => Kind::IntegerLists,
            RawLabel::Numbers(_) => Kind::NumberLists,
            RawLabel::Texts(_) => Kind::NameLists,
        };
        let earlier = joined.unwrap_or(kind);
        joined = Some(earlier.join(kind).ok_or_else(|| mixed(train, record, kind, earlier))?);
    }
    Ok(joined.unwrap_or(Kind::IntegerLists))
}

fn mixed(train: &Dataset, record: &Record, kind: Kind, earlier: Kind) -> DataError {
    let found = format!("is one of {}", kind.words());
    DataError::MixedLabels { place: Box::new(train.place(record)), found, earlier: earlier.words() }
}

/// CSV has texts only: what they are shows in all of them together.
fn kind_of_texts(train: &Dataset) -> Kind {
    let texts = || {
        train.records.iter().filter_map(|record| match &record.label {
            RawLabel::Text(text) => Some(text.trim()),
            _ => None,
        })
    };
    if texts().all(|text| integer_of(text).is_some()) {
        Kind::Integers
    } else if texts().all(|text| text.parse::<f64>().is_ok_and(f64::is_finite)) {
        Kind::Numbers
    } else {
        Kind::Names
    }
}

/// "3" and "LABEL_3".
fn integer_of(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| generic_id(text).and_then(|class| i64::try_from(class).ok()))
}

fn integer_names(train: &Dataset) -> Result<Vec<String>, DataError> {
    let mut distinct = BTreeSet::new();
    for record in &train.records {
        let value = match &record.label {
            RawLabel::Integer(value) => *value,
            RawLabel::Text(text) => integer_of(text.trim()).expect("the column's kind is integers"),
            _ => continue,
        };
        check_integer(train, record, value)?;
        distinct.insert(value);
    }
    match (distinct.first(), distinct.last()) {
        // Class ids; one class alone is 0 of at least two.
        (Some(0), Some(&largest)) => Ok(generic_names((largest as usize + 1).max(2))),
        _ => Ok(distinct.iter().map(i64::to_string).collect()),
    }
}

fn check_integer(train: &Dataset, record: &Record, found: i64) -> Result<(), DataError> {
    let reason = if found < 0 {
        "a class id is 0 or more; -1 often marks a row without a label: remove such rows, or write the classes as names"
            .to_owned()
    } else if found >= CLASSES_MAX {
        format!(
            "too large for a class id; choose another column with {}, or write scores with a decimal point for a \
             regression",
            Hint::Setting("label_column")
        )
    } else {
        return Ok(());
    };
    Err(DataError::UnusableInteger { place: Box::new(train.place(record)), found, reason })
}

/// Every name once, sorted.
fn distinct_names(train: &Dataset) -> Vec<String> {
    let mut names = BTreeSet::new();
    for record in &train.records {
        match &record.label {
            RawLabel::Text(text) => {
                names.insert(text.trim().to_owned());
            }
            RawLabel::Texts(list) => names.extend(list.iter().map(|name| name.trim().to_owned())),
            _ => {}
        }
    }
    names.into_iter().collect()
}

fn longest_list(train: &Dataset) -> usize {
    let length = |record: &Record| match &record.label {
        RawLabel::Integers(list) => list.len(),
        RawLabel::Numbers(list) => list.len(),
        _ => 0,
    };
    train.records.iter().map(length).max().unwrap_or(0)
}

/// Lists of integers: one class id per token, class ids of the row, or a 0 or 1 per class.
fn n_classes_of_lists(train: &Dataset) -> Result<usize, DataError> {
    let longest = longest_list(train);
    if !are_per_token(train) && !lists_are_ids(train, longest) {
        return Ok(longest);
    }
    let mut largest = 0;
    for record in &train.records {
        let RawLabel::Integers(list) = &record.label else { continue };
        for &value in list.iter().filter(|&&value| value != IGNORED_TOKEN) {
            check_integer(train, record, value)?;
            largest = largest.max(value as usize);
        }
    }
    Ok(largest + 1)
}

/// Whether every list of a ready row is as long as its tokens, and the lists cannot be a 0 or 1 per class.
fn are_per_token(train: &Dataset) -> bool {
    let mut lengths = BTreeSet::new();
    let mut has_other_values = false;
    for record in &train.records {
        let (RawLabel::Integers(list), Some(input_ids)) = (&record.label, &record.input_ids) else {
            return false;
        };
        if list.len() != input_ids.len() {
            return false;
        }
        lengths.insert(list.len());
        has_other_values |= !list.iter().all(is_zero_or_one);
    }
    has_other_values || lengths.len() > 1
}
