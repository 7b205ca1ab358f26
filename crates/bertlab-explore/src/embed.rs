//! Text embeddings: hidden states of selected layers, pooled over the tokens of a row.

use crate::{Error, Layers};
use bertlab_compute::Tensor;
use bertlab_model::{Batch, Model, Output, Request};
use std::fmt;
use std::str::FromStr;

/// How token vectors are pooled. All tokens of a row count, special tokens included, as in
/// sentence-transformers (Reimers and Gurevych 2019).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Pooling {
    /// `mean`: the mean of the tokens.
    #[default]
    Mean,
    /// `cls`: the first token.
    Cls,
    /// `max`: the maximum of each dimension.
    Max,
    /// `pooler`: the output of the model's pooler, a dense layer on the first token.
    Pooler,
    /// `tokens`: no pooling; the vectors of all tokens.
    Tokens,
}

impl Pooling {
    /// All variants.
    pub const ALL: [Self; 5] = [Self::Mean, Self::Cls, Self::Max, Self::Pooler, Self::Tokens];

    /// The name, as parsed by [`FromStr`].
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Cls => "cls",
            Self::Max => "max",
            Self::Pooler => "pooler",
            Self::Tokens => "tokens",
        }
    }
}

impl fmt::Display for Pooling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Pooling {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL.into_iter().find(|pooling| pooling.name() == text).ok_or_else(|| Error::UnknownWord {
            what: "pooling",
            found: text.to_owned(),
            choices: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// Options of embedding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EmbedOptions {
    /// Pooling over the tokens of a row.
    pub pooling: Pooling,
    /// The hidden states to average before pooling.
    pub layers: Layers,
    /// Whether to scale each vector to L2 norm 1; a zero vector stays zero.
    pub normalize: bool,
}

/// The embedding of a row.
#[derive(Clone, Debug)]
pub enum Embedding {
    /// One vector `[D]`.
    Vector(Vec<f32>),
    /// A vector for each of the row's s tokens, `[s, D]`.
    Tokens(Tensor),
}

/// Computes the embeddings of all rows of a batch, in order.
///
/// # Errors
/// Layers out of range; [`Pooling::Pooler`] for a model without a pooler, or with layers other than the last;
/// a vector with NaN or infinity.
pub fn embed(model: &Model, batch: &Batch, how: &EmbedOptions) -> Result<Vec<Embedding>, Error> {
    let layers = how.layers.resolve(model.spec.encoder.n_layers)?;
    if how.pooling == Pooling::Pooler {
        check_pooler(
            model,
            how.layers,
            layers == (model.spec.encoder.n_layers..=model.spec.encoder.n_layers),
        )?;
        let pooled = forward(model, batch, false).head.pooler_output;
        let pooled = pooled.expect("a model with a pooler gives its output");
        model.check_finite(batch, pooled.as_slice())?;
        let rows = (0..batch.n_rows()).map(|row| pooled.row(row).to_vec());
        return Ok(rows.map(|vector| Embedding::Vector(normalized(vector, how.normalize))).collect());
    }
    let hidden = hidden_states(model, batch, how.layers)?;
    model.check_finite(batch, hidden.as_slice())?;
    let rows = batch.row_starts().windows(2).map(|row| row[0]..row[1]);
    Ok(rows.map(|tokens| pool(&hidden, tokens, how)).collect())
}

/// The mean of the hidden states of the selected layers, `[T, D]`.
pub(crate) fn hidden_states(model: &Model, batch: &Batch, layers: Layers) -> Result<Tensor, Error> {
    let n_layers = model.spec.encoder.n_layers;
    let layers = layers.resolve(n_layers)?;
    // The last hidden state is always returned; all are kept only if others are needed.
    let is_last = *layers.start() == n_layers;
    let output = forward(model, batch, !is_last).encoder;
    let Some(mut states) = output.hidden_states else { return Ok(output.last_hidden_state) };
    let n = layers.end() - layers.start() + 1;
    if n == 1 {
        return Ok(states.swap_remove(*layers.start()));
    }
    let mut mean = Tensor::zeros(&[batch.n_tokens(), model.spec.encoder.width]);
    for state in &states[layers] {
        mean.as_mut_slice().iter_mut().zip(state.as_slice()).for_each(|(sum, x)| *sum += x);
    }
    mean.as_mut_slice().iter_mut().for_each(|sum| *sum /= n as f32);
    Ok(mean)
}

/// Runs the model without a masked-LM head, whose V outputs per token would cost more than the encoder.
fn forward(model: &Model, batch: &Batch, hidden_states: bool) -> Output {
    model.forward(batch, Request { hidden_states, attentions: false, tokens: Some(&[]) })
}

/// Checks that the model has a pooler. The dense layer of a classifier also uses the first token, but
/// HuggingFace's `pooler_output` is the output of the base model's pooler.
fn check_pooler(model: &Model, layers: Layers, is_last: bool) -> Result<(), Error> {
    if !model.spec.head.pooler.is_some_and(|pooler| pooler.is_of_base) {
        let class = model.family.class_name(model.spec.head.kind);
        return Err(Error::NoPooler { class });
    }
    if is_last { Ok(()) } else { Err(Error::PoolerOfOtherLayers { layers }) }
}

fn pool(hidden: &Tensor, tokens: std::ops::Range<usize>, how: &EmbedOptions) -> Embedding {
    let rows = || tokens.clone().map(|token| hidden.row(token));
    let vector = match how.pooling {
        Pooling::Mean => mean(rows()),
        Pooling::Max => max(rows()),
        Pooling::Cls | Pooling::Pooler => hidden.row(tokens.start).to_vec(),
        Pooling::Tokens => {
            let vectors = rows().flat_map(|row| normalized(row.to_vec(), how.normalize)).collect();
            return Embedding::Tokens(Tensor::from_vec(&[tokens.len(), hidden.width()], vectors));
        }
    };
    Embedding::Vector(normalized(vector, how.normalize))
}

/// The mean of rows, accumulated in f64, so that the error does not grow with the length.
pub(crate) fn mean<'a>(rows: impl ExactSizeIterator<Item = &'a [f32]>) -> Vec<f32> {
    let n = rows.len() as f64;
    sums(rows).into_iter().map(|sum| (sum / n) as f32).collect()
}

/// The sum of rows, accumulated in f64.
pub(crate) fn sum<'a>(rows: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    sums(rows).into_iter().map(|sum| sum as f32).collect()
}

