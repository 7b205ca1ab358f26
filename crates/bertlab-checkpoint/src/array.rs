//! Named arrays of checkpoint files: element type, shape, little-endian bytes.

use crate::{Bytes, Error};
use std::borrow::Cow;
use std::fmt;
use zerocopy::{FromBytes, IntoBytes};

/// The element types of checkpoint files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // The names say it: kind of number and bits.
pub enum Dtype {
    F64,
    F32,
    F16,
    BF16,
    I64,
    I32,
    I16,
    I8,
    U8,
    Bool,
}

impl Dtype {
    /// All element types, widest first.
    pub const ALL: [Self; 10] = [
        Self::F64,
        Self::I64,
        Self::F32,
        Self::I32,
        Self::BF16,
        Self::F16,
        Self::I16,
        Self::I8,
        Self::U8,
        Self::Bool,
    ];

    /// Size of an element in bytes.
    pub fn size_bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::BF16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// The type with this name in safetensors files; `None` if there is none.
    pub fn from_safetensors_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|dtype| dtype.safetensors_name() == name)
    }

    /// The name in safetensors files.
    pub fn safetensors_name(self) -> &'static str {
        match self {
            Self::F64 => "F64",
            Self::F32 => "F32",
            Self::F16 => "F16",
            Self::BF16 => "BF16",
            Self::I64 => "I64",
            Self::I32 => "I32",
            Self::I16 => "I16",
            Self::I8 => "I8",
            Self::U8 => "U8",
            Self::Bool => "BOOL",
        }
    }

    /// Whether a finite value stays finite when it is rounded to this type; always true for integers and
    /// booleans.
    pub fn holds(self, value: f32) -> bool {
        match self {
            Self::F16 => half::f16::from_f32(value).is_finite(),
            Self::BF16 => half::bf16::from_f32(value).is_finite(),
            _ => true,
        }
    }

    /// Size in bytes of an array of this shape; `None` on overflow.
    pub fn bytes_of_shape(self, shape: &[usize]) -> Option<usize> {
        shape.iter().try_fold(self.size_bytes(), |product, &size| product.checked_mul(size))
    }
}

impl fmt::Display for Dtype {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.safetensors_name())
    }
}

/// One array of a checkpoint.
#[derive(Clone, Debug)]
pub struct NamedArray {
    /// The name in the file, for example `embeddings.word_embeddings.weight`.
    pub name: String,
    /// The element type.
    pub dtype: Dtype,
    /// The size of each axis; empty for a single number.
    pub shape: Vec<usize>,
    /// The elements in C order, little-endian; the length matches shape and dtype.
    pub bytes: Bytes,
}

/// A named array with borrowed elements, for writing without a copy.
#[derive(Clone, Debug)]
pub struct ArrayView<'a> {
    /// The name in the file.
    pub name: String,
    /// The element type.
    pub dtype: Dtype,
    /// The size of each axis; empty for a single number.
    pub shape: &'a [usize],
    /// The elements in C order, little-endian; the length matches shape and dtype.
    pub bytes: Cow<'a, [u8]>,
}

impl<'a> ArrayView<'a> {
    /// A view of F32 values; they are copied only on big-endian machines.
    pub fn of_f32(name: impl Into<String>, shape: &'a [usize], values: &'a [f32]) -> Self {
        let bytes = if cfg!(target_endian = "little") {
            Cow::Borrowed(values.as_bytes())
        } else {
            Cow::Owned(values.iter().flat_map(|value| value.to_le_bytes()).collect())
        };
        Self { name: name.into(), dtype: Dtype::F32, shape, bytes }
    }

    /// F32 values converted to the floating-point type `dtype`, rounded to nearest.
    ///
    /// # Panics
    /// If `dtype` is an integer or boolean type.
    pub fn of_f32_as(name: impl Into<String>, shape: &'a [usize], values: &'a [f32], dtype: Dtype) -> Self {
        let bytes: Vec<u8> = match dtype {
            Dtype::F32 => return Self::of_f32(name, shape, values),
            Dtype::F64 => values.iter().flat_map(|&value| f64::from(value).to_le_bytes()).collect(),
            Dtype::F16 => values.iter().flat_map(|&value| half::f16::from_f32(value).to_le_bytes()).collect(),
            Dtype::BF16 => {
                values.iter().flat_map(|&value| half::bf16::from_f32(value).to_le_bytes()).collect()
            }
            _ => panic!("weights cannot be written as {dtype}"),
        };
        Self { name: name.into(), dtype, shape, bytes: Cow::Owned(bytes) }
    }
}

