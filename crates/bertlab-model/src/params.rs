//! The weights, as plain structs. The same structs hold gradients and the optimizer's moments.
//!
//! Every tensor has a canonical name: BERT's own, without the `bert.` prefix; `families/` turns it into
//! the name that the checkpoint uses.

use crate::spec::{HeadKind, Spec};
use bertlab_compute::Tensor;

/// `y = x Wᵀ + b`
#[derive(Clone, Debug)]
pub struct Linear {
    /// `[out, in]`
    pub weight: Tensor,
    /// `[out]`
    pub bias: Tensor,
}

impl Linear {
    fn zeros(out: usize, inner: usize) -> Self {
        Self { weight: Tensor::zeros(&[out, inner]), bias: Tensor::zeros(&[out]) }
    }
}

/// Scale and shift of a layer norm.
#[derive(Clone, Debug)]
pub struct Norm {
    /// `[D]`
    pub weight: Tensor,
    /// `[D]`
    pub bias: Tensor,
}

impl Norm {
    pub(crate) fn zeros(width: usize) -> Self {
        Self { weight: Tensor::zeros(&[width]), bias: Tensor::zeros(&[width]) }
    }
}

/// The tables at the bottom.
#[derive(Clone, Debug)]
pub struct Embeddings {
    /// `[V, D]`
    pub word: Tensor,
    /// `[positions, D]`
    pub position: Tensor,
    /// `[types, D]`
    pub token_type: Option<Tensor>,
    /// After the sum.
    pub norm: Norm,
}

/// One transformer layer.
#[derive(Clone, Debug)]
pub struct Layer {
    /// `[D, D]`, its heads stacked
    pub query: Linear,
    /// `[D, D]`
    pub key: Linear,
    /// `[D, D]`
    pub value: Linear,
    /// `[D, D]`
    pub attention_output: Linear,
    /// After the attention part.
    pub attention_norm: Norm,
    /// `[F, D]`
    pub intermediate: Linear,
    /// `[D, F]`
    pub output: Linear,
    /// After the feed-forward part.
    pub output_norm: Norm,
}

/// The masked-LM head.
#[derive(Clone, Debug)]
pub struct Predictions {
    /// `[V]`
    pub bias: Tensor,
    /// `[D, D]`
    pub dense: Linear,
    /// After the dense layer.
    pub norm: Norm,
    /// `[V, D]`; none where the word embedding serves.
    pub decoder: Option<Tensor>,
}

/// All of a model's weights.
#[derive(Clone, Debug)]
pub struct Params {
    /// The tables at the bottom.
    pub embeddings: Embeddings,
    /// L layers.
    pub layers: Vec<Layer>,
    /// The dense layer over a row's first token: `[D, D]`.
    pub pooler: Option<Linear>,
    /// `[C, D]`
    pub classifier: Option<Linear>,
    /// The masked-LM head.
    pub predictions: Option<Predictions>,
    /// Next sentence: `[2, D]`
    pub relationship: Option<Linear>,
}

impl Params {
    /// Zeros of the right shapes.
    pub fn zeros(spec: &Spec) -> Self {
        let encoder = &spec.encoder;
        let (width, inner) = (encoder.width, encoder.inner_width);
        let embeddings = Embeddings {
            word: Tensor::zeros(&[encoder.vocab_size, width]),
            position: Tensor::zeros(&[encoder.max_positions, width]),
            token_type: (encoder.n_token_types > 0).then(|| Tensor::zeros(&[encoder.n_token_types, width])),
            norm: Norm::zeros(width),
        };
        let layer = || Layer {
            query: Linear::zeros(width, width),
            key: Linear::zeros(width, width),
            value: Linear::zeros(width, width),
            attention_output: Linear::zeros(width, width),
            attention_norm: Norm::zeros(width),
            intermediate: Linear::zeros(inner, width),
            output: Linear::zeros(width, inner),
            output_norm: Norm::zeros(width),
        };
        let predictions = || Predictions {
            bias: Tensor::zeros(&[encoder.vocab_size]),
            dense: Linear::zeros(width, width),
            norm: Norm::zeros(width),
            decoder: (!spec.head.is_tied).then(|| Tensor::zeros(&[encoder.vocab_size, width])),
        };
        Self {
            embeddings,
            layers: (0..encoder.n_layers).map(|_| layer()).collect(),
            pooler: spec.head.pooler.map(|_| Linear::zeros(width, width)),
            classifier: (spec.head.n_outputs() > 0).then(|| Linear::zeros(spec.head.n_outputs(), width)),
            predictions: spec.head.has_predictions().then(predictions),
            relationship: (spec.head.kind == HeadKind::PreTraining).then(|| Linear::zeros(2, width)),
        }
    }

