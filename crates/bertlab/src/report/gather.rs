//! From an opened model and its rows to the plain data that a report is made of.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use bertlab_model::HeadKind;
use bertlab_report::{EvaluationFacts, ModelFacts, RepeatFacts, RowFacts, RunReport, SplitFacts};
use bertlab_text::TextInput;
use bertlab_train::Evaluation;

use crate::{Evaluated, LabelledRows, OpenedModel, bundled_models};

/// What a report says of a model that was named `name`, a folder or a hub name.
pub fn model_facts(opened: &OpenedModel, name: &str) -> ModelFacts {
    let (model, path) = (&opened.model, Path::new(name));
    let head = &model.spec.head;
    let is_folder = path.exists();
    let is_bundled = bundled_models().any(|known| known == name);
    ModelFacts {
        name: last_part(name),
        hub_name: (!is_folder && !is_bundled).then(|| name.to_owned()),
        class_name: model.family.class_name(head.kind),
        family: model.family.model_type.to_owned(),
        pipeline: match head.kind {
            HeadKind::SequenceClassification => "text-classification",
            HeadKind::TokenClassification => "token-classification",
            HeadKind::MaskedLm => "fill-mask",
            _ => "feature-extraction",
        }
        .to_owned(),
        n_parameters: model.params().n_parameters(),
        n_layers: model.spec.encoder.n_layers,
        width: model.spec.encoder.width,
        tokens_max: model.spec.encoder.max_tokens(),
        labels: head.labels.clone(),
        remarks: opened.report.messages(),
    }
}

/// The name of a folder without the folders around it; a hub name as it is.
pub fn last_part(name: &str) -> String {
    let path = Path::new(name);
    let last = path.file_name().filter(|_| path.exists());
    last.map_or_else(|| name.to_owned(), |last| last.to_string_lossy().into_owned())
}

/// What a report says of a split's rows, which came from `files`.
pub(crate) fn split_facts(name: &str, rows: &LabelledRows, files: &[PathBuf]) -> SplitFacts {
    let file_name = |file: &PathBuf| {
        let last = file.file_name().map(|last| last.to_string_lossy().into_owned());
        last.unwrap_or_else(|| file.display().to_string())
    };
    let counts = rows.counts.as_ref();
    SplitFacts {
        name: name.to_owned(),
        files: files.iter().map(file_name).collect(),
        n_rows: rows.examples.len(),
        block_length: rows.of_texts.and_then(|counts| counts.block_length),
        n_tokens: rows.examples.iter().map(|example| example.input_ids.len()).sum(),
        labels: counts.map_or_else(Vec::new, |counts| {
            counts.names.iter().cloned().zip(counts.counts.iter().copied()).collect()
        }),
        n_labelled_words: counts.filter(|counts| counts.unit == "word").map(|counts| counts.n_rows),
        max_length: rows.truncated.max_length,
        n_rows_cut: rows.truncated.n_rows,
        n_tokens_lost: rows.truncated.n_tokens,
    }
}

/// What a report says of answers to rows.
pub(crate) fn evaluation_facts(split: &str, evaluation: &Evaluation, rows: &LabelledRows) -> EvaluationFacts {
    // Rows that hold ids alone have no texts.
    let has_texts = rows.texts.len() == rows.examples.len();
    let text = |index: usize| if has_texts { rows.texts[index].clone() } else { TextInput::default() };
    let row = |(TextInput { text, pair }, example): (TextInput, &bertlab_data::Example)| RowFacts {
        text,
        pair,
        n_tokens: example.input_ids.len(),
        target: example.target.clone(),
    };
    EvaluationFacts {
        evaluation: evaluation.clone(),
        rows: (0..).map(text).zip(&rows.examples).map(row).collect(),
        split: split.to_owned(),
    }
}

/// What is needed to do it again, here and now. `command`: as a shell takes it.
pub fn repeat_facts(command: Option<String>) -> RepeatFacts {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    RepeatFacts {
        command,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        machine: format!("{} on {}", std::env::consts::OS, std::env::consts::ARCH),
        n_threads: crate::n_threads(),
        written_at: now.map_or(0, |now| now.as_secs()),
    }
}

/// A report of an evaluation alone, of rows from `files`.
pub fn evaluation_report(
    opened: &OpenedModel,
    name: &str,
    evaluated: &Evaluated,
    files: &[PathBuf],
    command: Option<String>,
) -> RunReport {
    RunReport {
        model: model_facts(opened, name),
        training: None,
        splits: vec![split_facts("test", &evaluated.rows, files)],
        findings: Vec::new(),
        evaluation: Some(evaluation_facts("test", &evaluated.evaluation, &evaluated.rows)),
        repeat: repeat_facts(command),
    }
}
