//! Evaluation and prediction with a model that has a trained head.

use bertlab_compute::ops::softmax::softmax;
use bertlab_data::{Example, LabelSpace};
use bertlab_feedback::{Command, Hint, Meter, Progress, Stage, Status, Unit};
use bertlab_model::{HeadChoice, HeadKind, OpenOptions, ProblemType};
use bertlab_text::{EncodeOptions, TextInput, Truncation};
use bertlab_train::{Averaging, Evaluation, Objective, answers, evaluate};

use crate::labelled::{LabelledRows, Question, RowsRequest, configured_head};
use crate::words::WordPredictions;
use crate::{Error, ModelOptions, OpenedModel, Task, TextOptions, open_model, resolve};

/// Rows that HuggingFace's Trainer averages a token loss over before it averages over batches.
const BATCH_SIZE: usize = 8;

/// What an evaluation found.
pub struct Evaluated {
    /// The figures.
    pub evaluation: Evaluation,
    /// The rows, with what was cut and how many have each label.
    pub rows: LabelledRows,
    /// What was asked.
    pub question: Question,
}

/// What a model says about a text.
#[derive(Clone, Debug, PartialEq)]
pub enum Prediction {
    /// Exactly one label: its id, and every label's probability.
    Label {
        /// The likeliest.
        id: usize,
        /// By label.
        probabilities: Vec<f32>,
    },
    /// Any of several labels: every label's own probability.
    Labels {
        /// By label.
        probabilities: Vec<f32>,
    },
    /// Numbers.
    Values(Vec<f32>),
    /// A label for every word.
    Words(WordPredictions),
}

/// Opens a model with the head that its config names, and insists that the head is trained.
///
/// # Errors
/// A model without a head for this, or one whose head is not in the file.
pub fn open_trained(
    model: &str,
    options: &ModelOptions,
    purpose: &'static str,
) -> Result<OpenedModel, Error> {
    let folder = resolve(model, options.offline)?;
    let kind = configured_head(&folder)?;
    let is_usable =
        matches!(kind, HeadKind::SequenceClassification | HeadKind::TokenClassification | HeadKind::MaskedLm);
    let open = OpenOptions { head: HeadChoice::Kind(kind), ..options.open.clone() };
    let mut opened = open_model(model, &ModelOptions { open, ..options.clone() })?;
    if kind == HeadKind::TokenClassification {
        opened.read_words();
    }
    let is_trained = opened.report.new.is_empty() && opened.report.reshaped.is_empty();
    if is_usable && is_trained {
        return Ok(opened);
    }
    let found =
        if is_usable { "a model whose head is not in its weights" } else { "a model without such a head" };
    Err(bertlab_model::Error::WrongHead {
        folder,
        wanted: purpose.to_owned(),
        needs: "a trained classifier".to_owned(),
        found: format!("{found} ({})", opened.model.family.class_name(kind)),
        hint: format!("Train one first: {}", Hint::Command(Command::Train)),
    }
    .into())
}

impl OpenedModel {
    /// Scores the model's answers to labelled rows.
    ///
    /// # Errors
    /// Files or labels that do not fit the model.
    pub fn evaluate(
        &self,
        request: &RowsRequest,
        options: &TextOptions,
        progress: &dyn Progress,
    ) -> Result<Evaluated, Error> {
        let head = &self.model.spec.head;
        let is_tagger = head.kind == HeadKind::TokenClassification;
        let task = is_tagger.then_some(Task::TokenClassification);
        let dataset = request.clone().for_task(task).read()?;
        let question = match head.kind {
            HeadKind::SequenceClassification => {
                Question::Rows(LabelSpace { problem_type: head.problem_type, names: head.labels.clone() })
            }
            HeadKind::MaskedLm => Question::of_masked_lm(&dataset, self.model.spec.encoder.vocab_size),
            _ => Question::Words { names: head.labels.clone(), label_all_tokens: false },
        };
        let targets = question.targets(&dataset)?;
        let mut rows =
            self.labelled_rows(&question, request.choose((dataset, targets)), options, progress)?;
        let mut objective = Objective::default();
        if question == Question::Texts {
            rows.hide(&self.masking(options, request.seed)?);
            objective.averaging = Averaging::Items;
        }
        let n_rows = rows.examples.len() as u64;
        let meter = Meter::new(progress, Status::new(Stage::Evaluate, "test", n_rows, Unit::Rows));
        let evaluation = evaluate(&self.model, &objective, &rows.examples, BATCH_SIZE, &meter)?;
        Ok(Evaluated { evaluation, rows, question })
    }

    /// What the model says about each text; how many texts were cut.
    ///
    /// # Errors
    /// Texts that cannot be tokenized; a head that does not classify.
    pub fn predict(
        &self,
        texts: &[TextInput],
        progress: &dyn Progress,
    ) -> Result<(Vec<Prediction>, usize), Error> {
        if self.model.spec.head.kind == HeadKind::TokenClassification {
            let (words, n_cut) = self.predict_words_of_texts(texts, progress)?;
            return Ok((words.into_iter().map(Prediction::Words).collect(), n_cut));
        }
        if self.model.spec.head.kind == HeadKind::MaskedLm {
            return Err(bertlab_model::Error::WrongHead {
                folder: self.folder.clone(),
                wanted: "predict".to_owned(),
                needs: "a classifier".to_owned(),
                found: "a masked language model".to_owned(),
                hint: format!("It guesses hidden words: {}", Hint::Command(Command::FillMask)),
            }
            .into());
        }
        let options = EncodeOptions {
            truncation: Truncation::LongestFirst,
            max_length: Some(self.max_tokens()?),
            ..EncodeOptions::default()
        };
        let encodings = self.tokenizer()?.encode_batch(texts, &options)?;
        let n_cut = encodings.iter().filter(|encoding| encoding.n_truncated > 0).count();
        let examples: Vec<Example> = encodings
            .into_iter()
            .map(|encoding| Example {
                input_ids: encoding.input_ids,
                token_type_ids: encoding.token_type_ids,
                ..Example::default()
            })
            .collect();
        let start = Status::new(Stage::Predict, "", examples.len() as u64, Unit::Texts);
        let meter = Meter::new(progress, start);
        let answers = answers(&self.model, &Objective::default(), &examples, &meter)?;
        let problem_type = self.model.spec.head.problem_type;
        Ok((answers.into_iter().map(|answer| prediction(problem_type, &answer.logits)).collect(), n_cut))
    }
}

fn prediction(problem_type: ProblemType, logits: &[f32]) -> Prediction {
    match problem_type {
        ProblemType::SingleLabel => {
            let probabilities = softmax(logits);
            Prediction::Label { id: likeliest(&probabilities).0, probabilities }
        }
        ProblemType::MultiLabel => {
            Prediction::Labels { probabilities: logits.iter().map(|x| 1.0 / (1.0 + (-x).exp())).collect() }
        }
        ProblemType::Regression => Prediction::Values(logits.to_vec()),
    }
}

pub(crate) fn likeliest(probabilities: &[f32]) -> (usize, f32) {
    let id = bertlab_train::metrics::classification::likeliest(probabilities);
    (id, probabilities[id])
}
