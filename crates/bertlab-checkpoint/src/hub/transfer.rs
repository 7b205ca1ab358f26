//! One file of a repository into the cache: what is there is continued, what has come is checked, then it
//! gets its name.

use super::cache::RepoCache;
use super::checksum::Checksum;
use super::client::{Client, Failure, Response, Walked};
use super::names::{is_blob_name, is_commit, quoted};
use crate::{Error, atomic};
use bertlab_feedback::{Progress, Stage, Status, Unit};
use std::fs::{self, File};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::{HeaderMap, HeaderName, StatusCode, Uri, header};

const BUFFER: usize = 1 << 17;

/// A file that is wanted.
pub(super) struct FileRequest<'a> {
    pub(super) client: &'a Client,
    pub(super) cache: &'a RepoCache,
    pub(super) commit: &'a str,
    pub(super) file_name: &'a str,
    pub(super) address: Uri,
    pub(super) progress: Option<&'a dyn Progress>,
    /// How long another process that downloads the same file may make no progress.
    pub(super) patience: Duration,
}

/// What the hub says of a file.
struct Found {
    /// The name of the blob.
    etag: String,
    n_bytes: u64,
    /// Where the contents are.
    address: Uri,
    /// The contents, where they have come with the answer.
    response: Option<Response>,
}

/// The headers that describe a file, gathered along the redirects.
#[derive(Default)]
struct Description {
    etag: Option<String>,
    linked_etag: Option<String>,
    linked_size: Option<String>,
    commit: Option<String>,
}

impl Description {
    fn look(&mut self, headers: &HeaderMap) {
        let text =
            |name: HeaderName| Some(String::from_utf8_lossy(headers.get(name)?.as_bytes()).into_owned());
        let keep = |place: &mut Option<String>, name: HeaderName| *place = text(name).or(place.take());
        keep(&mut self.etag, header::ETAG);
        keep(&mut self.linked_etag, HeaderName::from_static("x-linked-etag"));
        keep(&mut self.linked_size, HeaderName::from_static("x-linked-size"));
        keep(&mut self.commit, HeaderName::from_static("x-repo-commit"));
    }

    /// The etag, where it may be a file name.
    fn blob_name(&self) -> Result<String, Failure> {
        let wanted = "an etag of letters, digits, `-` and `_`";
        let etag = self.linked_etag.as_ref().or(self.etag.as_ref());
        let etag = etag.ok_or_else(|| Failure::refused(wanted, "none"))?;
        let bare = etag.trim().trim_start_matches("W/").trim_matches('"');
        is_blob_name(bare).then(|| bare.to_owned()).ok_or_else(|| Failure::refused(wanted, quoted(etag)))
    }

    fn check_commit(&self, wanted: &str) -> Result<(), Failure> {
        let Some(found) = &self.commit else {
            return Ok(()); // The address has named it.
        };
        if is_commit(found) && found.eq_ignore_ascii_case(wanted) {
            return Ok(());
        }
        Err(Failure::refused(format!("the commit {wanted}"), format!("X-Repo-Commit {}", quoted(found))))
    }
}

