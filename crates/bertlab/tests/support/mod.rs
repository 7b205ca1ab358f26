//! What these tests share: where goldens lie, their rows, models to compare bit by bit, training jobs.

#![allow(dead_code)] // Each test file uses its part.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bertlab::train::{Resume, SamplingStrategy, SaveStrategy, Silent, TrainingArguments};
use bertlab::{
    HoldOut, Model, ModelOptions, NamedArray, OpenOptions, OpenedModel, Row, RowsRequest, Task, Tensor,
    TextOptions, TrainJob, open_model, read_safetensors,
};
use serde_json::Value;

/// One of the project's own goldens, as `golden("checkpoints/bert-masked-lm")`.
pub fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../goldens").join(name)
}

/// The project's goldens of a kind: "checkpoints" or "training".
pub fn own_goldens(kind: &str) -> Vec<PathBuf> {
    let folders = subfolders(&golden(kind));
    assert!(!folders.is_empty(), "goldens/{kind} belongs to the repository");
    folders
}

/// The project's goldens of a kind, and those that lie beside the repository.
pub fn all_goldens(kind: &str) -> Vec<PathBuf> {
    let shared = std::env::var_os("BERTLAB_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"), PathBuf::from);
    let fixtures = shared.join("fixtures").join(kind);
    let mut folders = own_goldens(kind);
    if fixtures.is_dir() {
        folders.extend(subfolders(&fixtures));
    } else {
        println!("skipped: ../shared is not here (fixtures/{kind})");
    }
    folders
}

fn subfolders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    folders.sort();
    folders
}

/// The last part of a path, for messages.
pub fn name_of(folder: &Path) -> String {
    folder.file_name().expect("goldens have names").to_string_lossy().into_owned()
}

/// The arrays of a safetensors file, by name.
pub fn arrays(file: &Path) -> BTreeMap<String, NamedArray> {
    let arrays = read_safetensors(file).unwrap_or_else(|error| panic!("{error}"));
    arrays.into_iter().map(|array| (array.name.clone(), array)).collect()
}

/// A JSON file.
pub fn json(file: &Path) -> Value {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// Opens a checkpoint with the head that its config names.
pub fn open(folder: &Path, open: OpenOptions) -> Result<OpenedModel, bertlab::Error> {
    open_model(folder.to_str().expect("UTF-8"), &ModelOptions { open, offline: true })
}

/// A checkpoint that is in order.
pub fn opened(folder: &Path) -> OpenedModel {
    open(folder, OpenOptions::default()).unwrap_or_else(|error| panic!("{error}"))
}

/// Copies a checkpoint, so that it can be changed.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("writable");
    for entry in fs::read_dir(from).expect("readable") {
        let file = entry.expect("readable").path();
        fs::copy(&file, to.join(file.file_name().expect("files have names"))).expect("writable");
    }
}

/// Changes keys of a checkpoint's config.json; null takes a key out.
pub fn set_config(folder: &Path, keys: &[(&str, Value)]) {
    let file = folder.join("config.json");
    let mut config = json(&file);
    for (key, value) in keys {
        config[*key] = value.clone();
    }
    fs::write(file, config.to_string()).expect("writable");
}

/// Rows of tokens, without padding.
pub struct Rows(Vec<(Vec<u32>, Vec<u32>)>);

impl Rows {
    /// A golden's inputs.
    pub fn of_golden(folder: &Path) -> Self {
        let arrays = arrays(&folder.join("golden.safetensors"));
        let ids = |name: &str| arrays.get(name).map(|array| array.to_i64().expect("whole numbers"));
        let (input_ids, mask) = (ids("input_ids").expect("every golden has ids"), ids("attention_mask"));
        let mask = mask.unwrap_or_else(|| vec![1; input_ids.len()]);
        let types = ids("token_type_ids").unwrap_or_else(|| vec![0; input_ids.len()]);
        let n_columns = arrays["input_ids"].shape[1];
        let kept = |values: &[i64], start: usize| -> Vec<u32> {
            let places = (start..start + n_columns).filter(|&place| mask[place] != 0);
            places.map(|place| values[place] as u32).collect()
        };
        let starts = (0..input_ids.len()).step_by(n_columns);
        Self(starts.map(|start| (kept(&input_ids, start), kept(&types, start))).collect())
    }

    /// `n` rows of 1 to `longest` tokens, the same at every call.
    pub fn made_up(n: usize, longest: usize, vocab_size: u32) -> Self {
        let row = |row: usize| {
            let length = 1 + (row * 37) % longest;
            let ids: Vec<u32> = (0..length).map(|i| ((row * 131 + i * 29) as u32) % vocab_size).collect();
            (ids, vec![0; length])
        };
        Self((0..n).map(row).collect())
    }

    /// As a batch takes them.
    pub fn rows(&self) -> Vec<Row<'_>> {
        self.0
            .iter()
            .map(|(ids, types)| Row { input_ids: ids, token_type_ids: types, ..Row::default() })
            .collect()
    }
}

/// A tensor's bits: equal only where the numbers are the same to the last bit, NaN and -0.0 too.
pub fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor.as_slice().iter().map(|x| x.to_bits()).collect()
}

/// All weights of a model, by HuggingFace's names.
pub fn weight_bits(model: &Model) -> BTreeMap<String, Vec<u32>> {
    model.named_tensors().into_iter().map(|(name, tensor)| (name, bits(tensor))).collect()
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
    let mut prepared = job.prepare(&mut |_, _, _| {})?;
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
        serde_json::from_value(self.run["args"].clone()).expect("run.json holds HuggingFace's arguments")
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
