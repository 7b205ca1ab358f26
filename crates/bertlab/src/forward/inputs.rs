//! The input file: padded arrays, and how they become packed rows and targets.

use super::ForwardError;
use bertlab_checkpoint::NamedArray;
use bertlab_model::{Batch, EncoderSpec, HeadKind, Model, ProblemType, Row};
use bertlab_train::losses::IGNORED;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A matrix of whole numbers `[B, S]`.
struct Matrix {
    n_columns: usize,
    data: Vec<i64>,
}

impl Matrix {
    fn row(&self, row: usize) -> &[i64] {
        &self.data[row * self.n_columns..(row + 1) * self.n_columns]
    }
}

/// The arrays of an input file.
pub(super) struct Inputs {
    file: PathBuf,
    arrays: BTreeMap<String, NamedArray>,
    ids: Matrix,
    types: Option<Matrix>,
    /// Which columns of each row hold tokens.
    pub columns: Vec<Vec<usize>>,
    /// S
    pub n_columns: usize,
}

/// What the outputs should have been.
pub(super) enum Targets {
    /// A class per row or per packed token, or [`IGNORED`].
    Classes(Vec<i64>),
    /// C numbers per row.
    Numbers(Vec<f32>),
    /// First and last token of each row's answer.
    Spans(Vec<(i64, i64)>),
    /// A word per packed token, and a class per row where given.
    Pretraining(Vec<i64>, Option<Vec<i64>>),
}

/// The array that a model's loss needs first.
pub(super) fn target_name(model: &Model) -> &'static str {
    if model.spec.head.kind == HeadKind::QuestionAnswering { "start_positions" } else { "labels" }
}

impl Inputs {
    pub(super) fn read(file: &Path, arrays: Vec<NamedArray>) -> Result<Self, ForwardError> {
        let arrays: BTreeMap<_, _> = arrays.into_iter().map(|array| (array.name.clone(), array)).collect();
        let mut inputs = Self {
            file: file.to_path_buf(),
            arrays,
            ids: Matrix { n_columns: 0, data: Vec::new() },
            types: None,
            columns: Vec::new(),
            n_columns: 0,
        };
        let Some(ids) = inputs.arrays.get("input_ids") else {
            return Err(inputs.missing("input_ids", "Token ids, padded to a matrix [rows, columns]"));
        };
        let [n_rows, n_columns] = *ids.shape.as_slice() else {
            return Err(inputs.unfit(
                "input_ids",
                format!("of shape {:?}", ids.shape),
                "a matrix [rows, columns]",
            ));
        };
        inputs.n_columns = n_columns;
        inputs.ids = inputs.matrix("input_ids", n_rows)?.expect("input_ids was found above");
        inputs.types = inputs.matrix("token_type_ids", n_rows)?;
        let mask = inputs.matrix("attention_mask", n_rows)?;
        let is_token =
            |row: usize, column: usize| mask.as_ref().is_none_or(|mask| mask.row(row)[column] != 0);
        inputs.columns =
            (0..n_rows).map(|row| (0..n_columns).filter(|&column| is_token(row, column)).collect()).collect();
        Ok(inputs)
    }

    /// The rows, packed: positions are those of the padded matrix, as HuggingFace counts them.
    pub(super) fn batch(&self, spec: &EncoderSpec) -> Result<Batch, ForwardError> {
        let mut rows = Vec::new();
        for (row, columns) in self.columns.iter().enumerate() {
            let ids = self.ids.row(row);
            let position = |column: usize| match spec.position_offset {
                0 => column,
                // RoBERTa counts the tokens that are not padding.
                offset => {
                    let is_word = |&&id: &&i64| id != i64::from(spec.pad_token_id);
                    let n_words = ids[..=column].iter().filter(is_word).count();
                    if is_word(&&ids[column]) { offset + n_words - 1 } else { offset - 1 }
                }
            };
            rows.push((
                self.pick("input_ids", ids, columns)?,
                match &self.types {
                    Some(types) => self.pick("token_type_ids", types.row(row), columns)?,
                    None => Vec::new(),
                },
                columns.iter().map(|&column| position(column) as u32).collect::<Vec<u32>>(),
            ));
        }
        let rows: Vec<Row<'_>> = rows
            .iter()
            .map(|(ids, types, positions)| Row {
                input_ids: ids,
                token_type_ids: types,
                position_ids: positions,
            })
            .collect();
        Ok(Batch::new(spec, &rows)?)
    }

    fn pick(&self, name: &str, values: &[i64], columns: &[usize]) -> Result<Vec<u32>, ForwardError> {
        let to_id = |&column: &usize| {
            let value = values[column];
            u32::try_from(value).map_err(|_| self.unfit(name, format!("{value} somewhere"), "ids from 0 on"))
        };
        columns.iter().map(to_id).collect()
    }

