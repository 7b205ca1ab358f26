//! The bottom of an encoder: rows of tables, added and normalised.

use super::norm::Norm;
use super::{Builder, walk_fields};
use crate::batch::Batch;
use crate::gradients::Words;
use crate::slot::{GradientSum, Initial, Parameter, Role, fill_sinusoids};
use crate::spec::{EncoderSpec, Positions};
use bertlab_compute::ops::dropout::{self, Dropout};
use bertlab_compute::ops::embedding::{self, Lookup};
use bertlab_compute::{Buffer, View};

/// The parameters of the tables at the bottom.
#[derive(Clone, Debug)]
pub struct Embeddings<P = Parameter> {
    /// `[V, D]`
    pub word: P,
    /// `[positions, D]`, where they are embedded
    pub position: Option<P>,
    /// `[types, D]`
    pub token_type: Option<P>,
    /// After the sum.
    pub norm: Norm<P>,
}

walk_fields!(Embeddings { word, position, token_type, norm });

impl<P> Embeddings<P> {
    pub(crate) fn build(spec: &EncoderSpec, mut at: Builder<'_, P>) -> Self {
        let (width, initial) = (spec.width, spec.initial());
        let shape = [spec.vocab_size, width];
        let word = at.words("word_embeddings.weight", &shape, initial, spec.zero_word());
        let of_positions = match spec.positions {
            Positions::Learned => Some(initial),
            Positions::Sinusoidal => Some(Initial::Sinusoids),
            Positions::Rotary { .. } => None,
        };
        let shape = [spec.max_positions, width];
        let position = of_positions
            .map(|initial| at.slot("position_embeddings.weight", &shape, Role::PositionTable, initial));
        let shape = [spec.n_token_types, width];
        let token_type = (spec.n_token_types > 0)
            .then(|| at.slot("token_type_embeddings.weight", &shape, Role::TypeTable, initial));
        Self { word, position, token_type, norm: spec.norms.build(width, at.at("LayerNorm")) }
    }
}

impl Embeddings {
    /// The sum of the tables' rows, and its norm with dropout. `[T, D]` both.
    pub(crate) fn forward(
        &self,
        spec: &EncoderSpec,
        batch: &Batch,
        dropout: Option<Dropout>,
    ) -> (Buffer, Buffer) {
        let mut lookups = vec![Lookup { table: self.word.view(), indices: batch.input_ids() }];
        if let Some(token_type) = &self.token_type {
            lookups.push(Lookup { table: token_type.view(), indices: batch.token_type_ids() });
        }
        if let Some(position) = &self.position {
            lookups.push(Lookup { table: position.view(), indices: batch.position_ids() });
        }
        let mut sum = embedding::forward(&lookups, spec.width);
        let mut out = self.norm.forward(spec.norms.epsilon, &mut sum, None, None);
        if let Some(dropout) = dropout {
            dropout::apply(dropout, &mut out, spec.width);
        }
        (sum, out)
    }

    /// Adds to the gradients of tables and norm. `d [T, D]`, of the output; `sum`: what the forward pass gave.
    pub(crate) fn backward(
        &self,
        pass: EmbeddingsGradient<'_>,
        mut d: Buffer,
        sum: View<'_>,
        gradients: &mut Embeddings<GradientSum>,
    ) {
        let EmbeddingsGradient { spec, batch, words, dropout } = pass;
        let width = spec.width;
        if let Some(dropout) = dropout {
            dropout::apply(dropout, &mut d, width);
        }
        self.norm.backward(spec.norms.epsilon, sum, &mut d, Some(&mut gradients.norm));
        let (rows, pad) = (words.rows_of(batch.input_ids()), words.row_of(spec.pad_token_id));
        embedding::backward(&d, &rows, pad, gradients.word.view_mut(), width);
        if let Some(token_type) = &mut gradients.token_type {
            embedding::backward(&d, batch.token_type_ids(), None, token_type.view_mut(), width);
        }
        if let Some(position) = gradients.position.as_mut().filter(|sum| !sum.slot.is_computed()) {
            let padding = spec.padding_position();
            embedding::backward(&d, batch.position_ids(), padding, position.view_mut(), width);
        }
    }
}

/// What the backward pass through the tables needs to know.
#[derive(Clone, Copy)]
pub(crate) struct EmbeddingsGradient<'a> {
    pub spec: &'a EncoderSpec,
    pub batch: &'a Batch,
    /// Which rows of the table of words have a gradient.
    pub words: &'a Words,
    /// As in the forward pass.
    pub dropout: Option<Dropout>,
}

impl Embeddings {
    /// Lets a learned table of positions begin as sinusoids, with the standard deviation of other new weights: places that
    /// are near each other are alike from the first step on, where a random table has to learn that for every place.
    pub(crate) fn order_positions(&mut self, spec: &EncoderSpec) {
        if let Some(table) = self.learned_positions() {
            fill_sinusoids(table);
            let amplitude = spec.initializer_range * std::f32::consts::SQRT_2;
            table.as_mut_slice().iter_mut().for_each(|x| *x *= amplitude);
        }
    }

    /// Lets a learned table of positions go on after the first `n_learnt` places with copies of these, again and again
    /// (Beltagy et al. 2020, Longformer): what attention has learnt of near places holds within each copy.
    pub(crate) fn repeat_positions(&mut self, spec: &EncoderSpec, n_learnt: usize) {
        if let Some(table) = self.learned_positions() {
            let offset = spec.position_offset;
            for place in n_learnt..spec.max_tokens() {
                let learnt = table.row(offset + place % n_learnt).to_vec();
                table.row_mut(offset + place).copy_from_slice(&learnt);
            }
        }
    }

    fn learned_positions(&mut self) -> Option<&mut Parameter> {
        self.position.as_mut().filter(|table| !table.slot().is_computed())
    }
}
