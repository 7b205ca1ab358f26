//! Sharded checkpoints: an index maps tensors to files.

use crate::config::Config;
use crate::{Error, NamedArray};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

const HINT: &str = "Fetch or save the whole checkpoint again";

/// The index of a sharded checkpoint.
pub(crate) struct ShardIndex {
    file: PathBuf,
    /// Tensor names by shard file name. File names have no folders, so they cannot lead out of the
    /// checkpoint's folder.
    pub shards: BTreeMap<String, BTreeSet<String>>,
}

impl ShardIndex {
    pub(crate) fn open(file: &Path) -> Result<Self, Error> {
        let index = Config::open(file)?;
        let wanted = "an object that maps tensor names to file names";
        let map = index.get("weight_map").and_then(Value::as_object);
        let map = map.filter(|map| !map.is_empty()).ok_or_else(|| index.unsupported("weight_map", wanted))?;
        let mut shards = BTreeMap::<String, BTreeSet<String>>::new();
        for (tensor, shard) in map {
            let plain = shard.as_str().filter(|name| is_plain_file_name(name));
            let Some(shard) = plain else {
                return Err(Error::Tensor {
                    file: file.to_path_buf(),
                    tensor: tensor.clone(),
                    wanted: "the name of a file in the folder of the index".into(),
                    found: format!("{shard}; files outside the folder are not opened"),
                    hint: HINT,
                });
            };
            shards.entry(shard.into()).or_default().insert(tensor.clone());
        }
        Ok(Self { file: file.to_path_buf(), shards })
    }

    /// Paths of the shard files, whether they exist or not.
    pub(crate) fn files(&self) -> impl Iterator<Item = PathBuf> {
        self.shards.keys().map(|name| self.file.with_file_name(name))
    }

    /// Opens all shards with `read` and checks that each tensor is in its shard, and in no other.
    pub(crate) fn read(
        &self,
        read: impl Fn(&Path) -> Result<Vec<NamedArray>, Error>,
    ) -> Result<BTreeMap<String, NamedArray>, Error> {
        let mut arrays = BTreeMap::<String, NamedArray>::new();
        for (shard, tensors) in &self.shards {
            let path = self.file.with_file_name(shard);
            if !path.is_file() {
                return Err(self.error("all shard files in its folder", format!("no {shard}")));
            }
            let mut missing: BTreeSet<&str> = tensors.iter().map(String::as_str).collect();
            for array in read(&path)? {
                missing.remove(array.name.as_str());
                if let Some(other) = arrays.insert(array.name.clone(), array) {
                    let found = format!("a second one in {shard}");
                    return Err(self.error(&format!("one tensor `{}` in all shards", other.name), found));
                }
            }
            if let Some(tensor) = missing.first() {
                return Err(self.error(&format!("tensor `{tensor}` in {shard}"), "a shard without it".into()));
            }
        }
        Ok(arrays)
    }

    fn error(&self, wanted: &str, found: String) -> Error {
        Error::Malformed { file: self.file.clone(), wanted: wanted.into(), found, hint: HINT }
    }
}

fn is_plain_file_name(name: &str) -> bool {
    let mut components = Path::new(name).components();
    let one_name = matches!((components.next(), components.next()), (Some(Component::Normal(_)), None));
    // A backslash separates folders on Windows, a colon names a drive.
    one_name && !name.contains(['/', '\\', ':', '\0'])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{open_weights, write_safetensors};
    use tempfile::TempDir;

    fn folder(weight_map: &str, shards: &[(&str, &[&str])]) -> TempDir {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let index = format!(r#"{{"metadata":{{}},"weight_map":{weight_map}}}"#);
        std::fs::write(folder.path().join("model.safetensors.index.json"), index).expect("writable");
        for (shard, tensors) in shards {
            let arrays: Vec<_> =
                tensors.iter().map(|name| NamedArray::from_f32(*name, [1], vec![1.0])).collect();
            write_safetensors(&folder.path().join(shard), &arrays, &[]).expect("writable");
        }
        folder
    }

    fn message(weight_map: &str, shards: &[(&str, &[&str])]) -> String {
        open_weights(folder(weight_map, shards).path()).expect_err("an error").to_string()
    }

    #[test]
    fn shards_are_joined() {
        let folder = folder(
            r#"{"a":"1.safetensors","b":"2.safetensors","c":"1.safetensors"}"#,
            &[("1.safetensors", &["a", "c"]), ("2.safetensors", &["b"])],
        );
        assert!(crate::has_weights(folder.path()));
        let weights = open_weights(folder.path()).expect("valid");
        assert_eq!(weights.arrays.keys().collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(weights.format, crate::WeightsFormat::ShardedSafetensors);
        assert_eq!(weights.files.len(), 3);
        std::fs::remove_file(folder.path().join("2.safetensors")).expect("removable");
        assert!(!crate::has_weights(folder.path()));
        let message = open_weights(folder.path()).expect_err("a shard is missing").to_string();
        assert!(message.contains("no 2.safetensors") && message.contains("index.json"), "{message}");
    }

    #[test]
    fn a_tensor_missing_from_its_shard_or_in_two_is_an_error() {
        let message_one =
            message(r#"{"a":"1.safetensors","b":"1.safetensors"}"#, &[("1.safetensors", &["a"])]);
        assert!(message_one.contains("tensor `b` in 1.safetensors"), "{message_one}");
        let both: &[(&str, &[&str])] = &[("1.safetensors", &["a"]), ("2.safetensors", &["a", "b"])];
        let message_two = message(r#"{"a":"1.safetensors","b":"2.safetensors"}"#, both);
        assert!(message_two.contains("one tensor `a`"), "{message_two}");
    }

    #[test]
    fn names_that_lead_out_of_the_folder_are_refused() {
        for name in
            ["../secret.safetensors", "/etc/passwd", "a/b.safetensors", "..", ".", "", "..\\\\x", "C:x"]
        {
            let message = message(&format!(r#"{{"a":"{name}"}}"#), &[]);
            assert!(message.contains("outside the folder") && message.contains("`a`"), "{name}: {message}");
        }
        assert!(message(r#"{"a":7}"#, &[]).contains("the name of a file"));
    }

    #[test]
    fn an_index_without_a_map_is_an_error() {
        for map in ["{}", "[]", "null"] {
            let message = message(map, &[]);
            assert!(message.contains("`weight_map`"), "{message}");
        }
    }
}