fn sums<'a>(rows: impl Iterator<Item = &'a [f32]>) -> Vec<f64> {
    let mut sums = Vec::new();
    for row in rows {
        sums.resize(row.len(), 0.0);
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x));
    }
    sums
}

fn max<'a>(rows: impl Iterator<Item = &'a [f32]>) -> Vec<f32> {
    let mut largest: Vec<f32> = Vec::new();
    for row in rows {
        largest.resize(row.len(), f32::NEG_INFINITY);
        largest.iter_mut().zip(row).for_each(|(largest, &x)| {
            // NaN stays, where `f32::max` would pass over it.
            if x.is_nan() || x > *largest {
                *largest = x;
            }
        });
    }
    largest
}

fn normalized(mut vector: Vec<f32>, normalize: bool) -> Vec<f32> {
    let length = vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
    if normalize && length > 0.0 {
        vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
    }
    vector
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{bare_model, batch, classifier, masked_lm};

    fn vectors(model: &Model, how: EmbedOptions) -> Vec<Vec<f32>> {
        let embeddings =
            embed(model, &batch(model, &[&[2, 5, 3], &[2, 6, 7, 8, 3]]), &how).expect("it can be");
        let vector = |embedding| match embedding {
            Embedding::Vector(vector) => vector,
            Embedding::Tokens(tokens) => tokens.into_vec(),
        };
        embeddings.into_iter().map(vector).collect()
    }

    #[test]
    fn pooling_is_over_the_tokens_of_its_own_row() {
        let model = bare_model();
        let how = |pooling| EmbedOptions { pooling, ..EmbedOptions::default() };
        let tokens = vectors(&model, how(Pooling::Tokens));
        assert_eq!((tokens[0].len(), tokens[1].len()), (3 * 8, 5 * 8));
        let (means, largest) = (vectors(&model, how(Pooling::Mean)), vectors(&model, how(Pooling::Max)));
        for (row, tokens) in tokens.iter().enumerate() {
            for column in 0..8 {
                let numbers = tokens.iter().skip(column).step_by(8);
                let expected = numbers.clone().sum::<f32>() / (tokens.len() / 8) as f32;
                assert!((means[row][column] - expected).abs() < 1e-6);
                assert_eq!(largest[row][column], numbers.copied().fold(f32::MIN, f32::max));
            }
            assert_eq!(vectors(&model, how(Pooling::Cls))[row], tokens[..8]);
        }
    }

    #[test]
    fn layers_are_averaged_before_pooling() {
        let model = bare_model();
        let layer = |first, last| EmbedOptions { layers: Layers { first, last }, ..EmbedOptions::default() };
        let (first, second) = (vectors(&model, layer(1, 1)), vectors(&model, layer(2, 2)));
        let both = vectors(&model, layer(1, 2));
        for (column, mean) in both[1].iter().enumerate() {
            assert!((mean - (first[1][column] + second[1][column]) / 2.0).abs() < 1e-6);
        }
        assert_eq!(vectors(&model, layer(3, 3)), vectors(&model, layer(-1, -1)));
        assert_ne!(vectors(&model, layer(0, 0)), first);
    }

    #[test]
    fn lengths_become_one_when_asked_for() {
        for pooling in Pooling::ALL {
            let how = EmbedOptions { pooling, normalize: true, ..EmbedOptions::default() };
            for vector in vectors(&bare_model(), how).iter().flat_map(|vector| vector.chunks(8)) {
                let length = vector.iter().map(|x| x * x).sum::<f32>();
                assert!((length - 1.0).abs() < 1e-5, "{pooling}: {length}");
            }
        }
        assert_eq!(normalized(vec![0.0, 0.0], true), [0.0, 0.0]);
    }

    #[test]
    fn the_largest_of_numbers_with_nan_is_nan() {
        let rows: [&[f32]; 3] = [&[1.0, f32::NAN, 3.0], &[f32::NAN, 2.0, 4.0], &[0.0, 5.0, f32::INFINITY]];
        let largest = max(rows.into_iter());
        assert!(largest[0].is_nan() && largest[1].is_nan() && largest[2] == f32::INFINITY, "{largest:?}");
    }

    #[test]
    fn a_masked_lm_gives_the_encoders_vectors() {
        let model = masked_lm();
        let tokens = vectors(&model, EmbedOptions { pooling: Pooling::Tokens, ..EmbedOptions::default() });
        assert_eq!(tokens[1].len(), 5 * 8);
    }

    #[test]
    fn a_pooler_that_is_not_there_is_an_error() {
        let how = EmbedOptions { pooling: Pooling::Pooler, ..EmbedOptions::default() };
        let refused = |model: &Model, how: &EmbedOptions| {
            embed(model, &batch(model, &[&[2, 3]]), how).expect_err("no such pooler").to_string()
        };
        assert!(refused(&masked_lm(), &how).contains("BertForMaskedLM has no pooler"));
        // DistilBERT's pre_classifier is no pooler, BERT's pooler below a classifier is one.
        assert!(refused(&classifier("distilbert"), &how).contains("has no pooler"));
        assert_eq!(vectors(&classifier("bert"), how).len(), 2);
        let how = EmbedOptions { layers: Layers { first: 1, last: -1 }, ..how };
        assert!(refused(&bare_model(), &how).contains("last layer"));
    }

    #[test]
    fn poolings_are_written_as_they_are_read() {
        for pooling in Pooling::ALL {
            assert_eq!(pooling.to_string().parse::<Pooling>().expect("it is one"), pooling);
        }
        let error = "average".parse::<Pooling>().expect_err("it is none").to_string();
        assert!(error.contains("average") && error.contains("mean, cls, max, pooler, tokens"), "{error}");
    }
}
