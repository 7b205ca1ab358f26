//! BERT (Devlin et al. 2019).

use super::{Family, FamilyHead, Modules, activation, norm_epsilon, pad_token_id, probability};
use crate::error::Error;
use crate::modules::{Node, Padding, Rate};
use crate::spec::{
    Biases, DropoutSpec, EncoderSpec, HeadKind, Initializer, NormPlace, NormSpec, PoolerSpec, Positions,
    Windows,
};
use bertlab_checkpoint::Config;
use bertlab_compute::ops::activation::Activation;

pub(super) const FAMILY: Family = Family {
    model_type: "bert",
    class_prefix: "Bert",
    prefix: "bert",
    layers: "encoder.layer",
    base_names: &[],
    layer_names: &[],
    head_names,
    heads: &HeadKind::ALL,
    modules: Modules { base: MODULES, head: head_modules },
    late_weights: &[],
    read_encoder,
    read_head,
};

fn head_names(kind: HeadKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        HeadKind::QuestionAnswering => &[("classifier", "qa_outputs")],
        _ => &[("classifier", "classifier"), ("cls", "cls")],
    }
}

/// BERT's modules, which RoBERTa shares.
pub(super) const MODULES: &[Node] = &[
    Node::Group(
        "embeddings",
        "*Embeddings",
        &[
            Node::Embedding("word_embeddings", Padding::Row),
            Node::Embedding("position_embeddings", Padding::RowOfOffset),
            Node::Embedding("token_type_embeddings", Padding::None),
            Node::Norm("LayerNorm"),
            Node::Dropout("dropout", Rate::Embeddings),
        ],
    ),
    Node::Group("encoder", "*Encoder", &[Node::Layers("layer", "*Layer", LAYER_MODULES)]),
    Node::Pooler("pooler", "*Pooler"),
];

const LAYER_MODULES: &[Node] = &[
    Node::Group(
        "attention",
        "*Attention",
        &[
            Node::Group(
                "self",
                "*SelfAttention",
                &[
                    Node::Linear("query"),
                    Node::Linear("key"),
                    Node::Linear("value"),
                    Node::Dropout("dropout", Rate::Attention),
                ],
            ),
            Node::Group("output", "*SelfOutput", OUTPUT_MODULES),
        ],
    ),
    Node::Group(
        "intermediate",
        "*Intermediate",
        &[Node::Linear("dense"), Node::Activation("intermediate_act_fn")],
    ),
    Node::Group("output", "*Output", OUTPUT_MODULES),
];

const OUTPUT_MODULES: &[Node] =
    &[Node::Linear("dense"), Node::Norm("LayerNorm"), Node::Dropout("dropout", Rate::Output)];

fn head_modules(kind: HeadKind) -> &'static [Node] {
    match kind {
        HeadKind::QuestionAnswering => &[Node::Base, Node::Linear("qa_outputs")],
        HeadKind::MaskedLm => &[Node::Base, Node::Group("cls", "*OnlyMLMHead", &[PREDICTIONS])],
        HeadKind::PreTraining => &[
            Node::Base,
            Node::Group("cls", "*PreTrainingHeads", &[PREDICTIONS, Node::Linear("seq_relationship")]),
        ],
        _ => &[Node::Base, Node::Dropout("dropout", Rate::Head), Node::Linear("classifier")],
    }
}

const PREDICTIONS: Node = Node::Group(
    "predictions",
    "*LMPredictionHead",
    &[
        Node::Group(
            "transform",
            "*PredictionHeadTransform",
            &[Node::Linear("dense"), Node::Activation("transform_act_fn"), Node::Norm("LayerNorm")],
        ),
        Node::Linear("decoder"),
    ],
);

/// BERT's keys, which RoBERTa shares.
pub(super) fn read_encoder(config: &Config) -> Result<EncoderSpec, Error> {
    let hidden_dropout = probability(config, "hidden_dropout_prob", 0.1)?;
    let attention_dropout = probability(config, "attention_probs_dropout_prob", 0.1)?;
    Ok(EncoderSpec {
        width: config.usize_required("hidden_size")?,
        n_layers: config.usize_required("num_hidden_layers")?,
        n_heads: config.usize_required("num_attention_heads")?,
        inner_width: config.usize_required("intermediate_size")?,
        vocab_size: config.usize_required("vocab_size")?,
        max_positions: config.usize("max_position_embeddings")?.unwrap_or(512),
        position_offset: 0,
        positions: Positions::Learned,
        windows: Windows::Whole,
        n_token_types: config.usize("type_vocab_size")?.unwrap_or(2),
        activation: activation(config, "hidden_act")?,
        gate: None,
        has_fused_qkv: false,
        biases: Biases::ALL,
        norms: NormSpec {
            place: NormPlace::Post,
            epsilon: norm_epsilon(config, "layer_norm_eps", 1e-12)?,
            has_bias: true,
        },
        dropout: DropoutSpec::post_norm(hidden_dropout, attention_dropout),
        pad_token_id: pad_token_id(config, 0)?,
        initializer_range: config.f32("initializer_range")?.unwrap_or(0.02),
        initializer: Initializer::Normal,
    })
}

fn read_head(config: &Config, kind: HeadKind) -> Result<FamilyHead, Error> {
    let has_pooler =
        matches!(kind, HeadKind::None | HeadKind::SequenceClassification | HeadKind::PreTraining);
    let dropout = match kind {
        HeadKind::SequenceClassification | HeadKind::TokenClassification => classifier_dropout(config)?,
        _ => 0.0,
    };
    let pooler = has_pooler.then(|| PoolerSpec::of_base(Activation::Tanh));
    Ok(FamilyHead { pooler, dropout, ..FamilyHead::new(config, kind, activation(config, "hidden_act")?)? })
}

/// `classifier_dropout`, or the hidden dropout where it is not set.
pub(super) fn classifier_dropout(config: &Config) -> Result<f32, Error> {
    let hidden = probability(config, "hidden_dropout_prob", 0.1)?;
    probability(config, "classifier_dropout", hidden)
}
