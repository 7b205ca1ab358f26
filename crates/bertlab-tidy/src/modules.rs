//! The modules of a crate, and which of them each refers to.

use crate::lexer::{Kind, Token, tokens, without_tests};
use crate::sources::Source;
use std::collections::{BTreeMap, BTreeSet};

/// A file of a crate, as a module.
#[derive(Debug, Default)]
struct Module {
    parent: usize,
    /// Modules that have a file of their own.
    children: BTreeMap<String, usize>,
    /// What `use` gives a name to.
    names: BTreeMap<String, Vec<String>>,
    /// What it refers to: imports, but not re-exports, and paths in code.
    paths: Vec<Vec<String>>,
}

/// A crate's files, and the names in them.
#[derive(Debug)]
pub(crate) struct Modules {
    modules: Vec<Module>,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Module(usize),
    /// Something that a module defines.
    Item(usize),
}

/// As deep as re-exports of re-exports may go.
const DEPTH_MAX: usize = 16;

impl Modules {
    /// The modules of a crate, of which `files[0]` is the root. `module_of`: a file's path from the root, by names.
    pub(crate) fn of(files: &[(Vec<String>, &Source)]) -> Self {
        let mut modules: Vec<Module> = files.iter().map(|(_, source)| read(source)).collect();
        for (index, (path, _)) in files.iter().enumerate().skip(1) {
            let (name, parent) = path.split_last().expect("only the root has no name");
            if let Some(parent) = files.iter().position(|(path, _)| path == parent) {
                modules[index].parent = parent;
                modules[parent].children.insert(name.clone(), index);
            }
        }
        Self { modules }
    }

    /// For each module the others whose items it uses.
    pub(crate) fn references(&self) -> Vec<BTreeSet<usize>> {
        let of_module = |module: usize| {
            let targets = self.modules[module].paths.iter().map(|path| self.resolve(module, path, 0));
            let items = targets.filter_map(|target| match target {
                Some(Target::Item(item)) => Some(item),
                _ => None,
            });
            items.filter(|&item| item != module).collect()
        };
        (0..self.modules.len()).map(of_module).collect()
    }

    /// Where a path leads that stands in `module`; none for other crates, and for what is local.
    fn resolve(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        let (first, rest) = path.split_first()?;
        let start = match first.as_str() {
            "crate" => Target::Module(0),
            "self" => Target::Module(module),
            "super" => Target::Module(self.modules[module].parent),
            name => self.named(module, name, depth)?,
        };
        rest.iter().try_fold(start, |target, name| match (target, name.as_str()) {
            (Target::Module(module), "super") => Some(Target::Module(self.modules[module].parent)),
            (Target::Module(module), name) => {
                Some(self.named(module, name, depth).unwrap_or(Target::Item(module)))
            }
            (item, _) => Some(item),
        })
    }

    /// What a name means inside a module, where it is a child or was imported.
    fn named(&self, module: usize, name: &str, depth: usize) -> Option<Target> {
        let Module { children, names, .. } = &self.modules[module];
        if let Some(&child) = children.get(name) {
            return Some(Target::Module(child));
        }
        let path = names.get(name).filter(|path| depth < DEPTH_MAX && path.as_slice() != [name])?;
        self.resolve(module, path, depth + 1)
    }
}

fn read(source: &Source) -> Module {
    let all = tokens(&source.text);
    let code = without_tests(&all);
    let mut module = Module::default();
    let mut at = 0;
    while at < code.len() {
        if code[at].is("use") {
            let end = (at..code.len()).find(|&at| code[at].is(";")).unwrap_or(code.len());
            let mut imports = Vec::new();
            tree(&code[at + 1..end], &mut Vec::new(), &mut imports);
            let is_reexport = at > 0 && (code[at - 1].is("pub") || code[at - 1].is(")"));
            for (name, path) in imports {
                if !is_reexport {
                    module.paths.push(path.clone());
                }
                module.names.insert(name, path);
            }
            at = end;
        } else {
            let (path, length) = path(&code[at..]);
            if path.len() > 1 {
                module.paths.push(path);
            }
            at += length;
        }
    }
    module
}

/// A path such as `crate::block::forward`, and how many tokens it takes; of anything else one token.
fn path(code: &[Token<'_>]) -> (Vec<String>, usize) {
    let is_word = |at: usize| code.get(at).is_some_and(|token| token.kind == Kind::Word);
    if !is_word(0) {
        return (Vec::new(), 1);
    }
    let (mut path, mut at) = (vec![code[0].text.to_owned()], 1);
    while code.get(at).is_some_and(|token| token.is(":"))
        && code.get(at + 1).is_some_and(|token| token.is(":"))
        && is_word(at + 2)
    {
        path.push(code[at + 2].text.to_owned());
        at += 3;
    }
    (path, at)
}

/// The imports of a `use` tree, each with its name here.
fn tree(code: &[Token<'_>], prefix: &mut Vec<String>, imports: &mut Vec<(String, Vec<String>)>) {
    let n_before = prefix.len();
    let mut at = 0;
    let mut alias = None;
    while at < code.len() {
        match code[at].text {
            "{" => {
                parts(&code[at + 1..code.len() - 1]).into_iter().for_each(|part| tree(part, prefix, imports));
                prefix.truncate(n_before);
                return;
            }
            "as" => {
                alias = code.get(at + 1).map(|token| token.text.to_owned());
                at += 1;
            }
            ":" => {}
            "self" if !prefix.is_empty() => {}
            name => prefix.push(name.to_owned()),
        }
        at += 1;
    }
    if let Some(name) = alias.or_else(|| prefix.last().cloned()) {
        imports.push((name, prefix.clone()));
    }
    prefix.truncate(n_before);
}

/// What stands between the commas of a group.
fn parts<'a, 'b>(code: &'a [Token<'b>]) -> Vec<&'a [Token<'b>]> {
    let mut depth = 0;
    let is_comma = |token: &Token<'_>| {
        depth += i32::from(token.is("{")) - i32::from(token.is("}"));
        depth == 0 && token.is(",")
    };
    code.split(is_comma).filter(|part| !part.is_empty()).collect()
}
