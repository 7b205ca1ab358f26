//! A table of settings as flags: every row is one, typed as the table says.

use bertlab::settings::{Given, Kind, Setting, Settings};
use clap::builder::{PossibleValue, TypedValueParser};
use clap::error::Error;
use clap::{Arg, ArgAction, ArgMatches, Command};
use serde_json::json;

/// The settings of a table that the command line gives.
#[derive(Clone, Debug)]
pub struct Flags<S>(pub Given<S>);

impl<S: Settings> clap::Args for Flags<S> {
    fn augment_args(command: Command) -> Command {
        S::TABLE
            .iter()
            .fold(command, |command, setting| command.arg(flag(setting)).args(old_switches(setting)))
    }

    fn augment_args_for_update(command: Command) -> Command {
        Self::augment_args(command)
    }
}

impl<S: Settings> clap::FromArgMatches for Flags<S> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let mut flags = Self(Given::none());
        flags.update_from_arg_matches(matches)?;
        Ok(flags)
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        let invalid = |wanted: String| Error::raw(clap::error::ErrorKind::ValueValidation, wanted);
        for setting in S::TABLE {
            for (name, word) in setting.old_switches {
                if matches.get_one::<String>(name).is_some_and(|is_on| is_on.eq_ignore_ascii_case("true")) {
                    self.0.set(setting, &json!(word)).map_err(invalid)?;
                }
            }
            if let Some(words) = matches.get_many::<String>(setting.name) {
                let words: Vec<&String> = words.collect();
                let value = if setting.kind == Kind::Paths { json!(words) } else { json!(words[0]) };
                self.0.set(setting, &value).map_err(invalid)?;
            }
        }
        Ok(())
    }
}

/// A setting's name as a flag's, without the dashes before it.
pub fn dashed(name: &str) -> String {
    name.replace('_', "-")
}

fn flag<S: Settings>(setting: &'static Setting<S>) -> Arg {
    let arg = Arg::new(setting.name)
        .help(help(setting))
        .value_name(setting.placeholder())
        .value_parser(Words(setting))
        .hide(setting.is_hidden)
        .hide_possible_values(setting.is_hidden);
    let arg = match setting.heading {
        "" => arg,
        heading => arg.help_heading(heading),
    };
    if setting.is_positional {
        let is_list = setting.kind == Kind::Paths;
        return if is_list { arg.num_args(1..).action(ArgAction::Append) } else { arg };
    }
    let arg = arg.long(dashed(setting.name)).aliases(setting.old_names.iter().map(|name| dashed(name)));
    let arg = arg.conflicts_with_all(setting.excludes);
    let arg = setting.requires.into_iter().fold(arg, Arg::requires);
    match (setting.kind, setting.value_or) {
        (Kind::Switch, _) => switch(arg),
        (Kind::Paths, _) => arg.num_args(1..).action(ArgAction::Append),
        (_, Some(word)) => arg.num_args(0..=1).default_missing_value(word),
        _ => arg.allow_negative_numbers(true),
    }
}

/// On without a value; `--flag=false` turns it off.
fn switch(arg: Arg) -> Arg {
    arg.num_args(0..=1).require_equals(true).default_missing_value("true")
}

fn old_switches<S: Settings>(setting: &'static Setting<S>) -> impl Iterator<Item = Arg> {
    setting.old_switches.iter().map(|(name, _)| {
        let arg = Arg::new(*name).long(dashed(name)).value_name("BOOL").hide(true);
        switch(arg.value_parser(|word: &str| crate::words::yes_or_no(word).map(|is_on| is_on.to_string())))
    })
}

/// The help of a setting; names of other settings, in backticks, become flags.
fn help<S: Settings>(setting: &Setting<S>) -> String {
    let default = setting.default_words().map(|words| format!(" [default: {words}]")).unwrap_or_default();
    let text = format!("{}{default}", setting.help());
    let parts = text.split('`').enumerate();
    parts.map(|(i, part)| if i % 2 == 1 { format!("--{}", dashed(part)) } else { part.to_owned() }).collect()
}

/// The words of a flag: checked by its setting, and listed where they are a choice.
struct Words<S: 'static>(&'static Setting<S>);

impl<S> Clone for Words<S> {
    fn clone(&self) -> Self {
        Self(self.0)
    }
}

impl<S: Settings> TypedValueParser for Words<S> {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        word: &std::ffi::OsStr,
    ) -> Result<String, Error> {
        let setting = self.0;
        let check = move |word: &str| match setting.read(&mut S::default(), &json!(word), &mut Vec::new()) {
            Ok(()) => Ok(word.to_owned()),
            Err(wanted) => Err(format!("wanted {wanted}")),
        };
        check.parse_ref(command, arg, word)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        match self.0.kind {
            Kind::Choice(words) => Some(Box::new(words.iter().map(PossibleValue::new))),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use bertlab::settings::JobSettings;
    use bertlab::train::TrainingArguments;
    use clap::{CommandFactory, FromArgMatches};

    fn given<S: Settings>(words: &str) -> Result<Given<S>, String> {
        let command = <Flags<S> as clap::Args>::augment_args(Command::new("test"));
        let words = std::iter::once("test").chain(words.split_whitespace());
        let matches = command.try_get_matches_from(words).map_err(|error| error.to_string())?;
        Flags::from_arg_matches(&matches).map(|flags| flags.0).map_err(|error| error.to_string())
    }

    #[test]
    fn the_flags_of_all_commands_fit_together() {
        crate::Arguments::command().debug_assert();
    }

    #[test]
    fn flags_are_typed_settings() {
        let found = given::<TrainingArguments>("--learning-rate 2e-5 --bf16 --max-steps -1 --batch-size 4");
        let found = found.expect("good flags");
        let values = found.values();
        assert_eq!((values.learning_rate, values.bf16, values.max_steps), (2e-5, true, None));
        assert_eq!(values.per_device_train_batch_size, 4);
        assert!(found.has("max_steps") && !found.has("seed"));
        let files = given::<JobSettings>("tiny --train-file a.csv b.csv --resume-from-checkpoint");
        let files = files.expect("good flags").values().clone();
        assert_eq!((files.model.as_deref(), files.train_file.len()), (Some("tiny"), 2));
        assert_eq!(files.resume_from_checkpoint, bertlab::train::Resume::Newest);
    }

    #[test]
    fn wrong_words_are_refused_with_what_is_wanted() {
        for (words, wanted) in [
            ("--learning-rate inf", "wanted a number"),
            ("--bf16=maybe", "wanted true or false"),
            ("--save-strategy stesp", "wanted one of no, steps, epoch, best; did you mean steps?"),
            ("--seed -3", "wanted a whole number from 0 on"),
        ] {
            let error = given::<TrainingArguments>(words).expect_err(words);
            assert!(error.contains(wanted), "{error}");
        }
    }

    #[test]
    fn help_says_defaults_and_names_flags() {
        let words = |name| help(TrainingArguments::setting(name).expect("there is such a setting"));
        assert_eq!(words("learning_rate"), "Peak learning rate [default: 5e-5]");
        assert!(words("freeze_layers").contains("with --freeze-embeddings"), "{}", words("freeze_layers"));
        assert!(!words("bf16").contains("default"), "{}", words("bf16"));
    }
}
