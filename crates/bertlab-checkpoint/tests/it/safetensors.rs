//! safetensors files: written and read against the reference crate, and every broken rule told.

use bertlab_checkpoint::{Bytes, Dtype, Error, NamedArray, read_safetensors, write_safetensors};
use safetensors::SafeTensors;
use std::path::PathBuf;
use tempfile::TempDir;

struct File {
    _folder: TempDir,
    path: PathBuf,
}

fn file(contents: &[u8]) -> File {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    std::fs::write(&path, contents).expect("writable");
    File { _folder: folder, path }
}

fn with_header(header: &str, n_bytes: usize) -> Vec<u8> {
    let mut contents = (header.len() as u64).to_le_bytes().to_vec();
    contents.extend(header.as_bytes());
    contents.resize(contents.len() + n_bytes, 1);
    contents
}

fn message(contents: &[u8]) -> String {
    let file = file(contents);
    let message = read_safetensors(&file.path).expect_err("an error").to_string();
    assert!(message.contains("model.safetensors") && message.contains("wanted"), "{message}");
    message
}

fn header_message(header: &str, n_bytes: usize) -> String {
    message(&with_header(header, n_bytes))
}

fn arrays() -> Vec<NamedArray> {
    let raw = |name: &str, dtype: Dtype, shape: &[usize]| {
        let n_bytes = dtype.bytes_of_shape(shape).expect("small");
        let bytes: Vec<u8> = (0..n_bytes).map(|byte| byte as u8 % 2).collect();
        NamedArray { name: name.into(), dtype, shape: shape.to_vec(), bytes: Bytes::from(bytes) }
    };
    let mut arrays: Vec<_> =
        Dtype::ALL.iter().map(|&dtype| raw(&format!("of {dtype}"), dtype, &[3, 5])).collect();
    arrays.push(raw("a \"quoted\"\n name", Dtype::F32, &[1]));
    arrays.push(raw("scalar", Dtype::F64, &[]));
    arrays.push(raw("nothing", Dtype::F16, &[0, 7]));
    arrays
}

#[test]
fn what_is_written_is_read_back_by_us_and_by_the_reference() {
    let file = file(b"");
    let metadata = [("format".to_owned(), "pt".to_owned())];
    write_safetensors(&file.path, &arrays(), &metadata).expect("writable");

    let contents = std::fs::read(&file.path).expect("readable");
    let (header_length, header) = SafeTensors::read_metadata(&contents).expect("valid");
    assert_eq!(header_length % 8, 0);
    assert_eq!(header.metadata().as_ref().expect("metadata")["format"], "pt");
    let reference = SafeTensors::deserialize(&contents).expect("valid");
    let read = read_safetensors(&file.path).expect("valid");
    assert_eq!((read.len(), reference.len()), (arrays().len(), arrays().len()));
    for array in arrays() {
        let ours = read.iter().find(|read| read.name == array.name).expect("written");
        let theirs = reference.tensor(&array.name).expect("written");
        assert_eq!((ours.dtype, &ours.shape, &*ours.bytes), (array.dtype, &array.shape, &*array.bytes));
        assert_eq!((theirs.shape(), theirs.data()), (&*array.shape, &*array.bytes));
        assert_eq!(theirs.dtype().to_string(), array.dtype.to_string());
        assert_eq!(ours.as_f32().is_some(), ours.dtype == Dtype::F32, "F32 lies aligned");
    }
}

#[test]
fn what_the_reference_writes_is_read() {
    let values: Vec<u8> = [1.5_f32, -2.0].iter().flat_map(|value| value.to_le_bytes()).collect();
    let view =
        safetensors::tensor::TensorView::new(safetensors::Dtype::F32, vec![2], &values).expect("valid");
    let contents = safetensors::serialize([("x", view)], None).expect("valid");
    let read = read_safetensors(&file(&contents).path).expect("valid");
    assert_eq!(read[0].to_f32().expect("floats"), [1.5, -2.0]);
}

#[test]
fn a_file_without_tensors_is_valid() {
    assert!(read_safetensors(&file(&with_header("{}", 0)).path).expect("valid").is_empty());
    let metadata = r#"{"__metadata__":{"format":"pt"}}"#;
    assert!(read_safetensors(&file(&with_header(metadata, 0)).path).expect("valid").is_empty());
}

