//! Labels of words: which there are, and each word's id.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::super::error::{DataError, listed};
use super::super::{Dataset, RawLabel, Record, TagScheme};
use super::resolve::tokens;
use super::{IGNORED_TOKEN, Target, WordLabels, generic_id, generic_names};
use crate::tags::{Place, parse};

/// The order of the tags of a type.
const LETTERS: [&str; 6] = ["B", "I", "E", "L", "S", "U"];

/// The labels for training on rows of words, or of ids with a class per token.
///
/// `given` (the head has labels already) stay, unless they are "LABEL_0" and so on, and the data have as many names. A Parquet file's class names win over the
/// words in it. Tags are "O" first, then by type in alphabetical order, of each B-, I-, E- (L-), S- (U-), as far as any type has them: a type whose
/// sentences happen to hold no I- has one all the same. Other labels are in alphabetical order, "O" first. IOB1 is read as [`TagScheme`] says.
///
/// # Errors
/// No labels, integers that are no class ids, and all errors of [`word_targets`].
pub fn infer_word_labels(train: &Dataset, given: Option<&[String]>) -> Result<Vec<String>, DataError> {
    let is_generic =
        |names: &[String]| names.iter().enumerate().all(|(id, name)| generic_id(name) == Some(id));
    let names = match given {
        Some(given) if !is_generic(given) => given.to_vec(),
        Some(given) => match from_data(train)? {
            found if found.len() == given.len() => found,
            _ => given.to_vec(),
        },
        None => from_data(train)?,
    };
    word_targets(train, &names)?;
    Ok(names)
}

/// The target of every row: an id per word, or, of a row of ids, per token.
///
/// A label may be written as its name (letter case counts only where two names differ in it) or as its id; ids of a Parquet file that names its classes go by
/// name. -100 marks a word that counts in nothing.
///
/// # Errors
/// The first row without a list of labels as long as its words, or with a label that is not among `names`.
pub fn word_targets(dataset: &Dataset, names: &[String]) -> Result<Vec<Target>, DataError> {
    word_targets_by_row(dataset, names).into_iter().collect()
}

/// As [`word_targets`], but every row has its own answer: its target, or why there is none.
pub fn word_targets_by_row(dataset: &Dataset, names: &[String]) -> Vec<Result<Target, DataError>> {
    let ids = Ids::new(names);
    let converts = becomes_iob2(dataset, names);
    let target = |record: &Record| {
        if record.input_ids.is_some() {
            return tokens(dataset, record, names.len());
        }
        let mut labels = written(dataset, record)?;
        if converts {
            labels = to_iob2(labels);
        }
        let id = |(word, label): (usize, Written<'_>)| {
            ids.of(&label).ok_or_else(|| unknown(dataset, record, word, &label, names))
        };
        labels
            .into_iter()
            .enumerate()
            .map(id)
            .collect::<Result<Vec<i64>, DataError>>()
            .map(|first| Target::Words(WordLabels { first, further: Vec::new() }))
    };
    dataset.records.iter().map(target).collect()
}

/// Gives the further tokens of every word a label too, as HuggingFace's
/// `label_all_tokens` does: the word's own, `I-PER` where that is `B-PER`.
pub fn label_all_tokens(target: &mut Target, names: &[String]) {
    let inside = |label: i64| {
        let name = usize::try_from(label).ok().and_then(|label| names.get(label));
        let kind = name.and_then(|name| name.strip_prefix('B'));
        let inside = kind.and_then(|kind| names.iter().position(|name| *name == format!("I{kind}")));
        inside.filter(|_| name.is_some_and(|name| parse(name).is_some())).map_or(label, |id| id as i64)
    };
    if let Target::Words(labels) = target {
        labels.further = labels.first.iter().map(|&label| inside(label)).collect();
    }
}

