//! DistilBERT (Sanh et al. 2019): BERT without token types and pooler.

use super::{Family, FamilyHead, Modules, activation, pad_token_id, probability};
use crate::error::Error;
use crate::modules::{Node, Padding, Rate};
use crate::spec::{
    Biases, DropoutSpec, EncoderSpec, HeadKind, Initializer, NormPlace, NormSpec, PoolerSpec, Positions,
    Windows,
};
use bertlab_checkpoint::Config;
use bertlab_compute::ops::activation::Activation;

pub(super) const FAMILY: Family = Family {
    model_type: "distilbert",
    class_prefix: "DistilBert",
    prefix: "distilbert",
    layers: "transformer.layer",
    base_names: &[],
    layer_names: &[
        ("attention.self.query", "attention.q_lin"),
        ("attention.self.key", "attention.k_lin"),
        ("attention.self.value", "attention.v_lin"),
        ("attention.output.dense", "attention.out_lin"),
        ("attention.output.LayerNorm", "sa_layer_norm"),
        ("intermediate.dense", "ffn.lin1"),
        ("output.dense", "ffn.lin2"),
        ("output.LayerNorm", "output_layer_norm"),
    ],
    head_names,
    heads: &[
        HeadKind::None,
        HeadKind::SequenceClassification,
        HeadKind::TokenClassification,
        HeadKind::QuestionAnswering,
        HeadKind::MaskedLm,
    ],
    modules: Modules { base: MODULES, head: head_modules },
    late_weights: &[],
    read_encoder,
    read_head,
};

fn head_names(kind: HeadKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        HeadKind::QuestionAnswering => &[("classifier", "qa_outputs")],
        _ => &[
            ("pooler.dense", "pre_classifier"),
            ("classifier", "classifier"),
            ("cls.predictions.bias", "vocab_projector.bias"),
            ("cls.predictions.transform.dense", "vocab_transform"),
            ("cls.predictions.transform.LayerNorm", "vocab_layer_norm"),
            ("cls.predictions.decoder", "vocab_projector"),
        ],
    }
}

const MODULES: &[Node] = &[
    Node::Group(
        "embeddings",
        "Embeddings",
        &[
            Node::Embedding("word_embeddings", Padding::Row),
            Node::Embedding("position_embeddings", Padding::None),
            Node::Norm("LayerNorm"),
            Node::Dropout("dropout", Rate::Embeddings),
        ],
    ),
    Node::Group("transformer", "Transformer", &[Node::Layers("layer", "TransformerBlock", LAYER_MODULES)]),
];

const LAYER_MODULES: &[Node] = &[
    Node::Group(
        "attention",
        "MultiHeadSelfAttention",
        &[
            Node::Dropout("dropout", Rate::Attention),
            Node::Linear("q_lin"),
            Node::Linear("k_lin"),
            Node::Linear("v_lin"),
            Node::Linear("out_lin"),
        ],
    ),
    Node::Norm("sa_layer_norm"),
    Node::Group(
        "ffn",
        "FFN",
        &[
            Node::Dropout("dropout", Rate::Output),
            Node::Linear("lin1"),
            Node::Linear("lin2"),
            Node::Activation("activation"),
        ],
    ),
    Node::Norm("output_layer_norm"),
];

fn head_modules(kind: HeadKind) -> &'static [Node] {
    match kind {
        HeadKind::SequenceClassification => &[
            Node::Base,
            Node::Linear("pre_classifier"),
            Node::Linear("classifier"),
            Node::Dropout("dropout", Rate::Head),
        ],
        HeadKind::QuestionAnswering => {
            &[Node::Base, Node::Linear("qa_outputs"), Node::Dropout("dropout", Rate::Head)]
        }
        HeadKind::MaskedLm => &[
            Node::Activation("activation"),
            Node::Base,
            Node::Linear("vocab_transform"),
            Node::Norm("vocab_layer_norm"),
            Node::Linear("vocab_projector"),
            Node::Plain("mlm_loss_fct", "CrossEntropyLoss"),
        ],
        _ => &[Node::Base, Node::Dropout("dropout", Rate::Head), Node::Linear("classifier")],
    }
}

fn read_encoder(config: &Config) -> Result<EncoderSpec, Error> {
    let is_sinusoidal = config.bool("sinusoidal_pos_embds")?.unwrap_or(false);
    let hidden_dropout = probability(config, "dropout", 0.1)?;
    let attention_dropout = probability(config, "attention_dropout", 0.1)?;
    Ok(EncoderSpec {
        width: config.usize_required("dim")?,
        n_layers: config.usize_required("n_layers")?,
        n_heads: config.usize_required("n_heads")?,
        inner_width: config.usize_required("hidden_dim")?,
        vocab_size: config.usize_required("vocab_size")?,
        max_positions: config.usize("max_position_embeddings")?.unwrap_or(512),
        position_offset: 0,
        positions: if is_sinusoidal { Positions::Sinusoidal } else { Positions::Learned },
        windows: Windows::Whole,
        n_token_types: 0,
        activation: activation(config, "activation")?,
        gate: None,
        has_fused_qkv: false,
        biases: Biases::ALL,
        // ε is not in the config: DistilBERT has it in its code.
        norms: NormSpec { place: NormPlace::Post, epsilon: 1e-12, has_bias: true },
        dropout: DropoutSpec::post_norm(hidden_dropout, attention_dropout),
        pad_token_id: pad_token_id(config, 0)?,
        initializer_range: config.f32("initializer_range")?.unwrap_or(0.02),
        initializer: Initializer::Normal,
    })
}

fn read_head(config: &Config, kind: HeadKind) -> Result<FamilyHead, Error> {
    let dropout = match kind {
        HeadKind::SequenceClassification => probability(config, "seq_classif_dropout", 0.2)?,
        HeadKind::TokenClassification => probability(config, "dropout", 0.1)?,
        HeadKind::QuestionAnswering => probability(config, "qa_dropout", 0.1)?,
        _ => 0.0,
    };
    let pooler = (kind == HeadKind::SequenceClassification)
        .then(|| PoolerSpec { is_of_base: false, ..PoolerSpec::of_base(Activation::Relu) });
    Ok(FamilyHead { pooler, dropout, ..FamilyHead::new(config, kind, activation(config, "activation")?)? })
}
