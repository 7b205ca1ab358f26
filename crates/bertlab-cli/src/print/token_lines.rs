//! Tokens with their ids below them, the pieces of a word in one colour.

use std::io::Write;

use anstyle::Style;
use bertlab::Encoding;
use unicode_width::UnicodeWidthStr;

use crate::print::{Console, style};

/// Prints one encoding, in as many double lines as the terminal needs, and an empty line.
pub fn print(console: &mut Console, encoding: &Encoding) -> anyhow::Result<()> {
    let cells: Vec<Cell> = (0..encoding.len()).map(|position| Cell::new(encoding, position)).collect();
    for line in lines(&cells, console.width()) {
        print_line(console, line, |cell| (&cell.token, cell.style))?;
        print_line(console, line, |cell| (&cell.id, style::DIM))?;
    }
    writeln!(console.out)?;
    Ok(())
}

/// A line with one part of each cell, in columns, without spaces at its end.
fn print_line(
    console: &mut Console,
    cells: &[Cell],
    part: impl Fn(&Cell) -> (&str, Style),
) -> anyhow::Result<()> {
    let mut n_spaces = 0;
    for cell in cells {
        let (text, style) = part(cell);
        let style = console.style(style);
        write!(console.out, "{}{style}{text}{style:#}", " ".repeat(n_spaces))?;
        n_spaces = cell.width.saturating_sub(text.width()) + 1;
    }
    Ok(writeln!(console.out)?)
}

struct Cell {
    token: String,
    id: String,
    width: usize,
    style: Style,
}

impl Cell {
    fn new(encoding: &Encoding, position: usize) -> Cell {
        // A token may hold anything, even what would move the cursor.
        let token: String = encoding.tokens[position].chars().flat_map(visible).collect();
        let id = encoding.input_ids[position].to_string();
        let style = match encoding.word_ids[position] {
            Some(word) => style::WORDS[word as usize % style::WORDS.len()],
            None => style::DIM,
        };
        Cell { width: token.width().max(id.len()), token, id, style }
    }
}

fn visible(character: char) -> impl Iterator<Item = char> {
    let is_control = character.is_control();
    let plain = (!is_control).then_some(character);
    plain.into_iter().chain(is_control.then(|| character.escape_default()).into_iter().flatten())
}

/// As many cells per line as fit; at least one.
fn lines(cells: &[Cell], width_max: usize) -> Vec<&[Cell]> {
    let mut lines = Vec::new();
    let mut start = 0;
    let mut width = 0;
    for (index, cell) in cells.iter().enumerate() {
        if index > start && width + cell.width > width_max {
            lines.push(&cells[start..index]);
            (start, width) = (index, 0);
        }
        width += cell.width + 1;
    }
    if start < cells.len() {
        lines.push(&cells[start..]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_hold_what_fits() {
        let cell = |width| Cell { token: String::new(), id: String::new(), width, style: Style::new() };
        let cells: Vec<Cell> = [3, 3, 3, 9, 1].map(cell).into();
        let lengths: Vec<usize> = lines(&cells, 7).iter().map(|line| line.len()).collect();
        assert_eq!(lengths, [2, 1, 1, 1]);
        assert_eq!(lines(&cells, usize::MAX).len(), 1);
        assert!(lines(&[], 7).is_empty());
    }

    #[test]
    fn control_characters_are_spelled_out() {
        assert_eq!("a\u{1b}é".chars().flat_map(visible).collect::<String>(), "a\\u{1b}é");
    }
}
