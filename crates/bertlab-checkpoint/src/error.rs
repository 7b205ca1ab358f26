//! Every way in which a checkpoint cannot be read, written or fetched: what was found, what was wanted, what to try.

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
        /// What was being done, as in "read the file".
        action: &'static str,
        /// The system's reason.
        source: std::io::Error,
    },
    /// A name that looks like a path, with nothing there.
    #[error("there is no folder `{model}`. {hint}")]
    NoSuchFolder {
        /// The name as the user gave it.
        model: String,
        /// What to try.
        hint: String,
    },
    /// A file where a checkpoint folder was wanted.
    #[error(
        "`{}` is a file; wanted the folder that holds config.json and the weights. Try `{}`",
        path.display(),
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or(".".into(), |parent| parent.to_string_lossy())
    )]
    NotAFolder {
        /// The file that was given.
        path: PathBuf,
    },
    /// A folder without the file that is needed.
    #[error("{}: there is no {file_name} in this folder ({found}). {hint}", folder.display())]
    MissingFile {
        /// The folder.
        folder: PathBuf,
        /// The name of the file that is missing.
        file_name: String,
        /// What lies there instead.
        found: String,
        /// What to try.
        hint: String,
    },
    /// A file that breaks the rules of its format.
    #[error("{}: wanted {wanted}, found {found}. {hint}", file.display())]
    Malformed {
        /// The file.
        file: PathBuf,
        /// The rule.
        wanted: String,
        /// What the file says.
        found: String,
        /// What to try.
        hint: &'static str,
    },
    /// A tensor of a file that cannot be read.
    #[error("{}: tensor `{tensor}`: wanted {wanted}, found {found}. {hint}", file.display())]
    Tensor {
        /// The file.
        file: PathBuf,
        /// The tensor's name in the file.
        tensor: String,
        /// The rule.
        wanted: String,
        /// What the file says.
        found: String,
        /// What to try.
        hint: &'static str,
    },
    /// A pickle that names something which is neither a tensor nor a plain container.
    #[error(
        "{}: the pickle asks for `{global}`; only tensors and plain containers are read, and it was not executed. {hint}",
        file.display()
    )]
    ForbiddenGlobal {
        /// The file.
        file: PathBuf,
        /// The Python name, as `module.name`.
        global: String,
        /// What to try.
        hint: &'static str,
    },
    /// An array whose elements are of another kind than was asked for.
    #[error("array `{name}` holds {found}; wanted {wanted}")]
    ElementKind {
        /// The array.
        name: String,
        /// What was asked for.
        wanted: &'static str,
        /// What it holds.
        found: super::Dtype,
    },
    /// A value of config.json that is missing, of the wrong type, or not supported.
    #[error("{}: `{key}` is {found}; wanted {wanted}", file.display())]
    ConfigValue {
        /// The config file.
        file: PathBuf,
        /// The key.
        key: String,
        /// The value found, as JSON, or "missing".
        found: String,
        /// What is supported.
        wanted: String,
    },
    /// A folder that cannot be replaced by a save, because it holds something else.
    #[error(
        "{}: {holds}. Saving replaces the whole folder: choose a new or an empty folder, or move those files away",
        folder.display()
    )]
    FolderInUse {
        /// The folder.
        folder: PathBuf,
        /// What it holds.
        holds: String,
    },
    /// A data set's name that is neither a folder nor a possible hub name.
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
    /// A model name that is neither a folder nor a possible hub name.
    #[error(
        "`{model}` is neither a folder here nor a hub name: {reason}. A hub name looks like `bert-base-uncased` or `organisation/model`"
    )]
    ModelName {
        /// The name as the user gave it.
        model: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Offline, and the model is not in the cache.
    #[error(
        "`{model}` is not in the cache ({}) and the network is off ({why}). Run once with the network on, \
         or fetch it elsewhere with `{download}` and give the folder instead",
        cache.display()
    )]
    Offline {
        /// The hub name.
        model: String,
        /// How it is downloaded by other means.
        download: Hint,
        /// Where in the cache it would lie.
        cache: PathBuf,
        /// What switched the network off.
        why: &'static str,
    },
    /// The model is not in the cache, and nobody answers at the hub's address.
    #[error(
        "`{model}` is not in the cache ({}), and the hub at {endpoint} cannot be reached: {reason}. \
         Check the connection and try again, or fetch it elsewhere with `{download}` and give the folder \
         instead",
        cache.display()
    )]
    HubUnreachable {
        /// The hub name.
        model: String,
        /// How it is downloaded by other means.
        download: Hint,
        /// Where in the cache it would lie.
        cache: PathBuf,
        /// The hub's address.
        endpoint: String,
        /// What failed.
        reason: String,
    },
    /// A setting of the hub that cannot be used.
    #[error("{setting} is {found}; wanted {wanted}")]
    HubSetting {
        /// The environment variable.
        setting: &'static str,
        /// What it should hold.
        wanted: &'static str,
        /// What it holds.
        found: String,
    },
    /// The hub's answer breaks a rule: it is not used, and nothing of it is kept.
    #[error("{what} of `{model}`, from the hub at {endpoint}: wanted {wanted}, found {found}. {hint}")]
    HubAnswer {
        /// The hub name.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// The file, or "the list of files".
        what: String,
        /// The rule.
        wanted: String,
        /// What the hub sent.
        found: String,
        /// What to try.
        hint: &'static str,
    },
    /// The hub does not let this user in (HTTP 401 or 403).
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
    /// The hub knows no such model or revision (HTTP 404).
    #[error(
        "the hub at {endpoint} has no {kind} `{model}` at revision `{revision}` (HTTP 404). \
         Check the spelling; a folder of this machine can be given as a path instead"
    )]
    HubNotFound {
        /// Model or data set.
        kind: &'static str,
        /// The hub name.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// The branch, tag or commit asked for.
        revision: String,
    },
    /// The hub's repository lacks what is needed.
    #[error("the hub's `{model}` holds no {wanted} (found {found}). {hint}")]
    HubIncomplete {
        /// The hub name.
        model: String,
        /// The file that is needed.
        wanted: &'static str,
        /// What the repository holds.
        found: String,
        /// What to try.
        hint: &'static str,
    },
    /// A transfer that failed for good.
    #[error(
        "{what} of `{model}` could not be fetched from {endpoint} in {n_attempts} attempt(s): {reason}. {hint}"
    )]
    HubTransfer {
        /// The hub name.
        model: String,
        /// The hub's address.
        endpoint: String,
        /// The file, or "the list of files".
        what: String,
        /// How many times it was tried.
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
