//! One value of a self-describing file (JSON, Parquet), and the assembly of a record from such values.

use super::columns::{Chosen, PAIR, TEXT};
use super::error::{DataError, Place, preview};
use super::{RawLabel, Record};

pub(super) const INPUT_IDS: &str = "input_ids";
pub(super) const TOKEN_TYPE_IDS: &str = "token_type_ids";
pub(super) const ATTENTION_MASK: &str = "attention_mask";

/// A value, whatever file it comes from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Null,
    Integer(i64),
    Number(f64),
    Text(String),
    List(Vec<Cell>),
    /// A value of no use here, in words.
    Other(String),
}

impl Cell {
    /// The value in words, for a message.
    pub(super) fn describe(&self) -> String {
        match self {
            Cell::Null => "nothing (null)".to_owned(),
            Cell::Integer(value) => format!("the integer {value}"),
            Cell::Number(value) => format!("the number {value}"),
            Cell::Text(text) => format!("the text {:?}", preview(text)),
            Cell::List(cells) => {
                match cells.iter().find(|cell| !matches!(cell, Cell::Integer(_) | Cell::Number(_))) {
                    Some(odd) => format!("a list with {}", odd.describe()),
                    None => format!("a list of {} numbers", cells.len()),
                }
            }
            Cell::Other(words) => words.clone(),
        }
    }
}

/// Puts a row's values together. `take` gives the value of a column, once.
pub(super) fn assemble(
    place: Place,
    chosen: &Chosen,
    mut take: impl FnMut(&str) -> Option<Cell>,
) -> Result<Record, DataError> {
    let input_ids = ids(&place, INPUT_IDS, take(INPUT_IDS))?;
    let token_type_ids = ids(&place, TOKEN_TYPE_IDS, take(TOKEN_TYPE_IDS))?;
    let attention_mask = ids(&place, ATTENTION_MASK, take(ATTENTION_MASK))?;
    check_lengths(
        &place,
        &input_ids,
        &[(TOKEN_TYPE_IDS, &token_type_ids), (ATTENTION_MASK, &attention_mask)],
    )?;
    let is_ready = input_ids.is_some();
    let words = if chosen.is_words { words(&place, chosen, &mut take)? } else { None };
    let first = match &words {
        Some(words) => Some(words.join(" ")),
        None => text(&place, chosen.text.as_deref(), TEXT, is_ready, &mut take)?,
    };
    if first.is_none() && !is_ready {
        let reason = "is not in this row, and there is no text column".to_owned();
        return Err(DataError::BadReadyRow { place: Box::new(place), column: INPUT_IDS, reason });
    }
    let pair = text(&place, chosen.pair.as_deref(), PAIR, is_ready, &mut take)?;
    let label = match &chosen.label {
        Some(column) => raw_label(&place, column, take(column).unwrap_or(Cell::Null))?,
        None => RawLabel::Missing,
    };
    Ok(Record {
        row: place.row,
        source: 0,
        text: first,
        words,
        pair,
        label,
        input_ids,
        token_type_ids,
        attention_mask,
    })
}

fn text(
    place: &Place,
    column: Option<&str>,
    setting: &'static str,
    is_ready: bool,
    take: &mut impl FnMut(&str) -> Option<Cell>,
) -> Result<Option<String>, DataError> {
    let Some(column) = column else { return Ok(None) };
    let refuse = |found: String| DataError::TextNotString {
        place: Box::new(place.clone()),
        column: column.to_owned(),
        found,
        setting,
    };
    match take(column) {
        Some(Cell::Text(text)) => Ok(Some(text)),
        None | Some(Cell::Null) if is_ready => Ok(None),
        Some(other) => Err(refuse(other.describe())),
        None => Err(refuse("nothing (the key is not in this row)".to_owned())),
    }
}

