//! Values of a pickle → named arrays: the tensors of a PyTorch checkpoint.
//!
//! A tensor is a view of a storage with an offset, sizes and strides, all in elements. Tensors may share a
//! storage.

use crate::pickle::{Global, Nest, Pickle, RESAVE_HINT, Value};
use crate::safetensors::recognise_other_kind;
use crate::{Bytes, Dtype, Error, NamedArray, pytorch_legacy, pytorch_zip};
use std::path::Path;

/// Limit on copies of non-contiguous views, as a multiple of the file's length (plus a page): enough for
/// transposed and tied weights, and a protection against strides of 0.
const COPIED_LENGTHS_MAX: usize = 4;
/// Maximum number of axes, as in PyTorch.
const AXES_MAX: usize = 64;
const HINT: &str =
    "The file is damaged, or contains more than tensors: save it again with model.save_pretrained(folder)";

/// Keys under which training scripts nest the state dictionary.
const WRAPPERS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// The two formats of `torch.save`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Zip,
    Legacy,
}

/// Reads the tensors of a `pytorch_model.bin`, in the order of its state dictionary.
///
/// Contiguous tensors are memory-mapped. Entries that are not tensors are ignored.
pub(crate) fn read_pytorch(path: &Path) -> Result<(Vec<NamedArray>, Container), Error> {
    read_objects(path, |objects, mut tensors| {
        let found = find_tensors(objects, path)?;
        found.into_iter().map(|(name, arguments)| tensors.array(name, arguments)).collect()
    })
}

/// Reads a file of `torch.save` in either format; `interpret` converts its objects.
pub(crate) fn read_objects<T>(
    path: &Path,
    interpret: impl FnOnce(&Pickle, Tensors<'_>) -> Result<T, Error>,
) -> Result<(T, Container), Error> {
    let bytes = Bytes::map_file(path)?;
    let malformed = |found: &str, hint: &'static str| Error::Malformed {
        file: path.to_path_buf(),
        wanted: "a file written by torch.save".into(),
        found: found.into(),
        hint,
    };
    if let Some(kind) = recognise_other_kind(&bytes) {
        return Err(malformed(kind.found, kind.hint));
    }
    match bytes[0] {
        b'P' if bytes.starts_with(b"PK") => Ok((pytorch_zip::read(&bytes, path, interpret)?, Container::Zip)),
        0x80 => Ok((pytorch_legacy::read(&bytes, path, interpret)?, Container::Legacy)),
        _ => Err(malformed("neither a zip file nor a pickle", HINT)),
    }
}

/// A block of elements; tensors are views of it.
#[derive(Clone, Debug)]
pub(crate) struct Storage<'a> {
    pub key: &'a str,
    pub dtype: Dtype,
    pub n_elements: usize,
}

impl<'a> Storage<'a> {
    /// Parses `("storage", FloatStorage, key, location, n_elements[, view])`.
    pub(crate) fn from_persistent(object: &'a Nest, file: &Path) -> Result<Self, Error> {
        let wanted = "a reference to a tensor's storage";
        let [Value::Tuple(tuple)] = &*object.items else {
            return Err(malformed(file, wanted, "another value"));
        };
        let (fields, view) = match &*tuple.items {
            [fields @ .., view] if fields.len() == 5 => (fields, view),
            fields => (fields, &Value::None),
        };
        let [
            Value::Text(kind),
            Value::Global(Global::Storage(dtype)),
            Value::Text(key),
            _,
            Value::Int(n_elements),
        ] = fields
        else {
            return Err(malformed(file, wanted, "another value"));
        };
        if &**kind != "storage" || !matches!(view, Value::None) {
            return Err(malformed(file, wanted, "a view of a storage, written by PyTorch before 0.4"));
        }
        let n_elements = usize::try_from(*n_elements).ok();
        let n_elements = n_elements.filter(|&count| count.checked_mul(dtype.size_bytes()).is_some());
        let n_elements = n_elements.ok_or_else(|| malformed(file, wanted, "a storage of impossible size"))?;
        Ok(Self { key, dtype: *dtype, n_elements })
    }

    pub(crate) fn n_bytes(&self) -> usize {
        self.n_elements * self.dtype.size_bytes() // Overflow is checked in `from_persistent`.
    }
}

