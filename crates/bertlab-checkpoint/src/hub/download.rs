//! Fetching a repository's files into the cache, with tries that go on where the last one broke off.

use super::HubOptions;
use super::address::percent_encoded;
use super::cache::RepoCache;
use super::client::{Client, Failure};
use super::names::{fault_of_file_name, is_commit, quoted};
use super::settings::Settings;
use super::transfer::FileRequest;
use crate::shards::ShardIndex;
use crate::{Error, weights};
use bertlab_feedback::Hint;
use serde_json::Value;
use std::path::PathBuf;
use std::time::Duration;
use ureq::http::Uri;

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
/// The list of a repository's files may have so many bytes.
const LISTING_BYTES_MAX: u64 = 64 << 20;
const KEPT: &str = "Check the connection and try again: what has arrived is kept. \
                    A folder of this machine can be given as a path instead";
const LISTING: &str = "the list of files";

/// Downloads what is needed of a model and gives its snapshot folder.
///
/// The weights come last, and the revision is noted only when all files are there: an interrupted download is
/// never taken for a whole one, and the next one goes on with what is already there.
pub(super) fn fetch_model(asked: Asked, settings: &Settings, options: &HubOptions) -> Result<PathBuf, Error> {
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
    /// In addresses of the hub's API, and in folder names of the cache.
    fn plural(self) -> &'static str {
        match self {
            Self::Model => "models",
            Self::Dataset => "datasets",
        }
    }

    /// In messages.
    fn words(self) -> &'static str {
        match self {
            Self::Model => "model",
            Self::Dataset => "data set",
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
    /// Its place in the cache.
    pub(super) fn cached(&self, settings: &Settings) -> RepoCache {
        RepoCache::new(&settings.cache, self.kind.plural(), &self.name)
    }

    /// That the network is off and the cache lacks it.
    pub(super) fn offline_error(&self, settings: &Settings) -> Error {
        Error::Offline {
            model: self.name.clone(),
            download: self.download(),
            cache: self.cached(settings).folder(),
            why: settings.offline.unwrap_or("offline"),
        }
    }

    /// How it is downloaded by other means.
    fn download(&self) -> Hint {
        Hint::Download { name: self.name.clone(), is_data_set: self.kind == RepoKind::Dataset }
    }

    /// Its page on the hub.
    fn page(&self, settings: &Settings) -> String {
        match self.kind {
            RepoKind::Model => format!("{}/{}", settings.endpoint, self.name),
            RepoKind::Dataset => format!("{}/datasets/{}", settings.endpoint, self.name),
        }
    }

    fn listing_address(&self, settings: &Settings) -> String {
        let (kind, revision) = (self.kind.plural(), percent_encoded(&self.revision, b""));
        format!("{}/api/{kind}/{}/revision/{revision}", settings.endpoint, self.name)
    }
}

/// A download of one commit of a repository.
pub(super) struct Transfer<'a> {
    settings: &'a Settings,
    options: &'a HubOptions,
    asked: Asked,
    /// What the revision meant when the download began: a push in between changes nothing.
    pub(super) commit: String,
    /// Every file of the repository; none where it was not asked for.
    pub(super) file_names: Vec<String>,
    /// `configs` of a data set's card; null where there are none.
    pub(super) configs: Value,
    cache: RepoCache,
    client: Client,
}

impl<'a> Transfer<'a> {
    /// Asks the hub which commit the revision means, and which files it has.
    pub(super) fn begin(
        asked: Asked,
        settings: &'a Settings,
        options: &'a HubOptions,
    ) -> Result<Self, Error> {
        let client = Client::new(settings)?;
        let address = asked.listing_address(settings);
        let listing = with_attempts(options.n_attempts, &client, || list(&client, &address));
        let listing = listing.and_then(|answer| Listing::read(&answer).map_err(|failure| (failure, 1)));
        let listing = listing.map_err(|(failure, n_attempts)| {
            Problem { asked: &asked, settings, client: &client, what: LISTING, n_attempts }.explain(failure)
        })?;
        let Listing { commit, file_names, configs } = listing;
        let cache = asked.cached(settings);
        Ok(Self { settings, options, asked, commit, file_names, configs, cache, client })
    }

