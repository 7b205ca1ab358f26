//! Fetching a model from the hub into the cache, by `hf-hub`, with tries that go on where the last one broke off.

use super::HubOptions;
use super::cache::{is_commit, note_revision};
use super::settings::Settings;
use crate::shards::ShardIndex;
use crate::{Error, weights};
use hf_hub::api::Progress;
use hf_hub::api::sync::{Api, ApiBuilder, ApiError, ApiRepo};
use hf_hub::{Cache, Repo, RepoType};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;
use std::io::IsTerminal;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

/// What a model may bring besides its weights: config, tokenizer, and sentence-transformers' pooling.
const SIDE_FILES: [&str; 12] = [
    "config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "vocab.txt",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
    "modules.json",
    "sentence_bert_config.json",
    "1_Pooling/config.json",
    "config_sentence_transformers.json",
];
const FIRST_WAIT: Duration = Duration::from_millis(500);
const WAIT_MAX: Duration = Duration::from_secs(10);

/// Downloads what is needed of a model and gives its snapshot folder.
///
/// The weights come last, and the revision is noted only when all files are there: an interrupted download is never
/// taken for a whole one, and the next one goes on with what is already there.
pub(super) fn fetch_model(
    name: &str,
    revision: &str,
    settings: &Settings,
    options: &HubOptions,
) -> Result<PathBuf, Error> {
    let asked = Asked { kind: RepoKind::Model, name: name.into(), revision: revision.into() };
    let transfer = Transfer::begin(asked, settings, options)?;
    if !transfer.has("config.json") {
        return Err(transfer.incomplete("config.json", "It is no model that transformers could open"));
    }
    let Some(weight_file) = weights::WEIGHT_FILES.into_iter().find(|file| transfer.has(file)) else {
        let hint = transfer.file_names.iter().find_map(|name| weights::conversion_hint(name));
        let hint = hint.unwrap_or("Another model of the same kind may have them");
        return Err(transfer.incomplete("model.safetensors or pytorch_model.bin", hint));
    };
    for file in SIDE_FILES {
        if transfer.has(file) {
            transfer.fetch(file)?;
        }
    }
    if weight_file.ends_with(".index.json") {
        let index = ShardIndex::open(&transfer.fetch(weight_file)?)?;
        for shard in index.shards.keys() {
            transfer.fetch(shard)?;
        }
    } else {
        transfer.fetch(weight_file)?;
    }
    transfer.finish()
}

/// What a repository holds, and how it is spoken of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum RepoKind {
    Model,
    Dataset,
}

impl RepoKind {
    fn hub_type(self) -> RepoType {
        match self {
            Self::Model => RepoType::Model,
            Self::Dataset => RepoType::Dataset,
        }
    }

    /// In messages.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "data set",
        }
    }

    /// What `hf download` needs to be told.
    pub(super) fn download_flag(self) -> &'static str {
        match self {
            Self::Model => "",
            Self::Dataset => "--repo-type dataset ",
        }
    }
}

/// A repository at the revision that was asked for.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) kind: RepoKind,
    pub(super) name: String,
    pub(super) revision: String,
}

impl Asked {
    pub(super) fn repo(&self) -> Repo {
        self.at(&self.revision)
    }

    fn at(&self, revision: &str) -> Repo {
        Repo::with_revision(self.name.clone(), self.kind.hub_type(), revision.into())
    }
}

/// A download of one commit of a repository.
pub(super) struct Transfer<'a> {
    settings: &'a Settings,
    options: &'a HubOptions,
    asked: Asked,
    /// The repository at the commit that the revision meant when the download began: a push in between changes nothing.
    pinned: Repo,
    pub(super) commit: String,
    /// Every file of the repository; none where it was not asked for.
    pub(super) file_names: Vec<String>,
    /// `configs` of a data set's card; null where there are none.
    pub(super) configs: Value,
    api: Api,
    remote: ApiRepo,
}

