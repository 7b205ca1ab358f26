//! How the command line spells the hints of messages: settings as flags, commands as a person types them.

use bertlab::hint::{Command, Speller};
use bertlab::settings::{CorpusSettings, JobSettings, Settings};

use crate::flags::dashed;

/// Hints as flags and commands.
pub struct CommandLine;

impl Speller for CommandLine {
    fn setting(&self, name: &str) -> String {
        format!("--{}", dashed(name))
    }

    fn value(&self, name: &str, value: &str) -> String {
        let is_positional = JobSettings::setting(name).is_some_and(|setting| setting.is_positional)
            || CorpusSettings::setting(name).is_some_and(|setting| setting.is_positional);
        if is_positional { value.to_owned() } else { format!("{} {value}", self.setting(name)) }
    }

    fn on(&self, name: &str) -> String {
        self.setting(name)
    }

    fn command(&self, command: Command) -> String {
        match command {
            Command::Check => "bertlab check",
            Command::FillMask => "bertlab fill-mask MODEL \"Some [MASK] text.\"",
            Command::Train => "bertlab train MODEL --train-file FILE --output-dir DIR",
            Command::ListSettings => "bertlab train --help",
        }
        .to_owned()
    }

    fn download(&self, name: &str, is_data_set: bool) -> String {
        format!("hf download {}{name}", if is_data_set { "--repo-type dataset " } else { "" })
    }
}
