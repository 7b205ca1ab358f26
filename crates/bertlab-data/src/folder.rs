//! Folders of classes: DIR/pos/*.txt and DIR/neg/*.txt with one text per file, as aclImdb has them, or DIR/pos.txt and
//! DIR/neg.txt with one text per line. The folder's or the file's name is the label.

use std::path::{Path, PathBuf};

use super::columns::Chosen;
use super::stream::Source;
use super::text::{read_lines, read_text, text_record};
use super::{DataError, Encoding, RawLabel, Record};
use crate::part::Part;

/// aclImdb keeps its 50,000 unlabelled reviews beside pos and neg, in a folder of this name: it is no class.
const UNLABELLED: &str = "unsup";

/// Endings of files that hold a text per line.
const TEXT_ENDINGS: [&str; 3] = ["txt", "pos", "neg"];
/// Names of files beside the classes that are none, and of splits.
const NO_CLASSES: [&str; 12] = [
    "readme",
    "license",
    "licence",
    "labels",
    "classes",
    "train",
    "training",
    "test",
    "dev",
    "val",
    "valid",
    "validation",
];

/// Reads every class folder, or else every text file as a class; folders and files in the order of their names.
pub(super) fn read(folder: &Path, encoding: Encoding) -> Result<Part, DataError> {
    let classes = class_folders(folder)?;
    let mut part =
        Part { files: Vec::new(), records: Vec::new(), chosen: Chosen::default(), class_names: None };
    for class in &classes {
        for file in text_files(&folder.join(class))? {
            part.records.push(record(&file, part.files.len(), class, encoding)?);
            part.files.push(file);
        }
    }
    if classes.is_empty() {
        for (file, class) in class_files(folder)? {
            let records = read_lines(&file, encoding, Some(&class))?.records;
            let source = part.files.len();
            part.records.extend(records.into_iter().map(|record| Record { source, ..record }));
            part.files.push(file);
        }
    }
    if part.files.is_empty() { Err(no_classes(folder)?) } else { Ok(part) }
}

/// Tells `visit` the texts of a folder's files, labelled or not: of class folders, unlabelled ones among them, a text
/// for each file; else a text for each line.
pub(super) fn visit_texts<E: From<DataError>>(
    source: &Source<'_>,
    visit: &mut dyn FnMut(String) -> Result<(), E>,
) -> Result<(), E> {
    let mut n_files = 0;
    for folder in entries(source.file)?.iter().filter(|path| path.is_dir()) {
        for file in text_files(folder)? {
            visit(read_text(&file, source.encoding)?)?;
            let n_bytes = file.metadata().map_or(0, |metadata| metadata.len());
            source.meter.add(n_bytes).map_err(DataError::from)?;
            n_files += 1;
        }
    }
    if n_files == 0 {
        for file in text_files(source.file)? {
            Source { file: &file, ..*source }.visit_lines(visit)?;
            n_files += 1;
        }
    }
    if n_files == 0 { Err(no_classes(source.file)?.into()) } else { Ok(()) }
}

fn record(file: &Path, source: usize, class: &str, encoding: Encoding) -> Result<Record, DataError> {
    let text = read_text(file, encoding)?;
    let without_line_end = text.trim_end_matches(['\r', '\n']).to_owned();
    Ok(Record { source, label: RawLabel::Text(class.to_owned()), ..text_record(1, without_line_end) })
}

/// Text files that are a class each, with its name: what stands before the ending, or the ending where the rest is the
/// same (rt-polarity.pos and rt-polarity.neg). None where there are not at least two, or where their names say
/// something else.
fn class_files(folder: &Path) -> Result<Vec<(PathBuf, String)>, DataError> {
    let ending =
        |path: &Path| path.extension().map(|e| e.to_string_lossy().to_lowercase()).unwrap_or_default();
    let stem = |path: &Path| path.file_stem().map(|s| s.to_string_lossy().into_owned()).unwrap_or_default();
    let is_class = |path: &PathBuf| {
        path.is_file()
            && TEXT_ENDINGS.contains(&ending(path).as_str())
            && !NO_CLASSES.contains(&stem(path).to_lowercase().as_str())
    };
    let files: Vec<PathBuf> = entries(folder)?.into_iter().filter(is_class).collect();
    let names: Vec<String> = match files.windows(2).all(|two| stem(&two[0]) == stem(&two[1])) {
        true => files.iter().map(|file| ending(file)).collect(),
        false => files.iter().map(|file| stem(file)).collect(),
    };
    Ok(if files.len() < 2 { Vec::new() } else { files.into_iter().zip(names).collect() })
}

/// Whether a folder holds a folder of texts for every class.
pub(super) fn has_class_folders(folder: &Path) -> bool {
    folder.is_dir() && class_folders(folder).is_ok_and(|classes| !classes.is_empty())
}

/// Names of the subfolders that hold text files, sorted, without the unlabelled ones of aclImdb.
fn class_folders(folder: &Path) -> Result<Vec<String>, DataError> {
    let mut classes = Vec::new();
    for path in entries(folder)? {
        // aclImdb's train and test hold lists of addresses beside their classes.
        let is_split = NO_CLASSES.contains(&name(&path).to_lowercase().as_str());
        if path.is_dir() && !is_split && !text_files(&path)?.is_empty() {
            classes.push(name(&path));
        }
    }
    let has = |wanted: &str| classes.iter().any(|class| class == wanted);
    if has("pos") && has("neg") {
        classes.retain(|class| class != UNLABELLED);
    }
    Ok(classes)
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
        _ => format!(
            "no subfolder holds .txt files, and there are no text files for two classes; the folder holds {}",
            super::error::listed(&names)
        ),
    };
    let split = names.iter().find(|name| ["train", "test"].contains(&name.as_str()));
    let hint = match split {
        Some(split) => format!("Give one split: {}", folder.join(split).display()),
        None => "Give data files (.csv, .jsonl, .parquet …) by their own names".to_owned(),
    };
    Ok(DataError::NoClassFolders { folder: folder.to_owned(), found, hint })
}
