//! What stands on the encoder: a pooler over the first token, a classifier over rows or tokens, a
//! masked-LM part. A head is any of them together, as its spec says; none knows a family.

mod classifier;
mod pooler;
pub(crate) mod predictions;

use crate::frozen::Frozen;
use crate::packed::Packed;
use crate::params::Params;
use crate::slot::GradientSum;
use crate::spec::Spec;
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
    /// Where rows' first tokens stand in the hidden state, and how many tokens are there.
    firsts: Vec<usize>,
    n_tokens: usize,
    pooler: Option<KeptPooler>,
    classifier: Option<KeptClassifier>,
    predictions: Option<KeptPredictions>,
    relationship: Option<KeptClassifier>,
}

/// The dropout sites; the encoder's layers count from 0.
const SITE_BEFORE_POOLER: u64 = 1 << 32;
const SITE_BEFORE_CLASSIFIER: u64 = SITE_BEFORE_POOLER + 1;

impl Head<'_> {
    /// `hidden [T, D]`, or `[B, D]` of each row's first token alone; `firsts`: where these stand in it. `tokens`: which
    /// tokens go through the masked-LM part, all when none.
    pub(crate) fn forward(
        &self,
        hidden: &Tensor,
        firsts: Vec<usize>,
        tokens: Option<&[usize]>,
    ) -> HeadOutput {
        self.forward_keeping(hidden, firsts, tokens, None).0
    }

    pub(crate) fn forward_keeping(
        &self,
        hidden: &Tensor,
        firsts: Vec<usize>,
        tokens: Option<&[usize]>,
        dropout_key: Option<u64>,
    ) -> (HeadOutput, KeptHead) {
        let (pooled, pooler) = self.pool(hidden, &firsts, dropout_key).unzip();
        let over = if self.is_over_rows() { pooled.as_ref() } else { Some(hidden) };
        let (logits, classifier) = over.and_then(|x| self.classify(x, dropout_key)).unzip();
        let (words, predictions) = self.predict(hidden, tokens).unzip();
        let (relationship_logits, relationship) =
            pooled.as_ref().and_then(|pooled| self.relate(pooled)).unzip();
        let output = HeadOutput { pooler_output: pooled, logits: logits.or(words), relationship_logits };
        let n_tokens = hidden.n_rows();
        (output, KeptHead { firsts, n_tokens, pooler, classifier, predictions, relationship })
    }

    /// Adds to the head's gradients; gives `d_hidden`, shaped as `hidden` was.
    pub(crate) fn backward(
        &self,
        d: HeadGradient,
        kept: KeptHead,
        gradients: &mut Params<GradientSum>,
    ) -> Tensor {
        let width = self.spec.encoder.width;
        let zeros = || Tensor::zeros(&[kept.n_tokens, width]);
        let mut d_hidden = d.last_hidden_state.unwrap_or_else(zeros);
        let mut d_pooled: Option<Tensor> = None;
        if let (Some(d_logits), Some(kept)) = (&d.logits, kept.classifier) {
            let d_input = self.classify_backward(d_logits, kept, gradients);
            if self.is_over_rows() {
                d_pooled = Some(d_input);
            } else {
                add(&mut d_hidden, &d_input);
            }
        }
        if let (Some(d_logits), Some(kept)) = (&d.logits, kept.predictions) {
            self.predict_backward(d_logits, kept, gradients, &mut d_hidden);
        }
        if let (Some(d_logits), Some(kept)) = (&d.relationship_logits, kept.relationship) {
            d_pooled = Some(self.relate_backward(d_logits, kept, gradients));
        }
        if let (Some(d_pooled), Some(pooler)) = (d_pooled, kept.pooler) {
            self.pool_backward(d_pooled, pooler, &kept.firsts, gradients, &mut d_hidden);
        }
        d_hidden
    }

    /// Whether the classifier reads rows (the pooler's output) rather than tokens.
    fn is_over_rows(&self) -> bool {
        self.spec.head.reads_first_tokens()
    }

    fn key(dropout_key: Option<u64>, site: u64) -> Option<u64> {
        dropout_key.map(|key| mix(key, site))
    }
}

fn add(sum: &mut Tensor, x: &Tensor) {
    sum.as_mut_slice().iter_mut().zip(x.as_slice()).for_each(|(sum, x)| *sum += x);
}
