//! Labelled rows for a model: read, given a meaning, sampled, counted, tokenized.

use bertlab_feedback::{Meter, Progress, Stage, Status, Unit};
use std::path::{Path, PathBuf};

use bertlab_checkpoint::open_config;
use bertlab_data::preflight::{Finding, Split, SplitRows};
use bertlab_data::{
    Columns, DataError, Dataset, Encoding, Example, LabelSpace, Layout, ProblemType, RawLabel, Record,
    Sampling, Target, TokenCache, Tokenization, Truncated, becomes_iob2, examples, label_all_tokens,
    label_counts, sample, targets, targets_by_row, token_targets, token_targets_by_row, word_targets_by_row,
};
use bertlab_model::{Family, HeadKind};
use bertlab_text::{TextInput, Tokenizer};
use bertlab_train::Masking;

use crate::{Error, OpenedModel, Task, TextOptions};

/// Files of labelled rows, and which of them are taken.
#[derive(Clone, Debug, Default)]
pub struct RowsRequest {
    /// Files and class folders, one after the other.
    pub files: Vec<PathBuf>,
    /// Which columns; found by name where none is named.
    pub columns: Columns,
    /// How the bytes of text files become characters.
    pub encoding: Encoding,
    /// How many rows; all when none.
    pub max_samples: Option<usize>,
    /// How they are chosen.
    pub sampling: Sampling,
    /// Of the choice.
    pub seed: u64,
    /// The rows are left out, with a warning, where none has a label: test splits on the hub are often so.
    pub optional: bool,
}

impl RowsRequest {
    /// All rows of these files; columns are found by their names.
    pub fn of_files(files: impl IntoIterator<Item = impl Into<PathBuf>>) -> Self {
        Self { files: files.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// What is said of rows that are left out because they have no labels; none where they are to be taken.
    pub(crate) fn left_out(&self, split: Split, dataset: &Dataset) -> Option<Finding> {
        // The hub writes -1 where a label is kept secret.
        let has_none = |record: &Record| match &record.label {
            RawLabel::Missing | RawLabel::Integer(-1) => true,
            RawLabel::Text(text) => text.trim() == "-1",
            _ => false,
        };
        let is_left_out = self.optional && dataset.records.iter().all(has_none);
        is_left_out.then(|| Finding::left_out_unlabelled(split, dataset.records.len()))
    }

    /// Reads the files.
    ///
    /// # Errors
    /// As [`data::read`].
    pub fn read(&self) -> Result<Dataset, Error> {
        Ok(bertlab_data::read_encoded(&self.files, &self.columns, self.encoding)?)
    }

    /// The request with plain text files read as the task wants them, where it was not said how.
    #[must_use]
    pub(crate) fn for_task(mut self, task: Option<Task>) -> Self {
        if self.columns.layout == Layout::Found {
            self.columns.layout = match task {
                Some(Task::TokenClassification) => Layout::Words,
                Some(Task::MaskedLm | Task::SequenceClassification) => Layout::Texts,
                None => Layout::Found,
            };
        }
        self
    }

    /// The chosen rows of a data set and their targets.
    pub(crate) fn choose(&self, (dataset, targets): Rows) -> Rows {
        let Some(n) = self.max_samples.filter(|&n| n < targets.len()) else {
            return (dataset, targets);
        };
        let chosen = sample(&targets, n, self.sampling, self.seed);
        select(&dataset, &targets, &chosen)
    }
}

/// These rows and their targets, in this order.
pub(crate) fn select(dataset: &Dataset, targets: &[Target], rows: &[usize]) -> Rows {
    (dataset.select(rows), rows.iter().map(|&row| targets[row].clone()).collect())
}

/// What a model is asked to learn or has learnt.
#[derive(Clone, Debug, PartialEq)]
pub enum Question {
    /// One answer per row.
    Rows(LabelSpace),
    /// A label for every word; of rows that hold `input_ids`, for every token.
    Words {
        /// Of the labels, by id.
        names: Vec<String>,
        /// Further tokens of a word have a label too, and not its first alone.
        label_all_tokens: bool,
    },
    /// A class for every token of rows that hold `input_ids` and a list of labels.
    Tokens {
        /// Masked LM.
        head: HeadKind,
        /// How many classes there are.
        n_classes: usize,
    },
    /// The hidden tokens of plain texts.
    Texts,
}

impl Question {
    /// What rows ask of a masked language model: the hidden tokens that they name, or such as are still to be
    /// hidden.
    pub(crate) fn of_masked_lm(dataset: &Dataset, vocab_size: usize) -> Self {
        let is_ready = |record: &Record| record.input_ids.is_some() && record.label != RawLabel::Missing;
        match dataset.records.iter().all(is_ready) {
            true => Self::Tokens { head: HeadKind::MaskedLm, n_classes: vocab_size },
            false => Self::Texts,
        }
    }

    /// Every row's target; without content where tokens are still to be hidden.
    ///
    /// # Errors
    /// A label that has no place among the classes.
    pub fn targets(&self, dataset: &Dataset) -> Result<Vec<Target>, Error> {
        Ok(match self {
            Self::Rows(space) => targets(dataset, space)?,
            Self::Words { .. } => {
                self.targets_by_row(dataset).into_iter().collect::<Result<_, DataError>>()?
            }
            Self::Tokens { n_classes, .. } => token_targets(dataset, *n_classes)?,
            Self::Texts => vec![Target::Tokens(Vec::new()); dataset.records.len()],
        })
    }

    /// Every row's target, or why it has none.
    pub(crate) fn targets_by_row(&self, dataset: &Dataset) -> Vec<Result<Target, DataError>> {
        match self {
            Self::Rows(space) => targets_by_row(dataset, space),
            Self::Words { names, label_all_tokens: all } => {
                let mut targets = word_targets_by_row(dataset, names);
                if *all {
                    targets.iter_mut().flatten().for_each(|target| label_all_tokens(target, names));
                }
                targets
            }
            Self::Tokens { n_classes, .. } => token_targets_by_row(dataset, *n_classes),
            Self::Texts => dataset.records.iter().map(|_| Ok(Target::Tokens(Vec::new()))).collect(),
        }
    }

    /// The task that it is.
    pub(crate) fn task(&self) -> Task {
        match self {
            Self::Rows(_) => Task::SequenceClassification,
            Self::Words { .. } => Task::TokenClassification,
            Self::Tokens { .. } | Self::Texts => Task::MaskedLm,
        }
    }

    /// The head that answers it.
    pub fn head(&self) -> HeadKind {
        match self {
            Self::Rows(_) => HeadKind::SequenceClassification,
            Self::Words { .. } => HeadKind::TokenClassification,
            Self::Tokens { head, .. } => *head,
            Self::Texts => HeadKind::MaskedLm,
        }
    }
}

/// How many rows, or words, have each label.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelCounts {
    /// Of these labels.
    pub names: Vec<String>,
    /// By label.
    pub counts: Vec<usize>,
    /// All rows, or words that have a label.
    pub n_rows: usize,
    /// "row" or "word".
    pub unit: &'static str,
}

impl LabelCounts {
    /// Of a question with exactly one label per row or word; none for others.
    pub fn of(question: &Question, targets: &[Target]) -> Option<Self> {
        if let Question::Words { names, .. } = question {
            let counts = label_counts(targets, names.len());
            let n_rows = counts.iter().sum();
            return Some(Self { names: names.clone(), counts, n_rows, unit: "word" });
        }
        let Question::Rows(space) = question else { return None };
        if space.problem_type == ProblemType::Regression {
            return None;
        }
        let counts = label_counts(targets, space.names.len());
        Some(Self { names: space.names.clone(), counts, n_rows: targets.len(), unit: "row" })
    }

