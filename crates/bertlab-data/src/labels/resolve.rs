//! From a row's label as it stands in the file to its target in a label space.

use std::collections::{HashMap, HashSet};

use super::super::error::{DataError, listed};
use super::super::{Dataset, RawLabel, Record};
use super::{IGNORED_TOKEN, LabelSpace, ProblemType, Target, generic_id};

/// The target of every record.
///
/// A class may be written as its id, as its name (letter case counts only where two names differ in it), as "LABEL_3", or as a number in text. Where all
/// names are integers ("1" to "5"), an integer is a name. Where a Parquet file names its own classes and the space knows all of these names, its
/// ids go by name. Lists of integers are a 0 or 1 per class, or the ids of the row's classes where some list has another length.
///
/// # Errors
/// The first row whose label is missing, unknown, out of range, not finite, or of another kind than the space wants.
pub fn targets(dataset: &Dataset, space: &LabelSpace) -> Result<Vec<Target>, DataError> {
    let resolver = Resolver::new(dataset, space);
    dataset.records.iter().map(|record| resolver.target(record)).collect()
}

/// As [`targets`], but every row has its own answer: its target, or why there is none.
pub fn targets_by_row(dataset: &Dataset, space: &LabelSpace) -> Vec<Result<Target, DataError>> {
    let resolver = Resolver::new(dataset, space);
    dataset.records.iter().map(|record| resolver.target(record)).collect()
}

/// The target of every ready row with a class id per token: masked language models and token classification.
///
/// # Errors
/// The first row that holds no list of integers as long as its tokens, or an id outside `0..n_classes` other than [`IGNORED_TOKEN`].
pub fn token_targets(dataset: &Dataset, n_classes: usize) -> Result<Vec<Target>, DataError> {
    dataset.records.iter().map(|record| tokens(dataset, record, n_classes)).collect()
}

/// As [`token_targets`], but every row has its own answer: its target, or why there is none.
pub fn token_targets_by_row(dataset: &Dataset, n_classes: usize) -> Vec<Result<Target, DataError>> {
    dataset.records.iter().map(|record| tokens(dataset, record, n_classes)).collect()
}

pub(super) fn is_zero_or_one(value: &i64) -> bool {
    matches!(value, 0 | 1)
}

/// Whether lists of integers hold class ids: no list names a class twice, and some list is no row of a 0 or 1 per class.
pub(super) fn lists_are_ids(dataset: &Dataset, n_classes: usize) -> bool {
    let mut has_other_form = false;
    for record in &dataset.records {
        let RawLabel::Integers(list) = &record.label else { continue };
        let mut seen = HashSet::new();
        if !list.iter().all(|value| seen.insert(value)) {
            return false;
        }
        has_other_form |= list.len() != n_classes || !list.iter().all(is_zero_or_one);
    }
    has_other_form
}

struct Resolver<'a> {
    dataset: &'a Dataset,
    space: &'a LabelSpace,
    by_name: HashMap<&'a str, usize>,
    /// By lower-case name; `None` where two names differ in case only.
    by_lower_case: HashMap<String, Option<usize>>,
    names_are_integers: bool,
    /// The space's class for each class of the data set's own schema.
    by_schema: Option<Vec<usize>>,
    lists_are_ids: bool,
}

