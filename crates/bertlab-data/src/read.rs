//! From files and folders to a data set: which reader takes which file.

use crate::part::Part;
use crate::{Columns, DataError, Dataset, Encoding, TagScheme};
use crate::{conll, delimited, expand, folder, json, parquet, text};
use std::path::{Path, PathBuf};

/// Reads files and class folders, in the given order, into one data set; texts are UTF-8.
///
/// The format follows from the extension: `.csv`, `.tsv`, `.jsonl`, `.json` (lines or one array), `.parquet`/`.pq`, `.txt` (one text per line), `.conll`,
/// `.conllu`, `.iob`, `.bio` (a word per line, sentences apart by blank lines); a folder holds one subfolder of `.txt` files per class, or one text file per class. A `.txt`, a `.tsv`
/// and a file with any other extension are CoNLL where they look like it.
/// Patterns are expanded as by [`expand`].
///
/// # Errors
/// Any [`DataError`] of reading; labels are not looked at.
pub fn read(paths: &[PathBuf], columns: &Columns) -> Result<Dataset, DataError> {
    read_encoded(paths, columns, Encoding::Utf8)
}

/// As [`read`], with texts of another encoding.
///
/// # Errors
/// As [`read`].
pub fn read_encoded(paths: &[PathBuf], columns: &Columns, encoding: Encoding) -> Result<Dataset, DataError> {
    let mut dataset: Option<Dataset> = None;
    for path in expand(paths)? {
        let part = read_one(&path, columns, encoding)?;
        match &mut dataset {
            None => dataset = Some(start(part, columns.tag_scheme)),
            Some(dataset) => append(dataset, part)?,
        }
    }
    dataset.ok_or(DataError::NoFiles)
}

fn start(part: Part, tag_scheme: TagScheme) -> Dataset {
    Dataset {
        files: part.files,
        records: part.records,
        text_column: part.chosen.text,
        pair_column: part.chosen.pair,
        label_column: part.chosen.label,
        class_names: part.class_names,
        tag_scheme,
    }
}

fn append(dataset: &mut Dataset, part: Part) -> Result<(), DataError> {
    if let (Some(wanted), Some(found)) = (&dataset.class_names, &part.class_names)
        && wanted != found
    {
        return Err(DataError::ClassNamesDiffer {
            file: part.files[0].clone(),
            wanted: wanted.clone(),
            found: found.clone(),
        });
    }
    let n_files = dataset.files.len();
    dataset.files.extend(part.files);
    dataset.records.extend(part.records.into_iter().map(|mut record| {
        record.source += n_files;
        record
    }));
    dataset.class_names = dataset.class_names.take().or(part.class_names);
    Ok(())
}

pub(crate) fn read_one(path: &Path, columns: &Columns, encoding: Encoding) -> Result<Part, DataError> {
    if path.is_dir() {
        return folder::read(path, encoding);
    }
    let extension =
        path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    match extension.as_str() {
        "csv" => delimited::read(path, columns, delimited::Format::Csv, encoding),
        "conll" | "conllu" | "conllup" | "iob" | "iob2" | "bio" | "bioes" => {
            conll::read(path, columns, encoding)
        }
        "txt" | "tsv" if conll::is_wanted(path, columns, conll::Evidence::Tags, encoding) => {
            conll::read(path, columns, encoding)
        }
        "tsv" => delimited::read(path, columns, delimited::Format::Tsv, encoding),
        "jsonl" | "json" | "ndjson" => json::read(path, columns, encoding),
        "parquet" | "pq" => parquet::read(path, columns),
        "txt" => text::read_lines(path, encoding, None),
        // As the sentence polarity data of Pang and Lee has them: a class per file, named by the extension.
        class @ ("pos" | "neg") => text::read_lines(path, encoding, Some(class)),
        _ if conll::is_wanted(path, columns, conll::Evidence::Columns, encoding) => {
            conll::read(path, columns, encoding)
        }
        _ => Err(DataError::UnknownFormat { file: path.to_owned(), extension }),
    }
}
