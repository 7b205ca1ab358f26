//! What a model costs, from its spec alone: numbers to hold, operations to make. No weight is needed.
//!
//! T tokens of a batch, s of a row, D width, F inner width, L layers, V vocabulary, C outputs.

use crate::dtype::ComputeDtype;
use crate::layers::block::{BlockSpec, Kept};
use crate::slot::{Role, Slot};
use crate::spec::{EncoderSpec, HeadKind, Spec};

/// Bytes of a number.
const NUMBER: usize = size_of::<f32>();

/// How far back a model is trained.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Back {
    /// Layers through which the backward pass goes, from the top.
    pub n_layers: usize,
    /// Keep a layer's input alone and compute the rest again.
    pub gradient_checkpointing: bool,
}

/// Rows that go through a model together, as far as they cost memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchSize {
    /// B
    pub n_rows: usize,
    /// T
    pub n_tokens: usize,
    /// Tokens that go through a masked-LM part.
    pub n_labelled: usize,
}

impl EncoderSpec {
    /// Floating-point operations of the encoder's matrix products over rows of these lengths, forward, two for every
    /// multiply-add: `T·L·(8·D² + 4·D·F) + 4·L·D·Σ s²`. A backward pass makes twice as many.
    pub fn forward_flops(&self, lengths: impl IntoIterator<Item = usize>) -> f64 {
        let of_row = |s: f64| self.blocks().map(|block| block.flops(s, s)).sum::<f64>();
        lengths.into_iter().map(|s| of_row(s as f64)).sum()
    }

    /// What the last layer spares over rows of these lengths where only their first tokens are wanted.
    fn spared_flops(&self, lengths: impl IntoIterator<Item = usize>) -> f64 {
        let Some(last) = self.blocks().next_back() else { return 0.0 };
        lengths.into_iter().map(|s| last.flops(s as f64, s as f64) - last.flops(s as f64, 1.0)).sum()
    }
}

impl Spec {
    /// As [`EncoderSpec::forward_flops`], for the head's output alone: with a masked-LM part over `n_labelled` tokens, and
    /// without what a classifier of rows does not read. Parts over rows cost nothing beside.
    pub fn forward_flops(
        &self,
        lengths: impl IntoIterator<Item = usize, IntoIter: Clone>,
        n_labelled: usize,
    ) -> f64 {
        let lengths = lengths.into_iter();
        let spared =
            if self.head.reads_first_tokens() { self.encoder.spared_flops(lengths.clone()) } else { 0.0 };
        let words = self.predictions().map_or(0.0, |part| part.flops(n_labelled as f64));
        self.encoder.forward_flops(lengths) - spared + words
    }

    /// Numbers in all weights.
    pub fn n_parameters(&self) -> usize {
        self.slots().iter().map(Slot::n_numbers).sum()
    }

    /// Bytes of all dense layers packed for the kernels.
    pub fn packed_bytes(&self, dtype: ComputeDtype) -> usize {
        let over_rows = [self.pooler().map(|pooler| pooler.dense), self.classifier(), self.relationship()];
        let over_rows = over_rows.iter().flatten().map(|linear| linear.packed_bytes(ComputeDtype::F32));
        let words = self.predictions().map_or(0, |part| part.packed_bytes(dtype));
        let layers = self.encoder.blocks().map(|block| block.packed_bytes(dtype));
        layers.sum::<usize>() + over_rows.sum::<usize>() + words
    }

    /// Bytes that the forward pass over a micro-batch keeps for the backward pass. With gradient checkpointing that is
    /// the input of every layer through which it goes, and all of one layer.
    pub fn kept_bytes(&self, batch: BatchSize, back: Back) -> usize {
        let width = self.encoder.width;
        let mut kept: Vec<Kept> =
            self.encoder.blocks().rev().take(back.n_layers.max(1)).map(|block| block.kept()).collect();
        let of_layer = |kept: &Kept| kept.of_tokens + kept.of_queries;
        let layers = if back.gradient_checkpointing {
            back.n_layers * width + kept.iter().map(of_layer).max().unwrap_or(0)
        } else {
            if self.head.reads_first_tokens() && back.n_layers > 1 {
                kept[0].of_queries = 0; // Of the last layer only first tokens have an output.
            }
            kept.iter().map(of_layer).sum()
        };
        // Beside the layers: the sum of the embeddings, and a token classifier's input.
        let is_over_tokens =
            matches!(self.head.kind, HeadKind::TokenClassification | HeadKind::QuestionAnswering);
        let transform = self.pooler().map_or(0, |pooler| pooler.kept());
        let head = if is_over_tokens { transform + width + self.head.n_outputs() } else { 0 };
        NUMBER * (batch.n_tokens * (layers + width + head) + self.words_numbers(batch))
    }