impl<'a> Resolver<'a> {
    fn new(dataset: &'a Dataset, space: &'a LabelSpace) -> Resolver<'a> {
        let mut by_lower_case = HashMap::new();
        for (class, name) in space.names.iter().enumerate() {
            by_lower_case.entry(name.to_lowercase()).and_modify(|known| *known = None).or_insert(Some(class));
        }
        let mut resolver = Resolver {
            dataset,
            space,
            by_name: space.names.iter().enumerate().map(|(class, name)| (name.as_str(), class)).collect(),
            by_lower_case,
            names_are_integers: space.names.iter().all(|name| name.parse::<i64>().is_ok()),
            by_schema: None,
            lists_are_ids: space.problem_type == ProblemType::MultiLabel
                && lists_are_ids(dataset, space.names.len()),
        };
        let schema = dataset.class_names.as_ref();
        resolver.by_schema = schema.and_then(|names| names.iter().map(|name| resolver.named(name)).collect());
        resolver
    }

    fn n_classes(&self) -> usize {
        self.space.names.len()
    }

    fn named(&self, name: &str) -> Option<usize> {
        self.by_name
            .get(name)
            .copied()
            .or_else(|| self.by_lower_case.get(&name.to_lowercase()).copied().flatten())
    }

    fn integer(&self, value: i64) -> Option<usize> {
        match &self.by_schema {
            Some(classes) => classes.get(usize::try_from(value).ok()?).copied(),
            None if self.names_are_integers => self.by_name.get(value.to_string().as_str()).copied(),
            None => usize::try_from(value).ok().filter(|&class| class < self.n_classes()),
        }
    }

    fn target(&self, record: &Record) -> Result<Target, DataError> {
        if record.label == RawLabel::Missing {
            let column = self.dataset.label_column.clone();
            return Err(DataError::MissingLabel { place: Box::new(self.dataset.place(record)), column });
        }
        match self.space.problem_type {
            ProblemType::SingleLabel => self.single(record),
            ProblemType::MultiLabel => self.multiple(record).map(Target::Classes),
            ProblemType::Regression => self.values(record),
        }
    }

    fn single(&self, record: &Record) -> Result<Target, DataError> {
        match &record.label {
            RawLabel::Integer(value) => self.class_of_integer(record, *value).map(Target::Class),
            RawLabel::Number(value) => self.class_of_number(record, *value).map(Target::Class),
            RawLabel::Text(text) => self.class_of_text(record, text).map(Target::Class),
            RawLabel::Integers(_) if record.input_ids.is_some() => {
                tokens(self.dataset, record, self.n_classes())
            }
            _ => Err(self.wrong_kind(record, "one class")),
        }
    }

    fn class_of_integer(&self, record: &Record, value: i64) -> Result<usize, DataError> {
        self.integer(value).ok_or_else(|| self.out_of_range(record, value))
    }

    fn class_of_number(&self, record: &Record, value: f64) -> Result<usize, DataError> {
        match integral(value) {
            Some(integer) => self.class_of_integer(record, integer),
            None => Err(self.wrong_kind(record, "one class")),
        }
    }

    fn class_of_text(&self, record: &Record, text: &str) -> Result<usize, DataError> {
        let text = text.trim();
        if let Some(class) = self.named(text) {
            return Ok(class);
        }
        if let Some(class) = generic_id(text).filter(|&class| class < self.n_classes()) {
            return Ok(class);
        }
        match text.parse::<i64>().ok().or_else(|| text.parse().ok().and_then(integral)) {
            Some(value) => self.class_of_integer(record, value),
            None => Err(DataError::UnknownLabel {
                place: Box::new(self.dataset.place(record)),
                found: text.to_owned(),
                classes: listed(&self.space.names),
            }),
        }
    }

    fn multiple(&self, record: &Record) -> Result<Vec<f32>, DataError> {
        let n_classes = self.n_classes();
        match &record.label {
            RawLabel::Texts(names) => {
                let classes: Result<Vec<usize>, DataError> =
                    names.iter().map(|name| self.class_of_text(record, name)).collect();
                Ok(marked(&classes?, n_classes))
            }
            RawLabel::Integers(ids) if self.lists_are_ids || ids.is_empty() => {
                let classes: Result<Vec<usize>, DataError> =
                    ids.iter().map(|&id| self.class_of_integer(record, id)).collect();
                Ok(marked(&classes?, n_classes))
            }
            RawLabel::Integers(list) if list.len() == n_classes && list.iter().all(is_zero_or_one) => {
                Ok(list.iter().map(|&value| value as f32).collect())
            }
            RawLabel::Numbers(list)
                if list.len() == n_classes && list.iter().all(|share| (0.0..=1.0).contains(share)) =>
            {
                Ok(list.iter().map(|&value| value as f32).collect())
            }
            _ => Err(self.wrong_kind(
                record,
                &format!("a list of {n_classes} numbers from 0 to 1, or of class names"),
            )),
        }
    }

    fn values(&self, record: &Record) -> Result<Target, DataError> {
        let n_outputs = self.n_classes();
        let values: Vec<f32> = match &record.label {
            RawLabel::Integer(value) => vec![*value as f32],
            RawLabel::Number(value) => vec![*value as f32],
            // What is no number becomes one that is refused below.
            RawLabel::Text(text) => vec![text.trim().parse().unwrap_or(f32::NAN)],
            RawLabel::Integers(list) => list.iter().map(|&value| value as f32).collect(),
            RawLabel::Numbers(list) => list.iter().map(|&value| value as f32).collect(),
            RawLabel::Texts(_) | RawLabel::Missing => Vec::new(),
        };
        if values.len() != n_outputs || !values.iter().all(|value| value.is_finite()) {
            let wanted = match n_outputs {
                1 => "one finite number".to_owned(),
                _ => format!("a list of {n_outputs} finite numbers"),
            };
            return Err(self.wrong_kind(record, &wanted));
        }
        Ok(if n_outputs == 1 { Target::Value(values[0]) } else { Target::Values(values) })
    }

    fn out_of_range(&self, record: &Record, value: i64) -> DataError {
        let hint = if value == -1 { "; -1 often marks rows without a label" } else { "" };
        DataError::LabelOutOfRange {
            place: Box::new(self.dataset.place(record)),
            found: value.to_string(),
            n_classes: self.n_classes(),
            classes: listed(&self.space.names),
            hint,
        }
    }

    fn wrong_kind(&self, record: &Record, wanted: &str) -> DataError {
        let hint = match (&record.label, self.space.problem_type) {
            (RawLabel::Number(value), ProblemType::SingleLabel) if value.is_finite() => {
                "; numbers with a decimal point are a regression: use a checkpoint with one output, or other labels"
            }
            (RawLabel::Text(_), ProblemType::MultiLabel) => "; CSV and TSV hold no lists: use .jsonl",
            _ => "",
        };
        DataError::WrongKindOfLabel {
            place: Box::new(self.dataset.place(record)),
            found: in_words(&record.label),
            wanted: wanted.to_owned(),
            because: match self.space.problem_type {
                ProblemType::SingleLabel => "problem_type is single_label_classification",
                ProblemType::MultiLabel => "problem_type is multi_label_classification",
                ProblemType::Regression => "problem_type is regression",
            },
            hint,
        }
    }
}

