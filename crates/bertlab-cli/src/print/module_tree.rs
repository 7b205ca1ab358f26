//! The module tree as PyTorch prints it, with parameter counts at the right.

use std::io::Write;

use bertlab::explore::{Module, TreeLine, tree_lines};
use unicode_width::UnicodeWidthStr;

use crate::print::matrix::shortened;
use crate::print::numbers::grouped;
use crate::print::{Console, style};

/// A line of the tree.
struct Line {
    depth: usize,
    name: String,
    class: String,
    count: String,
}

/// Prints the tree; neighbours that are alike are one line, "(0-5): 6 x BertLayer", as in PyTorch.
pub fn print(console: &mut Console, root: &Module) -> anyhow::Result<()> {
    let lines: Vec<Line> = tree_lines(root).iter().map(Line::of).collect();
    let left_width = lines.iter().map(Line::left_width).max().unwrap_or(0);
    let count_width = lines.iter().map(|line| line.count.len()).max().unwrap_or(0);
    let column = left_width.min(console.width().saturating_sub(count_width + 2));
    let (dim, heading) = (console.style(style::DIM), console.style(style::HEADING));
    for line in &lines {
        let (indent, name) = ("  ".repeat(line.depth), &line.name);
        // A narrow terminal loses the end of long details, never a name or a count.
        let class = shortened(&line.class, column.saturating_sub(2 * line.depth + name.width()));
        let used = 2 * line.depth + name.width() + class.width();
        let count = format!("{:>width$}", line.count, width = count_width + 2 + column.saturating_sub(used));
        let count = count.trim_end();
        writeln!(console.out, "{indent}{heading}{name}{heading:#}{class}{dim}{count}{dim:#}")?;
    }
    Ok(())
}

impl Line {
    fn of(line: &TreeLine) -> Self {
        let count = match line.n_parameters {
            0 => String::new(),
            n => format!("{}{}", line.times(), grouped(n)),
        };
        Self { depth: line.depth, name: line.name_label(), class: line.class_label(), count }
    }

    fn left_width(&self) -> usize {
        2 * self.depth + self.name.width() + self.class.width()
    }
}
