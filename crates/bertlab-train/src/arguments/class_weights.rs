//! Weights of the classes in the loss, as a setting.

use bertlab_settings::{Kind, SettingValue};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// Weights of the classes. In a file: `"balanced"`, a list by id, a table by name, or a text such as `"neg=2,pos=1"`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(into = "Value")]
pub enum ClassWeights {
    /// As scikit-learn's: rows / (classes · rows of the class), over the classes that occur in training; 1 for the
    /// others. Of several labels per row: rows without the label / rows with it; 1 where either is 0.
    Balanced,
    /// By the classes' names; what is not named counts 1.
    ByName(BTreeMap<String, f64>),
    /// One for each class, by id.
    ById(Vec<f64>),
}

impl FromStr for ClassWeights {
    type Err = String;

    /// `balanced`, `negative=2,positive=1` or `2,1`.
    fn from_str(words: &str) -> Result<Self, String> {
        let number = |word: &str| {
            let number = word.trim().parse();
            number.map_err(|_| format!("{word:?} is no number"))
        };
        if words == "balanced" {
            return Ok(Self::Balanced);
        }
        if !words.contains('=') {
            return Ok(Self::ById(words.split(',').map(number).collect::<Result<_, _>>()?));
        }
        let entry = |word: &str| match word.rsplit_once('=') {
            Some((name, weight)) => Ok((name.trim().to_owned(), number(weight)?)),
            None => Err(format!("{word:?} is no NAME=X")),
        };
        Ok(Self::ByName(words.split(',').map(entry).collect::<Result<_, _>>()?))
    }
}

impl fmt::Display for ClassWeights {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> = match self {
            Self::Balanced => return out.write_str("balanced"),
            Self::ByName(weights) => {
                weights.iter().map(|(name, weight)| format!("{name}={weight}")).collect()
            }
            Self::ById(weights) => weights.iter().map(f64::to_string).collect(),
        };
        out.write_str(&words.join(","))
    }
}

impl SettingValue for ClassWeights {
    const KIND: Kind = Kind::Text;

    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        let wanted = || "balanced, a list of numbers by id, or a table of numbers by name".to_owned();
        let number = |value: &Value| value.as_f64().ok_or_else(wanted);
        match value {
            Value::String(words) => {
                words.parse().map_err(|why| format!("balanced, NAME=X,NAME=X or X,X by id: {why}"))
            }
            Value::Array(list) => Ok(Self::ById(list.iter().map(number).collect::<Result<_, _>>()?)),
            Value::Object(table) => {
                let entry = |(name, weight): (&String, &Value)| Ok((name.clone(), number(weight)?));
                Ok(Self::ByName(table.iter().map(entry).collect::<Result<_, String>>()?))
            }
            _ => Err(wanted()),
        }
    }

    fn words(&self) -> String {
        self.to_string()
    }
}

impl From<ClassWeights> for Value {
    fn from(weights: ClassWeights) -> Self {
        match weights {
            ClassWeights::Balanced => json!("balanced"),
            ClassWeights::ByName(weights) => json!(weights),
            ClassWeights::ById(weights) => json!(weights),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_go_to_json_and_back() {
        for words in ["balanced", "neg=2,pos=1", "1.5,2"] {
            let weights: ClassWeights = words.parse().expect("they are well formed");
            let json = serde_json::to_value(&weights).expect("plain values");
            assert_eq!(ClassWeights::read(&json, &mut Vec::new()), Ok(weights.clone()));
            assert_eq!(weights.to_string(), words);
        }
        for wrong in [json!(3), json!(["a"]), json!({ "neg": "2" })] {
            let wanted = ClassWeights::read(&wrong, &mut Vec::new()).expect_err("no weights");
            assert!(wanted.contains("a table of numbers by name"), "{wanted}");
        }
    }
}
