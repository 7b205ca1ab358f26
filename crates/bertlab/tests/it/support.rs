//! What these tests share: models opened as a person opens them, training jobs, reference runs.

use bertlab::progress::NoProgress;
use std::fs;
use std::path::{Path, PathBuf};

use bertlab::train::{Resume, SamplingStrategy, SaveStrategy, Silent, TrainingArguments};
use bertlab::{
    HoldOut, ModelOptions, OpenOptions, OpenedModel, RowsRequest, Task, TextOptions, TrainJob, open_model,
};
use serde_json::Value;

use crate::goldens::json;

/// Opens a checkpoint with the head that its config names.
pub fn open(folder: &Path, open: OpenOptions) -> Result<OpenedModel, bertlab::Error> {
    open_model(folder.to_str().expect("UTF-8"), &ModelOptions { open, offline: true })
}

/// A checkpoint that is in order.
pub fn opened(folder: &Path) -> OpenedModel {
    open(folder, OpenOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// A training job on rows of a JSONL file, in file order, every step logged, nothing saved but the end.
pub fn train_job(init: &Path, rows: &Path, output_dir: &Path, arguments: TrainingArguments) -> TrainJob {
    TrainJob {
        model: init.to_str().expect("UTF-8").to_owned(),
        offline: true,
        allow_random: false,
        task: None,
        new_head: false,
        train: RowsRequest { files: vec![rows.to_path_buf()], ..RowsRequest::default() },
        validation: None,
        hold_out: HoldOut::default(),
        test: None,
        text: TextOptions::default(),
        label_all_tokens: false,
        allow_single_class: true,
        ignore_findings: false,
        arguments: TrainingArguments {
            train_sampling_strategy: SamplingStrategy::Sequential,
            logging_steps: Some(1.0),
            save_strategy: SaveStrategy::No,
            ..arguments
        },
        output_dir: output_dir.to_path_buf(),
        overwrite_output_dir: false,
        resume: Resume::No,
    }
}

/// Runs a job, and gives the folder of the trained model.
pub fn train(job: TrainJob) -> Result<PathBuf, bertlab::Error> {
    let mut prepared = job.prepare(&NoProgress)?;
    Ok(prepared.train(&mut Silent)?.final_model)
}

/// A reference run: `init/`, `final/`, and run.json.
pub struct ReferenceRun {
    /// Its folder.
    pub folder: PathBuf,
    /// run.json
    pub run: Value,
}

impl ReferenceRun {
    /// Reads run.json.
    pub fn open(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf(), run: json(&folder.join("run.json")) }
    }

    /// Its arguments, as the program takes them.
    pub fn arguments(&self) -> TrainingArguments {
        let read = TrainingArguments::from_json(&self.run["args"].to_string());
        read.expect("run.json holds HuggingFace's arguments").arguments
    }

    /// The job that reproduces it; its rows are written into `scratch`.
    pub fn job(&self, scratch: &Path, arguments: TrainingArguments) -> TrainJob {
        let rows = |split: &str| {
            let file = scratch.join(format!("{split}.jsonl"));
            let lines: Vec<String> = self.rows(split).iter().map(Value::to_string).collect();
            fs::write(&file, lines.join("\n")).expect("writable");
            file
        };
        let job = train_job(&self.folder.join("init"), &rows("train"), &scratch.join("out"), arguments);
        let validation = RowsRequest { files: vec![rows("eval")], ..RowsRequest::default() };
        TrainJob {
            task: (self.run["kind"] == "mlm").then_some(Task::MaskedLm),
            validation: (!self.rows("eval").is_empty()).then_some(validation),
            ..job
        }
    }

    fn rows(&self, split: &str) -> &[Value] {
        self.run[split].as_array().map_or(&[], Vec::as_slice)
    }
}
