//! What can be wrong with a data file, in words: the file, the row, what was wanted, what was found, what to try.

use std::fmt;
use std::path::PathBuf;

use bertlab_feedback::Cancelled;
use bertlab_feedback::Hint::{self, On, Setting};

use super::Encoding;

/// A place in a data file, as a person finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file as the caller named it.
    pub file: PathBuf,
    /// 1-based row; see [`super::Record::row`] for what is counted.
    pub row: usize,
    /// 1-based line of a text editor, where the format has lines.
    pub line: Option<usize>,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}, row {}", self.file.display(), self.row)?;
        match self.line {
            Some(line) if line != self.row => write!(out, " (line {line})"),
            _ => Ok(()),
        }
    }
}

/// Everything that reading a data set or its labels can refuse.
#[derive(Debug, thiserror::Error)]
pub enum DataError {
    /// The caller cancelled the work.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// The operating system would not give the file.
    #[error("{}: cannot be read: {source}", file.display())]
    Unreadable {
        /// The file or folder.
        file: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// A path where nothing is.
    #[error(
        "{}: cannot be read: there is no such file; the folder {} holds {holds}", file.display(), folder.display()
    )]
    NoSuchFile {
        /// The path.
        file: PathBuf,
        /// The nearest folder that is there.
        folder: PathBuf,
        /// What it holds.
        holds: String,
    },
    /// A pattern that no file matches.
    #[error("{}: no file matches; the folder {} holds {holds}", pattern.display(), folder.display())]
    NoMatch {
        /// The pattern.
        pattern: PathBuf,
        /// The nearest folder that is there.
        folder: PathBuf,
        /// What it holds.
        holds: String,
    },
    /// What looks like a pattern and is none.
    #[error(
        "{}: there is no such file, and it is no pattern: {reason}. In a pattern `*` stands for any letters, `?` for one, \
         `[ab]` for one of these", pattern.display()
    )]
    BadPattern {
        /// The pattern.
        pattern: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A data set without a file that is read.
    #[error(
        "{dataset}: no data file that can be read; readable are .parquet, .jsonl, .csv, .tsv, .json and .txt, not compressed"
    )]
    NoDataFiles {
        /// The data set.
        dataset: String,
    },
    /// A configuration that a data set does not have.
    #[error(
        "{dataset}: there is no configuration {asked:?}; there are {known}. Choose by {}",
        Setting("dataset_config")
    )]
    NoSuchConfig {
        /// The data set.
        dataset: String,
        /// What was asked for.
        asked: String,
        /// Those that there are.
        known: String,
    },
    /// Several configurations, and none is meant by itself.
    #[error(
        "{dataset}: which of its configurations? There are {known}. Choose by {}",
        Setting("dataset_config")
    )]
    SeveralConfigs {
        /// The data set.
        dataset: String,
        /// Those that there are.
        known: String,
    },
    /// A split that a data set does not have.
    #[error(
        "{dataset}: there is no split {asked:?}; there are {known}. Choose by {}, {}, {}",
        Setting("train_split"),
        Setting("validation_split"),
        Setting("test_split")
    )]
    NoSuchSplit {
        /// The data set.
        dataset: String,
        /// What was asked for.
        asked: String,
        /// Those that there are.
        known: String,
    },
    /// The list of files is empty.
    #[error(
        "no data file was given; name at least one .csv, .tsv, .jsonl, .json, .parquet or .txt file, or a folder"
    )]
    NoFiles,
    /// The extension is not one that has a reader.
    #[error(
        "{}: no reader for the extension {extension:?}; readable are .csv, .tsv, .jsonl, .json, .parquet, .pq, .txt (one text per line), .conll (a word and its label per line), \
         .pos and .neg (the same, of one class) and folders with a subfolder of .txt files, or a text file, per class. Unpack a compressed file first, or rename the file if it is one of these",
        file.display()
    )]
    UnknownFormat {
        /// The file.
        file: PathBuf,
        /// Its extension, empty when it has none.
        extension: String,
    },
    /// A line of a CoNLL file with more or fewer columns than the first.
    #[error(
        "{}, line {line}: {found} columns, but the first line has {wanted} (between {between}); the line is {preview:?}. A sentence ends with a blank line",
        file.display()
    )]
    UnevenLine {
        /// The file.
        file: PathBuf,
        /// 1-based.
        line: usize,
        /// Columns that the line has.
        found: usize,
        /// Columns that the first line has.
        wanted: usize,
        /// What stands between columns.
        between: &'static str,
        /// Its first characters.
        preview: String,
    },
    /// A line of a CoNLL file without a word or a label.
    #[error("{}, line {line}: there is no {what} in column {column} (counted from 0); fill it in, or remove the line", file.display())]
    EmptyField {
        /// The file.
        file: PathBuf,
        /// 1-based.
        line: usize,
        /// "word" or "label".
        what: &'static str,
        /// 0-based.
        column: usize,
    },
    /// A CoNLL file without blank lines.
    #[error(
        "{}, line {line}: a sentence begins here that has more than {n_words} words; put a blank line after every sentence",
        file.display()
    )]
    EndlessSentence {
        /// The file.
        file: PathBuf,
        /// 1-based, of its first word.
        line: usize,
        /// How many words a sentence may have.
        n_words: usize,
    },
    /// A column of words that holds something else.
    #[error(
        "{place}: column {column:?} holds {found}, but a list of words is wanted, such as [\"EU\", \"rejects\"]; \
         give the column that holds the words with {}, or remove the row",
        Setting("text_column")
    )]
    NotWords {
        /// Where.
        place: Box<Place>,
        /// The column.
        column: String,
        /// What was found, in words.
        found: String,
    },
    /// A row that is one text where words with labels are wanted.
    #[error(
        "{place}: the row holds no list of words; a label for every word needs one: \"tokens\" and \"ner_tags\" in .jsonl or .parquet, or a CoNLL file (a word \
         and its label in every line, a blank line after every sentence)"
    )]
    NoWords {
        /// Where.
        place: Box<Place>,
    },
    /// A row of words with one label, or with numbers.
    #[error(
        "{place}: the row has no list of labels, one for each word; name the column that holds them with {}",
        Setting("label_column")
    )]
    LabelsNotByWord {
        /// Where.
        place: Box<Place>,
    },
    /// More or fewer labels than words.
    #[error("{place}: {n_labels} labels for {n_words} words; every word needs one")]
    UnevenWords {
        /// Where.
        place: Box<Place>,
        /// Words.
        n_words: usize,
        /// Labels.
        n_labels: usize,
    },
    /// A word's label that the model does not have.
    #[error(
        "{place}, word {number} ({word:?}): label {found} is not one of {labels}; correct the label, choose another \
         column with {}, or train a new head ({})",
        Setting("label_column"),
        On("new_head")
    )]
    UnknownWordLabel {
        /// Where the sentence stands.
        place: Box<Place>,
        /// 1-based, in its sentence.
        number: usize,
        /// The word.
        word: String,
        /// Its label.
        found: String,
        /// Those that there are.
        labels: String,
    },
    /// Bytes that are not UTF-8.
    #[error(
        "{}, line {line}: not UTF-8 (byte 0x{byte:02x} at offset {offset}); name the file's encoding. With \
         {} it would read {preview:?}",
        file.display(), Hint::value("encoding", encoding)
    )]
    NotUtf8 {
        /// The file.
        file: PathBuf,
        /// 1-based line of the first bad byte.
        line: usize,
        /// 0-based offset of the first bad byte.
        offset: usize,
        /// The byte found there.
        byte: u8,
        /// A likely encoding.
        encoding: Encoding,
        /// The place as it reads with that encoding.
        preview: String,
    },
    /// Bytes that the named encoding does not have.
    #[error(
        "{}, line {line}: the bytes at offset {offset} are nothing in {encoding}; give the encoding that the file really \
         has with {}, or none if it is UTF-8",
        file.display(), Setting("encoding")
    )]
    BadEncoding {
        /// The file.
        file: PathBuf,
        /// 1-based line of the first bad byte.
        line: usize,
        /// 0-based offset of the first bad byte, behind a byte order mark.
        offset: usize,
        /// The encoding that was named.
        encoding: String,
    },
    /// Nothing to read.
    #[error("{}: holds no rows ({found}); at least one row of data is needed", file.display())]
    NoRows {
        /// The file.
        file: PathBuf,
        /// What was there instead.
        found: &'static str,
    },
    /// No column has a name that says "text".
    #[error(
        "{}: no text column found by name (looked for text, sentence, review, content, sentence1/sentence2, premise/hypothesis, question/answer and \
         the like); the columns are {}. Name it with {}{headerless}",
        file.display(), listed(columns), Setting("text_column")
    )]
    NoTextColumn {
        /// The file.
        file: PathBuf,
        /// The columns found.
        columns: Vec<String>,
        /// How a file without a header line is read, with its first row; empty where that cannot be.
        headerless: String,
    },
    /// A column that the caller named is not there.
    #[error(
        "{}: {} names {wanted:?}, but the columns are {}; give one of these{headerless}",
        file.display(), Setting(setting), listed(columns)
    )]
    NoSuchColumn {
        /// The file.
        file: PathBuf,
        /// The setting that names the column.
        setting: &'static str,
        /// The name that was given.
        wanted: String,
        /// The columns found.
        columns: Vec<String>,
        /// How a file without a header line is read, with its first row; empty where that cannot be.
        headerless: String,
    },
    /// Two columns have the wanted name.
    #[error("{}: {times} columns are named {column:?}; rename all but one in the header line", file.display())]
    AmbiguousColumn {
        /// The file.
        file: PathBuf,
        /// The name.
        column: String,
        /// How often it occurs.
        times: usize,
    },
    /// A row with more or fewer fields than the header.
    #[error(
        "{place}: {found} fields, but {wanted} are wanted ({columns}); the row starts with {preview:?}. {hint}"
    )]
    UnevenRow {
        /// Where.
        place: Box<Place>,
        /// Fields that the header has.
        wanted: usize,
        /// Fields that the row has.
        found: usize,
        /// The header's names, joined.
        columns: String,
        /// The row's first characters.
        preview: String,
        /// What to try in this format.
        hint: &'static str,
    },
    /// A quoted field that the file never closes.
    #[error(
        "{place}: a quoted field is opened here and never closed; it starts with {preview:?}. Close it, and write a quote inside a quoted field twice (\"\")"
    )]
    UnclosedQuote {
        /// Where the field starts.
        place: Box<Place>,
        /// Its first characters.
        preview: String,
    },
    /// A text column holds something else.
    #[error(
        "{place}: column {column:?} holds {found}, but a text is wanted; give the column that holds the text with {}, \
         or remove the row",
        Setting(setting)
    )]
    TextNotString {
        /// Where.
        place: Box<Place>,
        /// The column.
        column: String,
        /// What was found, in words.
        found: String,
        /// The setting that names this column.
        setting: &'static str,
    },
    /// Not JSON, or not the JSON that is wanted.
    #[error(
        "{place}: {reason}; wanted is one object per line, such as {{\"text\": \"…\", \"label\": 1}}, or one array of such objects"
    )]
    BadJson {
        /// Where.
        place: Box<Place>,
        /// What the parser said or what was found.
        reason: String,
    },
    /// A Parquet file that cannot be read.
    #[error("{}: not readable as Parquet: {reason}; {remedy}", file.display())]
    BadParquet {
        /// The file.
        file: PathBuf,
        /// What the reader said.
        reason: String,
        /// What to try.
        remedy: &'static str,
    },
    /// `input_ids`, `token_type_ids` or `attention_mask` of a ready row are unusable.
    #[error(
        "{place}: {column} {reason}; wanted is a list of token ids such as [101, 7592, 102], and lists of the same length beside it"
    )]
    BadReadyRow {
        /// Where.
        place: Box<Place>,
        /// The key.
        column: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// A label cell that no kind of label can be.
    #[error(
        "{place}: column {column:?} holds {found}, which is no label; wanted is an integer, a number, a name, or a list of one of these"
    )]
    BadLabelCell {
        /// Where.
        place: Box<Place>,
        /// The label column.
        column: String,
        /// What was found, in words.
        found: String,
    },
    /// A folder that is neither class folders nor anything else readable.
    #[error(
        "{}: {found}; wanted is a folder with one subfolder of .txt files per class, such as train/pos and train/neg, or \
         with one text file per class, a text per line, such as pos.txt and neg.txt. {hint}",
        folder.display()
    )]
    NoClassFolders {
        /// The folder.
        folder: PathBuf,
        /// What it holds.
        found: String,
        /// What to try.
        hint: String,
    },
    /// Two Parquet files name their classes differently.
    #[error(
        "{}: its schema names the classes {}, but an earlier file's names are {}; give files of one data set",
        file.display(), listed(found), listed(wanted)
    )]
    ClassNamesDiffer {
        /// The later file.
        file: PathBuf,
        /// The earlier file's names.
        wanted: Vec<String>,
        /// The later file's names.
        found: Vec<String>,
    },
    /// No label in a row that needs one.
    #[error(
        "{place}: no label{}; every row needs one for this: fill it in or remove the row{}",
        in_column(column),
        name_it(column, place)
    )]
    MissingLabel {
        /// Where.
        place: Box<Place>,
        /// The label column, if one was found.
        column: Option<String>,
    },
    /// A class id outside the label space.
    #[error(
        "{place}: label {found} is outside 0..{n_classes} (the classes are {classes}); remove such rows, or correct the label{hint}"
    )]
    LabelOutOfRange {
        /// Where.
        place: Box<Place>,
        /// The label found.
        found: String,
        /// Number of classes.
        n_classes: usize,
        /// The classes in words.
        classes: String,
        /// More to try, or empty.
        hint: &'static str,
    },
    /// A class name that the label space does not hold.
    #[error(
        "{place}: label {found:?} is not one of the classes {classes}; correct the label, or use a checkpoint whose config.json (id2label) has that class"
    )]
    UnknownLabel {
        /// Where.
        place: Box<Place>,
        /// The label found.
        found: String,
        /// The known classes in words.
        classes: String,
    },
    /// A label of another kind than the problem type wants.
    #[error("{place}: label {found}, but {wanted} is wanted ({because}){hint}")]
    WrongKindOfLabel {
        /// Where.
        place: Box<Place>,
        /// What was found.
        found: String,
        /// What is wanted.
        wanted: String,
        /// Why that is wanted.
        because: &'static str,
        /// What to try, or empty.
        hint: &'static str,
    },
    /// The rows of the training split do not agree on the kind of label.
    #[error("{place}: label {found}, but earlier rows hold {earlier}; give every row the same kind of label")]
    MixedLabels {
        /// The first row that differs.
        place: Box<Place>,
        /// Its label.
        found: String,
        /// The kind so far.
        earlier: &'static str,
    },
    /// An integer label no class count can follow from.
    #[error("{place}: label {found}: {reason}")]
    UnusableInteger {
        /// Where.
        place: Box<Place>,
        /// The label.
        found: i64,
        /// Why, and what to try.
        reason: String,
    },
    /// Rows of text, and nothing that could tokenize them.
    #[error(
        "MODEL is a folder without a tokenizer; wanted tokenizer.json or vocab.txt beside config.json, or rows that \
         hold input_ids"
    )]
    NoTokenizer,
    /// A text cannot be tokenized.
    #[error(transparent)]
    Text(#[from] bertlab_text::Error),
    /// Tokens cannot be written, or read back.
    #[error(transparent)]
    Checkpoint(#[from] bertlab_checkpoint::Error),
}

/// Names for a person: quoted, at most twelve.
pub(super) fn listed(names: &[String]) -> String {
    const NAMES_MAX: usize = 12;
    let mut words: Vec<String> = names.iter().take(NAMES_MAX).map(|name| format!("{name:?}")).collect();
    if names.len() > NAMES_MAX {
        words.push(format!("… ({} in all)", names.len()));
    }
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}

/// The first characters of a text, for a message.
pub(crate) fn preview(text: &str) -> String {
    const CHARACTERS_MAX: usize = 60;
    match text.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

fn in_column(column: &Option<String>) -> String {
    column.as_ref().map(|name| format!(" in column {name:?}")).unwrap_or_default()
}

fn name_it(column: &Option<String>, place: &Place) -> String {
    if place.file.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("txt")) {
        return " (a .txt file holds texts alone: put one per class into a folder, such as pos.txt and neg.txt, and give \
                the folder)"
            .to_owned();
    }
    match column {
        Some(_) => String::new(),
        None => format!(" (no label column was found by name; name it with {})", Setting("label_column")),
    }
}
