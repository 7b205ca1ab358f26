//! The module tree as PyTorch prints it, with parameter counts at the right.

use std::io::Write;

use bertlab::explore::Module;
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
    let mut lines = Vec::new();
    add_lines(root, String::new(), 1, 0, &mut lines);
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
    fn left_width(&self) -> usize {
        2 * self.depth + self.name.width() + self.class.width()
    }
}

fn add_lines(module: &Module, name: String, n_alike: usize, depth: usize, lines: &mut Vec<Line>) {
    let detail = if module.detail.is_empty() { String::new() } else { format!("({})", module.detail) };
    let repeated = if n_alike > 1 { format!("{n_alike} x ") } else { String::new() };
    let count = match module.n_parameters {
        0 => String::new(),
        n => format!("{repeated}{}", grouped(n)),
    };
    lines.push(Line { depth, name, class: format!("{repeated}{}{detail}", module.class), count });
    let mut rest = module.children.as_slice();
    while let Some(first) = rest.first() {
        let n_alike = rest.iter().take_while(|other| are_alike(first, other)).count();
        let last = &rest[n_alike - 1];
        let name = if n_alike > 1 {
            format!("({}-{}): ", first.name, last.name)
        } else {
            format!("({}): ", first.name)
        };
        add_lines(first, name, n_alike, depth + 1, lines);
        rest = &rest[n_alike..];
    }
}

/// Whether two modules differ in nothing but their own name. Named children of a module are never folded: their names
/// matter. The children of a list have numbers for names.
fn are_alike(first: &Module, other: &Module) -> bool {
    std::ptr::eq(first, other)
        || first.name.parse::<usize>().is_ok()
            && other.name.parse::<usize>().is_ok()
            && have_same_text(first, other)
}

fn have_same_text(a: &Module, b: &Module) -> bool {
    a.class == b.class
        && a.detail == b.detail
        && a.children.len() == b.children.len()
        && a.children.iter().zip(&b.children).all(|(a, b)| a.name == b.name && have_same_text(a, b))
}
