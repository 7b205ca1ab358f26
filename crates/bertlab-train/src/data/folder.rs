//! Class folders as aclImdb has them: DIR/pos/*.txt and DIR/neg/*.txt, one text per file, the folder's name is the label.

use std::path::{Path, PathBuf};

use super::columns::Chosen;
use super::text::{read_text, text_record};
use super::{DataError, Part, RawLabel, Record};

/// aclImdb keeps its 50,000 unlabelled reviews beside pos and neg, in a folder of this name: it is no class.
const UNLABELLED: &str = "unsup";

/// Reads every `*.txt` of every class folder, folders and files in the order of their names.
pub(super) fn read(folder: &Path) -> Result<Part, DataError> {
    let mut files = Vec::new();
    let mut records = Vec::new();
    for class in class_folders(folder)? {
        for file in text_files(&folder.join(&class))? {
            records.push(record(&file, files.len(), &class)?);
            files.push(file);
        }
    }
    Ok(Part { files, records, chosen: Chosen::default(), class_names: None })
}

fn record(file: &Path, source: usize, class: &str) -> Result<Record, DataError> {
    let text = read_text(file)?;
    let without_line_end = text.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Record { source, label: RawLabel::Text(class.to_owned()), ..text_record(1, without_line_end) })
}

/// Names of the subfolders that hold text files, sorted, without the unlabelled ones of aclImdb.
fn class_folders(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut classes = Vec::new();
    for path in entries(folder)? {
        if path.is_dir() && !text_files(&path)?.is_empty() {
            classes.push(name(&path));
        }
    }
    let has = |wanted: &str| classes.iter().any(|class| class == wanted);
    if has("pos") && has("neg") {
        classes.retain(|class| class != UNLABELLED);
    }
    if classes.is_empty() { Err(no_classes(folder)?) } else { Ok(classes) }
}

fn text_files(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let is_text =
        |path: &PathBuf| path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt"));
    Ok(entries(folder)?.into_iter().filter(|path| is_text(path) && path.is_file()).collect())
}

/// What a folder holds, sorted by name.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, DataError> {
    let unreadable = |source| DataError::Unreadable { file: folder.to_owned(), source };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

fn no_classes(folder: &Path) -> Result<DataError, DataError> {
    let names: Vec<String> = entries(folder)?.iter().map(|path| name(path)).collect();
    let found = match names.len() {
        0 => "the folder is empty".to_owned(),
        _ => format!("no subfolder holds .txt files; the folder holds {}", super::error::listed(&names)),
    };
    let split = names.iter().find(|name| ["train", "test"].contains(&name.as_str()));
    let hint = match split {
        Some(split) => format!("Give one split: {}", folder.join(split).display()),
        None => "Give data files (.csv, .jsonl, .parquet …) by their own names".to_owned(),
    };
    Ok(DataError::NoClassFolders { folder: folder.to_owned(), found, hint })
}