/// Builds arrays from the descriptions of tensors in a pickle.
pub(crate) struct Tensors<'a> {
    file: &'a Path,
    /// Returns the bytes of a storage, exactly [`Storage::n_bytes`].
    storage_bytes: &'a mut dyn FnMut(&Storage) -> Result<Bytes, Error>,
    /// Number of bytes that may still be copied.
    copied_max: usize,
}

impl<'a> Tensors<'a> {
    /// `file_length` in bytes limits copies.
    pub(crate) fn new(
        file: &'a Path,
        file_length: usize,
        storage_bytes: &'a mut dyn FnMut(&Storage) -> Result<Bytes, Error>,
    ) -> Self {
        let copied_max = file_length.saturating_mul(COPIED_LENGTHS_MAX).saturating_add(4096);
        Self { file, storage_bytes, copied_max }
    }

    /// Builds an array from [`tensor_arguments`].
    pub(crate) fn array(&mut self, name: &str, arguments: &Nest) -> Result<NamedArray, Error> {
        let view = View::from_arguments(name, arguments, self.file)?;
        let bytes = (self.storage_bytes)(&view.storage)?;
        let n_bytes = view.storage.dtype.bytes_of_shape(&view.shape).filter(|_| view.fits());
        let n_bytes = n_bytes.ok_or_else(|| {
            view.error(self.file, "elements within its storage", "a view that ends beyond it")
        })?;
        let bytes = match view.contiguous_range() {
            Some(range) => bytes.slice(range).expect("the view fits its storage: checked above"),
            None => {
                self.copied_max = self.copied_max.checked_sub(n_bytes).ok_or_else(|| {
                    view.error(
                        self.file,
                        "tensors of about the size of the file",
                        "views that repeat its elements too often",
                    )
                })?;
                view.gather(&bytes, n_bytes).into()
            }
        };
        let View { storage, shape, .. } = view;
        Ok(NamedArray { name: name.into(), dtype: storage.dtype, shape, bytes })
    }
}

/// Names and arguments of the tensors in the root dictionary, or in the dictionary that it wraps.
fn find_tensors<'a>(pickle: &'a Pickle, file: &Path) -> Result<Vec<(&'a str, &'a Nest)>, Error> {
    let wanted = "a dictionary of tensors";
    let Value::Dictionary(root) = pickle.root else {
        return Err(malformed(file, wanted, "another value"));
    };
    let tensors = tensors_of(pickle, root);
    if !tensors.is_empty() {
        return Ok(tensors);
    }
    for wrapper in WRAPPERS {
        let mut entries = pickle.dictionaries[root].iter().rev();
        let inner = entries.find(|(key, _)| matches!(key, Value::Text(key) if &**key == wrapper));
        if let Some((_, Value::Dictionary(inner))) = inner {
            return Ok(tensors_of(pickle, *inner));
        }
    }
    let found = if pickle.dictionaries[root].is_empty() { "an empty one" } else { "one without tensors" };
    Err(Error::Malformed {
        file: file.to_path_buf(),
        wanted: wanted.into(),
        found: found.into(),
        hint: RESAVE_HINT,
    })
}

fn tensors_of(pickle: &Pickle, dictionary: usize) -> Vec<(&str, &Nest)> {
    let mut places = std::collections::HashMap::new();
    let mut tensors: Vec<(&str, &Nest)> = Vec::new();
    for (key, value) in &pickle.dictionaries[dictionary] {
        let (Value::Text(name), Some(arguments)) = (key, tensor_arguments(value)) else {
            continue;
        };
        match places.insert(&**name, tensors.len()) {
            None => tensors.push((name, arguments)),
            // As in Python, a repeated key keeps its first position and its last value.
            Some(place) => {
                tensors[place].1 = arguments;
                places.insert(name, place);
            }
        }
    }
    tensors
}

/// The arguments of a tensor or of a parameter's tensor; `None` for other values.
pub(crate) fn tensor_arguments(value: &Value) -> Option<&Nest> {
    match value {
        Value::Call(Global::RebuildTensor | Global::RebuildTensorV2, arguments) => Some(arguments),
        // The pickle reader limits the depth of calls.
        Value::Call(Global::RebuildParameter, arguments) => tensor_arguments(arguments.items.first()?),
        _ => None,
    }
}

