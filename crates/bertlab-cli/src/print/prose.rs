//! Prose, broken into lines.

use std::io::Write;

use anstream::adapter::strip_str;
use unicode_width::UnicodeWidthStr;

use super::Console;

/// Lines of prose are no longer than this, in a pipe either.
pub const WIDTH_MAX: usize = 80;

/// The text's words in lines of at most `width` columns; a longer word has a line of its own.
pub fn lines(text: &str, width: usize) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match words.last_mut() {
            Some(number) if is_unit(word) => {
                number.push(' ');
                number.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    fill(words, " ", width)
}

/// Whether a word stays with the number before it: `12 %`, `1.5 s,`.
fn is_unit(word: &str) -> bool {
    let plain = strip_str(word).to_string();
    matches!(plain.trim_end_matches([',', ';', ':', '.', ')']), "%" | "s")
}

/// Words, or things of several words that stay together, in lines of at most `width` columns. Styles take no room.
pub fn fill<S: AsRef<str>>(items: impl IntoIterator<Item = S>, gap: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in items {
        let item = item.as_ref();
        match lines.last_mut() {
            Some(line) if columns(line) + gap.len() + columns(item) <= width => {
                line.push_str(gap);
                line.push_str(item);
            }
            _ => lines.push(item.to_owned()),
        }
    }
    lines
}

/// A remark for a terminal of this width: its words in lines that begin under the first. What has lines of its own
/// keeps them.
pub fn remark(text: &str, width: usize) -> String {
    const INDENT: &str = "  ";
    if text.contains('\n') {
        return text.to_owned();
    }
    lines(text, width.saturating_sub(INDENT.len())).join(&format!("\n{INDENT}"))
}

/// Columns that a styled text takes.
fn columns(text: &str) -> usize {
    strip_str(text).to_string().width()
}

/// Prints a text after a label, in lines of at most `width` columns; all but the first begin under the first's text.
pub fn print_hanging(console: &mut Console, width: usize, label: &str, text: &str) -> anyhow::Result<()> {
    let indent = columns(label);
    let lines = lines(text, width.saturating_sub(indent));
    for (index, line) in lines.into_iter().enumerate() {
        match index {
            0 => writeln!(console.out, "{label}{line}")?,
            _ => writeln!(console.out, "{:indent$}{line}", "")?,
        }
    }
    Ok(())
}

/// The words that began this program, as a shell takes them.
pub fn command_line() -> String {
    let words: Vec<String> = std::env::args().skip(1).map(|word| quoted(&word)).collect();
    format!("bertlab {}", words.join(" "))
}

/// A word as a shell takes it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "/._-+@:=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(quoted("../all-MiniLM-L6-v2"), "../all-MiniLM-L6-v2");
        assert_eq!(quoted("my model"), "'my model'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn prose_is_broken_between_words() {
        assert_eq!(lines("one two  three", 7), ["one two", "three"]);
        assert_eq!(lines("a-very-long-word is", 4), ["a-very-long-word", "is"]);
        assert!(lines("", 10).is_empty());
        assert_eq!(lines("it took 1.5 s, or", 12), ["it took", "1.5 s, or"]);
    }

    #[test]
    fn remarks_are_indented_below_their_first_line() {
        assert_eq!(remark("warning: one two three", 14), "warning: one\n  two three");
        assert_eq!(remark("as\n it is and stays", 5), "as\n it is and stays");
        assert_eq!(remark("no limit at all", usize::MAX), "no limit at all");
    }

    #[test]
    fn styles_take_no_room_and_items_stay_together() {
        assert_eq!(lines("\u{1b}[36mone\u{1b}[0m two", 7), ["\u{1b}[36mone\u{1b}[0m two"]);
        assert_eq!(fill(["loss 0.5", "accuracy 0.9"], "  ", 20), ["loss 0.5", "accuracy 0.9"]);
        assert_eq!(fill(["loss 0.5", "accuracy 0.9"], "  ", 22), ["loss 0.5  accuracy 0.9"]);
    }
}
