//! A run's settings beside their defaults.

use bertlab_train::TrainingArguments;
use serde_json::Value;

/// A setting in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Setting {
    pub(crate) name: String,
    pub(crate) value: String,
    /// The default, where the value is another.
    pub(crate) default: Option<String>,
}

/// All settings, those that are not as by default first.
pub(crate) fn settings(arguments: &TrainingArguments) -> Vec<Setting> {
    let values = as_object(arguments);
    let defaults = as_object(&TrainingArguments::default());
    let setting = |(name, value): (String, Value)| {
        let default = defaults.get(&name).filter(|default| **default != value).map(words);
        Setting { name, value: words(&value), default }
    };
    let mut settings: Vec<Setting> = values.into_iter().map(setting).collect();
    settings.sort_by_key(|setting| setting.default.is_none());
    settings
}

fn as_object(arguments: &TrainingArguments) -> serde_json::Map<String, Value> {
    match serde_json::to_value(arguments) {
        Ok(Value::Object(object)) => object,
        other => unreachable!("arguments are a struct of plain values, not {other:?}"),
    }
}

fn words(value: &Value) -> String {
    match value {
        Value::Null => "not set".to_owned(),
        Value::String(word) => word.clone(),
        Value::Number(number) => match number.as_f64() {
            Some(value) if value != 0.0 && value.abs() < 1e-3 => format!("{value:e}"),
            // A whole number of steps is no "4.0".
            Some(value) if number.is_f64() => value.to_string(),
            _ => number.to_string(),
        },
        other => other.to_string(),
    }
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
