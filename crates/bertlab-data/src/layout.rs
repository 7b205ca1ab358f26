//! Which files of a data set are which split, as HuggingFace's `datasets` tells it: by the card's `configs`, else by names.

use std::path::Path;

use serde_json::Value;

use super::error::{DataError, listed};

/// Endings of files that are read, the better first where as many of several kinds are there.
const ENDINGS: [&str; 8] = ["parquet", "pq", "jsonl", "ndjson", "csv", "tsv", "json", "txt"];
/// Files about the data, not of it.
const NO_DATA: [&str; 7] = [
    "dataset_infos.json",
    "dataset_info.json",
    "dataset_dict.json",
    "state.json",
    "config.json",
    "readme.txt",
    "license.txt",
];
/// Folders are searched so deep.
const DEPTH_MAX: usize = 4;

/// The files of a data set, by configuration and split.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DatasetLayout {
    /// Sorted by name where the names of files say what there is, else as the card has them.
    pub configs: Vec<Config>,
}

/// One of several parts of a data set, such as `sst2` of `glue`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Its name.
    pub name: String,
    /// What is meant where none is named.
    pub is_default: bool,
    /// Its splits.
    pub splits: Vec<SplitFiles>,
}

/// The files of a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SplitFiles {
    /// `train`, `validation`, `test`, or what the data set calls it.
    pub name: String,
    /// In order.
    pub files: Vec<String>,
}

impl DatasetLayout {
    /// Of a repository with these files; `configs` is the card's, or null.
    pub fn of(names: &[String], configs: &Value) -> Self {
        let names = data_files(names);
        let by_card: Vec<Config> =
            configs.as_array().into_iter().flatten().filter_map(|config| of_card(config, &names)).collect();
        if by_card.is_empty() { Self::of_names(&names) } else { Self { configs: by_card } }
    }

    /// Of the parquet files that the hub makes of every data set: CONFIG/SPLIT/0000.parquet.
    pub fn of_converted(names: &[String]) -> Self {
        let mut layout = Self::default();
        for name in data_files(names) {
            if let [config, split, _] = name.split('/').collect::<Vec<_>>()[..] {
                let split = split.strip_prefix("partial-").unwrap_or(split);
                layout.add(config, split, name);
            }
        }
        layout
    }

    /// Of a folder of this machine; split folders with a folder per class (as aclImdb's) are splits.
    pub fn of_folder(folder: &Path) -> Self {
        let mut layout = Self::default();
        let mut names = Vec::new();
        let mut classes = |name: &str| {
            layout.add("default", canonical(name)?, name);
            Some(())
        };
        collect(folder, "", DEPTH_MAX, &mut names, &mut classes);
        if layout.configs.is_empty() { Self::of(&names, &Value::Null) } else { layout }
    }

    fn of_names(names: &[&str]) -> Self {
        let mut layout = Self::default();
        for name in names {
            if let Some(split) = split_of(name) {
                layout.add(config_of(name), &split, name);
            }
        }
        if layout.configs.is_empty() {
            // Where nothing is called a split, everything is to learn from.
            names.iter().for_each(|name| layout.add(config_of(name), "train", name));
        }
        layout.configs.iter_mut().for_each(Config::keep_one_kind);
        layout.configs.sort_by(|one, other| one.name.cmp(&other.name));
        layout
    }

    fn add(&mut self, config: &str, split: &str, file: &str) {
        let at = self.configs.iter().position(|known| known.name == config).unwrap_or_else(|| {
            self.configs.push(Config { name: config.to_owned(), is_default: false, splits: Vec::new() });
            self.configs.len() - 1
        });
        self.configs[at].add(split, file);
    }

    /// The configuration that is asked for, or that is meant. `dataset` is for messages.
    ///
    /// # Errors
    /// There is none of that name; none is named and there are several; there are no files.
    pub fn config(&self, dataset: &str, asked: Option<&str>) -> Result<&Config, DataError> {
        let dataset = dataset.to_owned();
        let known = || listed(&self.configs.iter().map(|config| config.name.clone()).collect::<Vec<_>>());
        let found = match asked {
            Some(asked) => self.configs.iter().find(|config| config.name == asked),
            None => {
                let is_meant = |config: &&Config| config.is_default || config.name == "default";
                self.configs.iter().find(is_meant).or(match &self.configs[..] {
                    [only] => Some(only),
                    _ => None,
                })
            }
        };
        match (found, asked) {
            (Some(config), _) => Ok(config),
            (None, _) if self.configs.is_empty() => Err(DataError::NoDataFiles { dataset }),
            (None, Some(asked)) => {
                Err(DataError::NoSuchConfig { dataset, asked: asked.to_owned(), known: known() })
            }
            (None, None) => Err(DataError::SeveralConfigs { dataset, known: known() }),
        }
    }
}

