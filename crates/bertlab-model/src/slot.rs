//! Slots: what every tensor of a model is. Whoever asks for a weight's role, place or beginning reads its slot, never its
//! name.

use bertlab_compute::random::{Generator, mix};
use bertlab_compute::{Device, Tensor, ViewMut};
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

/// What a tensor does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The table of words: `[V, D]`
    WordTable,
    /// The table of positions: `[positions, D]`
    PositionTable,
    /// The table of token types: `[types, D]`
    TypeTable,
    /// The weight of a dense layer: `[out, in]`
    Matrix,
    /// Added after a dense layer: `[out]`
    Bias,
    /// The scale of a norm: `[D]`
    NormWeight,
    /// The shift of a norm: `[D]`
    NormBias,
}

/// Where in a model a weight stands, from the bottom up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The tables at the bottom and their norm. A masked-LM decoder that is tied to them is one of them.
    Embeddings,
    /// In this layer, from 0.
    Layer(usize),
    /// The norm after the last layer.
    FinalNorm,
    /// In what stands on the encoder.
    Head,
}

impl Place {
    /// How many layers lie between it and the top of an encoder of `n_layers`; 0 in the top layer and above.
    pub fn depth(self, n_layers: usize) -> usize {
        match self {
            Self::Embeddings => n_layers,
            Self::Layer(index) => n_layers - 1 - index,
            Self::FinalNorm | Self::Head => 0,
        }
    }
}

/// How a new tensor begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Initial {
    Zeros,
    Ones,
    /// Normally distributed around 0.
    Normal {
        deviation: f32,
        /// None lies further away than so many deviations.
        cutoff: Option<f32>,
    },
    /// Sines and cosines of the row's number. Such a table is computed: never trained, and not needed in a checkpoint.
    Sinusoids,
}

/// What one tensor of a model is.
#[derive(Clone, Debug, PartialEq)]
pub struct Slot {
    /// BERT's name of it, without the `bert.` prefix.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
    /// What it does.
    pub role: Role,
    /// Where it stands.
    pub place: Place,
    pub(crate) initial: Initial,
    /// The padding token's row, which begins as zeros.
    pub(crate) padding_row: Option<usize>,
}

impl Slot {
    /// Whether weight decay applies: not to biases and norms, as in HuggingFace's two groups.
    pub fn decays(&self) -> bool {
        match self.role {
            Role::WordTable | Role::PositionTable | Role::TypeTable | Role::Matrix => true,
            Role::Bias | Role::NormWeight | Role::NormBias => false,
        }
    }

    /// Whether it is computed instead of trained.
    pub fn is_computed(&self) -> bool {
        self.initial == Initial::Sinusoids
    }

    /// How many numbers it holds.
    pub fn n_numbers(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it belongs to the encoder: without it a checkpoint is unusable.
    pub(crate) fn is_of_encoder(&self) -> bool {
        self.place != Place::Head
    }

    /// Whether an update's first pass writes its gradient instead of adding to zeros: the dense layers of the encoder,
    /// nearly all numbers there are. Zeros would cost two more passes through memory.
    pub(crate) fn is_written_first(&self) -> bool {
        self.role == Role::Matrix && matches!(self.place, Place::Layer(_))
    }

    /// Fills a new tensor. Its numbers depend on the seed and the slot alone.
    pub(crate) fn initialise(&self, tensor: &mut Tensor, seed: u64) {
        match self.initial {
            Initial::Zeros => tensor.as_mut_slice().fill(0.0),
            Initial::Ones => tensor.as_mut_slice().fill(1.0),
            Initial::Sinusoids => fill_sinusoids(tensor),
            Initial::Normal { deviation, cutoff } => {
                let mut generator = self.generator(seed);
                let limit = cutoff.map_or(f64::INFINITY, f64::from);
                for x in tensor.as_mut_slice() {
                    let mut normal = generator.normal();
                    while normal.abs() > limit {
                        normal = generator.normal();
                    }
                    *x = (normal * f64::from(deviation)) as f32;
                }
            }
        }
        if let Some(row) = self.padding_row {
            tensor.row_mut(row).fill(0.0);
        }
    }

    fn generator(&self, seed: u64) -> Generator {
        Generator::new(self.name.bytes().fold(seed, |key, byte| mix(key, u64::from(byte))))
    }
}

/// sin and cos of position / 10000^(2 i / D) in turn (Vaswani et al. 2017).
pub(crate) fn fill_sinusoids(table: &mut Tensor) {
    let width = table.width();
    for position in 0..table.n_rows() {
        for (column, x) in table.row_mut(position).iter_mut().enumerate() {
            let angle = position as f64 / 10_000f64.powf(2.0 * (column / 2) as f64 / width as f64);
            *x = if column % 2 == 0 { angle.sin() } else { angle.cos() } as f32;
        }
    }
}

/// One weight of a model.
#[derive(Clone, Debug)]
pub struct Parameter {
    slot: Arc<Slot>,
    tensor: Tensor,
}

impl Parameter {
    /// Zeros.
    pub(crate) fn zeros(slot: Slot) -> Self {
        let tensor = Tensor::zeros(&slot.shape);
        Self { slot: Arc::new(slot), tensor }
    }

    /// What it is.
    pub fn slot(&self) -> &Arc<Slot> {
        &self.slot
    }

    /// What it is, and its numbers to be changed.
    pub(crate) fn parts_mut(&mut self) -> (&Slot, &mut Tensor) {
        (&self.slot, &mut self.tensor)
    }
}

impl Deref for Parameter {
    type Target = Tensor;
    fn deref(&self) -> &Tensor {
        &self.tensor
    }
}

impl DerefMut for Parameter {
    fn deref_mut(&mut self) -> &mut Tensor {
        &mut self.tensor
    }
}

/// The gradient of one weight, summed over the passes of an update.
#[derive(Clone, Debug)]
pub(crate) struct GradientSum {
    pub slot: Arc<Slot>,
    /// Shaped as the weight; of the table of words maybe some rows alone.
    pub tensor: Tensor,
    /// An update's first pass writes it.
    is_written_first: bool,
    /// No pass was added yet: it still holds an earlier update's sum, to be replaced.
    is_fresh: bool,
}

impl GradientSum {
    /// On the weights' device.
    pub(crate) fn zeros(slot: Slot, is_trained: bool, device: Device) -> Self {
        let is_written_first = is_trained && slot.is_written_first();
        let tensor = Tensor::zeros_on(device, &slot.shape);
        Self { slot: Arc::new(slot), tensor, is_written_first, is_fresh: is_written_first }
    }

    /// Begins an update.
    pub(crate) fn begin(&mut self) {
        self.is_fresh = self.is_written_first;
        if !self.is_fresh {
            self.tensor.view_mut().fill(0.0);
        }
    }

    /// Where no pass was added, the sum is 0.
    pub(crate) fn finish(&mut self) {
        if std::mem::take(&mut self.is_fresh) {
            self.tensor.view_mut().fill(0.0);
        }
    }

    /// The sum, and whether the pass at hand adds to it instead of replacing it.
    pub(crate) fn for_pass(&mut self) -> (ViewMut<'_>, bool) {
        let adds = !std::mem::take(&mut self.is_fresh);
        (self.tensor.view_mut(), adds)
    }
}

impl Deref for GradientSum {
    type Target = Tensor;
    fn deref(&self) -> &Tensor {
        &self.tensor
    }
}

impl DerefMut for GradientSum {
    fn deref_mut(&mut self) -> &mut Tensor {
        &mut self.tensor
    }
}
