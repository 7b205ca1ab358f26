//! Preflight: what can be wrong with rows is found before a training.

use bertlab_data::{
    DataError, Dataset, LabelSpace, ProblemType, Tokenization, infer_label_space, infer_word_labels,
};
use bertlab_feedback::Progress;
use bertlab_model::{HeadChoice, HeadKind, OpenOptions};

use crate::labelled::{Question, RowsRequest, configured_head, tokenized_rows};
use crate::{Error, ModelOptions, OpenedModel, Task, TextOptions, open_model, resolve};

pub use bertlab_data::preflight::{
    BlockCounts, Excerpt, Finding, Kind, LabelCount, LengthHistogram, Preflight, RowPlace, Severity, Split,
    SplitSummary,
};
use bertlab_data::preflight::{ModelLimits, SplitRows};

/// Rows to be looked at, and the model that shall learn them.
#[derive(Clone, Debug)]
pub struct CheckJob {
    /// A folder or a hub name. Its weights are not needed.
    pub model: String,
    /// Never ask the network.
    pub offline: bool,
    /// What to learn; what the checkpoint's head says when none.
    pub task: Option<Task>,
    /// A new classifier, whatever head the checkpoint has.
    pub new_head: bool,
    /// Rows to learn from.
    pub train: RowsRequest,
    /// Rows to evaluate on while training.
    pub validation: Option<RowsRequest>,
    /// Rows to evaluate on at the end.
    pub test: Option<RowsRequest>,
    /// How texts become rows.
    pub text: TextOptions,
}

/// What was looked at, and what was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// What the labels ask; none where they have no meaning that a model can learn.
    pub question: Option<Question>,
    /// Tokens that texts are cut to.
    pub max_length: usize,
    /// Texts are not cut to that, but put end to end, and divided into blocks of so many tokens.
    pub is_in_blocks: bool,
    /// The figures and the findings.
    pub preflight: Preflight,
}

impl CheckJob {
    /// Reads, tokenizes and compares all rows. What is wrong with labels is a finding, not an error.
    ///
    /// # Errors
    /// Files that cannot be read; a model or a tokenizer that cannot be opened; a length that the model does
    /// not take.
    pub fn run(&self, progress: &dyn Progress) -> Result<Checked, Error> {
        let requests = [
            (Split::Training, Some(&self.train)),
            (Split::Validation, self.validation.as_ref()),
            (Split::Test, self.test.as_ref()),
        ];
        let requests = requests
            .into_iter()
            .filter_map(|(split, request)| Some((split, request?.clone().for_task(self.task))));
        let (mut datasets, mut left_out) = (Vec::new(), Vec::new());
        for (split, request) in requests {
            let dataset = request.read()?;
            match request.left_out(split, &dataset) {
                Some(finding) => left_out.push(finding),
                None => datasets.push((split, dataset)),
            }
        }
        let (opened, head) = self.open(&datasets[0].1)?;
        let max_length =
            opened.max_length_for(datasets.iter().map(|(_, rows)| rows), self.text.max_length)?;
        let asked = question(&opened, head, self.new_head, &datasets[0].1);
        let is_in_blocks = matches!(asked, Ok(Question::Texts)) && !self.text.line_by_line;
        let limits = model_limits(&opened, asked.as_ref().ok());
        let mut splits = Vec::new();
        for (split, dataset) in datasets {
            let tokenization = Tokenization {
                tokenizer: opened.tokenizer_for(&dataset)?,
                // Texts in blocks are not cut, but divided.
                max_length: (!is_in_blocks).then_some(max_length),
                cache: Some(&self.text.cache),
            };
            let rows = tokenization.rows(&dataset, &tokenized_rows(progress, split, &dataset))?;
            let lengths = rows.row_lengths(tokenization.unknown_id());
            let blocks = is_in_blocks.then(|| rows.with_words().block_counts(max_length));
            let targets = asked.as_ref().ok().map(|question| question.targets_by_row(&dataset));
            splits.push(SplitRows { split, dataset, targets, lengths, blocks });
        }
        let preflight = left_out.into_iter().fold(Preflight::of(&splits, &limits), Preflight::with);
        Ok(match asked {
            Ok(question) => Checked { question: Some(question), max_length, is_in_blocks, preflight },
            Err(error) => {
                let finding = Finding::labels_without_meaning(Split::Training, &error);
                Checked { question: None, max_length, is_in_blocks, preflight: preflight.with(finding) }
            }
        })
    }

    /// The model as a training would open it, and the head that its config names.
    fn open(&self, train: &Dataset) -> Result<(OpenedModel, HeadKind), Error> {
        let configured = configured_head(&resolve(&self.model, self.offline)?)?;
        let kind = Task::chosen(self.task, configured, train).head();
        let open = OpenOptions { head: HeadChoice::Kind(kind), allow_random: true, ..OpenOptions::default() };
        let mut opened = open_model(&self.model, &ModelOptions { open, offline: self.offline })?;
        opened.set_keep(self.text.keep)?;
        if kind == HeadKind::TokenClassification {
            opened.read_words();
        }
        Ok((opened, configured))
    }
}

/// What the training rows ask of a model that was opened with the head for it.
fn question(
    opened: &OpenedModel,
    configured: HeadKind,
    new_head: bool,
    training: &Dataset,
) -> Result<Question, DataError> {
    let spec = &opened.model.spec;
    let head = spec.head.kind;
    match head {
        HeadKind::MaskedLm => Ok(Question::of_masked_lm(training, spec.encoder.vocab_size)),
        HeadKind::TokenClassification => {
            let given = (configured == head && !new_head).then(|| spec.head.labels.clone());
            let names = infer_word_labels(training, given.as_deref());
            // Labels that do not fit the head are found row by row.
            let names = names.or_else(|error| given.ok_or(error))?;
            Ok(Question::Words { names, label_all_tokens: false })
        }
        _ if configured == head && !new_head => {
            let given = LabelSpace { problem_type: spec.head.problem_type, names: spec.head.labels.clone() };
            // Labels that do not fit the head are found row by row.
            Ok(Question::Rows(infer_label_space(training, Some(&given)).unwrap_or(given)))
        }
        _ => Ok(Question::Rows(infer_label_space(training, None)?)),
    }
}

/// What a model brings to a question that may not be clear.
pub(crate) fn model_limits(opened: &OpenedModel, question: Option<&Question>) -> ModelLimits {
    let encoder = &opened.model.spec.encoder;
    ModelLimits {
        class_names: question.map(class_names).unwrap_or_default(),
        vocab_size: encoder.vocab_size,
        tokens_max: encoder.max_tokens(),
        leaves_out_blank: question == Some(&Question::Texts),
    }
}

/// The classes' names where the question has classes that a person can count.
fn class_names(question: &Question) -> Vec<String> {
    match question {
        Question::Rows(space) if space.problem_type == ProblemType::Regression => Vec::new(),
        Question::Rows(space) => space.names.clone(),
        Question::Words { names, .. } => names.clone(),
        Question::Tokens { .. } | Question::Texts => Vec::new(),
    }
}
