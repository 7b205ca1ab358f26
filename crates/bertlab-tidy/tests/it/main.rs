//! The rules, one test each.

use bertlab_tidy::{
    Function, Kind, Source, Token, check_against, circles, commands, crates, functions, lines_for_doors,
    sources, tokens,
};
use std::collections::BTreeMap;

/// Longest function, in lines.
const FUNCTION_MAX: usize = 70;
/// Longest line, in characters.
const LINE_MAX: usize = 110;

fn all_sources() -> Vec<Source> {
    let all = sources("crates");
    assert!(all.len() > 100, "the sources are not where they should be: {} files", all.len());
    all
}

fn without_comments<'a>(source: &'a Source) -> Vec<Token<'a>> {
    tokens(&source.text).into_iter().filter(|token| token.kind != Kind::Comment).collect()
}

#[test]
fn every_file_says_first_what_it_is() {
    let silent: Vec<String> = all_sources()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! "))
        .map(|source| source.path)
        .collect();
    assert!(silent.is_empty(), "these files do not begin with `//! `: {silent:#?}");
}

#[test]
fn functions_fit_a_screen() {
    let mut lengths = Vec::new();
    let mut too_long = Vec::new();
    for source in all_sources() {
        for Function { name, line, n_lines } in functions(&without_comments(&source)) {
            lengths.push(n_lines);
            if n_lines > FUNCTION_MAX {
                too_long.push(format!("{}:{line}: {name} has {n_lines} lines", source.path));
            }
        }
    }
    lengths.sort_unstable();
    let quantile = |q: usize| lengths[(lengths.len() - 1) * q / 100];
    let measures = format!(
        "of {} functions: p50 {}, p90 {}, p99 {}, max {} lines",
        lengths.len(),
        quantile(50),
        quantile(90),
        quantile(99),
        quantile(100)
    );
    println!("{measures}");
    assert!(too_long.is_empty(), "above {FUNCTION_MAX} lines: {too_long:#?} ({measures})");
}

#[test]
fn lines_are_no_wider_than_rustfmt_makes_them() {
    let n_wide = |source: &Source| source.text.lines().filter(|line| line.chars().count() > LINE_MAX).count();
    check("wide-lines", &counted(all_sources(), n_wide), "Wrap lines above 110 columns.");
}

#[test]
fn only_doors_name_flags_and_commands() {
    let commands = commands();
    assert!(commands.iter().any(|command| command == "train"), "no commands were found: {commands:?}");
    let of_libraries = crates()
        .into_iter()
        .filter(|folder| !["crates/bertlab-cli", "crates/bertlab-tidy"].contains(&folder.as_str()))
        .flat_map(|folder| sources(&format!("{folder}/src")));
    let n_named = |source: &Source| lines_for_doors(&tokens(&source.text), &commands).len();
    let advice =
        "A library crate says as data what to try; the command line names its own flags and commands.";
    check("flags-in-libraries", &counted(of_libraries, n_named), advice);
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut advice = "Move what both need into a file of its own. The circles:\n".to_owned();
    let mut found = BTreeMap::new();
    for folder in crates() {
        for files in circles(&folder) {
            advice += &format!("  {folder}: {}\n", files.join(" "));
            found.extend(files.iter().map(|file| (format!("{folder}/src/{file}"), files.len())));
        }
    }
    check("circles", &found, advice.trim_end());
}

/// A number for every file where it is not 0.
fn counted(
    sources: impl IntoIterator<Item = Source>,
    count: impl Fn(&Source) -> usize,
) -> BTreeMap<String, usize> {
    let numbers = sources.into_iter().map(|source| (count(&source), source.path));
    numbers.filter(|&(n, _)| n > 0).map(|(n, path)| (path, n)).collect()
}

fn check(list: &str, found: &BTreeMap<String, usize>, advice: &str) {
    if let Err(message) = check_against(list, found, advice) {
        panic!("{message}");
    }
}
