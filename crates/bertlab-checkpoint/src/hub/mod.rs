//! From `MODEL` to a folder: a path is a path; a hub name is looked up in HuggingFace's cache, else
//! downloaded into it.

mod address;
mod cache;
mod checksum;
mod client;
mod dataset;
mod download;
mod names;
mod progress;
mod settings;
mod transfer;

use crate::{Error, weights};
use bertlab_feedback::Progress;
use download::{Asked, RepoKind};
use names::{fault_of_hub_name, fault_of_revision};
use settings::Settings;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

pub use dataset::DatasetRepo;
pub use progress::set_default_progress;

/// The branch that is meant when none is named.
const MAIN_REVISION: &str = "main";

/// What a `MODEL` argument means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModelSource {
    /// A folder of this machine. It is never looked for in the network.
    Folder(PathBuf),
    /// A name on the hub, as `bert-base-uncased` or `organisation/model`.
    Hub(String),
}

impl ModelSource {
    /// Decides what `model` means: a path that exists is a path, whatever it looks like.
    ///
    /// # Errors
    /// [`Error::NoSuchFolder`] for what looks like a path with nothing there, [`Error::NotAFolder`] for a
    /// file, [`Error::ModelName`] for what can be neither.
    pub fn parse(model: &str) -> Result<Self, Error> {
        let path = Path::new(model);
        if path.is_dir() {
            return Ok(Self::Folder(path.to_path_buf()));
        }
        if path.exists() {
            return Err(Error::NotAFolder { path: path.to_path_buf() });
        }
        if looks_like_a_path(model) {
            return Err(Error::NoSuchFolder { model: model.into(), hint: path_hint(model) });
        }
        match fault_of_hub_name(model) {
            Some(reason) => Err(Error::ModelName { model: model.into(), reason }),
            None => Ok(Self::Hub(model.into())),
        }
    }
}

/// How a hub name is resolved. What is `None` here comes from HuggingFace's environment variables, else its
/// defaults.
#[derive(Clone, Debug)]
pub struct HubOptions {
    /// Use no network, as `HF_HUB_OFFLINE=1` does.
    pub offline: bool,
    /// Receives the progress of downloads, in bytes of each file; else the one of [`set_default_progress`],
    /// if any.
    pub progress: Option<Arc<dyn Progress>>,
    /// A branch, tag or commit; `main` if none.
    pub revision: Option<String>,
    /// The cache folder; else `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE`, `HF_HOME/hub`,
    /// `~/.cache/huggingface/hub`.
    pub cache: Option<PathBuf>,
    /// The hub's address; else `HF_ENDPOINT`, else HuggingFace's public hub.
    pub endpoint: Option<String>,
    /// The access token; else `HF_TOKEN`, the file `HF_TOKEN_PATH`, the file `token` in `HF_HOME`. It is sent
    /// to the hub's own address only, and only over https or to this machine.
    pub token: Option<String>,
    /// How many times a broken transfer is tried in all; each try goes on where the last one broke off.
    pub n_attempts: usize,
    /// How long connecting may take; else `HF_HUB_ETAG_TIMEOUT`, 5 s.
    pub connect_timeout: Option<Duration>,
    /// How long the hub may send nothing; else `HF_HUB_DOWNLOAD_TIMEOUT`, 30 s.
    pub stall_timeout: Option<Duration>,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            offline: false,
            progress: progress::default_progress(),
            revision: None,
            cache: None,
            endpoint: None,
            token: None,
            n_attempts: 5,
            connect_timeout: None,
            stall_timeout: None,
        }
    }
}

/// Gives the folder that holds `model`: itself if it is one, else the snapshot in HuggingFace's cache,
/// downloaded if it is not there. A folder, and a model in the cache, are found without the network.
///
/// # Errors
/// Those of [`ModelSource::parse`]; [`Error::Offline`]; [`Error::HubAccess`], [`Error::HubNotFound`],
/// [`Error::HubIncomplete`], [`Error::HubUnreachable`], [`Error::HubAnswer`] and [`Error::HubTransfer`] by
/// what the hub answers; [`Error::HubSetting`]; [`Error::Io`] for the cache.
pub fn resolve(model: &str, options: &HubOptions) -> Result<PathBuf, Error> {
    let name = match ModelSource::parse(model)? {
        ModelSource::Folder(folder) => return Ok(folder),
        ModelSource::Hub(name) => name,
    };
    let revision = options.revision.as_deref().unwrap_or(MAIN_REVISION);
    if let Some(reason) = fault_of_revision(revision) {
        return Err(Error::ModelName { model: format!("{name}@{revision}"), reason });
    }
    let settings = Settings::new(options, |variable| std::env::var(variable).ok())?;
    let asked = Asked { kind: RepoKind::Model, name, revision: revision.into() };
    let is_whole = |folder: &Path| folder.join("config.json").is_file() && weights::has_weights(folder);
    if let Some(snapshot) = asked.cached(&settings).find_snapshot(revision).filter(|folder| is_whole(folder))
    {
        return Ok(snapshot);
    }
    if settings.offline.is_some() {
        return Err(asked.offline_error(&settings));
    }
    download::fetch_model(asked, &settings, options)
}

fn looks_like_a_path(model: &str) -> bool {
    model.starts_with(['.', '/', '~'])
        || model.ends_with('/')
        || model.contains('\\')
        || model.matches('/').count() > 1
}

fn path_hint(model: &str) -> String {
    if model.starts_with('~') {
        return "`~` is replaced by the shell, at the start of an unquoted word only: write the whole path"
            .into();
    }
    let trimmed = model.trim_end_matches('/');
    if fault_of_hub_name(trimmed).is_none() {
        return format!(
            "Check the spelling of the path; for the model of that name on the hub write `{trimmed}`"
        );
    }
    "Check the spelling of the path".into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hub_names_are_told_from_paths() {
        for name in ["bert-base-uncased", "distilbert/distilbert-base-uncased", "a/b.c_d-1"] {
            assert_eq!(ModelSource::parse(name).expect("a hub name"), ModelSource::Hub(name.into()));
        }
        for path in ["./model", "../model", "/no/such", "~/model", "a/b/c", "model/", "runs\\model", "."] {
            let parsed = ModelSource::parse(path);
            let is_path = matches!(parsed, Err(Error::NoSuchFolder { .. }) | Ok(ModelSource::Folder(_)));
            assert!(is_path, "{path}: {parsed:?}");
        }
        for name in ["", "bert base", "a--b", "a..b", "-a", "org/", "org/.x", "ü"] {
            assert!(ModelSource::parse(name).is_err(), "{name}");
        }
        assert!(matches!(ModelSource::parse(&"a".repeat(97)), Err(Error::ModelName { .. })));
    }

    #[test]
    fn errors_say_what_to_try() {
        let message = |model: &str| ModelSource::parse(model).expect_err("no such model").to_string();
        assert!(message("bert-base-uncased/").contains("on the hub write `bert-base-uncased`"));
        assert!(message("~/models/bert").contains("replaced by the shell"));
        assert!(message("bert base").contains("looks like `bert-base-uncased`"));
    }

    #[test]
    fn a_path_that_exists_is_a_path_and_a_file_is_an_error() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_str().expect("UTF-8");
        assert_eq!(ModelSource::parse(path).expect("a folder"), ModelSource::Folder(path.into()));
        let file = folder.path().join("config.json");
        std::fs::write(&file, "{}").expect("writable");
        let parsed = ModelSource::parse(file.to_str().expect("UTF-8"));
        assert!(matches!(parsed, Err(Error::NotAFolder { .. })));
    }
}
