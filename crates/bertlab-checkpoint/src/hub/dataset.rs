//! A data set on the hub: the list of its files, and downloads of some of them.

use super::download::{Asked, RepoKind, Transfer};
use super::names::{fault_of_file_name, fault_of_hub_name, fault_of_revision, is_commit};
use super::settings::Settings;
use super::{HubOptions, MAIN_REVISION, looks_like_a_path};
use crate::{Error, atomic};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// Name of the folder for lists of files, next to the snapshots; HuggingFace's libraries ignore it.
const LISTINGS: &str = "bertlab";
/// Maximum depth of the search in a snapshot.
const DEPTH_MAX: usize = 8;

/// The repository of a data set at one commit.
pub struct DatasetRepo {
    settings: Settings,
    options: HubOptions,
    asked: Asked,
    commit: String,
    listing: Listing,
}

/// The contents of a repository.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Listing {
    file_names: Vec<String>,
    configs: Value,
}

impl DatasetRepo {
    /// Opens the data set `name`: its list of files comes from the cache or else from the hub. Offline, only
    /// cached files are listed.
    ///
    /// # Errors
    /// An invalid name or revision; [`Error::Offline`] if nothing is cached; errors of the hub.
    pub fn open(name: &str, options: &HubOptions) -> Result<Self, Error> {
        let no_folder = looks_like_a_path(name).then_some("there is no such folder");
        let a_file = Path::new(name).exists().then_some("it is a file of this machine");
        if let Some(reason) = a_file.or(no_folder).or_else(|| fault_of_hub_name(name)) {
            return Err(Error::DatasetName { name: name.into(), reason });
        }
        let revision = options.revision.as_deref().unwrap_or(MAIN_REVISION);
        if let Some(reason) = fault_of_revision(revision) {
            return Err(Error::DatasetName { name: format!("{name}@{revision}"), reason });
        }
        let settings = Settings::new(options, |variable| std::env::var(variable).ok())?;
        let asked = Asked { kind: RepoKind::Dataset, name: name.into(), revision: revision.into() };
        let cached = cached(&settings, &asked);
        let (commit, listing) = match (cached, settings.offline) {
            (Some((commit, _, Some(listing))), _) => (commit, listing),
            (Some((commit, snapshot, None)), Some(_)) => (commit, Listing::of_folder(&snapshot)),
            (None, Some(_)) => return Err(asked.offline_error(&settings)),
            (_, None) => request_listing(&settings, options, &asked)?,
        };
        Ok(Self { settings, options: options.clone(), asked, commit, listing })
    }

    /// All files of the repository, as paths from its root with `/`.
    pub fn file_names(&self) -> &[String] {
        &self.listing.file_names
    }

    /// `configs` of the data set card, which group files into splits; null if there are none.
    pub fn configs(&self) -> &Value {
        &self.listing.configs
    }

    /// Returns the paths of files, in the order of `names`; missing files are downloaded.
    ///
    /// # Errors
    /// [`Error::Offline`] if a file is not cached; errors of the hub; a failed transfer.
    pub fn fetch(&self, names: &[String]) -> Result<Vec<PathBuf>, Error> {
        let snapshot = self.asked.cached(&self.settings).snapshot(&self.commit);
        let are_plain = names.iter().all(|name| fault_of_file_name(name).is_none());
        let paths: Vec<PathBuf> = names.iter().map(|name| snapshot.join(name)).collect();
        if are_plain && paths.iter().all(|path| path.is_file()) {
            return Ok(paths);
        }
        if self.settings.offline.is_some() {
            return Err(self.asked.offline_error(&self.settings));
        }
        let transfer = Transfer::of_commit(self.asked.clone(), &self.commit, &self.settings, &self.options)?;
        let paths: Vec<PathBuf> = names.iter().map(|name| transfer.fetch(name)).collect::<Result<_, _>>()?;
        transfer.finish()?;
        Ok(paths)
    }
}

impl Listing {
    /// The files in a snapshot.
    fn of_folder(snapshot: &Path) -> Self {
        let mut file_names = Vec::new();
        collect(snapshot, "", DEPTH_MAX, &mut file_names);
        file_names.sort();
        Self { file_names, configs: Value::Null }
    }

    fn file(settings: &Settings, asked: &Asked, commit: &str) -> PathBuf {
        let folder = asked.cached(settings).folder().join(LISTINGS);
        folder.join(format!("{commit}.json"))
    }

    /// Saves the list; the files of a commit never change.
    fn keep(&self, file: &Path) -> Result<(), Error> {
        let folder = file.parent().expect("a listing lies in a folder");
        std::fs::create_dir_all(folder).map_err(|source| Error::io(folder, "make the folder", source))?;
        let text = serde_json::to_vec(self).expect("names are valid JSON");
        atomic::write_file(file, &text)
    }
}

/// The cached commit of a revision, its snapshot, and the list of its files if there is one.
fn cached(settings: &Settings, asked: &Asked) -> Option<(String, PathBuf, Option<Listing>)> {
    let snapshot = asked.cached(settings).find_snapshot(&asked.revision)?;
    let commit = snapshot.file_name()?.to_str().filter(|commit| is_commit(commit))?.to_owned();
    let kept = std::fs::read(Listing::file(settings, asked, &commit)).ok();
    // A damaged list is requested again.
    let listing = kept.and_then(|text| serde_json::from_slice(&text).ok());
    Some((commit, snapshot, listing))
}

/// Requests the list from the hub and saves it.
fn request_listing(
    settings: &Settings,
    options: &HubOptions,
    asked: &Asked,
) -> Result<(String, Listing), Error> {
    let transfer = Transfer::begin(asked.clone(), settings, options)?;
    let listing = Listing { file_names: transfer.file_names.clone(), configs: transfer.configs.clone() };
    listing.keep(&Listing::file(settings, asked, &transfer.commit))?;
    Ok((transfer.commit, listing))
}

fn collect(folder: &Path, prefix: &str, depth: usize, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = entry.path();
        if path.is_file() {
            names.push(format!("{prefix}{name}"));
        } else if depth > 0 && path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), depth - 1, names);
        }
    }
}
