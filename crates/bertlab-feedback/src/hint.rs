//! Hints: what a person can do, named in messages as data and spelled by each door in its own way.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;

/// A thing that a message tells a person to use: a setting, a command.
///
/// Its `Display` is spelled by the [`Speller`] of the door that shows the message ([`spelled_by`]):
/// a flag on the command line, `max_length=128` in Python. Without a door it is the setting's name.
/// [`hints_in`] gives the hints of a message as data.
///
/// ```
/// use bertlab_feedback::{Hint, hints_in};
///
/// let message = format!("cut it with {}", Hint::value("max_length", 128));
/// assert_eq!(message, "cut it with `max_length` = 128");
/// let hints = hints_in(&format_args!("cut it with {}", Hint::value("max_length", 128)));
/// assert_eq!(hints, [Hint::value("max_length", 128)]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Hint {
    /// A setting.
    Setting(&'static str),
    /// A setting and a value for it, or a word that stands for one (`FILE`).
    Value(&'static str, Cow<'static, str>),
    /// A switch, turned on.
    On(&'static str),
    /// A command.
    Command(Command),
    /// A download from the hub by HuggingFace's own tools.
    Download {
        /// The name on the hub.
        name: String,
        /// Whether it is a data set and not a model.
        is_data_set: bool,
    },
}

/// A command that a message tells a person to use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Command {
    /// Checks labelled rows before a training run.
    Check,
    /// Guesses masked words of a text.
    FillMask,
    /// Fine-tunes a model.
    Train,
    /// Lists the settings of a training run.
    ListSettings,
}

impl Hint {
    /// A setting and a value for it.
    pub fn value(name: &'static str, value: impl fmt::Display) -> Self {
        Self::Value(name, value.to_string().into())
    }

    /// The setting's name; empty for what is no setting.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Setting(name) | Self::Value(name, _) | Self::On(name) => name,
            Self::Command(_) | Self::Download { .. } => "",
        }
    }
}

/// How a door spells hints.
pub trait Speller: Sync {
    /// A setting: `max_length`.
    fn setting(&self, name: &str) -> String;
    /// A setting and a value: `max_length=128`.
    fn value(&self, name: &str, value: &str) -> String;
    /// A switch, turned on: `new_head=True`.
    fn on(&self, name: &str) -> String;
    /// A command, with an example of its arguments where that helps.
    fn command(&self, command: Command) -> String;
    /// A download by HuggingFace's own tools: `hf download NAME`.
    fn download(&self, name: &str, is_data_set: bool) -> String;
}

/// Spelling without a door: settings by their names.
struct Plain;

impl Speller for Plain {
    fn setting(&self, name: &str) -> String {
        format!("`{name}`")
    }

    fn value(&self, name: &str, value: &str) -> String {
        format!("`{name}` = {value}")
    }

    fn on(&self, name: &str) -> String {
        format!("`{name}` = true")
    }

    fn command(&self, command: Command) -> String {
        match command {
            Command::Check => "check",
            Command::FillMask => "fill-mask",
            Command::Train => "train",
            Command::ListSettings => "the table of settings",
        }
        .to_owned()
    }

    fn download(&self, name: &str, is_data_set: bool) -> String {
        let kind = if is_data_set { "dataset" } else { "model" };
        format!("snapshot_download(\"{name}\", repo_type=\"{kind}\")")
    }
}

thread_local! {
    static SPELLER: Cell<&'static dyn Speller> = const { Cell::new(&Plain) };
    static SEEN: RefCell<Option<Vec<Hint>>> = const { RefCell::new(None) };
}

/// Runs `work`; hints that are shown meanwhile by this thread are spelled by `speller`.
pub fn spelled_by<T>(speller: &'static dyn Speller, work: impl FnOnce() -> T) -> T {
    struct Restore(&'static dyn Speller);
    impl Drop for Restore {
        fn drop(&mut self) {
            SPELLER.set(self.0);
        }
    }
    let _restore = Restore(SPELLER.replace(speller));
    work()
}

/// The hints that a message names, in their order.
pub fn hints_in(message: &dyn fmt::Display) -> Vec<Hint> {
    let before = SEEN.replace(Some(Vec::new()));
    let _ = message.to_string();
    SEEN.replace(before).unwrap_or_default()
}

impl fmt::Display for Hint {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        SEEN.with_borrow_mut(|seen| seen.iter_mut().for_each(|seen| seen.push(self.clone())));
        let speller = SPELLER.get();
        out.write_str(&match self {
            Self::Setting(name) => speller.setting(name),
            Self::Value(name, value) => speller.value(name, value),
            Self::On(name) => speller.on(name),
            Self::Command(command) => speller.command(*command),
            Self::Download { name, is_data_set } => speller.download(name, *is_data_set),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Python;

    impl Speller for Python {
        fn setting(&self, name: &str) -> String {
            name.to_owned()
        }

        fn value(&self, name: &str, value: &str) -> String {
            format!("{name}={value}")
        }

        fn on(&self, name: &str) -> String {
            format!("{name}=True")
        }

        fn command(&self, command: Command) -> String {
            format!("{command:?}()")
        }

        fn download(&self, name: &str, _: bool) -> String {
            format!("download({name})")
        }
    }

    #[test]
    fn the_innermost_door_spells_and_the_outer_one_is_restored() {
        let hint = Hint::On("new_head");
        assert_eq!(hint.to_string(), "`new_head` = true");
        spelled_by(&Python, || {
            assert_eq!(hint.to_string(), "new_head=True");
            assert_eq!(spelled_by(&Plain, || hint.to_string()), "`new_head` = true");
            assert_eq!(Hint::value("max_length", 8).to_string(), "max_length=8");
        });
        assert_eq!(Hint::Setting("seed").to_string(), "`seed`");
    }

    #[test]
    fn hints_of_a_message_are_data() {
        let hints = [Hint::Setting("seed"), Hint::Command(Command::Train)];
        let message = hints.clone().map(|hint| hint.to_string()).join(", ");
        assert_eq!(hints_in(&message), []);
        assert_eq!(hints_in(&format_args!("{} {}", hints[0], hints[1])), hints);
    }
}
