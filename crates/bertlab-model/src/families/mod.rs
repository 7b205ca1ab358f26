//! The families, as data: config.json to a spec, and the names that their checkpoints use.
//!
//! The rest of the crate branches on the spec, never on a family. A new family is one file here.

mod bert;
mod distilbert;
mod modernbert;
mod roberta;

use crate::error::Error;
use crate::modules::Node;
use crate::slot::Role;
use crate::spec::{EncoderSpec, HeadKind, PoolerSpec, PredictionsSpec, Reads};
use bertlab_checkpoint::Config;
use bertlab_compute::ops::activation::Activation;

/// One family of checkpoints.
pub struct Family {
    /// config.json's `model_type`.
    pub model_type: &'static str,
    /// How its class names start: `Bert`.
    pub class_prefix: &'static str,
    /// What stands before the encoder's names in a model with a head: `bert`.
    prefix: &'static str,
    /// The list of layers: `encoder.layer`.
    layers: &'static str,
    /// Canonical and own names of the base model outside its layers; what is not listed is the same.
    base_names: &'static [(&'static str, &'static str)],
    /// Canonical and own names inside a layer; what is not listed is the same.
    layer_names: &'static [(&'static str, &'static str)],
    /// Canonical and own names of what stands on the encoder.
    head_names: fn(HeadKind) -> &'static [(&'static str, &'static str)],
    /// The heads that exist.
    heads: &'static [HeadKind],
    modules: Modules,
    /// Weights that some versions of transformers make after their siblings.
    pub(crate) late_weights: &'static [Role],
    read_encoder: fn(&Config) -> Result<EncoderSpec, Error>,
    read_head: fn(&Config, HeadKind) -> Result<FamilyHead, Error>,
}

/// The modules that HuggingFace's classes consist of, in the order in which PyTorch prints them.
struct Modules {
    /// Of the base model.
    base: &'static [Node],
    /// Of a model with this head, the base model among them.
    head: fn(HeadKind) -> &'static [Node],
}

/// What a family decides about a head.
pub(crate) struct FamilyHead {
    pub reads: Reads,
    pub pooler: Option<PoolerSpec>,
    /// Before the classifier.
    pub dropout: f32,
    pub predictions: Option<PredictionsSpec>,
}

impl FamilyHead {
    /// As in BERT: classifiers of rows and poolers read first tokens, others all tokens; the masked-LM part is of the
    /// encoder's activation.
    fn new(config: &Config, kind: HeadKind, activation: Activation) -> Result<Self, Error> {
        let predictions = PredictionsSpec {
            activation,
            has_dense_bias: true,
            has_decoder_bias: true,
            is_tied: config.bool("tie_word_embeddings")?.unwrap_or(true),
        };
        let (reads, has_predictions) = match kind {
            HeadKind::None | HeadKind::SequenceClassification => (Reads::FirstTokens, false),
            HeadKind::PreTraining => (Reads::FirstTokens, true),
            HeadKind::TokenClassification | HeadKind::QuestionAnswering => (Reads::Tokens, false),
            HeadKind::MaskedLm => (Reads::Tokens, true),
        };
        let predictions = has_predictions.then_some(predictions);
        Ok(Self { reads, pooler: None, dropout: 0.0, predictions })
    }
}

const ALL: [&Family; 4] = [&bert::FAMILY, &distilbert::FAMILY, &modernbert::FAMILY, &roberta::FAMILY];

/// The longest row that a config's model takes; for who opens a tokenizer alone.
///
/// # Errors
/// A config that we do not support.
pub fn max_tokens(config: &Config) -> Result<usize, Error> {
    Ok(Family::of(config)?.read_encoder(config)?.max_tokens())
}

/// How many tokens a config's model knows, without its weights.
///
/// # Errors
/// A config that we do not support.
pub fn vocab_size(config: &Config) -> Result<usize, Error> {
    Ok(Family::of(config)?.read_encoder(config)?.vocab_size)
}

/// The names of all families, as config.json has them.
pub fn family_names() -> Vec<&'static str> {
    ALL.iter().map(|family| family.model_type).collect()
}

