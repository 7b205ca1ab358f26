//! What stands on the encoder: a pooler over what the head reads, a classifier over rows or tokens, a
//! masked-LM part. A head is any of them together, as its spec says; none knows a family.

mod classifier;
mod pooler;
pub(crate) mod predictions;

use crate::frozen::Frozen;
use crate::layers::pooling::{self, Rows};
use crate::packed::Packed;
use crate::params::Params;
use crate::slot::GradientSum;
use crate::spec::{Reads, Spec};
use bertlab_compute::Tensor;
use bertlab_compute::random::mix;
use classifier::KeptClassifier;
use pooler::KeptPooler;
use predictions::KeptPredictions;

/// What the head gives.
#[derive(Clone, Debug, Default)]
pub struct HeadOutput {
    /// `[B, D]`, where there is a pooler.
    pub pooler_output: Option<Tensor>,
    /// `[B, C]` of a sequence classifier, `[T, C]` of a token classifier, `[T, 2]` (start, end) of
    /// question answering, `[tokens asked for, V]` of a masked LM.
    pub logits: Option<Tensor>,
    /// Next sentence: `[B, 2]`
    pub relationship_logits: Option<Tensor>,
}

/// Where the gradient comes from, shaped as the outputs are. What is none has no gradient.
#[derive(Clone, Debug, Default)]
pub struct HeadGradient {
    /// As [`HeadOutput::logits`].
    pub logits: Option<Tensor>,
    /// As [`HeadOutput::relationship_logits`].
    pub relationship_logits: Option<Tensor>,
    /// A loss of one's own on the encoder's output. `[T, D]`
    pub last_hidden_state: Option<Tensor>,
}

/// The head with all that it needs to run.
#[derive(Clone, Copy)]
pub(crate) struct Head<'a> {
    pub spec: &'a Spec,
    pub params: &'a Params,
    pub packed: &'a Packed,
    pub frozen: Frozen,
}

/// What the forward pass leaves for the backward pass.
pub(crate) struct KeptHead {
    /// Where rows start in the hidden state, and the end. `[B + 1]`
    row_starts: Vec<usize>,
    pooler: Option<KeptPooler>,
    classifier: Option<KeptClassifier>,
    predictions: Option<KeptPredictions>,
    relationship: Option<KeptClassifier>,
}

/// The dropout sites; the encoder's layers count from 0.
const SITE_BEFORE_POOLER: u64 = 1 << 32;
const SITE_BEFORE_CLASSIFIER: u64 = SITE_BEFORE_POOLER + 1;

impl Head<'_> {
    /// `hidden [T, D]`, or `[B, D]` of each row's first token alone; `row_starts`: where rows start in it, and the end.
    /// `tokens`: which tokens go through the masked-LM part, all when none.
    pub(crate) fn forward(
        &self,
        hidden: &Tensor,
        row_starts: Vec<usize>,
        tokens: Option<&[usize]>,
    ) -> HeadOutput {
        self.forward_keeping(hidden, row_starts, tokens, None).0
    }

    pub(crate) fn forward_keeping(
        &self,
        hidden: &Tensor,
        row_starts: Vec<usize>,
        tokens: Option<&[usize]>,
        dropout_key: Option<u64>,
    ) -> (HeadOutput, KeptHead) {
        let reads = self.spec.head.reads;
        let read = pooling::forward(reads, hidden, Rows { starts: &row_starts });
        let (pooled, pooler) = self.pool(&read, dropout_key).unzip();
        let (logits, classifier) = self.classify(pooled.as_ref().unwrap_or(&read), dropout_key).unzip();
        let (words, predictions) = self.predict(hidden, tokens).unzip();
        let (relationship_logits, relationship) =
            pooled.as_ref().and_then(|pooled| self.relate(pooled)).unzip();
        let pooler_output = pooled.filter(|_| reads != Reads::Tokens);
        let output = HeadOutput { pooler_output, logits: logits.or(words), relationship_logits };
        (output, KeptHead { row_starts, pooler, classifier, predictions, relationship })
    }

    /// Adds to the head's gradients; gives `d_hidden`, shaped as `hidden` was.
    pub(crate) fn backward(
        &self,
        d: HeadGradient,
        kept: KeptHead,
        gradients: &mut Params<GradientSum>,
    ) -> Tensor {
        let (width, n_tokens) = (self.spec.encoder.width, kept.row_starts[kept.row_starts.len() - 1]);
        let mut d_hidden = d
            .last_hidden_state
            .unwrap_or_else(|| Tensor::zeros_on(self.params.embeddings.word.device(), &[n_tokens, width]));
        let mut d_read: Option<Tensor> = None;
        if let (Some(d_logits), Some(kept)) = (&d.logits, kept.classifier) {
            d_read = Some(self.classify_backward(d_logits, kept, gradients));
        }
        if let (Some(d_logits), Some(kept)) = (&d.logits, kept.predictions) {
            self.predict_backward(d_logits, kept, gradients, &mut d_hidden);
        }
        if let (Some(d_logits), Some(kept)) = (&d.relationship_logits, kept.relationship) {
            d_read = Some(self.relate_backward(d_logits, kept, gradients));
        }
        if let Some(mut d_read) = d_read {
            if let Some(pooler) = kept.pooler {
                d_read = self.pool_backward(d_read, pooler, gradients);
            }
            let rows = Rows { starts: &kept.row_starts };
            pooling::backward(self.spec.head.reads, &d_read, rows, &mut d_hidden);
        }
        d_hidden
    }

    fn key(dropout_key: Option<u64>, site: u64) -> Option<u64> {
        dropout_key.map(|key| mix(key, site))
    }
}
