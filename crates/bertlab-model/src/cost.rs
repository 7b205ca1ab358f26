//! What a model costs, from its spec alone: numbers to hold, operations to make. No weight is needed.
//!
//! T tokens of a batch, s of a row, D width, F inner width, L layers, V vocabulary, C outputs.

use crate::spec::{EncoderSpec, HeadKind, Spec};

impl EncoderSpec {
    /// Floating-point operations of the encoder's matrix products over rows of these lengths, forward, two for every
    /// multiply-add: `T·L·(8·D² + 4·D·F) + 4·L·D·Σ s²`. A backward pass makes twice as many.
    pub fn forward_flops(&self, lengths: impl IntoIterator<Item = usize>) -> f64 {
        let (width, inner, n_layers) = (self.width as f64, self.inner_width as f64, self.n_layers as f64);
        let lengths = lengths.into_iter().map(|s| s as f64);
        let (n_tokens, squares) = lengths.fold((0.0, 0.0), |(sum, squares), s| (sum + s, squares + s * s));
        n_tokens * n_layers * (8.0 * width * width + 4.0 * width * inner) + 4.0 * n_layers * width * squares
    }

    /// Numbers in the tables of words, positions and token types.
    pub fn n_embedding_parameters(&self) -> usize {
        (self.vocab_size + self.max_positions + self.n_token_types) * self.width
    }
}

impl Spec {
    /// Numbers in all weights.
    pub fn n_parameters(&self) -> usize {
        let EncoderSpec { width, inner_width: inner, n_layers, vocab_size, .. } = self.encoder;
        let dense = |n_inputs: usize, n_outputs: usize| n_inputs * n_outputs + n_outputs;
        let norm = 2 * width;
        let layer = 4 * dense(width, width) + dense(width, inner) + dense(inner, width) + 2 * norm;
        let mut n = self.encoder.n_embedding_parameters() + norm + n_layers * layer;
        if self.head.pooler.is_some() {
            n += dense(width, width);
        }
        if self.head.n_outputs() > 0 {
            n += dense(width, self.head.n_outputs());
        }
        if self.head.has_predictions() {
            n += vocab_size + dense(width, width) + norm;
            n += if self.head.is_tied { 0 } else { vocab_size * width };
        }
        if self.head.kind == HeadKind::PreTraining {
            n += dense(width, 2);
        }
        n
    }

    /// What HuggingFace's Trainer adds to `total_flos` for a batch of so many token places, padding included:
    /// 6 for each place and each parameter outside the embedding tables.
    pub fn training_flos(&self, n_places: usize) -> f64 {
        let n_parameters = self.n_parameters() - self.encoder.n_embedding_parameters();
        6.0 * n_places as f64 * n_parameters as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Params;
    use crate::spec::{HeadSpec, PoolerSpec, Positions, ProblemType};
    use bertlab_compute::ops::activation::Activation;

    /// Sizes that are all different, with any head.
    fn spec(kind: HeadKind, has_pooler: bool, is_tied: bool) -> Spec {
        let encoder = EncoderSpec {
            width: 12,
            n_layers: 3,
            n_heads: 2,
            inner_width: 20,
            vocab_size: 31,
            max_positions: 17,
            position_offset: 0,
            positions: Positions::Learned,
            n_token_types: 2,
            activation: Activation::Gelu,
            norm_epsilon: 1e-12,
            hidden_dropout: 0.1,
            attention_dropout: 0.1,
            pad_token_id: 0,
            initializer_range: 0.02,
        };
        let head = HeadSpec {
            kind,
            labels: ["a", "b", "c"].map(str::to_owned).to_vec(),
            problem_type: ProblemType::SingleLabel,
            pooler: has_pooler.then_some(PoolerSpec { activation: Activation::Tanh, dropout: 0.0 }),
            dropout: 0.1,
            is_tied,
        };
        Spec { encoder, head }
    }

    #[test]
    fn parameters_are_counted_without_making_them() {
        for kind in HeadKind::ALL {
            for (has_pooler, is_tied) in [(false, true), (true, true), (true, false)] {
                let spec = spec(kind, has_pooler, is_tied);
                assert_eq!(spec.n_parameters(), Params::zeros(&spec).n_parameters(), "{kind:?}");
            }
        }
    }

    #[test]
    fn operations_are_those_of_the_products() {
        let encoder = spec(HeadKind::None, true, true).encoder;
        let (width, inner) = (12.0, 20.0);
        // Per layer: query, key, value and output, two dense layers; scores and their sums.
        let one_row = 3.0 * (5.0 * 2.0 * (4.0 * width * width + 2.0 * width * inner) + 4.0 * 25.0 * width);
        assert_eq!(encoder.forward_flops([5]), one_row);
        assert_eq!(encoder.forward_flops([5, 5]), 2.0 * one_row);
        assert!(encoder.forward_flops([10]) > 2.0 * one_row);
    }
}
