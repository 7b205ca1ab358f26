//! T3: the hidden states of all layers, and the last four of them against the last one.

use bertlab_explore::{Layers, WordOptions, cosine, word_vectors};
use serde::Serialize;

use super::{Figure, SENTENCES};
use bertlab::{Error, OpenedModel};

/// The lab's slice, `hidden_states[-4:]`.
const STATES_AVERAGED: usize = 4;

/// All hidden states.
#[derive(Clone, Debug, Serialize)]
pub struct LayersTask {
    /// L + 1: the embeddings' output, and every layer's.
    pub n_hidden_states: usize,
    /// Of each, as HuggingFace gives them. `[B, N, D]`
    pub shape: [usize; 3],
    /// How many of the last are averaged: 4, or all where there are fewer.
    pub n_averaged: usize,
    /// The lab's cosine: CPU in sentence 1, the mean of the last layers, against T2's CPU, the mean of sentences 1 and
    /// 2 in the last layer. Two things change at once.
    pub last_four: Figure,
    /// How a word finds its meaning: CPU in sentence 1 after each hidden state, against the last one. `[L + 1]`
    pub towards_last: Vec<Option<f32>>,
    /// How words come together or part: CPU in sentence 1 against GPU in sentence 3, in each hidden state. `[L + 1]`
    pub cpu_gpu: Vec<Option<f32>>,
    /// Only the layers change: CPU in sentence 1, the mean of the last layers against the last one.
    pub layers_only: Figure,
    /// Only the occurrences change: CPU in the last layer, in sentence 1 against the mean of sentences 1 and 2.
    pub occurrences_only: Figure,
}

impl LayersTask {
    pub(super) fn of(opened: &OpenedModel, shape: [usize; 3]) -> Result<Self, Error> {
        let n_hidden_states = opened.model.spec.encoder.n_layers + 1;
        let n_averaged = STATES_AVERAGED.min(n_hidden_states);
        let last = Layers { first: -(n_averaged as isize), last: -1 };
        let averaged = word_vector(opened, "CPU@1", last)?;
        let first_sentence = word_vector(opened, "CPU@1", Layers::LAST)?;
        let both_sentences = word_vector(opened, "CPU@1,2", Layers::LAST)?;
        let figure = |name, a: &[f32], b: &[f32]| Figure::new(name, cosine(a, b));
        let (mut towards_last, mut cpu_gpu) = (Vec::new(), Vec::new());
        for layer in 0..n_hidden_states as isize {
            let layer = Layers { first: layer, last: layer };
            let [cpu, gpu] = vectors(opened, ["CPU@1", "GPU@3"], layer)?;
            towards_last.push(cosine(&cpu, &first_sentence));
            cpu_gpu.push(cosine(&cpu, &gpu));
        }
        Ok(Self {
            n_hidden_states,
            shape,
            n_averaged,
            towards_last,
            cpu_gpu,
            last_four: figure("cos", &averaged, &both_sentences),
            layers_only: figure("cos_layers_only", &averaged, &first_sentence),
            occurrences_only: figure("cos_occurrences_only", &first_sentence, &both_sentences),
        })
    }
}

/// `[D]`
fn word_vector(opened: &OpenedModel, word: &str, layers: Layers) -> Result<Vec<f32>, Error> {
    vectors(opened, [word], layers).map(|[vector]| vector)
}

/// Of several words in one pass: `[D]` each.
fn vectors<const N: usize>(
    opened: &OpenedModel,
    words: [&str; N],
    layers: Layers,
) -> Result<[Vec<f32>; N], Error> {
    let options = WordOptions { layers, ..WordOptions::default() };
    let sentences = SENTENCES.map(str::to_owned);
    let queries = words.into_iter().map(str::parse).collect::<Result<Vec<_>, _>>()?;
    let found = word_vectors(&opened.model, opened.tokenizer()?, &sentences, &queries, &options)?;
    let vectors: Vec<Vec<f32>> = found.into_iter().map(|word| word.vector).collect();
    Ok(vectors.try_into().expect("each word has one vector"))
}