/// Whether the rows' tags are IOB1 and will be read as IOB2: it is wanted, and the labels `names` have every `B-` that it takes.
///
/// IOB1 writes `B-` only where an entity follows another of its type. Tags that are never so, and of which some entity begins with `I-`, are IOB1.
pub fn becomes_iob2(dataset: &Dataset, names: &[String]) -> bool {
    let names: BTreeSet<&str> = names.iter().map(String::as_str).collect();
    dataset.tag_scheme == TagScheme::Auto
        && iob1_types(dataset)
            .is_some_and(|types| types.iter().all(|kind| names.contains(begin(kind).as_str())))
}

/// A word's label as the file has it.
#[derive(Debug, Clone, PartialEq)]
enum Written<'a> {
    Name(Cow<'a, str>),
    Id(i64),
}

/// A row's labels, one for each word.
fn written<'a>(dataset: &'a Dataset, record: &'a Record) -> Result<Vec<Written<'a>>, DataError> {
    let place = || Box::new(dataset.place(record));
    let n_words = record.words.as_ref().ok_or_else(|| DataError::NoWords { place: place() })?.len();
    let labels: Vec<Written<'a>> = match &record.label {
        RawLabel::Missing => {
            return Err(DataError::MissingLabel { place: place(), column: dataset.label_column.clone() });
        }
        RawLabel::Texts(names) => {
            names.iter().map(|name| Written::Name(Cow::Borrowed(name.trim()))).collect()
        }
        RawLabel::Integers(ids) => ids.iter().map(|&id| schema_name(dataset, id)).collect(),
        _ => return Err(DataError::LabelsNotByWord { place: place() }),
    };
    if labels.len() == n_words {
        return Ok(labels);
    }
    Err(DataError::UnevenWords { place: place(), n_words, n_labels: labels.len() })
}

/// The name of a class in the file's own schema, where there is one.
fn schema_name(dataset: &Dataset, id: i64) -> Written<'_> {
    let names = dataset.class_names.as_deref().unwrap_or_default();
    match usize::try_from(id).ok().and_then(|id| names.get(id)) {
        Some(name) => Written::Name(Cow::Borrowed(name)),
        None => Written::Id(id),
    }
}

/// Labels by name.
struct Ids<'a> {
    names: &'a [String],
    by_name: HashMap<&'a str, i64>,
    /// `None` where two names differ in case alone.
    by_lower_case: HashMap<String, Option<i64>>,
}

