//! `Model`: an encoder with its head, ready to run; the one noun that the rooms above know.

use crate::batch::Batch;
use crate::cost::Back;
use crate::dtype::ComputeDtype;
use crate::encoder::{Encoder, EncoderOutput, KeptEncoder};
use crate::error::Error;
use crate::families::Family;
use crate::frozen::Frozen;
use crate::gradients::Gradients;
use crate::heads::{Head, HeadGradient, HeadOutput, KeptHead};
use crate::layers::rotation::Rotations;
use crate::packed::Packed;
use crate::params::Params;
use crate::slot::Slot;
use crate::spec::Spec;
use bertlab_compute::ops::attention::Queries;
use bertlab_compute::{Buffer, Tensor, threads};
use serde_json::{Map, Value};

/// An encoder with its head.
// Invariant: `packed` was made from `params`, in `dtype`.
#[derive(Clone)]
pub struct Model {
    /// Whose names its files use.
    pub family: &'static Family,
    /// Sizes and choices.
    pub spec: Spec,
    /// config.json as it was read, unknown keys included.
    pub config: Map<String, Value>,
    params: Params,
    packed: Packed,
    dtype: ComputeDtype,
    frozen: Frozen,
}

/// What a forward pass shall give beyond the last hidden state and the head's output.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'a> {
    /// Every layer's output.
    pub hidden_states: bool,
    /// Every layer's attention maps.
    pub attentions: bool,
    /// Which packed tokens go through the masked-LM part (all when none).
    pub tokens: Option<&'a [usize]>,
}

/// What a forward pass gives.
#[derive(Clone, Debug)]
pub struct Output {
    /// Of the encoder.
    pub encoder: EncoderOutput,
    /// Of the head.
    pub head: HeadOutput,
}

/// How a forward pass is made for training.
#[derive(Clone, Copy, Debug, Default)]
pub struct Training<'a> {
    /// Where dropout falls; none for no dropout.
    pub dropout_key: Option<u64>,
    /// Keep a layer's input alone and compute the rest again.
    pub gradient_checkpointing: bool,
    /// Which packed tokens go through the masked-LM part (all when none).
    pub tokens: Option<&'a [usize]>,
    /// The loss is of the head's output alone: where that reads each row's first token, the last layer computes no
    /// others.
    pub head_alone: bool,
}

/// What a forward pass leaves for the backward pass.
pub struct Kept {
    encoder: KeptEncoder,
    head: KeptHead,
}

impl Model {
    /// Of weights in hand; `dtype` is that of the encoder's matrix products.
    pub fn new(
        family: &'static Family,
        spec: Spec,
        config: Map<String, Value>,
        params: Params,
        dtype: ComputeDtype,
    ) -> Self {
        let packed = Packed::new(&params, dtype);
        Self { family, spec, config, params, packed, dtype, frozen: Frozen::default() }
    }

    /// As what the encoder's matrix products are computed.
    pub fn dtype(&self) -> ComputeDtype {
        self.dtype
    }

    /// Refuses a backward pass in a dtype that is for inference alone.
    ///
    /// # Errors
    /// Such a dtype.
    pub fn check_trains(&self) -> Result<(), Error> {
        if self.dtype.trains() { Ok(()) } else { Err(Error::DtypeDoesNotTrain(self.dtype.name())) }
    }

    /// The weights.
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// Changes the weights, and packs them anew.
    pub fn update<T: Send>(&mut self, change: impl FnOnce(&mut Params) -> T + Send) -> T {
        self.change(change, 0)
    }

    /// Lets a learned table of positions begin as sinusoids instead of at random: for a new model, before its training.
    pub fn order_positions(&mut self) {
        let spec = self.spec.encoder.clone();
        self.update(|params| params.embeddings.order_positions(&spec));
    }

    /// Lets places after the first `n_learnt` begin as copies of these: for a model that was trained on shorter texts
    /// than it takes.
    ///
    /// # Panics
    /// When `n_learnt` is 0.
    pub fn repeat_positions(&mut self, n_learnt: usize) {
        assert!(n_learnt > 0, "there is nothing to copy");
        let spec = self.spec.encoder.clone();
        self.update(|params| params.embeddings.repeat_positions(&spec, n_learnt));
    }

    /// Changes weights that are not frozen, and packs those anew. What is frozen must stay as it is.
    pub fn update_trained<T: Send>(&mut self, change: impl FnOnce(&mut Params) -> T + Send) -> T {
        self.change(change, self.frozen.n_layers)
    }

    /// Changes weights, and packs those of the layers from `first_layer` on anew.
    fn change<T: Send>(&mut self, change: impl FnOnce(&mut Params) -> T + Send, first_layer: usize) -> T {
        let Self { params, packed, .. } = self;
        threads::inside(|| {
            let result = change(params);
            packed.fill(params, first_layer);
            result
        })
    }

    /// From now on these weights get no gradients, and the backward pass ends above the lowest that do.
    /// Panics when there are fewer layers.
    pub fn freeze(&mut self, frozen: Frozen) {
        let n_layers = self.spec.encoder.n_layers;
        assert!(frozen.n_layers <= n_layers, "{} of {n_layers} layers", frozen.n_layers);
        self.frozen = frozen;
    }

    /// What is frozen.
    pub fn frozen(&self) -> Frozen {
        self.frozen
    }

