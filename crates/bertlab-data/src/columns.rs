//! Which column is the text, the pair, the label: as the caller says, else by the names that data sets use.

use std::path::Path;

use super::{Columns, DataError, Layout};

/// Names of two texts that belong together (GLUE, SuperGLUE, sentence-transformers), asked before single texts: QNLI has question and sentence.
const PAIR_NAMES: [(&str, &str); 13] = [
    ("sentence1", "sentence2"),
    ("premise", "hypothesis"),
    ("question1", "question2"),
    ("question", "sentence"),
    ("question", "answer"),
    ("question", "passage"),
    ("query", "passage"),
    ("query", "document"),
    ("text1", "text2"),
    ("text_a", "text_b"),
    ("text", "pair"),
    ("text", "text_pair"),
    ("sentence_a", "sentence_b"),
];

const TEXT_NAMES: [&str; 14] = [
    "text",
    "sentence",
    "review",
    "content",
    "review_text",
    "review_body",
    "body",
    "tweet",
    "comment",
    "comment_text",
    "document",
    "message",
    "question",
    "sentence1",
];

const LABEL_NAMES: [&str; 13] = [
    "label",
    "labels",
    "sentiment",
    "score",
    "class",
    "target",
    "category",
    "label_id",
    "stars",
    "rating",
    "similarity_score",
    "gold_label",
    "polarity",
];

/// Names of a row's words (HuggingFace's data sets, Universal Dependencies).
const WORD_NAMES: [&str; 3] = ["tokens", "words", "sentence_words"];

/// Names of the labels of a row's words.
const WORD_LABEL_NAMES: [&str; 12] = [
    "ner_tags",
    "ner",
    "ner_labels",
    "tags",
    "labels",
    "pos_tags",
    "pos",
    "upos",
    "upos_tags",
    "xpos",
    "chunk_tags",
    "label",
];

pub(super) const TEXT: &str = "text_column";
pub(super) const PAIR: &str = "pair_column";
pub(super) const LABEL: &str = "label_column";

/// The columns that a file has and the caller wants.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Chosen {
    pub(super) text: Option<String>,
    pub(super) pair: Option<String>,
    pub(super) label: Option<String>,
    /// `text` is a column of lists of words.
    pub(super) is_words: bool,
}

/// A file's columns, and how to speak about a file that may have no header line.
pub(super) struct Found<'a> {
    pub(super) file: &'a Path,
    pub(super) names: &'a [String],
    /// Columns that hold lists.
    pub(super) lists: Lists,
    /// Added to the message when a column is missing; empty where a file cannot lack a header.
    pub(super) headerless: String,
}

/// Columns that hold lists, by name.
#[derive(Debug, Clone, Default)]
pub(super) struct Lists {
    /// Of anything.
    pub(super) all: Vec<String>,
    /// Of texts.
    pub(super) of_texts: Vec<String>,
}

/// Chooses the columns. Rows that hold token ids (`has_input_ids`) need no text column.
pub(super) fn choose(found: &Found<'_>, wanted: &Columns, has_input_ids: bool) -> Result<Chosen, DataError> {
    if let Some(chosen) = words(found, wanted)? {
        return Ok(chosen);
    }
    let label = match &wanted.label {
        Some(name) => Some(named(found, name, LABEL)?),
        None => first_of(found, &LABEL_NAMES)?,
    };
    let (text, pair) = match (&wanted.text, &wanted.pair) {
        (Some(text), pair) => {
            let pair = pair.as_ref().map(|pair| named(found, pair, PAIR)).transpose()?;
            (Some(named(found, text, TEXT)?), pair)
        }
        (None, Some(pair)) => (first_of(found, &TEXT_NAMES)?, Some(named(found, pair, PAIR)?)),
        (None, None) => texts_by_name(found)?,
    };
    if text.is_none() && !has_input_ids {
        return Err(DataError::NoTextColumn {
            file: found.file.to_owned(),
            columns: found.names.to_vec(),
            headerless: found.headerless.clone(),
        });
    }
    Ok(Chosen { text, pair, label, is_words: false })
}

