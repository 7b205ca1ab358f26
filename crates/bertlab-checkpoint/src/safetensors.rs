//! safetensors files: `u64` header length, JSON header, then the arrays' bytes without gaps.
//!
//! The header is checked here rather than by the `safetensors` crate, so that each broken rule is told with the tensor,
//! the numbers and the file. The tests read and write through that crate as a second opinion.

use crate::{ArrayView, Bytes, Dtype, Error, NamedArray, atomic};
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::{Map, Value};
use std::io::Write as _;
use std::ops::Range;
use std::path::Path;

/// The header may not be longer than this: the limit of the reference implementation, in bytes.
const HEADER_BYTES_MAX: u64 = 100_000_000;
const LENGTH_BYTES: usize = 8;
const METADATA_KEY: &str = "__metadata__";
const HINT: &str = "The file is damaged or was cut off: fetch or save it again";

/// Opens a safetensors file; the arrays stay in the file and are mapped into memory. They come in the file's order.
///
/// # Errors
/// [`Error::Malformed`] and [`Error::Tensor`] for a file that breaks a rule of the format, an element type that is not
/// supported, or a file of another kind; [`Error::Io`].
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

/// Writes a safetensors file in one step; see [`atomic`].
///
/// `metadata` becomes the header's `__metadata__`; HuggingFace's own loader wants `format` = `pt` there. The arrays are
/// laid out as the reference implementation does it, widest element type first, then by name; the data starts at a
/// multiple of 8 bytes, so each array is aligned to its elements.
///
/// # Errors
/// [`Error::Io`].
///
/// # Panics
/// When two arrays have one name, or an array's bytes do not fit its shape and type.
pub fn write_safetensors(
    path: &Path,
    arrays: &[NamedArray],
    metadata: &[(String, String)],
) -> Result<(), Error> {
    let views: Vec<ArrayView<'_>> = arrays.iter().map(ArrayView::from).collect();
    write_views(path, &views, metadata)
}

/// As [`write_safetensors`], for arrays that are held elsewhere: nothing is copied.
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

/// The checked length of the JSON header in bytes: it ends within the file.
fn header_length(bytes: &[u8], path: &Path) -> Result<usize, Error> {
    let wanted = "a safetensors file";
    if let Some(kind) = recognise_other_kind(bytes) {
        return Err(malformed(path, wanted, kind.found, kind.hint));
    }
    if bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"\x80\x02") {
        let hint = "Rename it to pytorch_model.bin: it looks like what torch.save writes";
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
        |reason: &dyn std::fmt::Display| malformed(path, wanted, format!("no valid JSON: {reason}"), HINT);
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
            let found = format!("{METADATA_KEY} that is no object of texts");
            return Err(malformed(path, wanted, found, HINT));
        }
    }
    Ok(entries)
}

/// Collects a JSON object as a list, so that a name which stands there twice is seen.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<(String, Value)>;

    fn expecting(&self, formatter: &mut std::fmt::Formatter) -> std::fmt::Result {
        formatter.write_str("an object that names tensors")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries)
    }
}

/// The array, and the range that it takes of the data.
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
        let wanted = format!("`{key}` as a list of whole numbers");
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
        let wanted = format!("as many bytes as {dtype} of shape {shape:?} takes");
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
        hint: "Save the model in one of these types, as in model.float().save_pretrained(...)",
    })
}

/// Checks that the ranges cover the data from the first byte to the last, without holes and without overlap.
fn check_coverage(mut ranges: Vec<(Range<usize>, &str)>, n_bytes: usize, path: &Path) -> Result<(), Error> {
    ranges.sort_by_key(|(range, _)| (range.start, range.end));
    let mut covered = 0;
    for (range, name) in ranges {
        if range.start != covered {
            let relation = if range.start < covered { "an overlap" } else { "a hole" };
            let found =
                format!("{relation}: it starts at byte {} and the one before ends at {covered}", range.start);
            return Err(tensor_error(path, name, "tensors that follow each other", found));
        }
        covered = range.end;
    }
    if covered != n_bytes {
        let found = format!("tensors of {covered} bytes and {n_bytes} bytes of data");
        return Err(malformed(path, "tensors that cover the data of the file", found, HINT));
    }
    Ok(())
}

/// A file that is clearly something else, by its first bytes.
pub(crate) struct OtherKind {
    pub found: &'static str,
    pub hint: &'static str,
}

/// What stands in place of weights in practice: a pointer to them, an error page, another format under a wrong name.
pub(crate) fn recognise_other_kind(bytes: &[u8]) -> Option<OtherKind> {
    let starts = |text: &str| bytes.starts_with(text.as_bytes());
    let (found, hint) = match () {
        () if bytes.is_empty() => ("an empty file", HINT),
        () if starts("version https://git-lfs") => (
            "a Git LFS pointer, not the weights themselves",
            "Run `git lfs pull` in the folder, or fetch the file again",
        ),
        () if starts("<!DOCTYPE") || starts("<!doctype") || starts("<html") => {
            ("a web page", "Fetch the file itself, not the page that shows it")
        }
        () if starts("GGUF") => ("a GGUF file", "Fetch the original checkpoint: GGUF is not read"),
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