    /// A download of a commit that is known already, without asking for its files.
    pub(super) fn of_commit(
        asked: Asked,
        commit: &str,
        settings: &'a Settings,
        options: &'a HubOptions,
    ) -> Result<Self, Error> {
        let (client, cache) = (Client::new(settings)?, asked.cached(settings));
        let (file_names, configs, commit) = (Vec::new(), Value::Null, commit.to_owned());
        Ok(Self { settings, options, asked, commit, file_names, configs, cache, client })
    }

    fn has(&self, file_name: &str) -> bool {
        self.file_names.iter().any(|name| name == file_name)
    }

    /// Fetches one file, unless an earlier download has it already.
    pub(super) fn fetch(&self, file_name: &str) -> Result<PathBuf, Error> {
        let explain = |(failure, n_attempts)| {
            let (asked, settings, client) = (&self.asked, self.settings, &self.client);
            Problem { asked, settings, client, what: file_name, n_attempts }.explain(failure)
        };
        let address = self.address(file_name).map_err(|failure| explain((failure, 1)))?;
        let path = self.cache.snapshot(&self.commit).join(file_name);
        if path.is_file() {
            return Ok(path);
        }
        let request = FileRequest {
            client: &self.client,
            cache: &self.cache,
            commit: &self.commit,
            file_name,
            address,
            progress: self.options.progress.as_deref(),
            patience: self.settings.stall_timeout,
        };
        with_attempts(self.options.n_attempts, &self.client, || request.obtain()).map_err(explain)
    }

    /// The address of a file at the commit.
    fn address(&self, file_name: &str) -> Result<Uri, Failure> {
        if let Some(fault) = fault_of_file_name(file_name) {
            return Err(Failure::refused(
                "files inside the repository",
                format!("{fault}: {}", quoted(file_name)),
            ));
        }
        let (page, file) = (self.asked.page(self.settings), percent_encoded(file_name, b"/"));
        address_of(&format!("{page}/resolve/{}/{file}", self.commit))
    }

    /// Notes the revision, so that the files are found without asking, and gives their folder.
    pub(super) fn finish(self) -> Result<PathBuf, Error> {
        self.cache.note_revision(&self.asked.revision, &self.commit)?;
        Ok(self.cache.snapshot(&self.commit))
    }

    fn incomplete(&self, wanted: &'static str, hint: &'static str) -> Error {
        const SHOWN_MAX: usize = 12;
        let shown = &self.file_names[..self.file_names.len().min(SHOWN_MAX)];
        let shown: Vec<&str> = shown.iter().map(|name| name.as_str()).collect();
        let found = if shown.is_empty() { "no files".into() } else { shown.join(", ") };
        Error::HubIncomplete { model: self.asked.name.clone(), wanted, found, hint }
    }
}

/// What the hub says about a repository, checked: its names become paths.
struct Listing {
    commit: String,
    file_names: Vec<String>,
    configs: Value,
}

impl Listing {
    fn read(answer: &Value) -> Result<Self, Failure> {
        let commit = answer["sha"].as_str().unwrap_or_default();
        if !is_commit(commit) {
            let wanted = "the commit as 40 hexadecimal digits (`sha`)";
            return Err(Failure::refused(wanted, quoted(commit)));
        }
        let siblings = answer["siblings"].as_array().into_iter().flatten();
        let names = siblings.filter_map(|sibling| sibling["rfilename"].as_str());
        let file_names: Vec<String> = names.map(str::to_owned).collect();
        for name in &file_names {
            if let Some(fault) = fault_of_file_name(name) {
                let found = format!("{fault}: {}", quoted(name));
                return Err(Failure::refused("files inside the repository", found));
            }
        }
        Ok(Self { commit: commit.into(), file_names, configs: answer["cardData"]["configs"].clone() })
    }
}

/// Asks for `sha`, `siblings`, and of data sets `cardData`.
fn list(client: &Client, address: &str) -> Result<Value, Failure> {
    let address = address_of(address)?;
    let mut response = client.get(&address, 0)?;
    let text = response.body_mut().with_config().limit(LISTING_BYTES_MAX).read_to_vec();
    let text = match text {
        Err(ureq::Error::BodyExceedsLimit(limit)) => {
            return Err(Failure::refused("a list of files", format!("more than {limit} bytes")));
        }
        text => text.map_err(|error| client.read_failure(error.into_io(), &address))?,
    };
    serde_json::from_slice(&text)
        .map_err(|error| Failure::refused("a list of files as JSON", format!("another text ({error})")))
}

