//! The command line as HuggingFace's scripts would have it: underscores in flags, and `--flag True`.

use std::collections::HashSet;
use std::ffi::OsString;

use clap::{Arg, Command};

/// The words as clap reads them: `--bf16 True --max_steps 9` becomes `--bf16=true --max-steps 9`. What stands after
/// `--` is left alone.
pub fn plain_words(command: &Command, words: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let switches: HashSet<String> = command.get_subcommands().flat_map(switches).collect();
    let (mut plain, mut words) = (Vec::new(), words.into_iter().peekable());
    while let Some(word) = words.next() {
        if word == "--" {
            plain.push(word);
            plain.extend(words);
            break;
        }
        let Some(flag) = word.to_str().and_then(|word| word.strip_prefix("--")) else {
            plain.push(word);
            continue;
        };
        let (name, value) = match flag.split_once('=') {
            Some((name, value)) => (name.replace('_', "-"), Some(value.to_owned())),
            None => (flag.replace('_', "-"), None),
        };
        let is_said = |next: &OsString| next.to_str().is_some_and(|next| yes_or_no(next).is_ok());
        let value = match value {
            None if switches.contains(&name) => {
                words.next_if(is_said).map(|word| word.to_string_lossy().into_owned())
            }
            value => value,
        };
        plain.push(match value {
            Some(value) => format!("--{name}={value}").into(),
            None => format!("--{name}").into(),
        });
    }
    plain
}

/// The command with flags that take `-1` for a value, so that what is out of range is said to be so.
pub fn taking_negative_numbers(command: Command) -> Command {
    let takes = |argument: Arg| {
        let is_valued = !argument.is_positional() && argument.get_action().takes_values();
        argument.allow_negative_numbers(is_valued)
    };
    command.mut_subcommands(move |command| command.mut_args(takes))
}

/// The names of flags that are on without a value.
fn switches(command: &Command) -> Vec<String> {
    let is_switch = |argument: &&Arg| argument.is_require_equals_set();
    let names = |argument: &Arg| {
        let aliases = argument.get_all_aliases().unwrap_or_default();
        argument.get_long().into_iter().chain(aliases).map(str::to_owned).collect::<Vec<_>>()
    };
    command.get_arguments().filter(is_switch).flat_map(names).collect()
}

/// `true` or `false`, as Python writes them too.
pub fn yes_or_no(word: &str) -> Result<bool, String> {
    match word.to_lowercase().as_str() {
        "true" => Ok(true),
        "false" => Ok(false),
        _ => Err("wanted true or false".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    fn plain(words: &str) -> String {
        let words = words.split(' ').map(OsString::from);
        let plain = plain_words(&crate::Arguments::command(), words);
        plain.iter().map(|word| word.to_str().expect("UTF-8")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn huggingfaces_spelling_becomes_ours() {
        assert_eq!(plain("bertlab train M --max_steps 9"), "bertlab train M --max-steps 9");
        assert_eq!(plain("bertlab train --bf16 True M"), "bertlab train --bf16=True M");
        assert_eq!(
            plain("bertlab train --bf16 M --load_best_model_at_end"),
            "bertlab train --bf16 M --load-best-model-at-end"
        );
        assert_eq!(plain("bertlab train --train_file=a_b.csv"), "bertlab train --train-file=a_b.csv");
        assert_eq!(plain("bertlab tokenize M -- --a_b"), "bertlab tokenize M -- --a_b");
    }
}
