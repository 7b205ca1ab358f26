//! ModernBERT (Warner et al. 2024): norms before, rotations, gated feed-forward parts, windows in most layers.

use super::{Family, FamilyHead, Modules, activation, norm_epsilon, pad_token_id, probability};
use crate::error::Error;
use crate::modules::{Node, Padding, Rate};
use crate::spec::{
    Biases, DropoutSpec, EncoderSpec, HeadKind, Initializer, NormPlace, NormSpec, PoolerSpec, Positions,
    PredictionsSpec, Reads, Windows,
};
use bertlab_checkpoint::Config;
use bertlab_compute::ops::gated::Activated;
use serde_json::Value;

pub(super) const FAMILY: Family = Family {
    model_type: "modernbert",
    class_prefix: "ModernBert",
    prefix: "model",
    layers: "layers",
    base_names: &[
        ("embeddings.word_embeddings", "embeddings.tok_embeddings"),
        ("embeddings.LayerNorm", "embeddings.norm"),
        ("encoder.final_norm", "final_norm"),
    ],
    layer_names: &[
        ("attention.self.qkv", "attn.Wqkv"),
        ("attention.output.dense", "attn.Wo"),
        ("attention.output.LayerNorm", "attn_norm"),
        ("intermediate.dense", "mlp.Wi"),
        ("output.dense", "mlp.Wo"),
        ("output.LayerNorm", "mlp_norm"),
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

fn head_names(_: HeadKind) -> &'static [(&'static str, &'static str)] {
    &[
        ("pooler.dense", "head.dense"),
        ("pooler.LayerNorm", "head.norm"),
        ("classifier", "classifier"),
        ("cls.predictions.bias", "decoder.bias"),
        ("cls.predictions.transform.dense", "head.dense"),
        ("cls.predictions.transform.LayerNorm", "head.norm"),
        ("cls.predictions.decoder", "decoder"),
    ]
}

const MODULES: &[Node] = &[
    Node::Group(
        "embeddings",
        "*Embeddings",
        &[
            Node::Embedding("tok_embeddings", Padding::Row),
            Node::Norm("norm"),
            Node::Dropout("drop", Rate::Embeddings),
        ],
    ),
    Node::Layers("layers", "*EncoderLayer", LAYER_MODULES),
    Node::Norm("final_norm"),
    Node::Plain("rotary_emb", "*RotaryEmbedding"),
];

const LAYER_MODULES: &[Node] = &[
    Node::NormOrIdentity("attn_norm"),
    Node::Group(
        "attn",
        "*Attention",
        &[
            Node::Linear("Wqkv"),
            Node::Linear("Wo"),
            Node::DropoutOrIdentity("out_drop", Rate::AttentionOutput),
        ],
    ),
    Node::Norm("mlp_norm"),
    Node::Group(
        "mlp",
        "*MLP",
        &[
            Node::Linear("Wi"),
            Node::Activation("act"),
            Node::Dropout("drop", Rate::Inner),
            Node::Linear("Wo"),
        ],
    ),
];

fn head_modules(kind: HeadKind) -> &'static [Node] {
    const HEAD: Node = Node::Group(
        "head",
        "*PredictionHead",
        &[Node::Linear("dense"), Node::HeadActivation("act"), Node::Norm("norm")],
    );
    match kind {
        HeadKind::MaskedLm => &[Node::Base, HEAD, Node::Linear("decoder")],
        _ => &[Node::Base, HEAD, Node::Dropout("drop", Rate::Head), Node::Linear("classifier")],
    }
}

fn read_encoder(config: &Config) -> Result<EncoderSpec, Error> {
    let n_layers = config.usize_required("num_hidden_layers")?;
    let (attention_bias, mlp_bias) = (flag(config, "attention_bias")?, flag(config, "mlp_bias")?);
    let attention_dropout = probability(config, "attention_dropout", 0.0)?;
    let spec = EncoderSpec {
        width: config.usize_required("hidden_size")?,
        n_layers,
        n_heads: config.usize_required("num_attention_heads")?,
        inner_width: config.usize_required("intermediate_size")?,
        vocab_size: config.usize_required("vocab_size")?,
        max_positions: config.usize("max_position_embeddings")?.unwrap_or(8192),
        position_offset: 0,
        positions: read_positions(config)?,
        windows: read_windows(config, n_layers)?,
        n_token_types: 0,
        activation: activation(config, "hidden_activation")?,
        gate: Some(Activated::FirstHalf),
        has_fused_qkv: true,
        biases: Biases {
            qkv: attention_bias,
            attention_output: attention_bias,
            intermediate: mlp_bias,
            output: mlp_bias,
        },
        norms: NormSpec {
            place: NormPlace::Pre { first: false },
            epsilon: norm_epsilon(config, "norm_eps", 1e-5)?,
            has_bias: flag(config, "norm_bias")?,
        },
        dropout: DropoutSpec {
            embeddings: probability(config, "embedding_dropout", 0.0)?,
            attention: attention_dropout,
            attention_output: attention_dropout,
            inner: Some(probability(config, "mlp_dropout", 0.0)?),
            output: None,
        },
        pad_token_id: pad_token_id(config, 50283)?,
        initializer_range: config.f32("initializer_range")?.unwrap_or(0.02),
        initializer: read_initializer(config)?,
    };
    if spec.n_heads > 0 && !(spec.width / spec.n_heads).is_multiple_of(2) {
        let wanted = format!("heads of even width, to be turned; not {}", spec.width / spec.n_heads);
        return Err(config.unsupported("num_attention_heads", wanted).into());
    }
    Ok(spec)
}