impl Config {
    /// A split by its name, or by another word for the same (`dev` for `validation`).
    pub fn split(&self, name: &str) -> Option<&SplitFiles> {
        let exact = self.splits.iter().find(|split| split.name == name);
        exact.or_else(|| {
            let wanted = canonical(name)?;
            self.splits.iter().find(|split| canonical(&split.name) == Some(wanted))
        })
    }

    /// As [`Self::split`], of a split that must be there. `dataset` is for messages.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn wanted_split(&self, dataset: &str, name: &str) -> Result<&SplitFiles, DataError> {
        self.split(name).ok_or_else(|| DataError::NoSuchSplit {
            dataset: dataset.to_owned(),
            asked: name.to_owned(),
            known: listed(&self.splits.iter().map(|split| split.name.clone()).collect::<Vec<_>>()),
        })
    }

    fn add(&mut self, split: &str, file: &str) {
        match self.splits.iter_mut().find(|known| known.name == split) {
            Some(known) => known.files.push(file.to_owned()),
            None => self.splits.push(SplitFiles { name: split.to_owned(), files: vec![file.to_owned()] }),
        }
    }

    /// The same rows may lie there as CSV and as Parquet: the kind of which there are most files is taken.
    fn keep_one_kind(&mut self) {
        let files = || self.splits.iter().flat_map(|split| &split.files);
        let count = |wanted: &str| files().filter(|file| ending(file) == wanted).count();
        let Some(kind) = ENDINGS.iter().rev().max_by_key(|kind| count(kind)).copied() else { return };
        self.splits.iter_mut().for_each(|split| split.files.retain(|file| ending(file) == kind));
        self.splits.retain(|split| !split.files.is_empty());
    }
}

/// A configuration as a card has it: `data_files` for every split, or `data_dir`.
fn of_card(config: &Value, names: &[&str]) -> Option<Config> {
    let name = config["config_name"].as_str().unwrap_or("default");
    let mut found = Config {
        name: name.to_owned(),
        is_default: config["default"].as_bool().unwrap_or(false),
        splits: Vec::new(),
    };
    let folder =
        config["data_dir"].as_str().map(|folder| folder.trim_matches(['.', '/'])).unwrap_or_default();
    let below: Vec<&str> = names.iter().copied().filter(|name| is_below(name, folder)).collect();
    for (split, pattern) in patterns(&config["data_files"]) {
        let pattern = match folder {
            "" => pattern.trim_start_matches("./").to_owned(),
            folder => format!("{folder}/{}", pattern.trim_start_matches("./")),
        };
        below.iter().filter(|name| matches(&pattern, name)).for_each(|name| found.add(&split, name));
    }
    if found.splits.is_empty() && !folder.is_empty() {
        found.splits = DatasetLayout::of_names(&below).configs.into_iter().next()?.splits;
    }
    (!found.splits.is_empty()).then_some(found)
}

/// (split, pattern) of a card's `data_files`: one pattern, a list of them, or a list of objects with `split` and `path`.
fn patterns(data_files: &Value) -> Vec<(String, String)> {
    let paths = |value: &Value| -> Vec<String> {
        match value {
            Value::String(path) => vec![path.clone()],
            Value::Array(paths) => paths.iter().filter_map(|path| path.as_str().map(str::to_owned)).collect(),
            _ => Vec::new(),
        }
    };
    let of_split = |split: &str, value: &Value| -> Vec<(String, String)> {
        paths(value).into_iter().map(|path| (split.to_owned(), path)).collect()
    };
    match data_files {
        Value::Array(items) if items.iter().any(Value::is_object) => items
            .iter()
            .flat_map(|item| of_split(item["split"].as_str().unwrap_or("train"), &item["path"]))
            .collect(),
        Value::Object(splits) => splits.iter().flat_map(|(split, value)| of_split(split, value)).collect(),
        other => of_split("train", other),
    }
}