    /// Bytes that come and go while one layer goes backward, at the most.
    pub fn working_bytes(&self, batch: BatchSize, dtype: ComputeDtype) -> usize {
        let of_block = |block: BlockSpec<'_>| {
            block.feed_forward.numbers_backward(dtype).max(block.attention.numbers_backward(dtype))
        };
        NUMBER * batch.n_tokens * self.encoder.blocks().map(of_block).max().unwrap_or(0)
    }

    /// Bytes that come and go in a forward pass that keeps nothing, at the most.
    pub fn forward_bytes(&self, batch: BatchSize) -> usize {
        let of_block = |block: BlockSpec<'_>| {
            block.attention.numbers_forward().max(block.feed_forward.numbers_forward())
        };
        let widest = self.encoder.blocks().map(of_block).max().unwrap_or(0);
        NUMBER * (batch.n_tokens * widest + self.words_numbers(batch))
    }

    /// Numbers of a masked-LM part: what it keeps, logits and their gradient.
    fn words_numbers(&self, batch: BatchSize) -> usize {
        self.predictions().map_or(0, |part| batch.n_labelled * part.numbers())
    }

    /// What HuggingFace's Trainer adds to `total_flos` for a batch of so many token places, padding included:
    /// 6 for each place and each parameter outside the embedding tables.
    pub fn training_flos(&self, n_places: usize) -> f64 {
        let is_table =
            |slot: &Slot| matches!(slot.role, Role::WordTable | Role::PositionTable | Role::TypeTable);
        let slots = self.slots().into_iter().filter(|slot| !is_table(slot));
        let n_parameters: usize = slots.map(|slot| slot.n_numbers()).sum();
        6.0 * n_places as f64 * n_parameters as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params::Params;
    use crate::spec::{
        Biases, DropoutSpec, HeadSpec, Initializer, NormPlace, NormSpec, PoolerSpec, Positions,
        PredictionsSpec, ProblemType, Reads, Windows,
    };
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
            windows: Windows::Whole,
            n_token_types: 2,
            activation: Activation::Gelu,
            gate: None,
            has_fused_qkv: false,
            biases: Biases::ALL,
            norms: NormSpec { place: NormPlace::Post, epsilon: 1e-12, has_bias: true },
            dropout: DropoutSpec::post_norm(0.1, 0.1),
            pad_token_id: 0,
            initializer_range: 0.02,
            initializer: Initializer::Normal,
        };
        let predictions = PredictionsSpec {
            activation: Activation::Gelu,
            has_dense_bias: true,
            has_decoder_bias: true,
            is_tied,
        };
        let head = HeadSpec {
            kind,
            labels: ["a", "b", "c"].map(str::to_owned).to_vec(),
            problem_type: ProblemType::SingleLabel,
            reads: Reads::FirstTokens,
            pooler: has_pooler.then(|| PoolerSpec::of_base(Activation::Tanh)),
            dropout: 0.1,
            predictions: matches!(kind, HeadKind::MaskedLm | HeadKind::PreTraining).then_some(predictions),
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
    fn a_classifier_of_rows_spares_most_of_the_last_layer() {
        let rows = spec(HeadKind::SequenceClassification, true, true);
        let encoder = &rows.encoder;
        let spared = encoder.forward_flops([5, 7]) - rows.forward_flops([5, 7], 0);
        let (width, inner) = (12.0, 20.0);
        // All tokens but one of each row: the output's dense layer, two dense layers, and attention.
        let wanted = |s: f64| (s - 1.0) * (2.0 * width * width + 4.0 * width * inner + 4.0 * s * width);
        assert_eq!(spared, wanted(5.0) + wanted(7.0));
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