impl Family {
    /// The family of a config: by `model_type`, or by the class name where that is missing.
    ///
    /// # Errors
    /// When the family is not one of ours.
    pub fn of(config: &Config) -> Result<&'static Self, Error> {
        if let Some(model_type) = config.string("model_type")? {
            let family = ALL.iter().copied().find(|family| family.model_type == model_type);
            return family.ok_or_else(|| config.unsupported("model_type", supported()).into());
        }
        let classes = config.strings("architectures")?.unwrap_or_default();
        let has_class = |family: &&&Self| {
            let rest = classes.first().and_then(|class| class.strip_prefix(family.class_prefix));
            rest.is_some_and(|rest| HeadKind::ALL.iter().any(|kind| kind.class_suffix() == rest))
        };
        let family = ALL.iter().find(has_class).copied();
        family.ok_or_else(|| config.unsupported("model_type", supported()).into())
    }

    /// The head that a config names.
    ///
    /// # Errors
    /// When the class is not one of ours.
    pub fn configured_head(&self, config: &Config) -> Result<HeadKind, Error> {
        let classes = config.strings("architectures")?.unwrap_or_default();
        let Some(class) = classes.first() else { return Ok(HeadKind::None) };
        let kind = class
            .strip_prefix(self.class_prefix)
            .and_then(|rest| self.heads.iter().copied().find(|kind| kind.class_suffix() == rest));
        kind.ok_or_else(|| {
            let classes: Vec<String> = self.heads.iter().map(|&kind| self.class_name(kind)).collect();
            config.unsupported("architectures", format!("one of {}", classes.join(", "))).into()
        })
    }

    /// Whether the family has such a head.
    pub fn has_head(&self, kind: HeadKind) -> bool {
        self.heads.contains(&kind)
    }

    /// HuggingFace's class: `BertForMaskedLM`.
    pub fn class_name(&self, kind: HeadKind) -> String {
        format!("{}{}", self.class_prefix, kind.class_suffix())
    }

    /// HuggingFace's name of a canonical name in a model with this head.
    pub fn name_of(&self, kind: HeadKind, canonical: &str) -> String {
        if let Some(name) = renamed((self.head_names)(kind), canonical) {
            return name;
        }
        let prefix = if kind == HeadKind::None { String::new() } else { format!("{}.", self.prefix) };
        match canonical.strip_prefix("encoder.layer.").and_then(|rest| rest.split_once('.')) {
            Some((index, inner)) => {
                let inner = renamed(self.layer_names, inner).unwrap_or_else(|| inner.to_owned());
                format!("{prefix}{}.{index}.{inner}", self.layers)
            }
            None => {
                let name = renamed(self.base_names, canonical).unwrap_or_else(|| canonical.to_owned());
                format!("{prefix}{name}")
            }
        }
    }

    /// Whether a weight, by its name in HuggingFace's model with this head, stands on the base model.
    pub(crate) fn is_of_head(&self, kind: HeadKind, name: &str) -> bool {
        let rest = name.strip_prefix(self.prefix);
        kind != HeadKind::None && !rest.is_some_and(|rest| rest.starts_with('.'))
    }

    /// A file's name of a weight without its prefix and in today's words: `bert.` and DataParallel's
    /// `module.` cut off, TensorFlow's gamma and beta as weight and bias.
    pub(crate) fn plain_name(&self, name: &str) -> String {
        let name = name.strip_prefix("module.").unwrap_or(name);
        let name = name.strip_prefix(self.prefix).and_then(|rest| rest.strip_prefix('.')).unwrap_or(name);
        if let Some(norm) = name.strip_suffix("LayerNorm.gamma") {
            return format!("{norm}LayerNorm.weight");
        }
        if let Some(norm) = name.strip_suffix("LayerNorm.beta") {
            return format!("{norm}LayerNorm.bias");
        }
        name.to_owned()
    }

    /// Name, class and modules of the base model in a model with a head.
    pub(crate) fn base_module(&self) -> (&'static str, String, &'static [Node]) {
        (self.prefix, self.class_name(HeadKind::None), self.modules.base)
    }

    /// The modules of a model with this head.
    pub(crate) fn head_modules(&self, kind: HeadKind) -> &'static [Node] {
        if kind == HeadKind::None { self.modules.base } else { (self.modules.head)(kind) }
    }

    pub(crate) fn read_encoder(&self, config: &Config) -> Result<EncoderSpec, Error> {
        refuse_unsupported(config)?;
        let spec = (self.read_encoder)(config)?;
        check_sizes(config, &spec)?;
        Ok(spec)
    }

    pub(crate) fn read_head(&self, config: &Config, kind: HeadKind) -> Result<FamilyHead, Error> {
        (self.read_head)(config, kind)
    }
}

