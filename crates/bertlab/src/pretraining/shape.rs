//! The sizes of a new model.

use std::path::PathBuf;
use std::str::FromStr;

use bertlab_checkpoint::Config;
use bertlab_settings::{Kind, SettingValue};
use bertlab_text::Tokenizer;
use serde_json::{Value, json};

use crate::Error;

/// Width of an attention head where only the model's width is said, as in every BERT.
const HEAD_WIDTH: usize = 64;
/// The inner width in widths, as in every BERT.
const INNER: usize = 4;

/// The sizes of a new model.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A BERT of so many layers and this width: heads of width 64, an inner width of four widths.
    Layers {
        /// L
        n_layers: usize,
        /// D
        width: usize,
    },
    /// As a config.json says; the vocabulary's size comes from the tokenizer.
    Config(PathBuf),
}

/// Words that are no shape.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} is no shape; wanted LAYERSxWIDTH, such as 4x256 or 12x768, the width below 64 or a multiple of 64"
)]
pub struct UnknownShape(String);

impl FromStr for Shape {
    type Err = UnknownShape;

    fn from_str(words: &str) -> Result<Self, UnknownShape> {
        let numbers = words
            .split_once(['x', 'X', '×'])
            .and_then(|(n_layers, width)| Some((n_layers.trim().parse().ok()?, width.trim().parse().ok()?)));
        match numbers {
            Some((n_layers, width))
                if n_layers > 0 && width > 0 && (width < HEAD_WIDTH || width % HEAD_WIDTH == 0) =>
            {
                Ok(Self::Layers { n_layers, width })
            }
            _ => Err(UnknownShape(words.to_owned())),
        }
    }
}

impl SettingValue for Shape {
    const KIND: Kind = Kind::Text;

    fn read(value: &Value, _: &mut Vec<String>) -> Result<Self, String> {
        const WANTED: &str = "LAYERSxWIDTH, such as 4x256 or 12x768, the width below 64 or a multiple of 64";
        value.as_str().and_then(|words| words.parse().ok()).ok_or_else(|| WANTED.to_owned())
    }

    fn words(&self) -> String {
        match self {
            Self::Layers { n_layers, width } => format!("{n_layers}x{width}"),
            Self::Config(file) => file.display().to_string(),
        }
    }
}

impl Shape {
    /// config.json of a masked language model of this shape for `tokenizer`, with as many positions.
    ///
    /// # Errors
    /// A config file that cannot be read.
    pub fn config(&self, tokenizer: &Tokenizer, positions: usize) -> Result<Vec<u8>, Error> {
        let mut config = match self {
            Self::Layers { n_layers, width } => json!({
                "architectures": ["BertForMaskedLM"],
                "model_type": "bert",
                "hidden_size": width,
                "num_hidden_layers": n_layers,
                "num_attention_heads": (width / HEAD_WIDTH).max(1),
                "intermediate_size": INNER * width,
                "hidden_act": "gelu",
                "hidden_dropout_prob": 0.1,
                "attention_probs_dropout_prob": 0.1,
                "max_position_embeddings": positions,
                "type_vocab_size": 2,
                "initializer_range": initializer_range(*width),
                "layer_norm_eps": 1e-12,
                "position_embedding_type": "absolute",
                "tie_word_embeddings": true,
            }),
            Self::Config(file) => Value::Object(Config::open(file)?.values),
        };
        config["vocab_size"] = json!(tokenizer.vocab_size());
        if let Some(id) = tokenizer.pad_token_id() {
            config["pad_token_id"] = json!(id);
        }
        let mut text = serde_json::to_vec_pretty(&config).expect("a JSON value is valid JSON");
        text.push(b'\n');
        Ok(text)
    }
}

/// Standard deviation of new weights: BERT's 0.02 at width 768, and so that a matrix's outputs are as large
/// at others.
fn initializer_range(width: usize) -> f64 {
    let range = 0.02 * (768.0 / width as f64).sqrt();
    (range * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_are_layers_times_width() {
        assert_eq!("4x256".parse(), Ok(Shape::Layers { n_layers: 4, width: 256 }));
        assert_eq!("2 X 32".parse(), Ok(Shape::Layers { n_layers: 2, width: 32 }));
        for wrong in ["", "4", "4x", "0x256", "4x100", "4x256x2"] {
            let error = wrong.parse::<Shape>().expect_err("no shape");
            assert!(error.to_string().contains("LAYERSxWIDTH"), "{error}");
        }
    }
}
