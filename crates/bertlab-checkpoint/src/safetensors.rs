//! safetensors files: a `u64` header length, a JSON header, and the bytes of the arrays without gaps.
//!
//! The header is parsed here and not by the `safetensors` crate, so that errors name the tensor, the numbers
//! and the file. The tests compare reading and writing with that crate.

use crate::{ArrayView, Bytes, Dtype, Error, NamedArray, atomic};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;

/// Maximum length of the header in bytes, as in the reference implementation.
const HEADER_BYTES_MAX: u64 = 100_000_000;
const LENGTH_BYTES: usize = 8;
const METADATA_KEY: &str = "__metadata__";
const HINT: &str = "The file is damaged or incomplete: fetch or save it again";

/// Opens a safetensors file. The arrays are memory-mapped and returned in the order of the header.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::Tensor`] for an invalid file, an unsupported element type or another
/// file format; [`Error::Io`].
pub fn read_safetensors(path: &Path) -> Result<Vec<NamedArray>, Error> {
    let bytes = Bytes::map_file(path)?;
    let header_length = header_length(&bytes, path)?;
    let data_start = LENGTH_BYTES + header_length;
    let entries = parse_header(&bytes[LENGTH_BYTES..data_start], path)?;
    let data = bytes
        .slice(data_start..bytes.len())
        .expect("the header ends within the file: checked by header_length");
    let (mut arrays, mut ranges) = (Vec::with_capacity(entries.len()), Vec::with_capacity(entries.len()));
    for (name, entry) in entries.iter().filter(|(name, _)| name != METADATA_KEY) {
        let (array, range) = read_entry(name, entry, &data, path)?;
        arrays.push(array);
        ranges.push((range, name.as_str()));
    }
    check_coverage(ranges, data.len(), path)?;
    Ok(arrays)
}

/// Writes a safetensors file atomically (see [`atomic`]).
///
/// `metadata` becomes the header's `__metadata__`; HuggingFace's loader requires `format` = `pt` there. As in
/// the reference implementation, arrays are ordered by element size, largest first, then by name, and the
/// data starts at a multiple of 8 bytes, so that each array is aligned.
///
/// # Errors
/// [`Error::Io`].
///
/// # Panics
/// If two arrays have the same name, or the bytes of an array do not match its shape and type.
pub fn write_safetensors(
    path: &Path,
    arrays: &[NamedArray],
    metadata: &[(String, String)],
) -> Result<(), Error> {
    let views: Vec<ArrayView<'_>> = arrays.iter().map(ArrayView::from).collect();
    write_views(path, &views, metadata)
}

