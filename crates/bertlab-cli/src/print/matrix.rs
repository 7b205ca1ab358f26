//! A square matrix of cosines: a heat map in a terminal, aligned numbers in a pipe.

use std::io::Write;

use anstyle::Style;
use unicode_width::UnicodeWidthStr;

use crate::print::{Console, style};

/// A label longer than this is cut in the first column.
const LABEL_WIDTH_MAX: usize = 24;
/// A label longer than this stands over no column.
const COLUMN_LABEL_MAX: usize = 12;

/// Prints `values [n, n]` with a label per row. Columns carry their row's number where labels are too wide for them.
pub fn print(console: &mut Console, labels: &[String], values: &[Vec<Option<f32>>]) -> anyhow::Result<()> {
    let layout = Layout::of(labels, console.width());
    let Layout { labels, heads, label_width, cell_width, digits } = &layout;
    write!(console.out, "{}", " ".repeat(label_width + 1))?;
    for head in heads {
        write!(console.out, "{}{head} ", " ".repeat(cell_width - 1 - head.width()))?;
    }
    writeln!(console.out)?;
    let scale = Scale::of(values);
    for (label, row) in labels.iter().zip(values) {
        write!(console.out, "{label}{} ", " ".repeat(label_width - label.width()))?;
        for value in row {
            let style = console.style(value.map_or(Style::new(), |value| style::heat(scale.heat(value))));
            let number = value.map_or_else(|| "-".to_owned(), |value| format!("{value:.digits$}"));
            write!(console.out, "{style}{number:>width$} {style:#}", width = cell_width - 1)?;
        }
        writeln!(console.out)?;
    }
    Ok(())
}

/// What goes where, in columns.
struct Layout {
    labels: Vec<String>,
    /// Over the columns.
    heads: Vec<String>,
    label_width: usize,
    /// With a space on each side.
    cell_width: usize,
    /// After the decimal point.
    digits: usize,
}

impl Layout {
    fn of(labels: &[String], width: usize) -> Layout {
        let mut labels: Vec<String> = labels.iter().map(|label| shortened(label, LABEL_WIDTH_MAX)).collect();
        let widest = |labels: &[String]| labels.iter().map(|label| label.width()).max().unwrap_or(0);
        let room = |label_width: usize| width.saturating_sub(label_width + 1) / labels.len().max(1);
        let label_width = widest(&labels);
        // "-0.1234" with a space on each side; two digits less where the terminal is narrow.
        let digits = if room(label_width + 5) >= 9 { 4 } else { 2 };
        let cell_width = (digits + 5).max(label_width + 2);
        if label_width <= COLUMN_LABEL_MAX && cell_width <= room(label_width) {
            return Layout { heads: labels.clone(), labels, label_width, cell_width, digits };
        }
        let heads = (1..=labels.len()).map(|number| format!("({number})")).collect();
        for (index, label) in labels.iter_mut().enumerate() {
            *label = format!("({}) {label}", index + 1);
        }
        Layout { heads, label_width: widest(&labels), labels, cell_width: digits + 5, digits }
    }
}

/// The text within `width_max` columns, control characters as spaces.
pub fn shortened(text: &str, width_max: usize) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.width() <= width_max {
        return text;
    }
    let mut short = String::new();
    for character in text.chars() {
        let next = format!("{short}{character}");
        if next.width() + 1 > width_max {
            break;
        }
        short = next;
    }
    format!("{short}…")
}

/// From the smallest value to 1: cosines of a model lie close together, and their differences are what is looked for.
struct Scale {
    low: f32,
}

impl Scale {
    fn of(values: &[Vec<Option<f32>>]) -> Scale {
        Scale { low: values.iter().flatten().flatten().copied().fold(1.0, f32::min) }
    }

    fn heat(&self, value: f32) -> f32 {
        if self.low < 1.0 { (value - self.low) / (1.0 - self.low) } else { 1.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_labels_are_cut_by_columns() {
        assert_eq!(shortened("abcdef", 6), "abcdef");
        assert_eq!(shortened("abcdefg", 6), "abcde…");
        assert_eq!(shortened("深度学习", 6), "深度…");
        assert_eq!(shortened("a\tb\u{1b}", 9), "a b ");
    }

    #[test]
    fn columns_have_labels_or_numbers_and_fewer_digits_where_it_is_narrow() {
        let labels = |n: usize, label: &str| vec![label.to_owned(); n];
        let wide = Layout::of(&labels(4, "NVIDIA@4"), 80);
        assert_eq!((wide.heads[0].as_str(), wide.cell_width, wide.digits), ("NVIDIA@4", 10, 4));
        let long = Layout::of(&labels(4, "The bank of the river"), 80);
        assert_eq!((long.heads[3].as_str(), long.labels[3].as_str()), ("(4)", "(4) The bank of the river"));
        assert!(long.label_width + 1 + 4 * long.cell_width <= 80 && long.digits == 4);
        let many = Layout::of(&labels(9, "NVIDIA@4"), 80);
        assert!(many.label_width + 1 + 9 * many.cell_width <= 80 && many.digits == 2);
    }

    #[test]
    fn heat_goes_from_the_smallest_to_one() {
        let scale = Scale::of(&[vec![Some(1.0), Some(0.5)], vec![None, Some(1.0)]]);
        assert_eq!([scale.heat(0.5), scale.heat(0.75), scale.heat(1.0)], [0.0, 0.5, 1.0]);
        assert_eq!(Scale::of(&[]).heat(1.0), 1.0);
    }
}