fn matches(pattern: &str, name: &str) -> bool {
    let options = glob::MatchOptions { require_literal_separator: true, ..glob::MatchOptions::new() };
    pattern == name
        || glob::Pattern::new(pattern).is_ok_and(|pattern| pattern.matches_with(name, options))
        || (!pattern.contains(['*', '?', '[']) && is_below(name, pattern.trim_end_matches('/')))
}

fn is_below(name: &str, folder: &str) -> bool {
    folder.is_empty() || name.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/'))
}

/// Sorted, without what is no data and without hidden files.
fn data_files(names: &[String]) -> Vec<&str> {
    let is_data = |name: &&str| {
        let file = name.rsplit('/').next().unwrap_or(name).to_lowercase();
        let is_hidden = name.split('/').any(|part| part.starts_with('.'));
        ENDINGS.contains(&ending(name).as_str()) && !NO_DATA.contains(&file.as_str()) && !is_hidden
    };
    let mut names: Vec<&str> = names.iter().map(String::as_str).filter(is_data).collect();
    names.sort_unstable();
    names
}

fn ending(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default()
}

/// The folder at the top, unless it is named after a split or says nothing.
fn config_of(name: &str) -> &str {
    match name.split_once('/') {
        Some((top, _)) if top != "data" && split_in_words(top).is_none() => top,
        _ => "default",
    }
}

/// The split that a file's name speaks of: `SPLIT-00000-of-00001`, else a word in a folder's name, else in its own.
fn split_of(name: &str) -> Option<String> {
    let (folders, file) = name.rsplit_once('/').unwrap_or(("", name));
    let stem = file.split('.').next().unwrap_or(file);
    if let Some(split) = sharded(stem) {
        return Some(split.to_owned());
    }
    let in_folders = folders.rsplit('/').find_map(split_in_words);
    in_folders.or_else(|| split_in_words(stem)).map(str::to_owned)
}

fn sharded(stem: &str) -> Option<&str> {
    let is_number = |word: &str| word.len() >= 5 && word.bytes().all(|byte| byte.is_ascii_digit());
    let (before, total) = stem.rsplit_once("-of-")?;
    let (split, index) = before.rsplit_once('-')?;
    (is_number(index) && is_number(total.split('-').next()?)).then_some(split)
}

fn split_in_words(name: &str) -> Option<&'static str> {
    name.split(|letter: char| !letter.is_alphabetic()).find_map(canonical)
}

fn canonical(word: &str) -> Option<&'static str> {
    match word.to_lowercase().as_str() {
        "train" | "training" => Some("train"),
        "validation" | "valid" | "val" | "dev" => Some("validation"),
        "test" | "testing" | "eval" | "evaluation" => Some("test"),
        _ => None,
    }
}

