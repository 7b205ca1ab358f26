//! From a pickle's values to named arrays: which tensors a PyTorch checkpoint holds, and where their elements lie.
//!
//! A tensor is a view of a storage: an offset, sizes and strides, all in elements. Several tensors may share a storage.

use crate::pickle::{Global, Nest, Pickle, RESAVE_HINT, Value};
use crate::safetensors::recognise_other_kind;
use crate::{Bytes, Dtype, Error, NamedArray, pytorch_legacy, pytorch_zip};
use std::path::Path;

/// Views that are not contiguous are copied. One file may ask for this many times its own length, plus a page: more
/// than transposed and tied weights need, far less than a stride of 0 can ask for.
const COPIED_LENGTHS_MAX: usize = 4;
/// PyTorch's own limit.
const AXES_MAX: usize = 64;
const HINT: &str =
    "The file is damaged, or holds more than plain tensors: save it anew with model.save_pretrained(folder)";

/// Names under which training scripts put the state dictionary one level down.
const WRAPPERS: [&str; 3] = ["state_dict", "model_state_dict", "model"];

/// The two formats that `torch.save` has written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Container {
    Zip,
    Legacy,
}

/// Reads the tensors of a `pytorch_model.bin`, in the order of its state dictionary.
///
/// Contiguous tensors stay in the file, mapped into memory. Entries that are not tensors are left out.
pub(crate) fn read_pytorch(path: &Path) -> Result<(Vec<NamedArray>, Container), Error> {
    read_objects(path, |objects, mut tensors| {
        let found = find_tensors(objects, path)?;
        found.into_iter().map(|(name, arguments)| tensors.array(name, arguments)).collect()
    })
}

/// Reads what `torch.save` has written, in either format; `understand` makes sense of it.
pub(crate) fn read_objects<T>(
    path: &Path,
    understand: impl FnOnce(&Pickle, Tensors<'_>) -> Result<T, Error>,
) -> Result<(T, Container), Error> {
    let bytes = Bytes::map_file(path)?;
    let malformed = |found: &str, hint: &'static str| Error::Malformed {
        file: path.to_path_buf(),
        wanted: "a file that torch.save has written".into(),
        found: found.into(),
        hint,
    };
    if let Some(kind) = recognise_other_kind(&bytes) {
        return Err(malformed(kind.found, kind.hint));
    }
    match bytes[0] {
        b'P' if bytes.starts_with(b"PK") => {
            Ok((pytorch_zip::read(&bytes, path, understand)?, Container::Zip))
        }
        0x80 => Ok((pytorch_legacy::read(&bytes, path, understand)?, Container::Legacy)),
        _ => Err(malformed("neither a zip file nor a pickle", HINT)),
    }
}

/// A block of elements that tensors are views of.
#[derive(Clone, Debug)]
pub(crate) struct Storage<'a> {
    pub key: &'a str,
    pub dtype: Dtype,
    pub n_elements: usize,
}

impl<'a> Storage<'a> {
    /// Understands `("storage", FloatStorage, key, location, n_elements[, view])`.
    pub(crate) fn from_persistent(object: &'a Nest, file: &Path) -> Result<Self, Error> {
        let wanted = "a reference to a tensor's storage";
        let [Value::Tuple(tuple)] = &*object.items else {
            return Err(malformed(file, wanted, "something else"));
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
            return Err(malformed(file, wanted, "something else"));
        };
        if &**kind != "storage" || !matches!(view, Value::None) {
            return Err(malformed(file, wanted, "a view of a storage, as PyTorch before 0.4 wrote it"));
        }
        let n_elements = usize::try_from(*n_elements).ok();
        let n_elements = n_elements.filter(|&count| count.checked_mul(dtype.size_bytes()).is_some());
        let n_elements = n_elements.ok_or_else(|| malformed(file, wanted, "a storage of impossible size"))?;
        Ok(Self { key, dtype: *dtype, n_elements })
    }

    pub(crate) fn n_bytes(&self) -> usize {
        self.n_elements * self.dtype.size_bytes() // Checked where a storage is made.
    }
}

/// Makes arrays of what a pickle says about tensors.
pub(crate) struct Tensors<'a> {
    file: &'a Path,
    /// Gives a storage's bytes, exactly as many as [`Storage::n_bytes`].
    storage_bytes: &'a mut dyn FnMut(&Storage) -> Result<Bytes, Error>,
    /// Bytes that may still be copied.
    copied_max: usize,
}