fn address_of(text: &str) -> Result<Uri, Failure> {
    text.parse().map_err(|_| Failure::refused("an address", quoted(text)))
}

/// Tries until it works, fails for good, or has failed `n_attempts` times; the failure comes with the number
/// of tries.
fn with_attempts<T>(
    n_attempts: usize,
    client: &Client,
    mut attempt: impl FnMut() -> Result<T, Failure>,
) -> Result<T, (Failure, usize)> {
    let mut wait = FIRST_WAIT;
    let mut n_tried = 1;
    loop {
        match attempt() {
            Ok(value) => return Ok(value),
            Err(failure) if n_tried >= n_attempts || !may_pass(&failure, client) => {
                return Err((failure, n_tried));
            }
            Err(_) => {
                std::thread::sleep(wait);
                wait = (wait * 2).min(WAIT_MAX);
                n_tried += 1;
            }
        }
    }
}

/// Whether a failure may be gone at the next try. Where nobody has answered yet, there is no network to wait
/// for.
fn may_pass(failure: &Failure, client: &Client) -> bool {
    match failure {
        Failure::Status { status, .. } => *status >= 500 || matches!(status, 408 | 429),
        Failure::Unreachable(_) => client.is_reached(),
        Failure::Broken(_) => true,
        Failure::Hopeless { .. } | Failure::Refused { .. } | Failure::Local(_) => false,
    }
}

/// What turns a failure into words.
struct Problem<'a> {
    asked: &'a Asked,
    settings: &'a Settings,
    client: &'a Client,
    what: &'a str,
    n_attempts: usize,
}

impl Problem<'_> {
    fn explain(&self, failure: Failure) -> Error {
        let (model, endpoint) = (self.asked.name.clone(), self.settings.endpoint.clone());
        let (kind, what) = (self.asked.kind.words(), self.what.to_owned());
        match failure {
            Failure::Status { status: status @ (401 | 403), elsewhere: None } => {
                Error::HubAccess { model, endpoint, status, hint: self.access_hint(status) }
            }
            Failure::Status { status: 404, elsewhere: None } if self.what == LISTING => {
                Error::HubNotFound { kind, model, endpoint, revision: self.asked.revision.clone() }
            }
            Failure::Status { status, elsewhere } => {
                let host = elsewhere.unwrap_or_else(|| "it".into());
                self.broken_off(format!("{host} answered HTTP {status}"), KEPT)
            }
            Failure::Unreachable(reason) if !self.client.is_reached() => {
                let (download, cache) = (self.asked.download(), self.asked.cached(self.settings).folder());
                Error::HubUnreachable { model, download, cache, endpoint, reason }
            }
            Failure::Unreachable(reason) | Failure::Broken(reason) => self.broken_off(reason, KEPT),
            Failure::Hopeless { reason, hint } => self.broken_off(reason, hint),
            Failure::Refused { wanted, found, hint } => {
                Error::HubAnswer { model, endpoint, what, wanted, found, hint }
            }
            Failure::Local(error) => error,
        }
    }

    fn broken_off(&self, reason: String, hint: &'static str) -> Error {
        Error::HubTransfer {
            model: self.asked.name.clone(),
            endpoint: self.settings.endpoint.clone(),
            what: self.what.into(),
            n_attempts: self.n_attempts,
            reason,
            hint,
        }
    }

    fn access_hint(&self, status: u16) -> String {
        let (kind, page) = (self.asked.kind.words(), self.asked.page(self.settings));
        if self.settings.token.is_some() && !self.settings.origin.is_confidential() {
            return "The access token was not sent, since the hub's address is neither https nor on this \
                    machine: set HF_ENDPOINT to an https address"
                .into();
        }
        match (status, &self.settings.token) {
            (401, None) => format!(
                "Check the spelling: the hub says this of names that it does not know. If the {kind} is \
                 private or gated, set HF_TOKEN to an access token"
            ),
            (401, Some(_)) => {
                "The access token was not accepted: check HF_TOKEN, and the spelling of the name".into()
            }
            (_, None) => format!(
                "The {kind} is gated or private: ask for access at {page} and set HF_TOKEN to an access token"
            ),
            (_, Some(_)) => format!(
                "The access token may not read this {kind}: ask for access at {page} with the account that \
                 the token (HF_TOKEN) belongs to"
            ),
        }
    }
}
