//! Valid files of each format, damaged at random: always arrays or an error, never a panic.

use crate::forge::{Tensor, legacy_file, moments, optimizer, state_dictionary, tensor, zip_file};
use bertlab_checkpoint::{Error, NamedArray, open_weights, read_adam_state, write_safetensors};
use std::path::Path;

const N_DAMAGED: usize = 4000;

/// Numbers that look random and are the same in each run (xorshift64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }
}

fn damage(valid: &[u8], random: &mut Random) -> Vec<u8> {
    let mut file = valid.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(file.len());
        match random.below(5) {
            0 => file.truncate(at.max(1)),
            1 => file[at] = random.below(256) as u8,
            2 => file[at] ^= 1 << random.below(8),
            3 => {
                let end = (at + 1 + random.below(8)).min(file.len());
                file[at..end].fill([0, 0xff, 0x7f][random.below(3)]);
            }
            _ => {
                let length = 1 + random.below(16);
                let from = random.below(file.len());
                let piece = file[from..(from + length).min(file.len())].to_vec();
                file.splice(at..at, piece);
            }
        }
    }
    file
}

/// Reads damaged copies of `valid`, uses what opens, and wants that most damage to the structure is noticed.
fn check(
    file_name: &str,
    valid: &[u8],
    seed: u64,
    arrays_of: impl Fn(&Path) -> Result<Vec<NamedArray>, Error>,
) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join(file_name);
    std::fs::write(&path, valid).expect("writable");
    arrays_of(&path).expect("valid before it is damaged");
    let mut random = Random(seed);
    let mut n_refused = 0;
    for _ in 0..N_DAMAGED {
        // A new file each time: rewriting one in place makes some file systems wait for the disk.
        std::fs::remove_file(&path).expect("removable");
        std::fs::write(&path, damage(valid, &mut random)).expect("writable");
        match arrays_of(&path) {
            Ok(arrays) => {
                for array in arrays {
                    assert_eq!(array.dtype.bytes_of_shape(&array.shape), Some(array.bytes.len()));
                    assert!(array.to_f32().is_ok() || array.to_i64().is_ok());
                }
            }
            Err(error) => {
                n_refused += 1;
                assert!(error.to_string().contains(file_name), "{error}");
            }
        }
    }
    assert!(n_refused > N_DAMAGED / 2, "only {n_refused} of {N_DAMAGED} damaged files were refused");
}

fn weights(file: &Path) -> Result<Vec<NamedArray>, Error> {
    Ok(open_weights(file.parent().expect("it lies in a folder"))?.arrays.into_values().collect())
}

fn adam_moments(file: &Path) -> Result<Vec<NamedArray>, Error> {
    let moments = read_adam_state(file)?.moments.into_values();
    Ok(moments.flat_map(|moments| [moments.exp_avg, moments.exp_avg_sq]).collect())
}

fn tensors() -> (Vec<Tensor>, Vec<Vec<f32>>) {
    let tensors = vec![
        tensor("embeddings.weight", 0, &[2, 3], &[3, 1]),
        tensor("decoder.weight", 0, &[3, 2], &[1, 3]),
        Tensor { offset: 1, ..tensor("bias", 1, &[2], &[1]) },
    ];
    (tensors, vec![vec![0.5; 6], vec![1.5; 3]])
}

#[test]
fn damaged_safetensors_never_panic() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    let arrays = [
        NamedArray::from_f32("embeddings.weight", [2, 3], vec![0.5; 6]),
        NamedArray::from_i64("position_ids", [1, 2], vec![0, 1]),
    ];
    write_safetensors(&path, &arrays, &[("format".into(), "pt".into())]).expect("writable");
    check("model.safetensors", &std::fs::read(&path).expect("readable"), 0x9e37_79b9_7f4a_7c15, weights);
}

#[test]
fn damaged_zip_files_never_panic() {
    let (tensors, storages) = tensors();
    let file = zip_file(state_dictionary(&tensors, &storages), &storages, |_| {});
    check("pytorch_model.bin", &file, 0x2545_f491_4f6c_dd1d, weights);
}

#[test]
fn damaged_legacy_files_never_panic() {
    let (tensors, storages) = tensors();
    let file = legacy_file(&state_dictionary(&tensors, &storages), &storages, true);
    check("pytorch_model.bin", &file, 0xd1b5_4a32_d192_ed03, weights);
}

#[test]
fn damaged_optimizers_never_panic() {
    let objects = optimizer(|_| {}, |_| {});
    let zip = zip_file(objects.clone(), &moments(), |_| {});
    check("optimizer.pt", &zip, 0xa076_1d64_78bd_642f, adam_moments);
    let legacy = legacy_file(&objects, &moments(), true);
    check("optimizer.pt", &legacy, 0xe703_7ed1_a0b4_28db, adam_moments);
}
