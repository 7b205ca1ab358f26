//! Files of a crate that import each other in a circle. That a part of a module uses what the module around it defines
//! is none: `matmul/cpu.rs` may use `matmul/mod.rs`, which uses it.

use crate::modules::Modules;
use crate::sources::{Source, sources};
use std::collections::BTreeSet;

/// The circles of a crate's files: in each, every file reaches every other by what it imports. `folder`: the crate's,
/// from the root.
pub fn circles(folder: &str) -> Vec<Vec<String>> {
    let prefix = format!("{folder}/src/");
    let all = sources(&format!("{folder}/src"));
    let mut files: Vec<(Vec<String>, &Source)> =
        all.iter().map(|source| (module_path(&source.path[prefix.len()..]), source)).collect();
    files.sort_by(|(a, _), (b, _)| a.cmp(b));
    let mut references = Modules::of(&files).references();
    for ((path, _), references) in files.iter().zip(&mut references) {
        references.retain(|&other| !path.starts_with(&files[other].0));
    }
    let reached: Vec<BTreeSet<usize>> = (0..files.len()).map(|file| reached(&references, file)).collect();
    let circle = |file: usize| -> Vec<usize> {
        reached[file].iter().copied().filter(|&other| reached[other].contains(&file)).collect()
    };
    let found: BTreeSet<Vec<usize>> =
        (0..files.len()).map(circle).filter(|circle| circle.len() > 1).collect();
    let name = |file: usize| files[file].1.path[prefix.len()..].to_owned();
    found.into_iter().map(|circle| circle.into_iter().map(name).collect()).collect()
}

/// `ops/matmul/mod.rs` is the module `ops::matmul`, as `ops/matmul.rs` is; `lib.rs` and `main.rs` are the root.
fn module_path(file: &str) -> Vec<String> {
    let mut path: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    if path.last().is_some_and(|name| name == "mod") || path == ["lib"] || path == ["main"] {
        path.pop();
    }
    path
}

/// All files that can be reached from one.
fn reached(references: &[BTreeSet<usize>], from: usize) -> BTreeSet<usize> {
    let (mut found, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(file) = open.pop() {
        open.extend(references[file].iter().filter(|&&next| found.insert(next)));
    }
    found
}
