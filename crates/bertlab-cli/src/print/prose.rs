//! Prose, broken into lines.

use std::io::Write;

use super::Console;

/// Lines of prose are no longer than this, in a pipe either.
pub const WIDTH_MAX: usize = 80;

/// The text's words in lines of at most `width` characters; a longer word has a line of its own.
pub fn lines(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// Prints a text after `label` (of any styles, and so many columns that it is seen as `indent`), its further lines
/// under its first.
pub fn print_hanging(console: &mut Console, label: &str, indent: usize, text: &str) -> anyhow::Result<()> {
    let width = console.width().min(WIDTH_MAX).saturating_sub(indent);
    for (index, line) in lines(text, width).into_iter().enumerate() {
        match index {
            0 => writeln!(console.out, "{label}{line}")?,
            _ => writeln!(console.out, "{:indent$}{line}", "")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_is_broken_between_words() {
        assert_eq!(lines("one two  three", 7), ["one two", "three"]);
        assert_eq!(lines("a-very-long-word is", 4), ["a-very-long-word", "is"]);
        assert!(lines("", 10).is_empty());
    }
}