impl<'a> From<&'a NamedArray> for ArrayView<'a> {
    fn from(array: &'a NamedArray) -> Self {
        let bytes = Cow::Borrowed(&*array.bytes);
        Self { name: array.name.clone(), dtype: array.dtype, shape: &array.shape, bytes }
    }
}

impl NamedArray {
    /// An F32 array; the values are moved, not copied.
    ///
    /// # Panics
    /// If the number of values is not the product of the shape.
    pub fn from_f32(name: impl Into<String>, shape: impl Into<Vec<usize>>, values: Vec<f32>) -> Self {
        let (name, shape) = (name.into(), shape.into());
        assert_eq!(values.len(), shape.iter().product::<usize>(), "array `{name}` of shape {shape:?}");
        Self { name, dtype: Dtype::F32, shape, bytes: values.into() }
    }

    /// An I64 array; the values are moved, not copied.
    ///
    /// # Panics
    /// If the number of values is not the product of the shape.
    pub fn from_i64(name: impl Into<String>, shape: impl Into<Vec<usize>>, values: Vec<i64>) -> Self {
        let (name, shape) = (name.into(), shape.into());
        assert_eq!(values.len(), shape.iter().product::<usize>(), "array `{name}` of shape {shape:?}");
        Self { name, dtype: Dtype::I64, shape, bytes: values.into() }
    }

    /// The number of elements.
    pub fn n_elements(&self) -> usize {
        self.shape.iter().product()
    }

    /// The elements as f32, in C order. F64 is rounded; F16 and BF16 are exact.
    ///
    /// # Errors
    /// [`Error::ElementKind`] for integers and booleans.
    pub fn to_f32(&self) -> Result<Vec<f32>, Error> {
        if let Some(values) = self.as_f32() {
            return Ok(values.to_vec());
        }
        Ok(match self.dtype {
            Dtype::F64 => map_elements(&self.bytes, |bytes| f64::from_le_bytes(bytes) as f32),
            Dtype::F32 => map_elements(&self.bytes, f32::from_le_bytes),
            Dtype::F16 => map_elements(&self.bytes, |bytes| half::f16::from_le_bytes(bytes).to_f32()),
            Dtype::BF16 => map_elements(&self.bytes, |bytes| half::bf16::from_le_bytes(bytes).to_f32()),
            _ => return Err(self.element_kind("floating-point numbers (F64, F32, F16 or BF16)")),
        })
    }

    /// The elements without a copy; `None` if they are not F32 or not aligned (then use [`Self::to_f32`]).
    pub fn as_f32(&self) -> Option<&[f32]> {
        if self.dtype != Dtype::F32 || cfg!(target_endian = "big") {
            return None;
        }
        <[f32]>::ref_from_bytes(&self.bytes).ok()
    }

    /// The elements as i64, in C order; `true` is 1.
    ///
    /// # Errors
    /// [`Error::ElementKind`] for floating-point numbers.
    pub fn to_i64(&self) -> Result<Vec<i64>, Error> {
        Ok(match self.dtype {
            Dtype::I64 => map_elements(&self.bytes, i64::from_le_bytes),
            Dtype::I32 => map_elements(&self.bytes, |bytes| i64::from(i32::from_le_bytes(bytes))),
            Dtype::I16 => map_elements(&self.bytes, |bytes| i64::from(i16::from_le_bytes(bytes))),
            Dtype::I8 => map_elements(&self.bytes, |bytes| i64::from(i8::from_le_bytes(bytes))),
            Dtype::U8 => map_elements(&self.bytes, |[byte]: [u8; 1]| i64::from(byte)),
            Dtype::Bool => map_elements(&self.bytes, |[byte]: [u8; 1]| i64::from(byte != 0)),
            _ => return Err(self.element_kind("integers or booleans")),
        })
    }

    fn element_kind(&self, wanted: &'static str) -> Error {
        Error::ElementKind { name: self.name.clone(), wanted, found: self.dtype }
    }
}