    /// The only label that occurs, if it is so.
    pub fn only_label(&self) -> Option<&str> {
        let mut present = self.counts.iter().enumerate().filter(|&(_, &count)| count > 0);
        let only = present.next()?;
        present.next().is_none().then(|| self.names[only.0].as_str())
    }
}

/// Rows ready for a model.
#[derive(Clone, Debug)]
pub struct LabelledRows {
    /// In the chosen order.
    pub examples: Vec<Example>,
    /// The texts, in the same order, with their second texts; empty where rows hold ids alone.
    pub texts: Vec<TextInput>,
    /// Of questions with classes.
    pub counts: Option<LabelCounts>,
    /// What was cut.
    pub truncated: Truncated,
    /// Of texts for a masked language model.
    pub of_texts: Option<TextCounts>,
    /// Of rows of words.
    pub of_words: Option<WordCounts>,
}

/// What became of the words of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WordCounts {
    /// Words that were read from the files.
    pub n_words: usize,
    /// Words that the model does not see: truncation took them, or they have no token.
    pub n_unread: usize,
    /// Of these, words with a label other than "O".
    pub n_unread_labelled: usize,
    /// The files' tags are IOB1, and were read as IOB2.
    pub was_iob1: bool,
}

impl WordCounts {
    /// Of rows of words; none of others.
    fn of(examples: &[Example], question: &Question, was_iob1: bool) -> Option<Self> {
        let Question::Words { names, .. } = question else { return None };
        let words = || examples.iter().flat_map(|example| &example.words);
        let outside = names.iter().position(|name| name == "O");
        let is_labelled = |label: i64| usize::try_from(label).is_ok_and(|label| Some(label) != outside);
        let unread = || words().filter(|word| word.token.is_none());
        (words().next().is_some()).then(|| Self {
            n_words: words().count(),
            n_unread: unread().count(),
            n_unread_labelled: unread().filter(|word| is_labelled(word.label)).count(),
            was_iob1,
        })
    }
}

/// What became of texts for a masked language model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextCounts {
    /// Texts that were read.
    pub n_texts: usize,
    /// Texts that were left out, because they are blank.
    pub n_blank: usize,
    /// The length of blocks in tokens; none where a text is a row.
    pub block_length: Option<usize>,
}