/// The words and their labels, where rows are words: the column that was asked for holds lists of texts; or there is one with such a name, and
/// either its labels are lists too, or there is no text.
fn words(found: &Found<'_>, wanted: &Columns) -> Result<Option<Chosen>, DataError> {
    let lists = |names: &'_ [String]| names.to_vec();
    let (all, of_texts) = (lists(&found.lists.all), lists(&found.lists.of_texts));
    let within = |names: &[String], wanted: &[&str]| -> Result<Option<String>, DataError> {
        let found = Found { names, lists: Lists::default(), headerless: String::new(), ..*found };
        first_of(&found, wanted)
    };
    let label = match &wanted.label {
        Some(name) => Some(named(found, name, LABEL)?),
        None => within(&all, &WORD_LABEL_NAMES)?,
    };
    let column = match &wanted.text {
        Some(name) => Some(named(found, name, TEXT)?).filter(|name| of_texts.contains(name)),
        None => within(&of_texts, &WORD_NAMES)?,
    };
    let Some(column) = column else { return Ok(None) };
    let has_label_lists = label.as_ref().is_some_and(|label| all.contains(label));
    let has_text = wanted.pair.is_some() || texts_by_name(found)?.0.is_some_and(|text| !all.contains(&text));
    let is_words = match wanted.layout {
        _ if wanted.text.is_some() => true,
        Layout::Words => true,
        Layout::Found => has_label_lists || !has_text,
        Layout::Texts => !has_text,
    };
    let label = match label {
        None => first_of(found, &LABEL_NAMES)?,
        label => label,
    };
    Ok(is_words.then_some(Chosen { text: Some(column), pair: None, label, is_words: true }))
}

fn texts_by_name(found: &Found<'_>) -> Result<(Option<String>, Option<String>), DataError> {
    for (first, second) in PAIR_NAMES {
        if let (Some(first), Some(second)) = (by_name(found, first)?, by_name(found, second)?) {
            return Ok((Some(first), Some(second)));
        }
    }
    Ok((first_of(found, &TEXT_NAMES)?, None))
}

fn first_of(found: &Found<'_>, names: &[&str]) -> Result<Option<String>, DataError> {
    for name in names {
        if let Some(column) = by_name(found, name)? {
            return Ok(Some(column));
        }
    }
    Ok(None)
}

/// The column of that name: letter for letter, else without regard to case ("Review", "SENTIMENT").
fn by_name(found: &Found<'_>, name: &str) -> Result<Option<String>, DataError> {
    let exact = found.names.iter().any(|column| column == name);
    let matches =
        |column: &&String| if exact { *column == name } else { column.trim().eq_ignore_ascii_case(name) };
    let hits: Vec<&String> = found.names.iter().filter(matches).collect();
    match hits.as_slice() {
        [] => Ok(None),
        [column] => Ok(Some((*column).clone())),
        [column, ..] => Err(DataError::AmbiguousColumn {
            file: found.file.to_owned(),
            column: (*column).clone(),
            times: hits.len(),
        }),
    }
}

fn named(found: &Found<'_>, name: &str, setting: &'static str) -> Result<String, DataError> {
    by_name(found, name)?.ok_or_else(|| DataError::NoSuchColumn {
        file: found.file.to_owned(),
        setting,
        wanted: name.to_owned(),
        columns: found.names.to_vec(),
        headerless: found.headerless.clone(),
    })
}

/// Whether the caller names columns by number only: the file then has no header line.
pub(super) fn are_numbers(wanted: &Columns) -> bool {
    let mut given = [&wanted.text, &wanted.pair, &wanted.label].into_iter().flatten().peekable();
    given.peek().is_some()
        && given.all(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_digit()))
}