impl<'a> Ids<'a> {
    fn new(names: &'a [String]) -> Ids<'a> {
        let mut ids = Ids { names, by_name: HashMap::new(), by_lower_case: HashMap::new() };
        for (id, name) in names.iter().enumerate() {
            ids.by_name.insert(name, id as i64);
            ids.by_lower_case
                .entry(name.to_lowercase())
                .and_modify(|known| *known = None)
                .or_insert(Some(id as i64));
        }
        ids
    }

    fn of(&self, label: &Written<'_>) -> Option<i64> {
        let is_known = |id: &i64| usize::try_from(*id).is_ok_and(|id| id < self.names.len());
        match label {
            Written::Id(IGNORED_TOKEN) => Some(IGNORED_TOKEN),
            Written::Id(id) => Some(*id).filter(is_known),
            Written::Name(name) => self
                .by_name
                .get(name.as_ref())
                .copied()
                .or_else(|| self.by_lower_case.get(&name.to_lowercase()).copied().flatten())
                .or_else(|| generic_id(name).map(|id| id as i64).filter(is_known)),
        }
    }
}

fn unknown(
    dataset: &Dataset,
    record: &Record,
    word: usize,
    label: &Written<'_>,
    names: &[String],
) -> DataError {
    let found = match label {
        Written::Name(name) => format!("{name:?}"),
        Written::Id(id) => id.to_string(),
    };
    DataError::UnknownWordLabel {
        place: Box::new(dataset.place(record)),
        number: word + 1,
        word: record.words.as_ref().map_or(String::new(), |words| words[word].clone()),
        found,
        labels: listed(names),
    }
}

/// The labels that the rows themselves have.
fn from_data(train: &Dataset) -> Result<Vec<String>, DataError> {
    if let Some(names) = &train.class_names {
        return Ok(names.clone());
    }
    let converts = train.tag_scheme == TagScheme::Auto && iob1_types(train).is_some();
    let mut names: BTreeSet<String> = BTreeSet::new();
    let mut largest = None;
    for record in &train.records {
        let labels = match (&record.label, &record.input_ids) {
            (RawLabel::Integers(ids), Some(_)) => ids.iter().map(|&id| Written::Id(id)).collect(),
            _ => written(train, record)?,
        };
        for label in if converts { to_iob2(labels) } else { labels } {
            match label {
                Written::Name(name) => drop(names.insert(name.into_owned())),
                Written::Id(IGNORED_TOKEN) => {}
                Written::Id(id) => largest = largest.max(Some(id)),
            }
        }
    }
    match largest {
        // What is negative or far too large is refused row by row.
        Some(largest) if names.is_empty() => Ok(generic_names(largest.clamp(1, 9_999) as usize + 1)),
        _ => Ok(in_order(names)),
    }
}

/// "O" first, then tags by type, or names as they are sorted.
fn in_order(names: BTreeSet<String>) -> Vec<String> {
    let outside = names.iter().filter(|name| *name == "O").cloned();
    let others: Vec<&String> = names.iter().filter(|name| *name != "O").collect();
    if others.is_empty() || !others.iter().all(|name| parse(name).is_some()) {
        return outside.chain(others.into_iter().cloned()).collect();
    }
    let parts: Vec<(&str, &str)> =
        others.iter().map(|name| name.split_once('-').unwrap_or((name, ""))).collect();
    let types: BTreeSet<&str> = parts.iter().map(|&(_, kind)| kind).collect();
    let letters = LETTERS.into_iter().filter(|letter| parts.iter().any(|(known, _)| known == letter));
    let letters: Vec<&str> = letters.collect();
    let tag = |letter: &&str, kind: &str| {
        if kind.is_empty() { (*letter).to_owned() } else { format!("{letter}-{kind}") }
    };
    outside
        .chain(types.into_iter().flat_map(|kind| letters.iter().map(move |letter| tag(letter, kind))))
        .collect()
}

/// `B-PER`, or `B` of a nameless type.
fn begin(kind: &str) -> String {
    if kind == "_" { "B".to_owned() } else { format!("B-{kind}") }
}

/// The types of IOB1 tags; `None` where the rows' labels are none.
fn iob1_types(dataset: &Dataset) -> Option<BTreeSet<String>> {
    let mut types = BTreeSet::new();
    let mut begins_with_inside = false;
    for record in dataset.records.iter().filter(|record| record.words.is_some()) {
        let labels = written(dataset, record).ok()?;
        let mut before = None;
        for label in &labels {
            let Written::Name(name) = label else { return None };
            let tag = parse(name)?;
            let same = matches!((before, tag), (Some(a), Some((_, b))) if a == b);
            match tag {
                Some((Place::Begin, _)) if !same => return None,
                Some((Place::Inside, _)) if !same => begins_with_inside = true,
                Some((Place::End | Place::Single, _)) => return None,
                _ => {}
            }
            before = tag.map(|(_, kind)| kind);
            types.extend(before.map(str::to_owned));
        }
    }
    begins_with_inside.then_some(types)
}

/// IOB1 to IOB2: the `I-` that begins an entity becomes `B-`.
fn to_iob2(labels: Vec<Written<'_>>) -> Vec<Written<'_>> {
    let kind = |label: Option<&Written<'_>>| match label {
        Some(Written::Name(name)) => parse(name).flatten().map(|(place, kind)| (place, kind.to_owned())),
        _ => None,
    };
    let converted = |index: usize| {
        let before = index.checked_sub(1).and_then(|before| kind(labels.get(before)));
        match kind(labels.get(index)) {
            Some((Place::Inside, own)) if before.as_ref().is_none_or(|(_, other)| *other != own) => {
                Written::Name(Cow::Owned(begin(&own)))
            }
            _ => labels[index].clone(),
        }
    };
    (0..labels.len()).map(converted).collect()
}
