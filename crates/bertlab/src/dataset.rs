//! From the name of a data set, or a folder of one, to the files of its splits.

use std::path::{Path, PathBuf};

use bertlab_checkpoint::hub::{DatasetRepo, HubOptions};
use bertlab_data::preflight::Split;
use bertlab_data::{Config, DatasetLayout};

use crate::Error;

/// Where the hub keeps the parquet files that it makes of data sets of other kinds.
const CONVERTED: &str = "refs/convert/parquet";

/// A data set and what is wanted of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatasetRequest {
    /// A folder, or a name on the hub.
    pub name: String,
    /// One of several configurations; the one that is meant when none.
    pub config: Option<String>,
    /// The split to learn from; `train` when none.
    pub train_split: Option<String>,
    /// The split to evaluate on while training; `validation`, if it is there, when none.
    pub validation_split: Option<String>,
    /// The split to evaluate on at the end; `test`, if it is there, when none. The word `none` is none.
    pub test_split: Option<String>,
    /// Never ask the network.
    pub offline: bool,
}

/// The files of a data set's splits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatasetFiles {
    /// To learn from; empty where it is not wanted.
    pub train: Vec<PathBuf>,
    /// To evaluate on while training; empty where there is none.
    pub validation: Vec<PathBuf>,
    /// To evaluate on at the end; empty where there is none.
    pub test: Vec<PathBuf>,
}

/// Gives the paths of a data set's files, once they are there.
type Fetch<'a> = dyn Fn(&[String]) -> Result<Vec<PathBuf>, Error> + 'a;

impl DatasetRequest {
    /// Finds and, from the hub, fetches the files of the splits that are wanted; the training split and those that are
    /// asked for by name must be there. A path that exists never goes online.
    ///
    /// # Errors
    /// A name that cannot be, a hub that refuses; a configuration or a split that is not there.
    pub fn files(&self, wanted: &[Split]) -> Result<DatasetFiles, Error> {
        let folder = Path::new(&self.name);
        if folder.is_dir() {
            let layout = DatasetLayout::of_folder(folder);
            let config = layout.config(&self.name, self.config.as_deref())?;
            let fetch = |names: &[String]| Ok(names.iter().map(|name| folder.join(name)).collect());
            return self.of_config(config, wanted, &fetch);
        }
        let open = |revision: Option<&str>| {
            let revision = revision.map(str::to_owned);
            DatasetRepo::open(
                &self.name,
                &HubOptions { offline: self.offline, revision, ..HubOptions::default() },
            )
        };
        let mut repo = open(None)?;
        let mut layout = DatasetLayout::of(repo.file_names(), repo.configs());
        if layout.configs.is_empty() {
            repo = open(Some(CONVERTED))?;
            layout = DatasetLayout::of_converted(repo.file_names());
        }
        let config = layout.config(&self.name, self.config.as_deref())?;
        self.of_config(config, wanted, &|names| Ok(repo.fetch(names)?))
    }

    fn of_config(&self, config: &Config, wanted: &[Split], fetch: &Fetch<'_>) -> Result<DatasetFiles, Error> {
        let mut files = DatasetFiles::default();
        for split in wanted {
            let (asked, usual, place) = match split {
                Split::Training => (&self.train_split, "train", &mut files.train),
                Split::Validation => (&self.validation_split, "validation", &mut files.validation),
                Split::Test => (&self.test_split, "test", &mut files.test),
            };
            let found = match asked.as_deref() {
                Some("none") if *split != Split::Training => None,
                Some(name) => Some(config.wanted_split(&self.name, name)?),
                None if *split == Split::Training || wanted.len() == 1 => {
                    Some(config.wanted_split(&self.name, usual)?)
                }
                None => config.split(usual),
            };
            if let Some(found) = found {
                *place = fetch(&found.files)?;
            }
        }
        Ok(files)
    }
}