    /// What the outputs should be, where the file says so.
    pub(super) fn targets(&self, model: &Model) -> Result<Option<Targets>, ForwardError> {
        let head = &model.spec.head;
        if head.kind == HeadKind::None || !self.arrays.contains_key(target_name(model)) {
            return Ok(None);
        }
        let targets = match (head.kind, head.problem_type) {
            (HeadKind::SequenceClassification, ProblemType::SingleLabel) => {
                Targets::Classes(self.classes("labels", head.n_outputs())?)
            }
            (HeadKind::SequenceClassification, _) => Targets::Numbers(self.numbers(head.n_outputs())?),
            (HeadKind::QuestionAnswering, _) => Targets::Spans(self.spans()?),
            (HeadKind::TokenClassification, _) => Targets::Classes(self.token_classes(head.n_outputs())?),
            _ => {
                let words = self.token_classes(model.spec.encoder.vocab_size)?;
                let has_rows = self.arrays.contains_key("next_sentence_label");
                let rows = has_rows.then(|| self.classes("next_sentence_label", 2)).transpose()?;
                Targets::Pretraining(words, rows)
            }
        };
        Ok(Some(targets))
    }

    /// A class per row.
    fn classes(&self, name: &str, n_classes: usize) -> Result<Vec<i64>, ForwardError> {
        let array = &self.arrays[name];
        let values = array.to_i64()?;
        if values.len() != self.columns.len() {
            let wanted = format!("one class for each of the {} rows", self.columns.len());
            return Err(self.unfit(name, format!("of shape {:?}", array.shape), wanted));
        }
        self.check_classes(name, &values, n_classes)?;
        Ok(values)
    }

    /// A class per packed token.
    fn token_classes(&self, n_classes: usize) -> Result<Vec<i64>, ForwardError> {
        let matrix = self.matrix("labels", self.columns.len())?.expect("labels were found before");
        self.check_classes("labels", &matrix.data, n_classes)?;
        let rows = self.columns.iter().enumerate();
        Ok(rows
            .flat_map(|(row, columns)| {
                columns.iter().map(|&column| matrix.row(row)[column]).collect::<Vec<_>>()
            })
            .collect())
    }

    fn check_classes(&self, name: &str, values: &[i64], n_classes: usize) -> Result<(), ForwardError> {
        match values.iter().find(|&&class| class != IGNORED && !(0..n_classes as i64).contains(&class)) {
            Some(class) => {
                Err(self.unfit(name, format!("{class} somewhere"), format!("0..{n_classes} or {IGNORED}")))
            }
            None => Ok(()),
        }
    }

    fn numbers(&self, n_outputs: usize) -> Result<Vec<f32>, ForwardError> {
        let array = &self.arrays["labels"];
        let values = match array.to_f32() {
            Ok(values) => values,
            Err(_) => array.to_i64()?.into_iter().map(|value| value as f32).collect(),
        };
        if values.len() != self.columns.len() * n_outputs {
            let wanted = format!("{n_outputs} numbers for each of the {} rows", self.columns.len());
            return Err(self.unfit("labels", format!("of shape {:?}", array.shape), wanted));
        }
        Ok(values)
    }

    /// Columns of the padded matrix become places among a row's tokens; what is no token becomes -1.
    fn spans(&self) -> Result<Vec<(i64, i64)>, ForwardError> {
        let side = |name: &'static str| -> Result<Vec<i64>, ForwardError> {
            if !self.arrays.contains_key(name) {
                return Err(self.missing(name, "Question answering needs start_positions and end_positions"));
            }
            let values = self.classes(name, usize::MAX >> 1)?;
            let place = |(value, columns): (i64, &Vec<usize>)| {
                columns.iter().position(|&column| column as i64 == value).map_or(-1, |place| place as i64)
            };
            Ok(values.into_iter().zip(&self.columns).map(place).collect())
        };
        Ok(side("start_positions")?.into_iter().zip(side("end_positions")?).collect())
    }

    /// A matrix `[n_rows, S]`, where it is given.
    fn matrix(&self, name: &str, n_rows: usize) -> Result<Option<Matrix>, ForwardError> {
        let Some(array) = self.arrays.get(name) else { return Ok(None) };
        if array.shape != [n_rows, self.n_columns] {
            let wanted = format!("of shape {:?}, as input_ids", [n_rows, self.n_columns]);
            return Err(self.unfit(name, format!("of shape {:?}", array.shape), wanted));
        }
        Ok(Some(Matrix { n_columns: self.n_columns, data: array.to_i64()? }))
    }

    pub(super) fn missing(&self, name: &'static str, hint: &str) -> ForwardError {
        ForwardError::Missing { file: self.file.clone(), name, hint: hint.to_owned() }
    }

    fn unfit(&self, name: &str, found: impl Into<String>, wanted: impl Into<String>) -> ForwardError {
        let (name, found, wanted) = (name.to_owned(), found.into(), wanted.into());
        ForwardError::Unfit { file: self.file.clone(), name, found, wanted }
    }
}