impl FileRequest<'_> {
    /// Fetches the file, unless its contents are in the cache already, and gives its path.
    pub(super) fn obtain(&self) -> Result<PathBuf, Failure> {
        let mut found = self.describe()?;
        let lock = self.cache.lock(&found.etag, self.patience)?;
        let blob = self.cache.blob(&found.etag);
        let is_there = fs::metadata(&blob).is_ok_and(|there| there.is_file() && there.len() == found.n_bytes);
        if !is_there {
            // Without locks nobody may share the part with another process.
            let part = if lock.is_some() { self.cache.part(&found.etag) } else { own_part(&blob) };
            self.download(&mut found, part, &blob)?;
        }
        self.cache.link(&found.etag, self.commit, self.file_name, !is_there)?;
        Ok(self.cache.snapshot(self.commit).join(self.file_name))
    }

    /// Asks the hub what the file is. Whoever the hub redirects to may only say what the hub has left open.
    fn describe(&self) -> Result<Found, Failure> {
        let mut description = Description::default();
        let mut at = self.address.clone();
        let mut look = |address: &Uri, headers: &HeaderMap| {
            at = address.clone();
            description.look(headers);
        };
        let walked = self.client.walk(&self.address, 0, true, &mut look)?;
        description.check_commit(self.commit)?;
        let (address, response) = match walked {
            Walked::Arrived(response) => (at, Some(*response)),
            Walked::Leaves(address)
                if description.blob_name().is_ok() && description.linked_size.is_some() =>
            {
                (address, None)
            }
            Walked::Leaves(address) => {
                let response = self.client.get(&address, 0)?;
                if description.linked_etag.is_none() && description.etag.is_none() {
                    description.look(response.headers());
                }
                (address, Some(response))
            }
        };
        let etag = description.blob_name()?;
        let n_bytes = self.length(&description, response.as_ref())?;
        Ok(Found { etag, n_bytes, address, response })
    }

    fn length(&self, description: &Description, response: Option<&Response>) -> Result<u64, Failure> {
        let by_body = response.map(|response| total_of(response.headers()));
        let by_hub = description.linked_size.as_deref().map(|size| size.trim().parse::<u64>().ok());
        match (by_hub, by_body) {
            (Some(Some(size)), Some(Some(length))) if size != length => {
                Err(Failure::refused(format!("{size} bytes"), format!("{length} bytes")))
            }
            (Some(Some(size)), _) | (None, Some(Some(size))) => Ok(size),
            _ => Err(Failure::refused("the file's length", "none that can be read")),
        }
    }

    /// Fetches what is missing of the contents, checks them, and gives them their name.
    fn download(&self, found: &mut Found, part: PathBuf, blob: &Path) -> Result<(), Failure> {
        let mut part = Part::open(part, found)?;
        let resumed_at = part.n_bytes;
        if part.n_bytes < found.n_bytes {
            self.fill(&mut part, found)?;
        }
        part.finish(blob).map_err(|failure| match failure {
            // The fault may lie in what an earlier try had left.
            Failure::Refused { found, .. } if resumed_at > 0 => Failure::Broken(found),
            failure => failure,
        })
    }

    fn fill(&self, part: &mut Part, found: &mut Found) -> Result<(), Failure> {
        let response = match found.response.take().filter(|_| part.n_bytes == 0) {
            Some(response) => response,
            None => match self.client.get(&found.address, part.n_bytes) {
                Err(Failure::Status { status: 416, .. }) => {
                    part.forget()?;
                    return Err(Failure::Broken("the rest of the file was refused".into()));
                }
                answer => answer?,
            },
        };
        self.expect_start(part, &response)?;
        if let Some(encoding) = response.headers().get(header::CONTENT_ENCODING)
            && encoding.as_bytes() != b"identity"
        {
            let encoding = String::from_utf8_lossy(encoding.as_bytes());
            return Err(Failure::refused(
                "the bytes as they are",
                format!("the encoding {}", quoted(&encoding)),
            ));
        }
        self.copy(response, part, &found.address)
    }

    /// Begins anew where the server sends the file from its start.
    fn expect_start(&self, part: &mut Part, response: &Response) -> Result<(), Failure> {
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return if part.n_bytes == 0 { Ok(()) } else { part.restart() };
        }
        match range_of(response.headers()) {
            Some((start, total))
                if start == part.n_bytes && total.is_none_or(|total| total == part.n_wanted) =>
            {
                Ok(())
            }
            _ => {
                part.forget()?;
                let wanted = format!("the {} bytes from {} on", part.n_wanted, part.n_bytes);
                Err(Failure::refused(wanted, "another range"))
            }
        }
    }

    fn copy(&self, mut response: Response, part: &mut Part, address: &Uri) -> Result<(), Failure> {
        let mut reader = response.body_mut().as_reader();
        let mut buffer = vec![0; BUFFER];
        loop {
            if let Some(progress) = self.progress {
                let start = Status::new(Stage::Download, self.file_name, part.n_wanted, Unit::Bytes);
                progress.update(Status { done: part.n_bytes, ..start }).map_err(Error::from)?;
            }
            let n_read = match reader.read(&mut buffer) {
                Ok(n_read) => n_read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(self.client.read_failure(error, address)),
            };
            if n_read == 0 {
                break;
            }
            part.add(&buffer[..n_read])?;
        }
        if part.n_bytes < part.n_wanted {
            let (n, wanted) = (part.n_bytes, part.n_wanted);
            return Err(Failure::Broken(format!("{n} bytes came where {wanted} were announced")));
        }
        Ok(())
    }
}

