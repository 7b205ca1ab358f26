//! PyTorch files made by hand: both formats, views of storages, and everything that must be refused.

use crate::forge::{Pickler, Tensor, legacy_file, state_dictionary, tensor, zip_file};
use bertlab_checkpoint::{Error, Weights, WeightsFormat, open_weights};

fn open(file: &[u8]) -> Result<Weights, Error> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    std::fs::write(folder.path().join("pytorch_model.bin"), file).expect("writable");
    open_weights(folder.path())
}

/// The error's text, from the zip and from the legacy format, which must agree on what is in the pickle.
fn messages(objects: &[u8], storages: &[Vec<f32>]) -> [String; 2] {
    let zip = zip_file(objects.to_vec(), storages, |_| {});
    let legacy = legacy_file(objects, storages, true);
    [zip, legacy].map(|file| {
        let message = open(&file).expect_err("an error").to_string();
        assert!(message.contains("pytorch_model.bin"), "{message}");
        message
    })
}

fn zip_message(edit: impl FnOnce(&mut Vec<(String, Vec<u8>)>)) -> String {
    let (tensors, storages) = matrix();
    let file = zip_file(state_dictionary(&tensors, &storages), &storages, edit);
    open(&file).expect_err("an error").to_string()
}

/// A matrix of 2 rows and 3 columns, its transpose, its last row, and the same again: all in one storage.
fn matrix() -> (Vec<Tensor>, Vec<Vec<f32>>) {
    let tensors = vec![
        tensor("matrix", 0, &[2, 3], &[3, 1]),
        tensor("transposed", 0, &[3, 2], &[1, 3]),
        Tensor { offset: 3, ..tensor("row", 0, &[3], &[1]) },
        tensor("tied", 0, &[2, 3], &[3, 1]),
        tensor("scalar", 1, &[], &[]),
        tensor("nothing", 1, &[0, 4], &[4, 1]),
        tensor("repeated", 1, &[2, 2], &[0, 0]),
    ];
    (tensors, vec![vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0], vec![7.0]])
}

fn check_matrix(weights: &Weights) {
    let values = |name: &str| weights.arrays[name].to_f32().expect("floats");
    assert_eq!(weights.arrays.len(), 7);
    assert_eq!(values("matrix"), [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]);
    assert_eq!(values("transposed"), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    assert_eq!(weights.arrays["transposed"].shape, [3, 2]);
    assert_eq!(values("row"), [4.0, 5.0, 6.0]);
    assert_eq!(values("tied"), values("matrix"));
    assert_eq!((values("scalar"), weights.arrays["scalar"].shape.len()), (vec![7.0], 0));
    assert_eq!((values("nothing"), weights.arrays["nothing"].shape.clone()), (vec![], vec![0, 4]));
    assert_eq!(values("repeated"), [7.0; 4]);
    let [matrix, tied] = ["matrix", "tied"].map(|name| weights.arrays[name].bytes.as_ptr());
    assert_eq!(matrix, tied, "a contiguous tensor was copied");
}

#[test]
fn views_of_shared_storages_are_read_in_both_formats() {
    let (tensors, storages) = matrix();
    let objects = state_dictionary(&tensors, &storages);
    let legacy = open(&legacy_file(&objects, &storages, true)).expect("valid");
    assert_eq!(legacy.format, WeightsFormat::PytorchLegacy);
    check_matrix(&legacy);
    let zip = open(&zip_file(objects, &storages, |_| {})).expect("valid");
    assert_eq!(zip.format, WeightsFormat::PytorchZip);
    check_matrix(&zip);
    assert!(zip.arrays["matrix"].as_f32().is_some(), "a zip entry lies aligned in the map");
}

#[test]
fn a_state_dictionary_is_found_one_level_down() {
    let (tensors, storages) = matrix();
    for wrapper in ["state_dict", "model_state_dict", "model"] {
        let mut pickler = Pickler::new();
        pickler.raw(b"}(").text("epoch").int(3).text(wrapper);
        let objects = pickler.state_dictionary(&tensors, &storages).raw(b"u").stop();
        check_matrix(&open(&zip_file(objects, &storages, |_| {})).expect("valid"));
    }
}

#[test]
fn parameters_are_tensors() {
    let mut pickler = Pickler::new();
    pickler.raw(b"}").text("weight").raw(b"ctorch._utils\n_rebuild_parameter\n(");
    let objects = pickler.tensor(&tensor("weight", 0, &[2], &[1]), 2).raw(b"\x88}tRs").stop();
    let weights = open(&zip_file(objects, &[vec![8.0, 9.0]], |_| {})).expect("valid");
    assert_eq!(weights.arrays["weight"].to_f32().expect("floats"), [8.0, 9.0]);
}

#[test]
fn a_pickle_that_would_run_a_command_is_refused_and_runs_nothing() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let witness = folder.path().join("witness");
    let command = format!("touch {}", witness.display());
    for module in ["os", "posix", "nt"] {
        let mut pickler = Pickler::new();
        pickler.raw(b"}").text("weight").raw(format!("c{module}\nsystem\n").as_bytes());
        let objects = pickler.text(&command).raw(b"\x85Rs").stop();
        for message in messages(&objects, &[]) {
            assert!(message.contains(&format!("`{module}.system`")), "{message}");
            assert!(message.contains("not executed"), "{message}");
        }
    }
    assert!(!witness.exists());
}