impl<'a> Transfer<'a> {
    /// Asks the hub which commit the revision means, and which files it has.
    pub(super) fn begin(
        asked: Asked,
        settings: &'a Settings,
        options: &'a HubOptions,
    ) -> Result<Self, Error> {
        let problem = |reason: ApiError, n_attempts| {
            Problem { asked: &asked, settings, what: "the list of files", n_attempts }.explain(reason)
        };
        let api = api(settings).map_err(|reason| problem(reason, 1))?;
        let remote = api.repo(asked.repo());
        let listing = with_attempts(options.n_attempts, || list(&remote));
        let listing = listing.map_err(|(reason, n_attempts)| problem(reason, n_attempts))?;
        let commit = listing["sha"].as_str().unwrap_or_default().to_owned();
        // The commit becomes a folder's name in the cache.
        if !is_commit(&commit) {
            return Err(problem(ApiError::InvalidHeader("sha"), 1));
        }
        let siblings = listing["siblings"].as_array().into_iter().flatten();
        let file_names = siblings.filter_map(|sibling| sibling["rfilename"].as_str()).map(str::to_owned);
        let file_names = file_names.filter(|name| stays_inside(name)).collect();
        let configs = listing["cardData"]["configs"].clone();
        let pinned = asked.at(&commit);
        let remote = api.repo(pinned.clone());
        Ok(Self { settings, options, asked, pinned, commit, file_names, configs, api, remote })
    }

    /// A download of a commit that is known already, without asking for its files.
    pub(super) fn of_commit(
        asked: Asked,
        commit: &str,
        settings: &'a Settings,
        options: &'a HubOptions,
    ) -> Result<Self, Error> {
        let api = api(settings).map_err(|reason| {
            Problem { asked: &asked, settings, what: "the files", n_attempts: 1 }.explain(reason)
        })?;
        let pinned = asked.at(commit);
        let remote = api.repo(pinned.clone());
        let (file_names, configs, commit) = (Vec::new(), Value::Null, commit.to_owned());
        Ok(Self { settings, options, asked, pinned, commit, file_names, configs, api, remote })
    }

    fn has(&self, file_name: &str) -> bool {
        self.file_names.iter().any(|name| name == file_name)
    }

    /// The folder that the files appear in.
    pub(super) fn snapshot(&self) -> PathBuf {
        Cache::new(self.settings.cache.clone()).repo(self.pinned.clone()).pointer_path(&self.commit)
    }

    /// Fetches one file, unless an earlier download has it already.
    pub(super) fn fetch(&self, file_name: &str) -> Result<PathBuf, Error> {
        let path = self.snapshot().join(file_name);
        if path.is_file() {
            return Ok(path);
        }
        let fetched = with_attempts(self.options.n_attempts, || self.try_fetch(file_name));
        fetched.map_err(|(reason, n_attempts)| {
            Problem { asked: &self.asked, settings: self.settings, what: file_name, n_attempts }
                .explain(reason)
        })
    }

    fn try_fetch(&self, file_name: &str) -> Result<PathBuf, ApiError> {
        let mut bar = Bar::new(self.options.progress && std::io::stderr().is_terminal());
        let fetched = self.remote.download_with_progress(file_name, &mut bar);
        bar.clear();
        match fetched {
            Ok(path) => {
                keep_only_whole(&path, bar.n_bytes)?;
                Ok(path)
            }
            Err(reason) => {
                if cannot_be_resumed(&reason) {
                    self.forget_part(file_name)?;
                }
                Err(reason)
            }
        }
    }

    /// Removes the part of a file that an earlier try has left, so that the next one starts anew.
    fn forget_part(&self, file_name: &str) -> Result<(), ApiError> {
        let metadata = self.api.metadata(&self.remote.url(file_name))?;
        let cache = Cache::new(self.settings.cache.clone()).repo(self.pinned.clone());
        let part = cache.blob_path(metadata.etag()).with_extension("part");
        match std::fs::remove_file(part) {
            Err(reason) if reason.kind() != std::io::ErrorKind::NotFound => Err(reason.into()),
            _ => Ok(()),
        }
    }

