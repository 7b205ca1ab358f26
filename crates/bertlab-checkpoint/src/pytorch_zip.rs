//! The format of PyTorch since 1.6: a zip file with `NAME/data.pkl` and an uncompressed entry per storage,
//! `NAME/data/KEY`.

use crate::pickle::{self, Pickle};
use crate::pytorch::{Storage, Tensors, malformed};
use crate::{Bytes, Error};
use std::io::Cursor;
use std::path::Path;
use zip::{CompressionMethod, ZipArchive};

/// Reads a file in the zip format; `interpret` converts its objects.
pub(crate) fn read<T>(
    bytes: &Bytes,
    file: &Path,
    interpret: impl FnOnce(&Pickle, Tensors<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let mut entries = Entries::open(bytes, file)?;
    let byte_order = format!("{}byteorder", entries.prefix);
    if let Some(order) = entries.bytes_of(&byte_order)?
        && &*order != b"little"
    {
        return Err(malformed(
            file,
            "little-endian numbers",
            format!("`{}`", String::from_utf8_lossy(&order)),
        ));
    }
    let name = format!("{}data.pkl", entries.prefix);
    let objects = entries.required(&name)?;
    let objects = pickle::read(&objects, file)?;
    let mut storage_bytes = |storage: &Storage| {
        let name = format!("{}data/{}", entries.prefix, storage.key);
        let found = entries.required(&name)?;
        if found.len() != storage.n_bytes() {
            let wanted = format!("entry `{name}` of {} bytes", storage.n_bytes());
            return Err(malformed(file, wanted, format!("{} bytes", found.len())));
        }
        Ok(found)
    };
    interpret(&objects, Tensors::new(file, bytes.len(), &mut storage_bytes))
}

/// The entries of the zip file, as ranges of the memory map.
struct Entries<'a> {
    archive: ZipArchive<Cursor<Bytes>>,
    bytes: &'a Bytes,
    file: &'a Path,
    /// `NAME/`, the folder of all entries.
    prefix: String,
}

impl AsRef<[u8]> for Bytes {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl<'a> Entries<'a> {
    fn open(bytes: &'a Bytes, file: &'a Path) -> Result<Self, Error> {
        let wanted = "a zip file written by torch.save";
        let archive = ZipArchive::new(Cursor::new(bytes.clone()));
        let archive =
            archive.map_err(|reason| malformed(file, wanted, format!("a damaged one: {reason}")))?;
        let prefix = archive.file_names().flatten().find_map(|name| {
            let prefix = name.strip_suffix("data.pkl")?;
            let in_one_folder = prefix.ends_with('/') && prefix.matches('/').count() == 1;
            in_one_folder.then(|| prefix.to_owned())
        });
        let prefix = prefix.ok_or_else(|| malformed(file, wanted, "one without data.pkl"))?;
        Ok(Self { archive, bytes, file, prefix })
    }

    fn required(&mut self, name: &str) -> Result<Bytes, Error> {
        let found = self.bytes_of(name)?;
        found.ok_or_else(|| malformed(self.file, format!("entry `{name}`"), "no such entry in the zip file"))
    }

    /// The bytes of an entry, without a copy; `None` if there is no such entry.
    fn bytes_of(&mut self, name: &str) -> Result<Option<Bytes>, Error> {
        let Some(index) = self.archive.index_for_name(name) else {
            return Ok(None);
        };
        let wanted = || format!("entry `{name}` without compression");
        let entry = self.archive.by_index_raw(index);
        let entry =
            entry.map_err(|reason| malformed(self.file, wanted(), format!("a damaged one: {reason}")))?;
        if entry.encrypted() || entry.compression() != CompressionMethod::Stored {
            return Err(malformed(self.file, wanted(), "a compressed or encrypted one"));
        }
        let contents = || {
            let start = usize::try_from(entry.data_start()?).ok()?;
            let end = start.checked_add(usize::try_from(entry.size()).ok()?)?;
            self.bytes.slice(start..end)
        };
        let contents = contents();
        contents.map(Some).ok_or_else(|| malformed(self.file, wanted(), "one that ends beyond the file"))
    }
}
