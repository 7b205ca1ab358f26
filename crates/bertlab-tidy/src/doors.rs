//! Flags and commands are words of one door, the command line: a library crate must not name them.

use crate::lexer::{Kind, Token};
use crate::sources::sources;
use std::collections::BTreeSet;

/// The program's commands, by the files that hold them.
pub fn commands() -> Vec<String> {
    let folder = "crates/bertlab-cli/src/commands/";
    let names = sources(folder.trim_end_matches('/')).into_iter().filter_map(|source| {
        let name = source.path.strip_prefix(folder)?.split(['/', '.']).next()?.replace('_', "-");
        (name != "mod").then_some(name)
    });
    names.collect::<BTreeSet<String>>().into_iter().collect()
}

/// The lines whose comments or texts name a flag or a command.
pub fn lines_for_doors(tokens: &[Token<'_>], commands: &[String]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for token in tokens.iter().filter(|token| matches!(token.kind, Kind::Text | Kind::Comment)) {
        for (index, line) in token.text.lines().enumerate() {
            if names_flag(line) || names_command(line, commands) {
                found.insert(token.line + index);
            }
        }
    }
    found
}

/// `--` and a letter, but for what CSS calls so and what is inside a word.
fn names_flag(line: &str) -> bool {
    line.match_indices("--").any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + 2..]);
        let name = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(after.len());
        let is_css = before.ends_with("var(") || after[name..].starts_with(':');
        let is_inside_word = before.ends_with(|c: char| c.is_ascii_alphanumeric());
        after.starts_with(|c: char| c.is_ascii_lowercase())
            && !before.ends_with(['-', '<', '!'])
            && !is_inside_word
            && !is_css
    })
}

fn names_command(line: &str, commands: &[String]) -> bool {
    line.match_indices("bertlab ").any(|(at, program)| {
        let word = line[at + program.len()..].split(|c: char| !c.is_ascii_alphanumeric() && c != '-').next();
        word.is_some_and(|word| commands.iter().any(|command| command == word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lexer::tokens;

    #[test]
    fn flags_and_commands_are_found_in_texts_and_comments_alone() {
        let source = "let a = b--c; // `bertlab train` it\nsay(\"give\n --max-length\");\n\"var(--ink) --ink: 1 <!--x\"; \
                      // bertlab trains";
        let found = lines_for_doors(&tokens(source), &["train".to_owned()]);
        assert_eq!(found, BTreeSet::from([1, 3]));
    }
}