/// A row's words; `None` in a ready row without them.
fn words(
    place: &Place,
    chosen: &Chosen,
    take: &mut impl FnMut(&str) -> Option<Cell>,
) -> Result<Option<Vec<String>>, DataError> {
    let Some(column) = chosen.text.as_deref() else { return Ok(None) };
    let refuse = |found: String| DataError::NotWords {
        place: Box::new(place.clone()),
        column: column.to_owned(),
        found,
    };
    match take(column) {
        Some(Cell::List(cells)) => {
            let word = |cell: &Cell| match cell {
                Cell::Text(text) => Ok(text.clone()),
                other => Err(refuse(format!("a list with {}", other.describe()))),
            };
            cells.iter().map(word).collect::<Result<_, DataError>>().map(Some)
        }
        None => Err(refuse("nothing (the key is not in this row)".to_owned())),
        Some(other) => Err(refuse(other.describe())),
    }
}

fn ids(place: &Place, column: &'static str, cell: Option<Cell>) -> Result<Option<Vec<u32>>, DataError> {
    let refuse = |reason: String| DataError::BadReadyRow { place: Box::new(place.clone()), column, reason };
    let cells = match cell {
        None | Some(Cell::Null) => return Ok(None),
        Some(Cell::List(cells)) if cells.is_empty() => return Err(refuse("is an empty list".to_owned())),
        Some(Cell::List(cells)) => cells,
        Some(other) => return Err(refuse(format!("is {}", other.describe()))),
    };
    let id = |cell: &Cell| match cell {
        Cell::Integer(value) => u32::try_from(*value).ok(),
        _ => None,
    };
    cells
        .iter()
        .map(|cell| id(cell).ok_or_else(|| refuse(format!("holds {}", cell.describe()))))
        .collect::<Result<Vec<u32>, DataError>>()
        .map(Some)
}

fn check_lengths(
    place: &Place,
    input_ids: &Option<Vec<u32>>,
    others: &[(&'static str, &Option<Vec<u32>>)],
) -> Result<(), DataError> {
    for (column, list) in others {
        let Some(list) = list else { continue };
        let wanted = input_ids.as_ref().map(Vec::len);
        if wanted != Some(list.len()) {
            let reason = match wanted {
                Some(wanted) => format!("has {} entries, but {INPUT_IDS} has {wanted}", list.len()),
                None => format!("stands in a row without {INPUT_IDS}"),
            };
            return Err(DataError::BadReadyRow { place: Box::new(place.clone()), column, reason });
        }
    }
    Ok(())
}

fn raw_label(place: &Place, column: &str, cell: Cell) -> Result<RawLabel, DataError> {
    let refuse = |found: String| DataError::BadLabelCell {
        place: Box::new(place.clone()),
        column: column.to_owned(),
        found,
    };
    Ok(match cell {
        Cell::Null => RawLabel::Missing,
        Cell::Text(text) if text.trim().is_empty() => RawLabel::Missing,
        Cell::Integer(value) => RawLabel::Integer(value),
        Cell::Number(value) => RawLabel::Number(value),
        Cell::Text(text) => RawLabel::Text(text),
        Cell::List(cells) => match label_list(&cells) {
            Some(list) => list,
            None => return Err(refuse(Cell::List(cells).describe())),
        },
        Cell::Other(words) => return Err(refuse(words)),
    })
}

fn label_list(cells: &[Cell]) -> Option<RawLabel> {
    let integer = |cell: &Cell| match cell {
        Cell::Integer(value) => Some(*value),
        _ => None,
    };
    let number = |cell: &Cell| match cell {
        Cell::Integer(value) => Some(*value as f64),
        Cell::Number(value) => Some(*value),
        _ => None,
    };
    let text = |cell: &Cell| match cell {
        Cell::Text(text) => Some(text.clone()),
        _ => None,
    };
    if let Some(list) = cells.iter().map(integer).collect() {
        return Some(RawLabel::Integers(list));
    }
    if let Some(list) = cells.iter().map(number).collect() {
        return Some(RawLabel::Numbers(list));
    }
    cells.iter().map(text).collect::<Option<Vec<String>>>().map(RawLabel::Texts)
}
