//! The format of PyTorch before 1.6: five pickles (magic number, version, system, objects, storage keys),
//! then the storages.

use crate::pickle::{self, Pickle, Value};
use crate::pytorch::{Storage, Tensors, malformed};
use crate::{Bytes, Error};
use std::collections::HashMap;
use std::path::Path;

/// 0x1950a86a20f9469cfc6c, little-endian as in the pickle.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const VERSION: i64 = 1001;

/// Reads a file in the legacy format; `interpret` converts its objects.
pub(crate) fn read<T>(
    bytes: &Bytes,
    file: &Path,
    interpret: impl FnOnce(&Pickle, Tensors<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut at = 0;
    let mut next_pickle = || -> Result<Pickle, Error> {
        let pickle = pickle::read(&bytes[at..], file)?;
        at += pickle.n_bytes;
        Ok(pickle)
    };
    match next_pickle()?.root {
        Value::Long(number) if *number == MAGIC => {}
        _ => {
            return Err(malformed(file, "PyTorch's magic number at the start", "another pickle"));
        }
    }
    match next_pickle()?.root {
        Value::Int(VERSION) => {}
        found => return Err(malformed(file, format!("format version {VERSION}"), format!("{found:?}"))),
    }
    refuse_big_endian(&next_pickle()?, file)?;
    let objects = next_pickle()?;
    let keys = next_pickle()?;
    let storages = locate_storages(bytes, at, &objects, &keys, file)?;
    let mut storage_bytes = |storage: &Storage| {
        let found = storages.get(storage.key).filter(|bytes| bytes.len() == storage.n_bytes());
        found.cloned().ok_or_else(|| {
            malformed(
                file,
                format!("storage `{}` of {} bytes", storage.key, storage.n_bytes()),
                "none of that size",
            )
        })
    };
    interpret(&objects, Tensors::new(file, bytes.len(), &mut storage_bytes))
}

fn refuse_big_endian(system: &Pickle, file: &Path) -> Result<(), Error> {
    let Value::Dictionary(dictionary) = system.root else {
        return Err(malformed(file, "a description of the system that wrote it", "another value"));
    };
    let big_endian = system.dictionaries[dictionary].iter().any(|(key, value)| {
        matches!((key, value), (Value::Text(key), Value::Bool(false)) if &**key == "little_endian")
    });
    if big_endian {
        return Err(malformed(file, "little-endian numbers", "big-endian ones"));
    }
    Ok(())
}

/// Locates the storages, which follow each other in the order of `keys`, each preceded by its number of
/// elements.
fn locate_storages<'a>(
    bytes: &Bytes,
    mut at: usize,
    objects: &'a Pickle,
    keys: &Pickle,
    file: &Path,
) -> Result<HashMap<&'a str, Bytes>, Error> {
    let mut described: HashMap<&str, Storage> = HashMap::new();
    for object in &objects.persistent {
        let storage = Storage::from_persistent(object, file)?;
        described.insert(storage.key, storage);
    }
    let Value::List(list) = keys.root else {
        return Err(malformed(file, "a list of storage keys", "another value"));
    };
    let mut located = HashMap::new();
    for key in &keys.lists[list] {
        let storage = match key {
            Value::Text(key) => described.get(&**key),
            _ => None,
        };
        let storage = storage.ok_or_else(|| malformed(file, "storages that tensors use", "an unused one"))?;
        let found = storage_at(bytes, at, storage);
        let wanted = || format!("storage `{}` of {} elements", storage.key, storage.n_elements);
        let found = found.ok_or_else(|| malformed(file, wanted(), format!("other data at byte {at}")))?;
        at += 8 + found.len();
        located.insert(storage.key, found);
    }
    Ok(located)
}

fn storage_at(bytes: &Bytes, at: usize, storage: &Storage) -> Option<Bytes> {
    let count = bytes.slice(at..at.checked_add(8)?)?;
    let count = u64::from_le_bytes((*count).try_into().ok()?);
    if count != storage.n_elements as u64 {
        return None;
    }
    bytes.slice(at + 8..(at + 8).checked_add(storage.n_bytes())?)
}
