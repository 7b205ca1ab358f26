//! `ElementType`: how a number is held.

/// How a number of a buffer is held, or both factors of a product while they are multiplied (sums are always
/// f32, or exact).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ElementType {
    /// As it is.
    #[default]
    F32,
    /// Rounded to bf16 (8 bits of mantissa).
    Bf16,
    /// An integer in -127..=127, with a scale for every row or column of a matrix. For inference.
    Int8,
}

impl ElementType {
    /// Bytes of one number.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F32 => 4,
            Self::Bf16 => 2,
            Self::Int8 => 1,
        }
    }
}