#[test]
fn views_beyond_their_storage_are_refused_by_name() {
    let storages = [vec![1.0, 2.0]];
    for (shape, strides, offset) in [
        (vec![3], vec![1], 0),
        (vec![2], vec![1], 1),
        (vec![2], vec![2], 0),
        (vec![i32::MAX; 4], vec![i32::MAX; 4], 0),
    ] {
        let tensors = [Tensor { offset, ..tensor("far", 0, &shape, &strides) }];
        for message in messages(&state_dictionary(&tensors, &storages), &storages) {
            assert!(message.contains("`far`") && message.contains("beyond"), "{message}");
        }
    }
    for (shape, strides, offset) in [(vec![-1], vec![1], 0), (vec![2], vec![], 0), (vec![1], vec![1], -1)] {
        let tensors = [Tensor { offset, ..tensor("odd", 0, &shape, &strides) }];
        for message in messages(&state_dictionary(&tensors, &storages), &storages) {
            assert!(message.contains("`odd`"), "{message}");
        }
    }
}

#[test]
fn views_that_would_fill_the_memory_are_refused() {
    let tensors = [tensor("bomb", 0, &[100_000, 100_000], &[0, 0])];
    let storages = [vec![1.0]];
    for message in messages(&state_dictionary(&tensors, &storages), &storages) {
        assert!(message.contains("`bomb`") && message.contains("repeat"), "{message}");
    }
}

#[test]
fn pickles_without_tensors_are_errors() {
    for (objects, part) in [
        (Pickler::new().raw(b"}").stop(), "empty"),
        (Pickler::new().raw(b"}").text("epoch").int(1).raw(b"s").stop(), "without tensors"),
        (Pickler::new().int(1).stop(), "dictionary"),
    ] {
        assert!(messages(&objects, &[])[0].contains(part));
    }
}

#[test]
fn broken_zip_files_are_errors() {
    let big_endian = zip_message(|entries| entries[1].1 = b"big".to_vec());
    assert!(big_endian.contains("little-endian") && big_endian.contains("`big`"), "{big_endian}");
    let missing = zip_message(|entries| drop(entries.remove(2)));
    assert!(missing.contains("archive/data/0"), "{missing}");
    let short = zip_message(|entries| entries[2].1.truncate(20));
    assert!(short.contains("24 bytes") && short.contains("20 bytes"), "{short}");
    let without = zip_message(|entries| entries[0].0 = "archive/code.py".into());
    assert!(without.contains("without data.pkl"), "{without}");
    let cut_pickle = zip_message(|entries| entries[0].1.truncate(130));
    assert!(cut_pickle.contains("of the pickle"), "{cut_pickle}");
}

#[test]
fn a_compressed_zip_entry_is_refused() {
    let (tensors, storages) = matrix();
    let mut file = zip_file(state_dictionary(&tensors, &storages), &storages, |_| {});
    // The compression method of the first entry, in its local header and in the central directory: 8 is deflate.
    file[8] = 8;
    let directory = file.windows(4).position(|bytes| bytes == b"PK\x01\x02").expect("a central directory");
    file[directory + 10] = 8;
    let message = open(&file).expect_err("refused").to_string();
    assert!(message.contains("compressed"), "{message}");
}

#[test]
fn broken_legacy_files_are_errors() {
    let (tensors, storages) = matrix();
    let objects = state_dictionary(&tensors, &storages);
    let message = |file: &[u8]| open(file).expect_err("an error").to_string();
    assert!(message(&legacy_file(&objects, &storages, false)).contains("big-endian"));
    let valid = legacy_file(&objects, &storages, true);
    assert!(message(&valid[..valid.len() - 1]).contains("storage `1` of 1 elements"));
    assert!(message(b"\x80\x02}.").contains("magic"));
    let mut wrong_version = valid.clone();
    wrong_version[18] = 0;
    assert!(message(&wrong_version).contains("version 1001"));
    let mut fewer = storages.clone();
    fewer.pop();
    assert!(message(&legacy_file(&objects, &fewer, true)).contains("storage `1`"));
}

#[test]
fn other_things_under_this_name_are_told_apart() {
    let message = |file: &[u8]| open(file).expect_err("an error").to_string();
    assert!(message(b"").contains("empty file"));
    assert!(message(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n").contains("git lfs pull"));
    assert!(message(b"<!DOCTYPE html><html>").contains("web page"));
    assert!(message(b"\x89HDF\r\n\x1a\n").contains("HDF5"));
    assert!(message(b"hello").contains("neither"));
    assert!(message(b"PK\x03\x04 and no more").contains("zip"));
}
