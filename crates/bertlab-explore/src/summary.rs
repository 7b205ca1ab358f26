//! What a model is, in one struct.

use bertlab_compute::ops::activation::Activation;
use bertlab_model::{HeadKind, Model};
use serde::Serialize;

/// What a model is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Summary {
    /// config.json's `model_type`: `bert`
    pub family: String,
    /// HuggingFace's class: `BertForSequenceClassification`
    pub class: String,
    /// `none`, `sequence-classification`, `masked-lm` …
    pub head: String,
    /// Weights; a weight with two names is one.
    pub n_tensors: usize,
    /// Numbers in them.
    pub n_parameters: usize,
    /// L
    pub n_layers: usize,
    /// D
    pub width: usize,
    /// Attention heads of a layer.
    pub n_heads: usize,
    /// Width of the feed-forward part.
    pub inner_width: usize,
    /// V
    pub vocab_size: usize,
    /// Rows of the token type table; 0 where there is none.
    pub n_token_types: usize,
    /// The longest row that has positions.
    pub max_tokens: usize,
    /// `gelu`, `gelu_new`, `relu`
    pub activation: String,
    /// Names by id; empty for heads without labels.
    pub labels: Vec<String>,
    /// What a sequence classifier's outputs mean, in HuggingFace's words; none for other heads.
    pub problem_type: Option<String>,
    /// Whether there is a dense layer over the first token (BERT's pooler, DistilBERT's pre_classifier).
    pub has_pooler: bool,
}

/// Describes a model.
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

/// As config.json writes it.
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
