//! The summary of a model.

use bertlab_compute::ops::activation::Activation;
use bertlab_model::{HeadKind, Model};
use serde::Serialize;

/// Architecture and size of a model.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// `model_type` of config.json, for example `bert`.
    pub family: String,
    /// HuggingFace's class, for example `BertForSequenceClassification`.
    pub class: String,
    /// Kind of head: `none`, `sequence-classification`, `masked-lm` …
    pub head: String,
    /// Number of tensors; a tied weight counts once.
    pub n_tensors: usize,
    /// Number of parameters; a tied weight counts once.
    pub n_parameters: usize,
    /// Number of layers L.
    pub n_layers: usize,
    /// Hidden size D.
    pub width: usize,
    /// Number of attention heads per layer.
    pub n_heads: usize,
    /// Inner width of the feed-forward layers.
    pub inner_width: usize,
    /// Vocabulary size V.
    pub vocab_size: usize,
    /// Number of token types; 0 without token type embeddings.
    pub n_token_types: usize,
    /// Maximum number of tokens of a row.
    pub max_tokens: usize,
    /// Activation function, as in config.json: `gelu`, `gelu_new`, `relu`.
    pub activation: String,
    /// Label names by id; empty for heads without labels.
    pub labels: Vec<String>,
    /// HuggingFace's `problem_type` of a sequence classifier; `None` for other heads.
    pub problem_type: Option<String>,
    /// Whether there is a dense layer on the first token (BERT's pooler, DistilBERT's pre_classifier).
    pub has_pooler: bool,
}

/// Summarises a model.
pub fn summary(model: &Model) -> Summary {
    let (encoder, head) = (&model.spec.encoder, &model.spec.head);
    let problem_type =
        (head.kind == HeadKind::SequenceClassification).then(|| head.problem_type.name().to_owned());
    Summary {
        family: model.family.model_type.to_owned(),
        class: model.family.class_name(head.kind),
        head: head.kind.name().to_owned(),
        n_tensors: model.params().named().len(),
        n_parameters: model.params().n_parameters(),
        n_layers: encoder.n_layers,
        width: encoder.width,
        n_heads: encoder.n_heads,
        inner_width: encoder.inner_width,
        vocab_size: encoder.vocab_size,
        n_token_types: encoder.n_token_types,
        max_tokens: encoder.max_tokens(),
        activation: activation_name(encoder.activation).to_owned(),
        labels: head.labels.clone(),
        problem_type,
        has_pooler: head.pooler.is_some(),
    }
}

/// The name in config.json.
fn activation_name(activation: Activation) -> &'static str {
    match activation {
        Activation::Gelu => "gelu",
        Activation::GeluNew => "gelu_new",
        Activation::Relu => "relu",
        Activation::Tanh => "tanh",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bare_model, masked_lm};

    #[test]
    fn a_model_is_described() {
        let summary = summary(&bare_model());
        assert_eq!((summary.family.as_str(), summary.class.as_str()), ("bert", "BertModel"));
        assert_eq!((summary.n_layers, summary.width, summary.max_tokens), (3, 8, 16));
        // 5 of the embeddings, 16 a layer, 2 of the pooler.
        assert_eq!(summary.n_tensors, 5 + 3 * 16 + 2);
        assert_eq!((summary.problem_type, summary.has_pooler), (None, true));
    }

    #[test]
    fn a_tied_decoder_is_not_counted_again() {
        let (model, bare) = (summary(&masked_lm()), summary(&bare_model()));
        // A dense layer, a norm and the bias come; the pooler goes.
        assert_eq!(model.n_tensors, bare.n_tensors + 5 - 2);
        assert_eq!(model.n_parameters, bare.n_parameters + 2 * 8 + model.vocab_size);
        assert_eq!(model.head, "masked-lm");
    }
}