impl<'a> Tensors<'a> {
    /// `file_length` bounds what is copied.
    pub(crate) fn new(
        file: &'a Path,
        file_length: usize,
        storage_bytes: &'a mut dyn FnMut(&Storage) -> Result<Bytes, Error>,
    ) -> Self {
        let copied_max = file_length.saturating_mul(COPIED_LENGTHS_MAX).saturating_add(4096);
        Self { file, storage_bytes, copied_max }
    }

    /// The array that [`tensor_arguments`] describe.
    pub(crate) fn array(&mut self, name: &str, arguments: &Nest) -> Result<NamedArray, Error> {
        let view = View::from_arguments(name, arguments, self.file)?;
        let bytes = (self.storage_bytes)(&view.storage)?;
        let n_bytes = view.storage.dtype.bytes_of_shape(&view.shape).filter(|_| view.fits());
        let n_bytes = n_bytes.ok_or_else(|| {
            view.error(self.file, "elements within its storage", "a view that reaches beyond")
        })?;
        let bytes = match view.contiguous_range() {
            Some(range) => bytes.slice(range).expect("the view fits its storage: checked above"),
            None => {
                self.copied_max = self.copied_max.checked_sub(n_bytes).ok_or_else(|| {
                    view.error(
                        self.file,
                        "tensors of about the file's size",
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

/// The names and the rebuilding arguments of the tensors in the root dictionary, or in the one that it wraps.
fn find_tensors<'a>(pickle: &'a Pickle, file: &Path) -> Result<Vec<(&'a str, &'a Nest)>, Error> {
    let wanted = "a dictionary of tensors";
    let Value::Dictionary(root) = pickle.root else {
        return Err(malformed(file, wanted, "something else"));
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
            // A key that was set twice: the last value counts, in the first one's place, as in Python.
            Some(place) => {
                tensors[place].1 = arguments;
                places.insert(name, place);
            }
        }
    }
    tensors
}

/// The arguments from which a tensor is rebuilt, looking through parameters.
pub(crate) fn tensor_arguments(value: &Value) -> Option<&Nest> {
    match value {
        Value::Call(Global::RebuildTensor | Global::RebuildTensorV2, arguments) => Some(arguments),
        // The depth of calls is bounded by the reader of the pickle.
        Value::Call(Global::RebuildParameter, arguments) => tensor_arguments(arguments.items.first()?),
        _ => None,
    }
}

/// Where a tensor's elements lie in its storage. Offset and strides count elements.
struct View<'a> {
    name: &'a str,
    storage: Storage<'a>,
    offset: usize,
    shape: Vec<usize>,
    strides: Vec<usize>,
}

impl<'a> View<'a> {
    /// Understands `(storage, offset, sizes, strides[, requires_grad, hooks[, metadata]])`.
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
            return Err(error("something else"));
        };
        // The seventh argument marks tensors that are to be negated or conjugated when read.
        if rest.get(2).is_some_and(|metadata| !matches!(metadata, Value::None)) {
            return Err(error("a tensor with extra marks"));
        }
        let storage = Storage::from_persistent(storage, file)?;
        let offset = usize::try_from(*offset).map_err(|_| error("a negative offset"))?;
        let (shape, strides) = (whole_numbers(shape), whole_numbers(strides));
        match (shape, strides) {
            (Some(shape), Some(strides)) if shape.len() == strides.len() && shape.len() <= AXES_MAX => {
                Ok(Self { name, storage, offset, shape, strides })
            }
            _ => Err(error("sizes and strides that do not belong together")),
        }
    }

    /// Whether every element lies within the storage.
    fn fits(&self) -> bool {
        if self.shape.contains(&0) {
            return true;
        }
        let last = self.shape.iter().zip(&self.strides).try_fold(self.offset, |last, (&size, &stride)| {
            (size - 1).checked_mul(stride).and_then(|reach| last.checked_add(reach))
        });
        last.is_some_and(|last| last < self.storage.n_elements)
    }

    /// The byte range of the elements, if they lie side by side in C order.
    fn contiguous_range(&self) -> Option<std::ops::Range<usize>> {
        if self.shape.contains(&0) {
            return Some(0..0);
        }
        let mut expected = 1;
        for (&size, &stride) in self.shape.iter().zip(&self.strides).rev() {
            // The stride of an axis of one element is never used.
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

fn whole_numbers(tuple: &Nest) -> Option<Vec<usize>> {
    let number = |value: &Value| match value {
        Value::Int(number) => usize::try_from(*number).ok(),
        _ => None,
    };
    tuple.items.iter().map(number).collect()
}

/// The error for a PyTorch file that is not as it should be.
pub(crate) fn malformed(file: &Path, wanted: impl Into<String>, found: impl Into<String>) -> Error {
    Error::Malformed { file: file.to_path_buf(), wanted: wanted.into(), found: found.into(), hint: HINT }
}
