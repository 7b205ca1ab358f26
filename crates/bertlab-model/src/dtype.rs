//! `ComputeDtype`: as what the encoder's dense layers hold their numbers while they multiply.

use bertlab_compute::ElementType;
use bertlab_compute::ops::matmul::PackedMatrix;

/// As what numbers are multiplied; sums, norms, softmax and the parts over rows are always f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComputeDtype {
    /// As they are.
    #[default]
    F32,
    /// Rounded to bf16 (8 bits of mantissa).
    Bf16,
    /// For inference: the layers' weights and inputs rounded to bytes, with a scale for each output and for each token;
    /// attention as in bf16.
    Int8,
}

impl ComputeDtype {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::F32, Self::Bf16, Self::Int8];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
            Self::Int8 => "int8",
        }
    }

    /// Of dense layers' products.
    pub fn dense_precision(self) -> ElementType {
        match self {
            Self::F32 => ElementType::F32,
            Self::Bf16 => ElementType::Bf16,
            Self::Int8 => ElementType::Int8,
        }
    }

    /// Of all other products.
    pub fn precision(self) -> ElementType {
        match self {
            Self::F32 => ElementType::F32,
            Self::Bf16 | Self::Int8 => ElementType::Bf16,
        }
    }

    /// The one of the masked-LM part, which chooses among thousands of words: in bytes they would be too near each other.
    pub(crate) fn of_words(self) -> Self {
        if self == Self::Int8 { Self::Bf16 } else { self }
    }

    /// Numbers of four bytes that `n` of its own take.
    pub(crate) fn packed_numbers(self, n: usize) -> usize {
        if self == Self::Bf16 { n / 2 } else { n }
    }

    /// Whether a model that computes so can be trained.
    pub fn trains(self) -> bool {
        self != Self::Int8
    }

    /// Bytes of a dense layer's weight, packed for the kernels.
    pub(crate) fn packed_bytes(self, n_inputs: usize, n_outputs: usize) -> usize {
        PackedMatrix::size_bytes(self.dense_precision(), n_inputs, n_outputs)
    }
}