/// As [`write_safetensors`], for borrowed arrays.
///
/// # Errors
/// [`Error::Io`].
///
/// # Panics
/// As [`write_safetensors`].
pub fn write_views(
    path: &Path,
    arrays: &[ArrayView<'_>],
    metadata: &[(String, String)],
) -> Result<(), Error> {
    let mut ordered: Vec<&ArrayView<'_>> = arrays.iter().collect();
    ordered.sort_by(|left, right| {
        let widest_first = right.dtype.size_bytes().cmp(&left.dtype.size_bytes());
        widest_first.then_with(|| left.name.cmp(&right.name))
    });
    let header = header_text(&ordered, metadata);
    atomic::write_with(path, |file| {
        file.write_all(&(header.len() as u64).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
        ordered.iter().try_for_each(|array| file.write_all(&array.bytes))
    })
}

fn header_text(arrays: &[&ArrayView<'_>], metadata: &[(String, String)]) -> String {
    let mut header = Map::new();
    if !metadata.is_empty() {
        let texts = metadata.iter().map(|(key, value)| (key.clone(), Value::from(value.as_str())));
        header.insert(METADATA_KEY.into(), Value::Object(texts.collect()));
    }
    let mut offset = 0;
    for array in arrays {
        let (name, n_bytes) = (&array.name, array.bytes.len());
        assert_eq!(array.dtype.bytes_of_shape(array.shape), Some(n_bytes), "bytes of array `{name}`");
        let entry = serde_json::json!({
            "dtype": array.dtype.safetensors_name(), "shape": array.shape, "data_offsets": [offset, offset + n_bytes],
        });
        assert!(header.insert(name.clone(), entry).is_none(), "two arrays are called `{name}`");
        offset += n_bytes;
    }
    let mut text = Value::Object(header).to_string();
    let padded_length = text.len().next_multiple_of(LENGTH_BYTES);
    text.extend(std::iter::repeat_n(' ', padded_length - text.len()));
    text
}

/// The length of the JSON header in bytes, which is checked to end within the file.
fn header_length(bytes: &[u8], path: &Path) -> Result<usize, Error> {
    let wanted = "a safetensors file";
    if let Some(kind) = recognise_other_kind(bytes) {
        return Err(malformed(path, wanted, kind.found, kind.hint));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\x80\x02") {
        let hint = "Rename it to pytorch_model.bin: it looks like a file of torch.save";
        return Err(malformed(path, wanted, "a zip file or a pickle", hint));
    }
    let Some((length, rest)) = bytes.split_first_chunk::<LENGTH_BYTES>() else {
        let found = format!("only {} bytes", bytes.len());
        return Err(malformed(path, wanted, found, HINT));
    };
    let length = u64::from_le_bytes(*length);
    if length > HEADER_BYTES_MAX {
        let found = format!("a header length of {length} bytes (at most {HEADER_BYTES_MAX} are allowed)");
        return Err(malformed(path, wanted, found, HINT));
    }
    if length > rest.len() as u64 {
        let found = format!("a header of {length} bytes, but only {} bytes follow", rest.len());
        return Err(malformed(path, wanted, found, HINT));
    }
    Ok(usize::try_from(length).expect("not above the file's length, which fits"))
}

fn parse_header(header: &[u8], path: &Path) -> Result<Vec<(String, Value)>, Error> {
    let wanted = "a safetensors header, a JSON object";
    let not_json =
        |reason: &dyn std::fmt::Display| malformed(path, wanted, format!("invalid JSON: {reason}"), HINT);
    let text = std::str::from_utf8(header).map_err(|reason| not_json(&reason))?;
    let mut parser = serde_json::Deserializer::from_str(text);
    let entries = parser.deserialize_map(Entries).map_err(|reason| not_json(&reason))?;
    parser.end().map_err(|reason| not_json(&reason))?;

    let mut names: Vec<&str> = entries.iter().map(|(name, _)| name.as_str()).collect();
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(tensor_error(
            path,
            pair[0],
            "one tensor of this name",
            "two of them in the header".into(),
        ));
    }
    if let Some((_, metadata)) = entries.iter().find(|(name, _)| name == METADATA_KEY) {
        let texts_only = metadata.as_object().is_some_and(|map| map.values().all(Value::is_string));
        if !texts_only {
            let found = format!("a {METADATA_KEY} that is not an object of strings");
            return Err(malformed(path, wanted, found, HINT));
        }
    }
    Ok(entries)
}

/// Collects a JSON object as a list, in order to detect repeated names.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("an object of tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// The array and its byte range in the data.
fn read_entry(
    name: &str,
    entry: &Value,
    data: &Bytes,
    path: &Path,
) -> Result<(NamedArray, Range<usize>), Error> {
    let dtype = read_dtype(name, entry, path)?;
    let whole_numbers = |key: &str| -> Result<Vec<usize>, Error> {
        let numbers = entry[key].as_array().and_then(|list| {
            list.iter()
                .map(|number| number.as_u64().and_then(|number| usize::try_from(number).ok()))
                .collect()
        });
        let wanted = format!("`{key}` as a list of non-negative integers");
        numbers.ok_or_else(|| tensor_error(path, name, wanted, entry[key].to_string()))
    };
    let (shape, offsets) = (whole_numbers("shape")?, whole_numbers("data_offsets")?);
    let &[start, end] = offsets.as_slice() else {
        let found = format!("{} numbers", offsets.len());
        return Err(tensor_error(path, name, "`data_offsets` as two numbers", found));
    };
    let Some(bytes) = data.slice(start..end) else {
        let found = format!("the range {start}..{end} and {} bytes of data", data.len());
        return Err(tensor_error(path, name, "`data_offsets` within the file", found));
    };
    if dtype.bytes_of_shape(&shape) != Some(bytes.len()) {
        let wanted = format!("the number of bytes of {dtype} with shape {shape:?}");
        return Err(tensor_error(path, name, wanted, format!("{} bytes", bytes.len())));
    }
    Ok((NamedArray { name: name.into(), dtype, shape, bytes }, start..end))
}

fn read_dtype(name: &str, entry: &Value, path: &Path) -> Result<Dtype, Error> {
    let dtype = &entry["dtype"];
    dtype.as_str().and_then(Dtype::from_safetensors_name).ok_or_else(|| Error::Tensor {
        file: path.to_path_buf(),
        tensor: name.into(),
        wanted: format!("one of the element types {}", Dtype::ALL.map(|dtype| dtype.to_string()).join(", ")),
        found: dtype.to_string(),
        hint: "Save the model in one of these types, for example with model.float().save_pretrained(...)",
    })
}

/// Checks that the ranges cover the data from the first byte to the last, without gaps and overlaps.
fn check_coverage(mut ranges: Vec<(Range<usize>, &str)>, n_bytes: usize, path: &Path) -> Result<(), Error> {
    ranges.sort_by_key(|(range, _)| (range.start, range.end));
    let mut covered = 0;
    for (range, name) in ranges {
        if range.start != covered {
            let relation = if range.start < covered { "an overlap" } else { "a gap" };
            let found =
                format!("{relation}: it starts at byte {}, the previous one ends at {covered}", range.start);
            return Err(tensor_error(path, name, "contiguous tensors", found));
        }
        covered = range.end;
    }
    if covered != n_bytes {
        let found = format!("tensors of {covered} bytes and {n_bytes} bytes of data");
        return Err(malformed(path, "tensors that cover the data of the file", found, HINT));
    }
    Ok(())
}

/// A file of another known format.
pub(crate) struct OtherKind {
    pub found: &'static str,
    pub hint: &'static str,
}

/// Recognises common other contents by their first bytes: an LFS pointer, an error page, another format.
pub(crate) fn recognise_other_kind(bytes: &[u8]) -> Option<OtherKind> {
    let starts = |text: &str| bytes.starts_with(text.as_bytes());
    let (found, hint) = match () {
        () if bytes.is_empty() => ("an empty file", HINT),
        () if starts("version https://git-lfs") => (
            "a Git LFS pointer instead of the weights",
            "Run `git lfs pull` in the folder, or fetch the file again",
        ),
        () if starts("<!DOCTYPE") || starts("<!doctype") || starts("<html") => {
            ("a web page", "Fetch the file itself, not the page about it")
        }
        () if starts("GGUF") => ("a GGUF file", "Fetch the original checkpoint: GGUF is not supported"),
        () if bytes.starts_with(b"\x89HDF") => (
            "an HDF5 file (TensorFlow)",
            "Convert it in Python with from_pretrained(..., from_tf=True).save_pretrained",
        ),
        () => return None,
    };
    Some(OtherKind { found, hint })
}

fn malformed(path: &Path, wanted: impl Into<String>, found: impl Into<String>, hint: &'static str) -> Error {
    Error::Malformed { file: path.to_path_buf(), wanted: wanted.into(), found: found.into(), hint }
}

fn tensor_error(path: &Path, tensor: &str, wanted: impl Into<String>, found: String) -> Error {
    Error::Tensor {
        file: path.to_path_buf(),
        tensor: tensor.into(),
        wanted: wanted.into(),
        found,
        hint: HINT,
    }
}