    /// Every tensor with its canonical name, in BERT's order.
    pub fn named(&self) -> Vec<(String, &Tensor)> {
        let mut out = Vec::new();
        self.collect("", &mut out);
        out
    }

    /// As [`Self::named`], to be changed.
    pub fn named_mut(&mut self) -> Vec<(String, &mut Tensor)> {
        let mut out = Vec::new();
        self.collect_mut("", &mut out);
        out
    }

    /// The decoder over the vocabulary, where there is a masked-LM head: the word embedding where that serves. `[V, D]`
    pub fn decoder(&self) -> Option<&Tensor> {
        let predictions = self.predictions.as_ref()?;
        Some(predictions.decoder.as_ref().unwrap_or(&self.embeddings.word))
    }

    /// How many numbers there are.
    pub fn n_parameters(&self) -> usize {
        self.named().iter().map(|(_, tensor)| tensor.len()).sum()
    }
}

/// Something that holds named tensors.
trait Named {
    fn collect<'a>(&'a self, name: &str, out: &mut Vec<(String, &'a Tensor)>);
    fn collect_mut<'a>(&'a mut self, name: &str, out: &mut Vec<(String, &'a mut Tensor)>);
}

impl Named for Tensor {
    fn collect<'a>(&'a self, name: &str, out: &mut Vec<(String, &'a Tensor)>) {
        out.push((name.to_owned(), self));
    }
    fn collect_mut<'a>(&'a mut self, name: &str, out: &mut Vec<(String, &'a mut Tensor)>) {
        out.push((name.to_owned(), self));
    }
}

impl<N: Named> Named for Option<N> {
    fn collect<'a>(&'a self, name: &str, out: &mut Vec<(String, &'a Tensor)>) {
        if let Some(inner) = self {
            inner.collect(name, out);
        }
    }
    fn collect_mut<'a>(&'a mut self, name: &str, out: &mut Vec<(String, &'a mut Tensor)>) {
        if let Some(inner) = self {
            inner.collect_mut(name, out);
        }
    }
}

impl<N: Named> Named for Vec<N> {
    fn collect<'a>(&'a self, name: &str, out: &mut Vec<(String, &'a Tensor)>) {
        for (i, inner) in self.iter().enumerate() {
            inner.collect(&join(name, &i.to_string()), out);
        }
    }
    fn collect_mut<'a>(&'a mut self, name: &str, out: &mut Vec<(String, &'a mut Tensor)>) {
        for (i, inner) in self.iter_mut().enumerate() {
            inner.collect_mut(&join(name, &i.to_string()), out);
        }
    }
}

fn join(prefix: &str, name: &str) -> String {
    if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") }
}

/// Says under which name each field lies; the order is that of PyTorch in BERT.
macro_rules! named_fields {
    ($type:ty { $($field:ident => $name:literal),* $(,)? }) => {
        impl Named for $type {
            fn collect<'a>(&'a self, prefix: &str, out: &mut Vec<(String, &'a Tensor)>) {
                $(self.$field.collect(&join(prefix, $name), out);)*
            }
            fn collect_mut<'a>(&'a mut self, prefix: &str, out: &mut Vec<(String, &'a mut Tensor)>) {
                $(self.$field.collect_mut(&join(prefix, $name), out);)*
            }
        }
    };
}

named_fields!(Linear { weight => "weight", bias => "bias" });
named_fields!(Norm { weight => "weight", bias => "bias" });
named_fields!(Embeddings {
    word => "word_embeddings.weight",
    position => "position_embeddings.weight",
    token_type => "token_type_embeddings.weight",
    norm => "LayerNorm",
});
named_fields!(Layer {
    query => "attention.self.query",
    key => "attention.self.key",
    value => "attention.self.value",
    attention_output => "attention.output.dense",
    attention_norm => "attention.output.LayerNorm",
    intermediate => "intermediate.dense",
    output => "output.dense",
    output_norm => "output.LayerNorm",
});
named_fields!(Predictions {
    bias => "bias",
    dense => "transform.dense",
    norm => "transform.LayerNorm",
    decoder => "decoder.weight",
});
named_fields!(Params {
    embeddings => "embeddings",
    layers => "encoder.layer",
    pooler => "pooler.dense",
    classifier => "classifier",
    predictions => "cls.predictions",
    relationship => "cls.seq_relationship",
});
