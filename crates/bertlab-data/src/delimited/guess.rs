//! Which columns of a file without a header line are what, guessed for a message. Nothing is ever read by a guess.

use super::rows::Rows;
use crate::columns::{LABEL, PAIR, TEXT};
use bertlab_feedback::Hint;

/// Rows that are looked at.
const ROWS_MAX: usize = 100;
/// More different words than this, in as many rows, are no classes.
const CLASSES_MAX: usize = 20;
/// Texts are longer than this on average, in characters.
const TEXT_MIN: usize = 12;

/// What the values of a column look like, its first row among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Look {
    Text,
    /// Numbers in every row.
    Numbers,
    /// Few different words, the first row's among them again.
    Words,
    Other,
}

/// The columns as settings where the first row looks like the others: one or two columns of texts, and one of labels.
pub(super) fn columns(rows: Rows<'_>) -> Option<Vec<Hint>> {
    let rows: Vec<Vec<String>> = rows
        .take(ROWS_MAX)
        .map(|row| Some(row.ok()?.fields.into_iter().map(|field| field.into_owned()).collect()))
        .collect::<Option<_>>()?;
    let n_columns = rows.first()?.len();
    if rows.iter().any(|row| row.len() != n_columns) {
        return None;
    }
    let looks: Vec<Look> =
        (0..n_columns).map(|column| look(rows.iter().map(|row| row[column].trim()))).collect();
    let with =
        |look: Look| -> Vec<usize> { (0..n_columns).filter(|&column| looks[column] == look).collect() };
    let label = match (&with(Look::Words)[..], &with(Look::Numbers)[..]) {
        ([label], _) | ([], [.., label]) => *label,
        _ => return None,
    };
    match with(Look::Text)[..] {
        [text] => Some(vec![Hint::value(TEXT, text), Hint::value(LABEL, label)]),
        [text, pair] => {
            Some(vec![Hint::value(TEXT, text), Hint::value(PAIR, pair), Hint::value(LABEL, label)])
        }
        _ => None,
    }
}

fn look<'a>(values: impl Iterator<Item = &'a str> + Clone) -> Look {
    let n_rows = values.clone().count();
    if values.clone().all(|value| value.parse::<f64>().is_ok_and(f64::is_finite)) {
        return Look::Numbers;
    }
    let n_characters: usize = values.clone().map(|value| value.chars().count()).sum();
    if n_characters > TEXT_MIN * n_rows {
        return Look::Text;
    }
    let first = values.clone().next();
    let is_again = values.clone().skip(1).any(|value| Some(value) == first);
    let mut words: Vec<&str> = values.collect();
    words.sort_unstable();
    words.dedup();
    if is_again && words.len() <= CLASSES_MAX { Look::Words } else { Look::Other }
}

#[cfg(test)]
mod tests {
    use super::super::rows::Style;
    use super::*;

    fn guessed(text: &str) -> Option<Vec<Hint>> {
        columns(Rows::new(text, Style { delimiter: b',', quotes: true }))
    }

    #[test]
    fn columns_of_a_file_without_header_are_told_apart() {
        let pairs = "A plane is taking off.,An air plane takes off.,5.0\nA man smokes a pipe.,A man is skating.,0.5\n";
        let (text, pair, label) =
            (|n| Hint::value(TEXT, n), |n| Hint::value(PAIR, n), |n| Hint::value(LABEL, n));
        assert_eq!(guessed(pairs), Some(vec![text(0), pair(1), label(2)]));
        let words = "neg,it bored me to tears\npos,a wonderful evening\nneg,never again a sequel\n";
        assert_eq!(guessed(words), Some(vec![text(1), label(0)]));
        let ids = "7,0,it bored me to tears\n8,1,a wonderful evening\n";
        assert_eq!(guessed(ids), Some(vec![text(2), label(1)]));
    }

    #[test]
    fn a_header_line_is_no_row() {
        assert_eq!(guessed("phrase,mark\nit bored me to tears,0\na wonderful evening,1\n"), None);
        assert_eq!(guessed("only one column of texts\nand nothing beside it\n"), None);
        assert_eq!(guessed(""), None);
    }
}
