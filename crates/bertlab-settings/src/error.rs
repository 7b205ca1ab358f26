//! Why settings cannot be used, in words.

use bertlab_feedback::{Command, Hint};

/// A setting out of its range.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name} is {found}; wanted {wanted}")]
pub struct OutOfRange {
    /// The setting's name.
    pub name: &'static str,
    /// What was given.
    pub found: String,
    /// What can be given.
    pub wanted: String,
}

/// Everything that can be wrong with a file of settings. `source_name` is the file, or what stands for it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// It is not there, or cannot be read.
    #[error("{source_name}: the settings cannot be read: {source}")]
    Unreadable {
        /// The file.
        source_name: String,
        /// The system's error.
        source: std::io::Error,
    },
    /// Its name does not say what it is written in.
    #[error(
        "{source_name}: settings are read from .toml and .json files{}",
        if source_name.ends_with(".yaml") || source_name.ends_with(".yml") {
            "; in TOML the lines `name: value` of a YAML file are `name = value`, with texts in quotes"
        } else {
            ""
        }
    )]
    Format {
        /// The file.
        source_name: String,
    },
    /// It is not valid TOML or JSON.
    #[error("{source_name}: {why}")]
    Syntax {
        /// The file.
        source_name: String,
        /// Where, and what is wrong.
        why: String,
    },
    /// Names that no setting has.
    #[error("{source_name}: {}", unknown_names(names))]
    Unknown {
        /// The file.
        source_name: String,
        /// Each with the nearest known name.
        names: Vec<(String, Option<String>)>,
    },
    /// A value of another kind than the setting has.
    #[error("{source_name}: {name} is {found}; wanted {wanted}")]
    Value {
        /// The file.
        source_name: String,
        /// The setting.
        name: String,
        /// As JSON.
        found: String,
        /// What can be given.
        wanted: String,
    },
    /// A setting of HuggingFace's that would change the result and is not supported.
    #[error(
        "{source_name}: {name} is {found}, which bertlab does not do: {why}{}",
        instead.as_ref().map(|hint| format!(" {hint}")).unwrap_or_default()
    )]
    Unsupported {
        /// The file.
        source_name: String,
        /// The setting.
        name: String,
        /// As JSON.
        found: String,
        /// Why not.
        why: &'static str,
        /// The setting that there is instead.
        instead: Option<Hint>,
    },
    /// A setting under its old and its new name, with two values.
    #[error("{source_name}: {old} and {new} are two names of one setting and say {was} and {is}; keep {new}")]
    Twice {
        /// The file.
        source_name: String,
        /// The old name.
        old: String,
        /// The new name.
        new: String,
        /// What the old name says.
        was: String,
        /// What the new name says.
        is: String,
    },
}

fn unknown_names(names: &[(String, Option<String>)]) -> String {
    let one = |(name, nearest): &(String, Option<String>)| match nearest {
        Some(nearest) => format!("`{name}` (did you mean `{nearest}`?)"),
        None => format!("`{name}`"),
    };
    let list: Vec<String> = names.iter().map(one).collect();
    let head = if names.len() == 1 { "there is no setting" } else { "there are no settings" };
    let all = if names.iter().any(|(_, nearest)| nearest.is_none()) {
        let list = Hint::Command(Command::ListSettings);
        format!(". `{list}` lists all; in files their names have underscores")
    } else {
        String::new()
    };
    format!("{head} {}{all}", list.join(", "))
}