    /// Whether the weight in this slot is trained: neither frozen nor computed.
    pub fn is_trained(&self, slot: &Slot) -> bool {
        !slot.is_computed() && !self.frozen.holds(slot.place)
    }

    /// How many numbers are trained.
    pub fn n_trained(&self) -> usize {
        let weights = self.params.weights().into_iter();
        weights.filter(|weight| self.is_trained(weight.slot())).map(|weight| weight.len()).sum()
    }

    /// Bytes of weights that are read where their file lies, until they are changed for the first time.
    pub fn borrowed_bytes(&self) -> usize {
        let weights = self.params.weights().into_iter();
        weights.filter(|weight| weight.is_shared()).map(|weight| weight.len() * size_of::<f32>()).sum()
    }

    /// Bytes of the other weights, and of all packed ones.
    pub fn owned_bytes(&self) -> usize {
        let weights = self.spec.n_parameters() * size_of::<f32>() - self.borrowed_bytes();
        weights + self.spec.packed_bytes(self.dtype)
    }

    /// How far back it is trained, as it is frozen.
    pub fn back(&self, gradient_checkpointing: bool) -> Back {
        let n_layers = self.spec.encoder.n_layers - self.frozen.lowest_layer();
        Back { n_layers, gradient_checkpointing }
    }

    /// Every weight with HuggingFace's name.
    pub fn named_tensors(&self) -> Vec<(String, &Tensor)> {
        let weights = self.params.weights().into_iter();
        weights.map(|weight| (self.name_of(&weight.slot().name), &**weight)).collect()
    }

    /// HuggingFace's name of a canonical name, as this model's files have it.
    pub fn name_of(&self, canonical: &str) -> String {
        self.family.name_of(self.spec.head.kind, canonical)
    }

    /// Runs the model.
    pub fn forward(&self, batch: &Batch, request: Request<'_>) -> Output {
        threads::inside(|| {
            let rotations = self.rotations(batch);
            let encoder = self.encoder(&rotations);
            let encoder = encoder.forward(batch, request.hidden_states, request.attentions);
            let row_starts = row_starts(batch, Queries::All);
            let head = self.head().forward(&encoder.last_hidden_state, row_starts, request.tokens);
            Output { encoder, head }
        })
    }

    /// The head's output alone, the same as [`Self::forward`] gives, bit for bit: where it reads each row's first token, the
    /// last layer computes no others. `tokens`: which go through the masked-LM part, all when none.
    pub fn forward_head(&self, batch: &Batch, tokens: Option<&[usize]>) -> HeadOutput {
        let outputs = self.outputs(true);
        threads::inside(|| {
            let hidden = self.hidden(self.encoder(&self.rotations(batch)).forward_of(batch, outputs));
            self.head().forward(&hidden, row_starts(batch, outputs), tokens)
        })
    }

    /// Runs the model for training. Panics when its dtype is not one that trains.
    pub fn forward_keeping(&self, batch: &Batch, training: Training<'_>) -> (HeadOutput, Kept) {
        let Training { dropout_key, gradient_checkpointing, tokens, head_alone } = training;
        let outputs = self.outputs(head_alone);
        threads::inside(|| {
            let rotations = self.rotations(batch);
            let encoder = self.encoder(&rotations);
            let (hidden, encoder) =
                encoder.forward_keeping(batch, outputs, dropout_key, gradient_checkpointing);
            let (hidden, row_starts) = (self.hidden(hidden), row_starts(batch, outputs));
            let (output, head) = self.head().forward_keeping(&hidden, row_starts, tokens, dropout_key);
            (output, Kept { encoder, head })
        })
    }

    /// The tokens of which the last layer has an output.
    fn outputs(&self, head_alone: bool) -> Queries {
        if head_alone && self.spec.head.reads_first_tokens() { Queries::Firsts } else { Queries::All }
    }

    fn hidden(&self, data: Buffer) -> Tensor {
        let width = self.spec.encoder.width;
        Tensor::from_buffer(&[data.len() / width, width], data)
    }

    /// Adds the gradients of all weights that are not frozen to `gradients`.
    pub fn backward(&self, d: HeadGradient, batch: &Batch, kept: Kept, gradients: &mut Gradients) {
        threads::inside(|| {
            let d_hidden = self.head().backward(d, kept.head, &mut gradients.params);
            let rotations = self.rotations(batch);
            self.encoder(&rotations).backward(d_hidden.into_buffer(), batch, kept.encoder, gradients);
        });
    }

    fn rotations(&self, batch: &Batch) -> Rotations {
        Rotations::new(&self.spec.encoder, batch)
    }

    fn encoder<'a>(&'a self, rotations: &'a Rotations) -> Encoder<'a> {
        Encoder {
            spec: &self.spec.encoder,
            params: &self.params,
            packed: &self.packed,
            rotations,
            dtype: self.dtype,
            frozen: self.frozen,
        }
    }

    fn head(&self) -> Head<'_> {
        Head { spec: &self.spec, params: &self.params, packed: &self.packed, frozen: self.frozen }
    }
}

/// Where rows start in a hidden state of these tokens, and the end.
fn row_starts(batch: &Batch, outputs: Queries) -> Vec<usize> {
    match outputs {
        Queries::All => batch.row_starts().to_vec(),
        Queries::Firsts => (0..=batch.n_rows()).collect(),
    }
}
