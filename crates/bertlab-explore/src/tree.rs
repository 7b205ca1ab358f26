//! The module tree as lines; identical neighbours are one line.

use bertlab_model::Module;

/// A line of a module tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TreeLine {
    /// Depth in the tree; 0 for the root.
    pub depth: usize,
    /// Name, for example `query`, or `0-11` for several; empty for the root.
    pub name: String,
    /// PyTorch class, for example `Linear`.
    pub class: String,
    /// What PyTorch prints in parentheses for a leaf.
    pub detail: String,
    /// Number of identical modules in this line.
    pub n_alike: usize,
    /// Number of parameters of one of them.
    pub n_parameters: usize,
}

impl TreeLine {
    /// The name as in PyTorch: `(query): `, `(0-11): `, or nothing for the root.
    pub fn name_label(&self) -> String {
        if self.name.is_empty() { String::new() } else { format!("({}): ", self.name) }
    }

    /// The class as in PyTorch: `Linear(in_features=256, out_features=256, bias=True)`, `12 x BertLayer`.
    pub fn class_label(&self) -> String {
        let detail = if self.detail.is_empty() { String::new() } else { format!("({})", self.detail) };
        format!("{}{}{detail}", self.times(), self.class)
    }

    /// The count as in PyTorch: `12 x `, or nothing for a single module.
    pub fn times(&self) -> String {
        if self.n_alike > 1 { format!("{} x ", self.n_alike) } else { String::new() }
    }
}

/// The lines of a module tree from the root down; identical neighbours are one line, `(0-5): 6 x BertLayer`,
/// as in PyTorch.
pub fn tree_lines(root: &Module) -> Vec<TreeLine> {
    let mut lines = Vec::new();
    add_lines(root, String::new(), 1, 0, &mut lines);
    lines
}

fn add_lines(module: &Module, name: String, n_alike: usize, depth: usize, lines: &mut Vec<TreeLine>) {
    lines.push(TreeLine {
        depth,
        name,
        class: module.class.clone(),
        detail: module.detail.clone(),
        n_alike,
        n_parameters: module.n_parameters,
    });
    let mut rest = module.children.as_slice();
    while let Some(first) = rest.first() {
        let n_alike = rest.iter().take_while(|other| are_alike(first, other)).count();
        let last = &rest[n_alike - 1];
        let name = if n_alike > 1 { format!("{}-{}", first.name, last.name) } else { first.name.clone() };
        add_lines(first, name, n_alike, depth + 1, lines);
        rest = &rest[n_alike..];
    }
}

/// Whether two modules are identical except for their names. Only children of a list, whose names are
/// numbers, are combined.
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

#[cfg(test)]
mod tests {
    use super::*;

    fn module(name: &str, class: &str, children: Vec<Module>) -> Module {
        let (name, class) = (name.to_owned(), class.to_owned());
        Module { name, path: String::new(), class, detail: String::new(), n_parameters: 3, children }
    }

    #[test]
    fn items_of_a_list_that_are_alike_are_one_line_and_named_ones_never() {
        let layer =
            |name: &str, class: &str| module(name, class, vec![module("dense", "Linear", Vec::new())]);
        let list = vec![layer("0", "Layer"), layer("1", "Layer"), layer("2", "Other")];
        let named = vec![module("a", "Norm", Vec::new()), module("b", "Norm", Vec::new())];
        let tree = module("", "Model", [vec![module("layer", "List", list)], named].concat());
        let lines = tree_lines(&tree);
        let found: Vec<(usize, &str, usize)> =
            lines.iter().map(|line| (line.depth, line.name.as_str(), line.n_alike)).collect();
        let wanted = [
            (0, "", 1),
            (1, "layer", 1),
            (2, "0-1", 2),
            (3, "dense", 1),
            (2, "2", 1),
            (3, "dense", 1),
            (1, "a", 1),
            (1, "b", 1),
        ];
        assert_eq!(found, wanted);
    }
}