#[test]
fn lengths_that_cannot_be_are_told() {
    assert!(message(b"").contains("empty file"));
    assert!(message(b"\x01\x00\x00").contains("only 3 bytes"));
    assert!(message(&[0; 8]).contains("invalid JSON"));
    assert!(message(b"\x10\0\0\0\0\0\0\0{}").contains("header of 16 bytes, but only 2"));
    assert!(message(&[&u64::MAX.to_le_bytes()[..], b"{}"].concat()).contains("at most 100000000"));
    let cut = with_header(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 7);
    assert!(message(&cut).contains("within the file"));
    let longer = with_header(r#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#, 9);
    assert!(message(&longer).contains("8 bytes and 9 bytes"));
}

#[test]
fn headers_that_are_no_description_are_told() {
    for header in ["", "[]", "7", "{", "{\"a\":}", "{} x", "null"] {
        assert!(header_message(header, 0).contains("invalid JSON"), "{header}");
    }
    assert!(message(&[&2_u64.to_le_bytes()[..], b"\xff\xfe"].concat()).contains("invalid JSON"));
    assert!(header_message(r#"{"__metadata__":{"a":1}}"#, 0).contains("__metadata__"));
    let deep = "[".repeat(100_000);
    assert!(header_message(&format!("{{\"a\":{deep}"), 0).contains("recursion"));
    for entry in ["1", "{}", r#"{"dtype":"F32"}"#, r#"{"dtype":7,"shape":[],"data_offsets":[0,4]}"#] {
        assert!(header_message(&format!(r#"{{"a":{entry}}}"#), 4).contains("`a`"), "{entry}");
    }
}

#[test]
fn tensors_that_break_a_rule_are_named() {
    let one = |dtype: &str, shape: &str, offsets: &str| {
        let message = header_message(
            &format!(r#"{{"x.y":{{"dtype":"{dtype}","shape":{shape},"data_offsets":{offsets}}}}}"#),
            8,
        );
        assert!(message.contains("tensor `x.y`"), "{message}");
        message
    };
    for dtype in ["F8_E4M3", "F8_E5M2", "U16", "U64", "C64", "F4", "float32", ""] {
        let message = one(dtype, "[2]", "[0,8]");
        assert!(message.contains(dtype) && message.contains("BF16"), "{message}");
    }
    assert!(one("F32", "[3]", "[0,8]").contains("F32 with shape [3]"));
    assert!(one("F32", "[18446744073709551615,4]", "[0,8]").contains("shape"));
    assert!(one("F32", "[-2]", "[0,8]").contains("non-negative integers"));
    assert!(one("F32", "[2.5]", "[0,8]").contains("non-negative integers"));
    assert!(one("F32", "2", "[0,8]").contains("non-negative integers"));
    assert!(one("F32", "[2]", "[8,0]").contains("within the file"));
    assert!(one("F32", "[2]", "[0,16]").contains("within the file"));
    assert!(one("F32", "[2]", "[0]").contains("two numbers"));
    assert!(one("F32", "[2]", "[0,8,8]").contains("two numbers"));
    assert!(one("F32", "[1]", "[4,8]").contains("a gap"));
}

#[test]
fn tensors_that_share_or_leave_out_bytes_are_named() {
    let two = |first: &str, second: &str, n_bytes: usize| {
        let entry = |offsets: &str| format!(r#"{{"dtype":"U8","shape":[4],"data_offsets":{offsets}}}"#);
        header_message(&format!(r#"{{"a":{},"b":{}}}"#, entry(first), entry(second)), n_bytes)
    };
    assert!(two("[0,4]", "[2,6]", 6).contains("`b`: wanted contiguous tensors, found an overlap"));
    assert!(two("[2,6]", "[0,4]", 6).contains("`a`: wanted contiguous tensors, found an overlap"));
    assert!(two("[0,4]", "[0,4]", 4).contains("an overlap"));
    assert!(two("[0,4]", "[5,9]", 9).contains("a gap"));
    let twice = r#"{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"a":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}"#;
    assert!(header_message(twice, 2).contains("tensor `a`: wanted one tensor of this name, found two"));
    // Out of order in the header, but in order in the data: valid.
    let swapped = r#"{"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]},"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}"#;
    assert_eq!(read_safetensors(&file(&with_header(swapped, 2)).path).expect("valid").len(), 2);
}

#[test]
fn other_things_under_this_name_are_told_apart() {
    assert!(message(b"version https://git-lfs.github.com/spec/v1\n").contains("git lfs pull"));
    assert!(message(b"<html><body>404</body></html>").contains("web page"));
    assert!(message(b"PK\x03\x04xxxxxxxxxxxx").contains("pytorch_model.bin"));
    assert!(message(b"GGUF\x03\0\0\0").contains("GGUF"));
    let folder = tempfile::tempdir().expect("a temporary folder");
    assert!(matches!(read_safetensors(&folder.path().join("none")), Err(Error::Io { .. })));
}