    /// Notes the revision, so that the files are found without asking.
    pub(super) fn finish(self) -> Result<PathBuf, Error> {
        let snapshot = self.snapshot();
        if !is_commit(&self.asked.revision) {
            // `hf-hub` has noted the commit under its own name as well, which Python would list as a branch.
            let own_note =
                self.settings.cache.join(self.asked.repo().folder_name()).join("refs").join(&self.commit);
            std::fs::remove_file(own_note).ok();
        }
        note_revision(&self.settings.cache, self.asked.repo(), &self.commit)
            .map_err(|source| Error::io(&self.settings.cache, "note the revision in the cache", source))?;
        Ok(snapshot)
    }

    fn incomplete(&self, wanted: &'static str, hint: &'static str) -> Error {
        const SHOWN_MAX: usize = 12;
        let shown = &self.file_names[..self.file_names.len().min(SHOWN_MAX)];
        let found = if shown.is_empty() { "no files".into() } else { shown.join(", ") };
        Error::HubIncomplete { model: self.asked.name.clone(), wanted, found, hint }
    }
}

/// Tries until it works, fails for good, or has failed `n_attempts` times; the failure comes with the number of tries.
fn with_attempts<T>(
    n_attempts: usize,
    mut attempt: impl FnMut() -> Result<T, ApiError>,
) -> Result<T, (ApiError, usize)> {
    let mut wait = FIRST_WAIT;
    let mut n_tried = 1;
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(reason) if n_tried >= n_attempts || !may_pass(&reason) => return Err((reason, n_tried)),
            Err(_) => {
                std::thread::sleep(wait);
                wait = (wait * 2).min(WAIT_MAX);
                n_tried += 1;
            }
        }
    }
}

/// Whether a failure may be gone at the next try.
fn may_pass(reason: &ApiError) -> bool {
    match reason {
        ApiError::RequestError(reason) => match **reason {
            ureq::Error::StatusCode(status) => status >= 500 || matches!(status, 408 | 416 | 429),
            ureq::Error::BadUri(_) | ureq::Error::InvalidProxyUrl | ureq::Error::Tls(_) => false,
            _ => true,
        },
        ApiError::InvalidResume | ApiError::TooManyRetries(_) => true,
        ApiError::IoError(reason) => {
            // Those of the network; a full disk or a forbidden folder stays as it is.
            use std::io::ErrorKind::{NotFound, PermissionDenied, ReadOnlyFilesystem, StorageFull};
            !matches!(reason.kind(), NotFound | PermissionDenied | ReadOnlyFilesystem | StorageFull)
        }
        _ => false,
    }
}

/// The part that is there cannot be continued: it is longer than the file, or as long (the hub answers 416 then).
fn cannot_be_resumed(reason: &ApiError) -> bool {
    match reason {
        ApiError::InvalidResume => true,
        ApiError::RequestError(reason) => matches!(**reason, ureq::Error::StatusCode(416)),
        _ => false,
    }
}

/// Removes a file from the cache whose length is not the one that the hub has announced: a server that cannot go on in
/// the middle of a file sends it from its start again, and `hf-hub` does not look.
fn keep_only_whole(path: &Path, n_bytes_announced: u64) -> Result<(), ApiError> {
    let n_bytes = std::fs::metadata(path)?.len();
    if n_bytes == n_bytes_announced {
        return Ok(());
    }
    std::fs::remove_file(std::fs::canonicalize(path)?)?;
    if path.is_symlink() {
        std::fs::remove_file(path)?;
    }
    let reason = format!("{n_bytes} bytes came where {n_bytes_announced} were announced");
    Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, reason).into())
}