/// A switch that is off where it is not set.
fn flag(config: &Config, key: &str) -> Result<bool, Error> {
    Ok(config.bool(key)?.unwrap_or(false))
}

fn read_initializer(config: &Config) -> Result<Initializer, Error> {
    let cutoff = config.f32("initializer_cutoff_factor")?.unwrap_or(2.0);
    // Numbers nearer than a small part of the deviation would have to be looked for.
    let is_one = cutoff >= 0.1 && cutoff.is_finite();
    let unsupported = || config.unsupported("initializer_cutoff_factor", "a number from 0.1 on").into();
    is_one.then_some(Initializer::ByDepth { cutoff }).ok_or_else(unsupported)
}

/// By layer, how far a token sees: half of `local_attention` in the layers that slide.
fn read_windows(config: &Config, n_layers: usize) -> Result<Windows, Error> {
    let reach = config.usize("local_attention")?.unwrap_or(128) / 2;
    let Some(types) = config.strings("layer_types")? else {
        let n = config.usize("global_attn_every_n_layers")?.unwrap_or(3);
        if n == 0 {
            return Err(config.unsupported("global_attn_every_n_layers", "a number from 1 on").into());
        }
        return Ok(Windows::WholeEvery { n, reach });
    };
    let windows: Option<Vec<Option<usize>>> = types
        .iter()
        .map(|kind| match *kind {
            "full_attention" => Some(None),
            "sliding_attention" => Some(Some(reach)),
            _ => None,
        })
        .collect();
    windows.filter(|windows| windows.len() == n_layers).map(Windows::Listed).ok_or_else(|| {
        let wanted = format!("\"full_attention\" or \"sliding_attention\" for each of {n_layers} layers");
        config.unsupported("layer_types", wanted).into()
    })
}

/// The bases of rotations: under `rope_parameters` since transformers 5, under two keys before.
fn read_positions(config: &Config) -> Result<Positions, Error> {
    if config.get("rope_scaling").is_some_and(|scaling| !scaling.is_null()) {
        return Err(config.unsupported("rope_scaling", "none: rotations as they were trained").into());
    }
    let parameters = config.get("rope_parameters").filter(|parameters| !parameters.is_null());
    let theta = |kind: &str, old_key: &str, default: f32| -> Result<f32, Error> {
        let Some(parameters) = parameters else {
            return check_theta(config, old_key, config.f32(old_key)?.unwrap_or(default));
        };
        let of_kind = parameters.get(kind).filter(|it| !it.is_null());
        let is_default = |it: &Value| it.get("rope_type").is_none_or(|kind| kind == "default");
        if !of_kind.is_none_or(is_default) {
            return Err(config.unsupported("rope_parameters", "rope_type \"default\"").into());
        }
        let theta = of_kind.and_then(|it| it.get("rope_theta")).filter(|it| !it.is_null());
        let number = theta.map_or(Some(f64::from(default)), Value::as_f64);
        check_theta(config, "rope_parameters", number.unwrap_or(f64::NAN) as f32)
    };
    Ok(Positions::Rotary {
        theta: theta("full_attention", "global_rope_theta", 160_000.0)?,
        local_theta: theta("sliding_attention", "local_rope_theta", 10_000.0)?,
    })
}

fn check_theta(config: &Config, key: &str, theta: f32) -> Result<f32, Error> {
    let is_one = theta > 0.0 && theta.is_finite();
    is_one.then_some(theta).ok_or_else(|| config.unsupported(key, "bases above 0").into())
}

fn read_head(config: &Config, kind: HeadKind) -> Result<FamilyHead, Error> {
    let activation = activation(config, "classifier_activation")?;
    let has_bias = flag(config, "classifier_bias")?;
    let head = FamilyHead::new(config, kind, activation)?;
    let has_decoder_bias = config.bool("decoder_bias")?.unwrap_or(true);
    let predictions =
        head.predictions.map(|part| PredictionsSpec { has_dense_bias: has_bias, has_decoder_bias, ..part });
    let is_classifier = !matches!(kind, HeadKind::None | HeadKind::MaskedLm);
    let pooler = PoolerSpec { activation, has_bias, has_norm: true, dropout: 0.0, is_of_base: false };
    Ok(FamilyHead {
        reads: if kind == HeadKind::SequenceClassification { read_pooling(config)? } else { head.reads },
        pooler: is_classifier.then_some(pooler),
        dropout: if is_classifier { probability(config, "classifier_dropout", 0.0)? } else { 0.0 },
        predictions,
    })
}

fn read_pooling(config: &Config) -> Result<Reads, Error> {
    match config.string("classifier_pooling")?.unwrap_or("cls") {
        "cls" => Ok(Reads::FirstTokens),
        "mean" => Ok(Reads::Means),
        _ => Err(config.unsupported("classifier_pooling", "\"cls\" or \"mean\"").into()),
    }
}