/// A view of a storage. Offset and strides are in elements.
struct View<'a> {
    name: &'a str,
    storage: Storage<'a>,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl<'a> View<'a> {
    /// Parses `(storage, offset, sizes, strides[, requires_grad, hooks[, metadata]])`.
    fn from_arguments(name: &'a str, arguments: &'a Nest, file: &Path) -> Result<Self, Error> {
        let error = |found: &str| Error::Tensor {
            file: file.to_path_buf(),
            tensor: name.into(),
            wanted: "storage, offset, sizes and strides".into(),
            found: found.into(),
            hint: HINT,
        };
        let [
            Value::Persistent(storage),
            Value::Int(offset),
            Value::Tuple(shape),
            Value::Tuple(strides),
            rest @ ..,
        ] = &*arguments.items
        else {
            return Err(error("other values"));
        };
        // The seventh argument marks lazily negated or conjugated tensors.
        if rest.get(2).is_some_and(|metadata| !matches!(metadata, Value::None)) {
            return Err(error("a lazily negated or conjugated tensor"));
        }
        let storage = Storage::from_persistent(storage, file)?;
        let offset = usize::try_from(*offset).map_err(|_| error("a negative offset"))?;
        let (shape, strides) = (sizes(shape), sizes(strides));
        match (shape, strides) {
            (Some(shape), Some(strides)) if shape.len() == strides.len() && shape.len() <= AXES_MAX => {
                Ok(Self { name, storage, offset, shape, strides })
            }
            _ => Err(error("sizes and strides that do not match")),
        }
    }

    /// Whether all elements are within the storage.
    fn fits(&self) -> bool {
        if self.shape.contains(&0) {
            return true;
        }
        let last = self.shape.iter().zip(&self.strides).try_fold(self.offset, |last, (&size, &stride)| {
            (size - 1).checked_mul(stride).and_then(|reach| last.checked_add(reach))
        });
        last.is_some_and(|last| last < self.storage.n_elements)
    }

    /// The byte range of the elements, if the view is contiguous in C order.
    fn contiguous_range(&self) -> Option<std::ops::Range<usize>> {
        if self.shape.contains(&0) {
            return Some(0..0);
        }
        let mut expected = 1;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            // The stride of an axis of size 1 does not matter.
            if size != 1 && stride != expected {
                return None;
            }
            expected *= size;
        }
        let size_bytes = self.storage.dtype.size_bytes();
        Some(self.offset * size_bytes..(self.offset + expected) * size_bytes)
    }

    /// Copies the elements in C order.
    fn gather(&self, storage: &[u8], n_bytes: usize) -> Vec<u8> {
        let size_bytes = self.storage.dtype.size_bytes();
        let mut bytes = Vec::with_capacity(n_bytes);
        let mut index = vec![0; self.shape.len()];
        let mut position = self.offset;
        while bytes.len() < n_bytes {
            bytes.extend_from_slice(&storage[position * size_bytes..(position + 1) * size_bytes]);
            for axis in (0..index.len()).rev() {
                index[axis] += 1;
                position += self.strides[axis];
                if index[axis] < self.shape[axis] {
                    break;
                }
                position -= self.strides[axis] * self.shape[axis];
                index[axis] = 0;
            }
        }
        bytes
    }

    fn error(&self, file: &Path, wanted: &str, found: &str) -> Error {
        let Self { storage, offset, shape, strides, .. } = self;
        Error::Tensor {
            file: file.to_path_buf(),
            tensor: self.name.into(),
            wanted: wanted.into(),
            found: format!(
                "{found} (shape {shape:?}, strides {strides:?}, offset {offset}, storage of {} elements)",
                storage.n_elements
            ),
            hint: HINT,
        }
    }
}

/// A tuple of non-negative integers.
fn sizes(tuple: &Nest) -> Option<Vec<usize>> {
    let number = |value: &Value| match value {
        Value::Int(number) => usize::try_from(*number).ok(),
        _ => None,
    };
    tuple.items.iter().map(number).collect()
}

/// The error for an invalid PyTorch file.
pub(crate) fn malformed(file: &Path, wanted: impl Into<String>, found: impl Into<String>) -> Error {
    Error::Malformed { file: file.to_path_buf(), wanted: wanted.into(), found: found.into(), hint: HINT }
}