impl LabelledRows {
    /// Hides tokens, the same at every call, so that evaluations can be compared.
    pub(crate) fn hide(&mut self, masking: &Masking) {
        self.examples = masking.fixed(&self.examples);
    }
}

impl LabelledRows {
    /// Of a split and its examples, which were cut to `max_length` tokens.
    pub(crate) fn new(
        question: &Question,
        rows: SplitRows,
        examples: Vec<Example>,
        max_length: usize,
    ) -> Self {
        let targets: Vec<Target> = rows.targets.into_iter().flatten().flatten().collect();
        let was_iob1 = match question {
            Question::Words { names, .. } => becomes_iob2(&rows.dataset, names),
            _ => false,
        };
        Self {
            of_words: WordCounts::of(&examples, question, was_iob1),
            examples,
            counts: LabelCounts::of(question, &targets),
            truncated: Truncated::of(&rows.lengths, max_length),
            texts: rows.dataset.records.into_iter().filter_map(text).collect(),
            of_texts: None,
        }
    }
}

/// A row's text and second text.
fn text(record: Record) -> Option<TextInput> {
    Some(TextInput { text: record.text?, pair: record.pair })
}

/// The rows of a split with their targets.
pub(crate) type Rows = (Dataset, Vec<Target>);

/// Counts the rows of a split that become tokens.
pub(crate) fn tokenized_rows<'a>(progress: &'a dyn Progress, split: Split, dataset: &Dataset) -> Meter<'a> {
    let n_rows = dataset.records.len() as u64;
    Meter::new(progress, Status::new(Stage::Tokenize, split.name(), n_rows, Unit::Rows))
}

impl OpenedModel {
    /// Rows whose targets are known, ready for the model.
    pub(crate) fn labelled_rows(
        &self,
        question: &Question,
        rows: Rows,
        options: &TextOptions,
        progress: &dyn Progress,
    ) -> Result<LabelledRows, Error> {
        if *question == Question::Texts {
            return Ok(self.masked_rows(Split::Test, rows.0, options, progress)?.1);
        }
        let max_length = self.max_length_for([&rows.0], options.max_length)?;
        let (rows, examples) = self.tokenized(Split::Test, rows, (max_length, &options.cache), progress)?;
        Ok(LabelledRows::new(question, rows, examples, max_length))
    }

    /// Tokenizes rows whose targets are known; beside the examples, the rows as a preflight looks at them.
    pub(crate) fn tokenized(
        &self,
        split: Split,
        (dataset, targets): Rows,
        (max_length, cache): (usize, &TokenCache),
        progress: &dyn Progress,
    ) -> Result<(SplitRows, Vec<Example>), Error> {
        let tokenizer = self.tokenizer_for(&dataset)?;
        let tokenization = Tokenization { tokenizer, max_length: Some(max_length), cache: Some(cache) };
        let meter = tokenized_rows(progress, split, &dataset);
        let (examples, lengths) = examples(&dataset, Some(targets.clone()), tokenization, &meter)?;
        let targets = Some(targets.into_iter().map(Ok).collect());
        Ok((SplitRows { split, dataset, targets, lengths, blocks: None }, examples))
    }

    /// Tokens that the texts of all these rows are cut to: what was asked for, else what the model takes.
    pub(crate) fn max_length_for<'a>(
        &self,
        datasets: impl IntoIterator<Item = &'a Dataset>,
        asked: Option<usize>,
    ) -> Result<usize, Error> {
        let mut uses_tokenizer = false;
        for dataset in datasets {
            uses_tokenizer |= self.tokenizer_for(dataset)?.is_some();
        }
        self.row_length(asked, uses_tokenizer)
    }

    /// The length that rows are cut to: what was asked for, as far as the model takes it; else what it takes,
    /// and its tokenizer where that is used.
    pub(crate) fn row_length(&self, asked: Option<usize>, uses_tokenizer: bool) -> Result<usize, Error> {
        let max = self.model.spec.encoder.max_tokens();
        match asked {
            Some(asked) if asked > max => Err(Error::MaxLength { asked, max }),
            Some(asked) => Ok(asked),
            None if uses_tokenizer => self.max_tokens(),
            None => Ok(max),
        }
    }

    /// The tokenizer; none where there is none and all rows hold ids already.
    pub(crate) fn tokenizer_for(&self, dataset: &Dataset) -> Result<Option<&Tokenizer>, Error> {
        let needs_none = dataset.records.iter().all(|record| record.input_ids.is_some());
        match self.tokenizer() {
            Ok(tokenizer) => Ok(Some(tokenizer)),
            Err(_) if needs_none => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The head that a checkpoint's config names.
pub(crate) fn configured_head(folder: &Path) -> Result<HeadKind, Error> {
    let config = open_config(folder)?;
    Ok(Family::of(&config)?.configured_head(&config)?)
}
