//! Settings of a run, compared with the defaults.

use bertlab_settings::{Setting as Row, Settings};
use bertlab_train::TrainingArguments;

/// A setting as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The default, if the value differs from it.
    pub(crate) default: Option<String>,
}

/// All settings; those that differ from their defaults come first.
pub(crate) fn settings(arguments: &TrainingArguments) -> Vec<Setting> {
    let defaults = TrainingArguments::default();
    let setting = |row: &Row<TrainingArguments>| Setting {
        name: row.name.to_owned(),
        value: row.words(arguments),
        default: (!row.is_same(arguments, &defaults)).then(|| row.words(&defaults)),
    };
    let mut settings: Vec<Setting> = TrainingArguments::TABLE.iter().map(setting).collect();
    settings.sort_by_key(|setting| setting.default.is_none());
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_default_comes_first_with_the_default() {
        let arguments = TrainingArguments { learning_rate: 2e-5, ..TrainingArguments::default() };
        let found = settings(&arguments);
        assert_eq!((found[0].name.as_str(), found[0].value.as_str()), ("learning_rate", "2e-5"));
        assert_eq!(found[0].default.as_deref(), Some("5e-5"));
        assert!(found[1..].iter().all(|setting| setting.default.is_none()));
        let value = |name: &str| {
            found.iter().find(|setting| setting.name == name).map(|setting| setting.value.as_str())
        };
        assert_eq!((value("save_steps"), value("adam_beta1")), (Some("500"), Some("0.9")));
    }
}
