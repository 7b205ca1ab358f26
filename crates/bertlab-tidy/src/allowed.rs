//! Lists of what is allowed for now: files, each with a number.

use crate::sources::root;
use std::collections::BTreeMap;
use std::path::Path;

/// Set to `shrink`, it lets the tests rewrite their lists where no number has grown.
const VARIABLE: &str = "BERTLAB_TIDY";

/// Compares what was found, a number for a file, with the list `allowed/NAME.txt`. A file that is not listed is allowed 0.
///
/// # Errors
/// In words: the numbers that are above the list's, or else those that are below.
///
/// # Panics
/// For a list that cannot be read or written, or is damaged.
pub fn check_against(name: &str, found: &BTreeMap<String, usize>, advice: &str) -> Result<(), String> {
    let path = root().join("crates/bertlab-tidy/allowed").join(format!("{name}.txt"));
    let allowed = read(&path);
    let numbers = |list: &BTreeMap<String, usize>, file: &str| list.get(file).copied().unwrap_or(0);
    let line = |file: &String| {
        let (found, allowed) = (numbers(found, file), numbers(&allowed, file));
        format!("  {file}: {found}, allowed {allowed}\n")
    };
    let above: String =
        found.iter().filter(|&(file, &n)| n > numbers(&allowed, file)).map(|(file, _)| line(file)).collect();
    if !above.is_empty() {
        return Err(format!("{advice}\n{above}"));
    }
    let below: String =
        allowed.iter().filter(|&(file, &n)| n > numbers(found, file)).map(|(file, _)| line(file)).collect();
    if below.is_empty() {
        return Ok(());
    }
    if std::env::var_os(VARIABLE).is_some_and(|value| value == "shrink") {
        write(&path, found);
        return Ok(());
    }
    Err(format!(
        "less than allowed, which is good: run `{VARIABLE}=shrink cargo test -p bertlab-tidy` so that {name}.txt says so\n\
         {below}"
    ))
}

fn read(path: &Path) -> BTreeMap<String, usize> {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let entry = |line: &str| {
        let (file, number) = line.rsplit_once(": ")?;
        Some((file.to_owned(), number.parse().ok()?))
    };
    text.lines().map(|line| entry(line).unwrap_or_else(|| panic!("{}: {line:?}", path.display()))).collect()
}

fn write(path: &Path, found: &BTreeMap<String, usize>) {
    let text: String = found.iter().map(|(file, n)| format!("{file}: {n}\n")).collect();
    std::fs::write(path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
}