pub(super) fn tokens(dataset: &Dataset, record: &Record, n_classes: usize) -> Result<Target, DataError> {
    let refuse = |found: String| DataError::WrongKindOfLabel {
        place: Box::new(dataset.place(record)),
        found,
        wanted: format!("one id per token, in 0..{n_classes} or {IGNORED_TOKEN} where none counts"),
        because: "the row holds input_ids and a list of labels, or the task wants a label per token",
        hint: "",
    };
    let (RawLabel::Integers(list), Some(input_ids)) = (&record.label, &record.input_ids) else {
        return Err(refuse(in_words(&record.label)));
    };
    if list.len() != input_ids.len() {
        return Err(refuse(format!("is a list of {} for {} tokens", list.len(), input_ids.len())));
    }
    let is_known = |&id: &i64| id == IGNORED_TOKEN || usize::try_from(id).is_ok_and(|id| id < n_classes);
    match list.iter().position(|id| !is_known(id)) {
        Some(token) => Err(refuse(format!("is {} at token {token} (counted from 0)", list[token]))),
        None => Ok(Target::Tokens(list.clone())),
    }
}

fn marked(classes: &[usize], n_classes: usize) -> Vec<f32> {
    let mut shares = vec![0.0; n_classes];
    for &class in classes {
        shares[class] = 1.0;
    }
    shares
}

/// The integer that a number is, within what f64 counts exactly.
fn integral(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() < 2f64.powi(53)).then_some(value as i64)
}

/// The end of a sentence that starts with "label".
fn in_words(label: &RawLabel) -> String {
    match label {
        RawLabel::Missing => "is missing".to_owned(),
        RawLabel::Integer(value) => format!("is the integer {value}"),
        RawLabel::Number(value) => format!("is the number {value}"),
        RawLabel::Text(text) => format!("is the text {:?}", super::super::error::preview(text)),
        RawLabel::Integers(list) => format!("is a list of {} integers", list.len()),
        RawLabel::Numbers(list) => format!("is a list of {} numbers", list.len()),
        RawLabel::Texts(list) => format!("is a list of {} texts", list.len()),
    }
}