impl std::fmt::Debug for Family {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.model_type)
    }
}

fn supported() -> String {
    format!("one of {}", family_names().join(", "))
}

/// `name` with its longest listed beginning exchanged.
fn renamed(names: &[(&str, &str)], name: &str) -> Option<String> {
    let matching = names.iter().filter_map(|(from, to)| {
        let rest = name.strip_prefix(from)?;
        (rest.is_empty() || rest.starts_with('.')).then(|| (from.len(), format!("{to}{rest}")))
    });
    matching.max().map(|(_, name)| name)
}

/// What no family here computes; a silent approximation would be worse than an error.
fn refuse_unsupported(config: &Config) -> Result<(), Error> {
    for key in ["is_decoder", "add_cross_attention", "is_encoder_decoder"] {
        if config.bool(key)? == Some(true) {
            return Err(config.unsupported(key, "false: bertlab runs encoders").into());
        }
    }
    if config.string("position_embedding_type")?.is_some_and(|kind| kind != "absolute") {
        return Err(config.unsupported("position_embedding_type", "\"absolute\"").into());
    }
    if config.get("pruned_heads").is_some_and(|heads| heads.as_object().is_none_or(|heads| !heads.is_empty()))
    {
        return Err(config.unsupported("pruned_heads", "no pruned heads").into());
    }
    if config.get("quantization_config").is_some() {
        return Err(config
            .unsupported("quantization_config", "unquantised weights (f32, f16 or bf16)")
            .into());
    }
    Ok(())
}

/// More than any encoder has; a config beyond it is damaged, and memory is not asked for.
const PARAMETERS_MAX: usize = 20_000_000_000;

fn check_sizes(config: &Config, spec: &EncoderSpec) -> Result<(), Error> {
    let sizes =
        [spec.width, spec.n_layers, spec.n_heads, spec.inner_width, spec.vocab_size, spec.max_positions];
    if sizes.contains(&0) || spec.n_matrix_entries().is_none_or(|n| n > PARAMETERS_MAX) {
        let wanted = format!(
            "sizes of an encoder with 1 to {PARAMETERS_MAX} parameters; found {sizes:?} \
             (width, layers, heads, inner width, vocabulary, positions)"
        );
        return Err(config.unsupported("model_type", wanted).into());
    }
    if !spec.width.is_multiple_of(spec.n_heads) {
        let key = if config.get("n_heads").is_some() { "n_heads" } else { "num_attention_heads" };
        return Err(config.unsupported(key, format!("a divisor of the width {}", spec.width)).into());
    }
    if spec.max_positions <= spec.position_offset {
        let wanted =
            format!("more than the {} positions that come before the first token", spec.position_offset);
        return Err(config.unsupported("max_position_embeddings", wanted).into());
    }
    Ok(())
}

fn activation(config: &Config, key: &str) -> Result<Activation, Error> {
    match config.string(key)?.unwrap_or("gelu") {
        "gelu" => Ok(Activation::Gelu),
        "gelu_new" => Ok(Activation::GeluNew),
        "relu" => Ok(Activation::Relu),
        _ => Err(config.unsupported(key, "one of \"gelu\" (exact), \"gelu_new\" (tanh), \"relu\"").into()),
    }
}

/// A dropout probability.
fn probability(config: &Config, key: &str, default: f32) -> Result<f32, Error> {
    let p = config.f32(key)?.unwrap_or(default);
    if (0.0..1.0).contains(&p) {
        Ok(p)
    } else {
        Err(config.unsupported(key, "a probability in [0, 1)").into())
    }
}

/// Added to the variance in norms. Below 0, the root of a variance would be no number.
fn norm_epsilon(config: &Config, key: &str, default: f32) -> Result<f32, Error> {
    let epsilon = config.f32(key)?.unwrap_or(default);
    let is_one = epsilon >= 0.0 && epsilon.is_finite();
    is_one.then_some(epsilon).ok_or_else(|| config.unsupported(key, "a number from 0 on").into())
}

fn pad_token_id(config: &Config, default: u32) -> Result<u32, Error> {
    let id = config.usize("pad_token_id")?.map_or(Ok(default), u32::try_from);
    id.map_err(|_| config.unsupported("pad_token_id", "an id of the vocabulary").into())
}