fn map_elements<const N: usize, T>(bytes: &[u8], convert: impl Fn([u8; N]) -> T) -> Vec<T> {
    bytes.as_chunks::<N>().0.iter().map(|&chunk| convert(chunk)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn array(dtype: Dtype, bytes: Vec<u8>) -> NamedArray {
        let n_elements = bytes.len() / dtype.size_bytes();
        NamedArray { name: "a".into(), dtype, shape: vec![n_elements], bytes: bytes.into() }
    }

    #[test]
    fn floats_of_every_width_become_f32() {
        let f64s = [1.5_f64, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
        assert_eq!(array(Dtype::F64, f64s).to_f32().expect("floats"), [1.5, -2.0]);
        // 0x3e00 is 1.5 and 0x0001 the smallest subnormal 2^-24 in f16; 0xc000 is -2 in bf16.
        assert_eq!(array(Dtype::F16, vec![0, 0x3e, 1, 0]).to_f32().expect("floats"), [1.5, 2_f32.powi(-24)]);
        assert_eq!(array(Dtype::BF16, vec![0, 0xc0]).to_f32().expect("floats"), [-2.0]);
        let wide = NamedArray::from_f32("wide", [2, 1], vec![0.1, 0.2]);
        assert_eq!(wide.as_f32(), Some([0.1, 0.2].as_slice()));
        assert_eq!(wide.to_f32().expect("floats"), [0.1, 0.2]);
    }

    #[test]
    fn f32_is_rounded_to_the_nearest_of_a_narrower_type() {
        let values = [1.0, 1.0 + 2_f32.powi(-8) + 2_f32.powi(-20), -0.1];
        let read = |dtype| {
            let view = ArrayView::of_f32_as("a", &[3], &values, dtype);
            array(dtype, view.bytes.into_owned()).to_f32().expect("floats")
        };
        assert_eq!((read(Dtype::F32), read(Dtype::F64)), (values.to_vec(), values.to_vec()));
        assert_eq!(read(Dtype::BF16), [1.0, 1.0 + 2_f32.powi(-7), -0.100_097_656]);
        assert_eq!(read(Dtype::F16), [1.0, 1.0 + 2_f32.powi(-8), -0.099_975_586]);
    }

    #[test]
    fn a_narrower_type_holds_values_up_to_its_largest() {
        for (dtype, held, beyond) in [(Dtype::F16, 65_519.0, 65_520.0), (Dtype::BF16, 3.395e38, f32::MAX)] {
            assert!(dtype.holds(held) && dtype.holds(-held), "{dtype}");
            assert!(!dtype.holds(beyond) && !dtype.holds(-beyond), "{dtype}");
        }
        assert!(Dtype::F32.holds(f32::MAX) && Dtype::F64.holds(f32::MAX));
    }

    #[test]
    fn integers_of_every_width_become_i64() {
        assert_eq!(NamedArray::from_i64("i", [2], vec![-3, 4]).to_i64().expect("integers"), [-3, 4]);
        assert_eq!(array(Dtype::I32, vec![255, 255, 255, 255]).to_i64().expect("integers"), [-1]);
        assert_eq!(array(Dtype::I16, vec![0, 0x80]).to_i64().expect("integers"), [-32768]);
        assert_eq!(array(Dtype::I8, vec![0x80, 3]).to_i64().expect("integers"), [-128, 3]);
        assert_eq!(array(Dtype::U8, vec![0x80, 3]).to_i64().expect("integers"), [128, 3]);
        assert_eq!(array(Dtype::Bool, vec![0, 1]).to_i64().expect("booleans"), [0, 1]);
    }

    #[test]
    fn the_wrong_kind_is_an_error_that_names_the_array() {
        let message = NamedArray::from_i64("ids", [1], vec![7]).to_f32().expect_err("integers").to_string();
        assert!(
            message.contains("`ids`") && message.contains("I64") && message.contains("floating"),
            "{message}"
        );
        assert!(NamedArray::from_f32("x", [1], vec![7.0]).to_i64().is_err());
    }

    #[test]
    fn bytes_that_are_not_aligned_are_copied() {
        let all = Bytes::from(vec![1.0_f32, 2.0, 3.0]);
        let bytes = all.slice(1..9).expect("within");
        let unaligned = NamedArray { name: "u".into(), dtype: Dtype::F32, shape: vec![2], bytes };
        assert!(unaligned.as_f32().is_none());
        assert_eq!(unaligned.to_f32().expect("floats").len(), 2);
    }

    #[test]
    fn names_go_there_and_back_and_sizes_overflow_politely() {
        for dtype in Dtype::ALL {
            assert_eq!(Dtype::from_safetensors_name(&dtype.to_string()), Some(dtype));
        }
        assert_eq!(Dtype::F32.bytes_of_shape(&[2, 3]), Some(24));
        assert_eq!(Dtype::U8.bytes_of_shape(&[usize::MAX, 2]), None);
        assert_eq!(Dtype::F16.bytes_of_shape(&[]), Some(2));
    }
}