/// What turns a failure of `hf-hub` into words.
struct Problem<'a> {
    asked: &'a Asked,
    settings: &'a Settings,
    what: &'a str,
    n_attempts: usize,
}

impl Problem<'_> {
    fn explain(&self, reason: ApiError) -> Error {
        let status = match &reason {
            ApiError::RequestError(reason) => match **reason {
                ureq::Error::StatusCode(status) => Some(status),
                _ => None,
            },
            _ => None,
        };
        let (model, endpoint) = (self.asked.name.clone(), self.settings.endpoint.clone());
        let kind = self.asked.kind.words();
        match status {
            Some(status @ (401 | 403)) => {
                Error::HubAccess { model, endpoint, status, hint: self.access_hint(status) }
            }
            Some(404) => Error::HubNotFound { kind, model, endpoint, revision: self.asked.revision.clone() },
            _ => Error::HubTransfer {
                model,
                endpoint,
                what: self.what.into(),
                n_attempts: self.n_attempts,
                reason: reason.to_string(),
                hint: "Check the connection and try again: what has arrived is kept. \
                       A folder of this machine can be given as a path instead",
            },
        }
    }

    fn access_hint(&self, status: u16) -> String {
        let (kind, endpoint) = (self.asked.kind.words(), &self.settings.endpoint);
        let page = self.asked.repo().url();
        match (status, &self.settings.token) {
            (401, None) => format!(
                "Check the spelling: the hub says this of names that it does not know. If the {kind} is private or \
                 gated, set HF_TOKEN to an access token"
            ),
            (401, Some(_)) => {
                "The access token was not accepted: check HF_TOKEN, and the spelling of the name".into()
            }
            (_, None) => format!(
                "The {kind} is gated or private: ask for access at {endpoint}/{page} and set HF_TOKEN to an access token"
            ),
            (_, Some(_)) => format!(
                "The access token may not read this {kind}: ask for access at {endpoint}/{page} with the account that \
                 the token (HF_TOKEN) belongs to"
            ),
        }
    }
}

fn api(settings: &Settings) -> Result<Api, ApiError> {
    ApiBuilder::from_cache(Cache::new(settings.cache.clone()))
        .with_endpoint(settings.endpoint.clone())
        .with_token(settings.token.clone())
        .with_user_agent("bertlab", env!("CARGO_PKG_VERSION"))
        .build()
}

/// What the hub says about a repository: `sha`, `siblings`, and of data sets `cardData`.
fn list(remote: &ApiRepo) -> Result<Value, ApiError> {
    const BYTES_MAX: u64 = 256 << 20;
    let mut response = remote.info_request().call().map_err(Box::new)?;
    let text = response.body_mut().with_config().limit(BYTES_MAX).read_to_string().map_err(Box::new)?;
    serde_json::from_str(&text).map_err(|error| ApiError::IoError(error.into()))
}

/// Whether a file of a repository would lie inside its snapshot.
fn stays_inside(name: &str) -> bool {
    !name.contains('\\') && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)))
}

/// The bar of one file, and the length that the hub has announced for it.
struct Bar {
    bar: ProgressBar,
    n_bytes: u64,
}

impl Bar {
    fn new(visible: bool) -> Self {
        let bar = if visible { ProgressBar::new(0) } else { ProgressBar::hidden() };
        let style =
            ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
        bar.set_style(style.expect("the template names known parts"));
        Self { bar, n_bytes: 0 }
    }

    fn clear(&self) {
        self.bar.finish_and_clear();
    }
}

impl Progress for &mut Bar {
    fn init(&mut self, size: usize, filename: &str) {
        self.n_bytes = size as u64;
        self.bar.set_length(self.n_bytes);
        self.bar.set_position(0);
        self.bar.set_message(filename.to_owned());
    }

    fn update(&mut self, size: usize) {
        self.bar.inc(size as u64);
    }

    fn finish(&mut self) {}
}
