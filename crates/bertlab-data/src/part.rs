//! What one reader makes of one file.

use crate::Record;
use crate::columns::Chosen;
use std::path::PathBuf;

/// What one file reader hands back: records with `source` counted from 0 in `files`.
pub(crate) struct Part {
    pub(crate) files: Vec<PathBuf>,
    pub(crate) records: Vec<Record>,
    pub(crate) chosen: Chosen,
    pub(crate) class_names: Option<Vec<String>>,
}