/// The files below a folder, from it, with `/`. `classes` is told of a split's folder that holds folders of texts, and
/// says whether it was one.
fn collect(
    folder: &Path,
    prefix: &str,
    depth: usize,
    names: &mut Vec<String>,
    classes: &mut dyn FnMut(&str) -> Option<()>,
) {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|entry| entry.file_name());
    for entry in entries {
        let Ok(name) = entry.file_name().into_string() else { continue };
        let path = entry.path();
        if path.is_file() {
            names.push(format!("{prefix}{name}"));
        } else if prefix.is_empty() && super::folder::has_class_folders(&path) && classes(&name).is_some() {
            continue;
        } else if depth > 0 && path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), depth - 1, names, classes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `config/split: files`, every line of it.
    fn told(layout: &DatasetLayout) -> Vec<String> {
        let line = |config: &Config, split: &SplitFiles| {
            format!("{}/{}: {}", config.name, split.name, split.files.join(" "))
        };
        layout
            .configs
            .iter()
            .flat_map(|config| config.splits.iter().map(move |split| line(config, split)))
            .collect()
    }

    fn of(names: &[&str], configs: Value) -> DatasetLayout {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        DatasetLayout::of(&names, &configs)
    }

    #[test]
    fn a_card_says_which_files_belong_together() {
        let files = [
            "README.md",
            "plain_text/test-00000-of-00001.parquet",
            "plain_text/train-00000-of-00002.parquet",
            "plain_text/train-00001-of-00002.parquet",
            "other/a.csv",
        ];
        let card = json!([
            {"config_name": "plain_text", "default": true, "data_files": [
                {"split": "train", "path": "plain_text/train-*"}, {"split": "test", "path": ["plain_text/test-*"]}]},
            {"config_name": "other", "data_files": "other/*.csv"},
        ]);
        let layout = of(&files, card);
        assert_eq!(
            told(&layout),
            [
                "plain_text/train: plain_text/train-00000-of-00002.parquet plain_text/train-00001-of-00002.parquet",
                "plain_text/test: plain_text/test-00000-of-00001.parquet",
                "other/train: other/a.csv",
            ]
        );
        assert_eq!(layout.config("imdb", None).expect("a default").name, "plain_text");
        assert_eq!(layout.config("imdb", Some("other")).expect("it is there").name, "other");
        let error = layout.config("imdb", Some("third")).expect_err("no such").to_string();
        assert!(error.contains("\"plain_text\", \"other\"") && error.contains("imdb"), "{error}");
    }

    #[test]
    fn without_a_card_names_say_it() {
        assert_eq!(
            told(&of(
                &["data/train-00000-of-00001-a09b74.parquet", "data/unsupervised-00000-of-00001.parquet"],
                Value::Null
            )),
            [
                "default/train: data/train-00000-of-00001-a09b74.parquet",
                "default/unsupervised: data/unsupervised-00000-of-00001.parquet",
            ]
        );
        assert_eq!(
            told(&of(&["dev.tsv", "train.tsv", "test.tsv", "notes.tsv", "README.txt"], Value::Null)),
            ["default/validation: dev.tsv", "default/test: test.tsv", "default/train: train.tsv",]
        );
        assert_eq!(
            told(&of(&["train/0.jsonl", "train/1.jsonl", "test/0.jsonl"], Value::Null)),
            ["default/test: test/0.jsonl", "default/train: train/0.jsonl train/1.jsonl",]
        );
        assert_eq!(
            told(&of(&["reviews.csv", "more.csv"], Value::Null)),
            ["default/train: more.csv reviews.csv"]
        );
        assert_eq!(
            told(&of(&["my_train.csv", "my_train.parquet", "dataset_infos.json"], Value::Null)),
            ["default/train: my_train.parquet",]
        );
    }

    #[test]
    fn several_folders_are_several_configurations() {
        let layout =
            of(&["cola/train-00000-of-00001.parquet", "sst2/train-00000-of-00001.parquet"], Value::Null);
        let error = layout.config("glue", None).expect_err("which one?").to_string();
        assert!(error.contains("\"cola\", \"sst2\"") && error.contains("`dataset_config`"), "{error}");
        let config = layout.config("glue", Some("sst2")).expect("it is there");
        let error = config.wanted_split("glue", "test").expect_err("only train").to_string();
        assert!(error.contains("\"train\""), "{error}");
        assert!(
            of(&["a.bin"], Value::Null)
                .config("x", None)
                .expect_err("no data")
                .to_string()
                .contains("no data file")
        );
    }

    #[test]
    fn splits_have_other_names_too() {
        let layout = of(&["a/validation_matched-00000-of-00001.parquet", "a/dev.parquet"], Value::Null);
        let config = layout.config("mnli", None).expect("one");
        assert_eq!(config.split("validation_matched").expect("exact").name, "validation_matched");
        assert_eq!(config.split("dev").expect("the same").name, "validation");
        assert!(config.split("train").is_none());
    }

    #[test]
    fn the_hubs_own_parquet_files_lie_by_configuration_and_split() {
        let names =
            ["default/partial-train/0000.parquet", "default/test/0000.parquet", "default/test/0001.parquet"];
        let layout = DatasetLayout::of_converted(&names.map(str::to_owned));
        assert_eq!(
            told(&layout),
            [
                "default/train: default/partial-train/0000.parquet",
                "default/test: default/test/0000.parquet default/test/0001.parquet",
            ]
        );
    }

    #[test]
    fn folders_of_class_folders_are_splits() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for class in ["train/pos", "train/neg", "test/pos"] {
            std::fs::create_dir_all(folder.path().join(class)).expect("writable");
            std::fs::write(folder.path().join(class).join("0.txt"), "a text").expect("writable");
        }
        std::fs::write(folder.path().join("imdbEr.txt"), "1").expect("writable");
        assert_eq!(
            told(&DatasetLayout::of_folder(folder.path())),
            ["default/test: test", "default/train: train"]
        );
    }
}