/// The part of a blob that is this process's alone.
fn own_part(blob: &Path) -> PathBuf {
    blob.with_extension(format!("{}.incomplete", std::process::id()))
}

/// A file on its way: `blobs/ETAG.incomplete`.
struct Part {
    path: PathBuf,
    file: File,
    n_bytes: u64,
    n_wanted: u64,
    /// Of the bytes that are there.
    checksum: Checksum,
    /// Of none.
    fresh: Checksum,
}

impl Part {
    /// Opens what an earlier try has left. A part that cannot be the file's beginning is emptied.
    fn open(path: PathBuf, found: &Found) -> Result<Self, Failure> {
        atomic::make_folder_of(&path)?;
        let file = File::options().read(true).append(true).create(true).open(&path);
        let file = file.map_err(|source| Error::io(&path, "open the file", source))?;
        let fresh = Checksum::of_etag(&found.etag, found.n_bytes);
        let mut part =
            Self { path, file, n_bytes: 0, n_wanted: found.n_bytes, checksum: fresh.clone(), fresh };
        part.take_in().map_err(|source| Error::io(&part.path, "read the file", source))?;
        let is_whole = part.n_bytes == part.n_wanted && part.checksum.clone().check().is_ok();
        if part.n_bytes >= part.n_wanted && !(is_whole && part.checksum.is_a_hash()) {
            part.restart()?;
        }
        Ok(part)
    }

    /// Reads what is there into the checksum.
    fn take_in(&mut self) -> std::io::Result<()> {
        let mut buffer = vec![0; BUFFER];
        loop {
            let n_read = self.file.read(&mut buffer)?;
            if n_read == 0 {
                return Ok(());
            }
            self.checksum.update(&buffer[..n_read]);
            self.n_bytes += n_read as u64;
        }
    }

    fn add(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        if bytes.len() as u64 > self.n_wanted - self.n_bytes {
            self.forget()?;
            return Err(Failure::refused(format!("{} bytes", self.n_wanted), "more"));
        }
        self.file.write_all(bytes).map_err(|source| Error::io(&self.path, "write the file", source))?;
        self.checksum.update(bytes);
        self.n_bytes += bytes.len() as u64;
        Ok(())
    }

    /// Empties the part.
    fn restart(&mut self) -> Result<(), Failure> {
        let emptied = self.file.set_len(0).and_then(|()| self.file.rewind());
        emptied.map_err(|source| Error::io(&self.path, "empty the file", source))?;
        (self.n_bytes, self.checksum) = (0, self.fresh.clone());
        Ok(())
    }

    /// Removes the part, so that the next try begins anew.
    fn forget(&self) -> Result<(), Failure> {
        Ok(fs::remove_file(&self.path).map_err(|source| Error::io(&self.path, "remove the file", source))?)
    }

    /// Checks the whole file and gives it its name; a wrong one is removed.
    fn finish(self, blob: &Path) -> Result<(), Failure> {
        if let Err((wanted, found)) = self.checksum.clone().check() {
            self.forget()?;
            let hint = "The file was not kept. Try again; if this stays, the hub or a proxy alters the file";
            return Err(Failure::Refused { wanted, found, hint });
        }
        let named = self.file.sync_all().and_then(|()| fs::rename(&self.path, blob));
        Ok(named.map_err(|source| Error::io(blob, "put the file in the cache", source))?)
    }
}

/// The length of the whole file that an answer is of.
fn total_of(headers: &HeaderMap) -> Option<u64> {
    if let Some((_, total)) = range_of(headers) {
        return total;
    }
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.trim().parse().ok()
}

/// `Content-Range: bytes START-END/TOTAL` as start and total; the total may be unknown.
fn range_of(headers: &HeaderMap) -> Option<(u64, Option<u64>)> {
    let range = headers.get(header::CONTENT_RANGE)?.to_str().ok()?.trim().strip_prefix("bytes ")?;
    let (span, total) = range.split_once('/')?;
    Some((span.split_once('-')?.0.trim().parse().ok()?, total.trim().parse().ok()))
}
