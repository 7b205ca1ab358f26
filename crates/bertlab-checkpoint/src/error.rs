//! Errors of reading, writing and downloading checkpoints: what was found, what was expected, what to try.

use std::path::PathBuf;

use bertlab_feedback::{Cancelled, Hint};

/// An error of this crate. Each message names the file (or model, or array) and says what to try next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller cancelled a download.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The operating system refused to read or write.
    #[error("{}: could not {action}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The action that failed, for example "read the file".
        action: &'static str,
        /// The error of the system.
        source: std::io::Error,
    },
    /// A path that does not exist.
    #[error("there is no folder `{model}`. {hint}")]
    NoSuchFolder {
        /// The name that the user gave.
        model: String,
        /// What to try.
        hint: String,
    },
    /// A file instead of a checkpoint folder.
    #[error(
        "`{}` is a file; wanted the folder with config.json and the weights. Try `{}`",
        path.display(),
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(".".into(), |parent| parent.to_string_lossy())
    )]
    NotAFolder {
        /// The file that was given.
        path: PathBuf,
    },
    /// A folder without a required file.
    #[error("{}: there is no {file_name} in this folder ({found}). {hint}", folder.display())]
    MissingFile {
        /// The folder.
        folder: PathBuf,
        /// The name of the missing file.
        file_name: String,
        /// The contents of the folder.
        found: String,
        /// What to try.
        hint: String,
    },
    /// A file that violates its format.
    #[error("{}: wanted {wanted}, found {found}. {hint}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// What the format requires.
        wanted: String,
        /// What the file contains.
        found: String,
        /// What to try.
        hint: &'static str,
    },
    /// A tensor that cannot be read.
    #[error("{}: tensor `{tensor}`: wanted {wanted}, found {found}. {hint}", file.display())]
    Tensor {
        /// The file.
        file: PathBuf,
        /// The name of the tensor in the file.
        tensor: String,
        /// What the format requires.
        wanted: String,
        /// What the file contains.
        found: String,
        /// What to try.
        hint: &'static str,
    },
    /// A pickle that uses a Python name other than tensors and plain containers.
    #[error(
        "{}: the pickle uses `{global}`, which was not executed; only tensors and plain containers are \
         supported. {hint}",
        file.display()
    )]
    ForbiddenGlobal {
        /// The file.
        file: PathBuf,
        /// The Python name, `module.name`.
        global: String,
        /// What to try.
        hint: &'static str,
    },
    /// An array with elements of another kind than requested.
    #[error("array `{name}` has element type {found}; wanted {wanted}")]
    ElementKind {
        /// The array.
        name: String,
        /// The requested kind.
        wanted: &'static str,
        /// The element type of the array.
        found: super::Dtype,
    },
    /// A value of config.json that is missing, has the wrong type, or is not supported.
    #[error("{}: `{key}` is {found}; wanted {wanted}", file.display())]
    ConfigValue {
        /// The config file.
        file: PathBuf,
        /// The key.
        key: String,
        /// The value as JSON, or "missing".
        found: String,
        /// The supported values.
        wanted: String,
    },
    /// A folder that a save must not replace, because it contains other files.
    #[error(
        "{}: {holds}. Saving replaces the whole folder: choose a new or an empty folder, or move those files \
         away",
        folder.display()
    )]
    FolderInUse {
        /// The folder.
        folder: PathBuf,
        /// What it contains.
        holds: String,
    },
    /// A name that is neither a folder nor a valid name of a data set on the hub.
    #[error(
        "`{name}` is neither a folder here nor a data set on the hub: {reason}. Such a name looks like `imdb` or \
         `organisation/dataset`; files are given as {}",
        Hint::Setting("train_file")
    )]
    DatasetName {
        /// The name as the user gave it.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A name that is neither a folder nor a valid name of a model on the hub.
    #[error(
        "`{model}` is neither a folder here nor a hub name: {reason}. A hub name looks like \
         `bert-base-uncased` or `organisation/model`"
    )]
    ModelName {
        /// The name as the user gave it.
        model: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Offline, and the model is not in the cache.
    #[error(
        "`{model}` is not in the cache ({}) and the network is off ({why}). Run once with network access, \
         or download it elsewhere with `{download}` and give the folder instead",
        cache.display()
    )]
    Offline {
        /// The hub name.
        model: String,
        /// The command that downloads it by other means.
        download: Hint,
        /// Where in the cache it would lie.
        cache: PathBuf,
        /// What switched the network off.
        why: &'static str,
    },
    /// The model is not in the cache, and the hub does not respond.
    #[error(
        "`{model}` is not in the cache ({}), and the hub at {endpoint} cannot be reached: {reason}. \
         Check the connection and try again, or download it elsewhere with `{download}` and give the folder \
         instead",
        cache.display()
    )]
    HubUnreachable {
        /// The hub name.
        model: String,
        /// The command that downloads it by other means.
        download: Hint,
        /// Where in the cache it would lie.
        cache: PathBuf,
        /// The hub's address.
        endpoint: String,
        /// What failed.
        reason: String,
    },
    /// An invalid setting of the hub.
    #[error("{setting} is {found}; wanted {wanted}")]
    HubSetting {
        /// The environment variable.
        setting: &'static str,
        /// The accepted values.
        wanted: &'static str,
        /// The actual value.
        found: String,
    },
    /// An invalid response of the hub, which was discarded.
    #[error("{what} of `{model}`, from the hub at {endpoint}: wanted {wanted}, found {found}. {hint}")]
    HubAnswer {
        /// The hub name.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// The file, or "the list of files".
        what: String,
        /// What the protocol requires.
        wanted: String,
        /// What the hub sent.
        found: String,
        /// What to try.
        hint: &'static str,
    },
    /// The hub denies access (HTTP 401 or 403).
    #[error("the hub at {endpoint} refused `{model}` (HTTP {status}). {hint}")]
    HubAccess {
        /// The hub name.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// The HTTP status.
        status: u16,
        /// What to try.
        hint: String,
    },
    /// The hub has no such model or revision (HTTP 404).
    #[error(
        "the hub at {endpoint} has no {kind} `{model}` at revision `{revision}` (HTTP 404). \
         Check the spelling; a local folder can be given as a path instead"
    )]
    HubNotFound {
        /// Model or data set.
        kind: &'static str,
        /// The hub name.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// The requested branch, tag or commit.
        revision: String,
    },
    /// A repository without a required file.
    #[error("`{model}` on the hub has no {wanted} (found {found}). {hint}")]
    HubIncomplete {
        /// The hub name.
        model: String,
        /// The required file.
        wanted: &'static str,
        /// The files of the repository.
        found: String,
        /// What to try.
        hint: &'static str,
    },
    /// A failed transfer.
    #[error(
        "{what} of `{model}` could not be downloaded from {endpoint} in {n_attempts} attempt(s): {reason}. \
         {hint}"
    )]
    HubTransfer {
        /// The hub name.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// The file, or "the list of files".
        what: String,
        /// The number of attempts.
        n_attempts: usize,
        /// The last failure.
        reason: String,
        /// What to try.
        hint: &'static str,
    },
}

impl Error {
    /// Wraps a system error: `action` completes "could not ...".
    pub(crate) fn io(path: impl Into<PathBuf>, action: &'static str, source: std::io::Error) -> Self {
        Self::Io { path: path.into(), action, source }
    }
}
