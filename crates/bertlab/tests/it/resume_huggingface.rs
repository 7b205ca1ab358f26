//! Golden: a run that HuggingFace's Trainer began ends here where it would have ended there; what does not fit is said.

use bertlab::progress::{Cancelled, NoProgress, Progress, Status};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::goldens::{arrays, copy, golden, json, name_of, own_goldens, set_config};
use crate::support::{ReferenceRun, opened};
use bertlab::train::{Reporter, Resume, SaveStrategy, TrainingArguments};
use bertlab::{Error, TrainJob};
use bertlab_model::Slot;
use serde_json::{Value, json};
use tempfile::TempDir;

/// Where the goldens' checkpoints stand, and where their runs end.
const STEP: u64 = 5;
const LAST_STEP: u64 = 9;

struct Case {
    scratch: TempDir,
    reference: ReferenceRun,
    arguments: TrainingArguments,
}

/// What a run said.
#[derive(Default)]
struct Said {
    notes: Vec<String>,
    warnings: Vec<String>,
}

impl Progress for Said {
    fn update(&self, _: Status<'_>) -> Result<(), Cancelled> {
        Ok(())
    }
}

impl Reporter for Said {
    fn noted(&mut self, message: &str) {
        self.notes.push(message.to_owned());
    }
    fn warned(&mut self, message: &str) {
        self.warnings.push(message.to_owned());
    }
}

impl Case {
    fn new(golden: &Path) -> Self {
        let (scratch, reference) =
            (tempfile::tempdir().expect("a temporary folder"), ReferenceRun::open(golden));
        copy(
            &golden.join(format!("checkpoint-{STEP}")),
            &scratch.path().join(format!("hf/checkpoint-{STEP}")),
        );
        let arguments = TrainingArguments {
            load_best_model_at_end: Some(false),
            save_strategy: SaveStrategy::No,
            ..reference.arguments()
        };
        Self { scratch, reference, arguments }
    }

    fn bert() -> Self {
        Self::new(&golden("resume/bert-sequence-classification"))
    }

    fn checkpoint(&self) -> PathBuf {
        self.scratch.path().join(format!("hf/checkpoint-{STEP}"))
    }

    fn output(&self) -> PathBuf {
        self.scratch.path().join("out")
    }

    fn run(&self, resume: Resume) -> Result<Said, Error> {
        let job = self.reference.job(self.scratch.path(), self.arguments.clone());
        let arguments = TrainingArguments {
            logging_steps: Some(2.0),
            logging_first_step: Some(false),
            save_strategy: self.arguments.save_strategy,
            save_steps: 1.0,
            ..job.arguments
        };
        let model = self.checkpoint().display().to_string();
        let mut said = Said::default();
        let job = TrainJob { model, arguments, resume, ..job };
        job.prepare(&NoProgress)?.train(&mut said)?;
        Ok(said)
    }

    fn take_up(&self) -> Said {
        self.run(Resume::From(self.checkpoint())).unwrap_or_else(|error| panic!("{error}"))
    }

    fn refused(&self) -> String {
        self.run(Resume::From(self.checkpoint())).err().expect("it must be refused").to_string()
    }

    fn edit_state(&self, edit: impl FnOnce(&str) -> String) {
        let file = self.checkpoint().join("trainer_state.json");
        let text = fs::read_to_string(&file).expect("readable");
        fs::write(file, edit(&text)).expect("writable");
    }

    fn state(&self) -> Value {
        json(&self.output().join("trainer_state.json"))
    }

    fn final_weights(&self) -> Vec<u8> {
        fs::read(self.output().join("final_model/model.safetensors")).expect("it was saved")
    }
}

#[test]
fn a_run_begun_with_huggingfaces_trainer_ends_as_it_would_have_there() {
    for folder in own_goldens("resume") {
        let (case, name) = (Case::new(&folder), name_of(&folder));
        let said = case.take_up();
        assert_eq!(said.notes.len(), 1, "{name}: {:?}", said.notes);
        assert!(said.warnings.is_empty(), "{name}: {:?}", said.warnings);
        let expected = arrays(&folder.join("final.safetensors"));
        let found = arrays(&case.output().join("final_model/model.safetensors"));
        for (weight, expected) in &expected {
            let [expected, found] = [expected, &found[weight]].map(|array| array.to_f32().expect("floats"));
            let is_near = |(a, b): (&f32, &f32)| (a - b).abs() < 1e-5;
            assert!(
                expected.iter().zip(&found).all(is_near),
                "{name}: {weight} is {found:?}, not {expected:?}"
            );
        }
        check_log(&case, &name);
    }
}

/// The Trainer's lines stand first, as they were; those of whole intervals after it agree.
fn check_log(case: &Case, name: &str) {
    let state = case.state();
    let lines = |log: &Value| log.as_array().expect("a list").clone();
    let (found, expected) = (lines(&state["log_history"]), lines(&case.reference.run["log"]));
    let saved = lines(&json(&case.checkpoint().join("trainer_state.json"))["log_history"]);
    assert_eq!(found[..saved.len()], saved[..], "{name}");
    let figure = |log: &[Value], step: u64, key: &str| {
        log.iter().find(|line| line["step"] == step && line.get(key).is_some())?[key].as_f64()
    };
    for (step, key) in
        [(8, "loss"), (8, "grad_norm"), (8, "learning_rate"), (6, "eval_loss"), (9, "eval_loss")]
    {
        match (figure(&expected, step, key), figure(&found, step, key)) {
            (Some(expected), Some(found)) => {
                assert!((found - expected).abs() < 1e-4 * expected, "{name}: {key} {found}, not {expected}");
            }
            (expected, _) => assert!(expected.is_none() && key == "eval_loss", "{name}: {key} at {step}"),
        }
    }
    if name.starts_with("bert") {
        assert_eq!(state["best_global_step"], LAST_STEP, "it counts on from the Trainer's best");
    }
    let last = found.last().expect("a line");
    assert!(last["train_loss"].as_f64().is_some_and(|loss| loss > 0.9), "{name}: {last}");
}

#[test]
fn weights_are_numbered_as_huggingface_numbers_them() {
    for folder in own_goldens("resume") {
        let model = opened(&folder.join(format!("checkpoint-{STEP}"))).model;
        let numbered = |order: Vec<Arc<Slot>>| {
            let is_in_second = |name: &String| name.ends_with("bias") || name.contains("LayerNorm");
            let (second, first): (Vec<_>, Vec<_>) =
                order.iter().map(|slot| slot.name.clone()).partition(is_in_second);
            let names: Vec<String> = first.iter().chain(&second).map(|name| model.name_of(name)).collect();
            json!(names)
        };
        let expected = &json(&folder.join("run.json"))["parameters"];
        let orders: Vec<Value> = model.weight_orders().into_iter().map(numbered).collect();
        assert!(orders.contains(expected), "{}: {orders:?}, not {expected}", name_of(&folder));
    }
    for folder in own_goldens("checkpoints") {
        for order in opened(&folder).model.weight_orders() {
            assert_eq!(order.len(), opened(&folder).model.params().named().len(), "{}", name_of(&folder));
        }
    }
}

#[test]
fn taken_up_again_it_ends_in_the_same_bits() {
    let mut case = Case::bert();
    case.arguments.save_strategy = SaveStrategy::Steps;
    case.take_up();
    let expected = case.final_weights();
    for step in [7, 8] {
        let checkpoint = case.output().join(format!("checkpoint-{step}"));
        let said = case.run(Resume::From(checkpoint)).unwrap_or_else(|error| panic!("{error}"));
        assert!(said.notes.is_empty() && said.warnings.is_empty(), "it is our own by now");
        assert!(case.final_weights() == expected, "from step {step}");
    }
}

#[test]
fn the_newest_checkpoint_of_a_folder_may_be_huggingfaces() {
    let case = Case::bert();
    let other = Case::bert();
    copy(&case.checkpoint(), &case.output().join(format!("checkpoint-{STEP}")));
    let said = case.run(Resume::Newest).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(said.notes.len(), 1);
    other.take_up();
    assert!(case.final_weights() == other.final_weights());
}

#[test]
fn other_settings_than_the_trainers_are_said_and_used() {
    let mut case = Case::bert();
    let said = |case: &Case| {
        let Said { warnings, .. } = case.take_up();
        fs::remove_dir_all(case.output()).expect("it was made");
        assert_eq!(warnings.len(), 1, "{warnings:?}");
        warnings.concat()
    };
    case.arguments.weight_decay = 0.0;
    case.arguments.learning_rate = 0.5;
    case.arguments.adam_beta2 = 0.99;
    let message = said(&case);
    for words in [
        "what is given here is used",
        "weight_decay is 0 and was 0.1",
        "learning_rate is 0.5 and was 0.01",
        "adam_beta2 is 0.99 and was 0.999",
    ] {
        assert!(message.contains(words), "{message}");
    }
    assert!(!message.contains("next step"), "one rate is enough: {message}");
    case = Case::bert();
    case.arguments.warmup_steps = 0.0;
    case.arguments.max_steps = Some(10);
    let message = said(&case);
    for words in ["max_steps is 10 and was 9", "the next step's learning rate is 0.005 and was 0.00833"] {
        assert!(message.contains(words), "{message}");
    }
    case = Case::bert();
    case.arguments.per_device_train_batch_size = 2;
    assert!(said(&case).contains("the epoch at this step is 0.714"), "twice as many steps an epoch");
}

#[test]
fn a_best_that_was_chosen_otherwise_is_given_up() {
    let mut case = Case::bert();
    case.arguments.metric_for_best_model = Some("accuracy".to_owned());
    let warnings = case.take_up().warnings.concat();
    assert!(warnings.contains("not chosen by eval_accuracy"), "{warnings}");
    let case = Case::bert();
    case.edit_state(|text| {
        text.replace("\"best_model_checkpoint\": null", "\"best_model_checkpoint\": \"/gone/checkpoint-4\"")
    });
    let warnings = case.take_up().warnings.concat();
    assert!(warnings.contains("/gone/checkpoint-4, is not there"), "{warnings}");
}

#[test]
fn f16_may_have_skipped_updates_and_logged_no_number() {
    let mut case = Case::bert();
    case.arguments.save_strategy = SaveStrategy::Steps;
    case.edit_state(|text| {
        let text =
            text.replace("\"global_step\": 5", "\"global_step\": 6").replace("1.097290277481079", "NaN");
        text.replace("\"epoch\": 1.25", "\"epoch\": 1.5")
    });
    let warnings = case.take_up().warnings;
    assert!(
        warnings.iter().any(|warning| warning.contains("1 of the 6 steps made no update")),
        "{warnings:?}"
    );
    assert_eq!(case.state()["log_history"][0]["loss"], "NaN");
    let last = case.output().join("checkpoint-8");
    case.run(Resume::From(last)).unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let mut case = Case::bert();
    case.arguments.freeze_embeddings = true;
    let message = case.refused();
    for words in [
        "optimizer.pt: no run can go on from here",
        "weight 0 has the shape [61, 8], where bert.encoder.layer.0.attention.self.query.weight has [8, 8]",
        "what was frozen",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
    case = Case::bert();
    case.arguments.freeze_layers = 1;
    let message = case.refused();
    for words in ["17 weights decay, and 11 of this model", "where classifier.weight has [3, 8]"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    case = Case::bert();
    case.arguments.max_steps = Some(4);
    assert!(case.refused().contains("it stands after step 5, and this run has 4 steps"));
    case = Case::bert();
    case.edit_state(|text| text.replace("\"global_step\": 5", "\"global_step\": 3"));
    assert!(case.refused().contains("different steps (3, and 5 of optimizer.pt)"));
}

#[test]
fn files_that_are_missing_or_broken_are_refused_before_rows_are_read() {
    let case = Case::bert();
    let file = case.checkpoint().join("optimizer.pt");
    let bytes = fs::read(&file).expect("readable");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("writable");
    let message = case.refused();
    assert!(message.contains("optimizer.pt") && message.contains("adamw_torch"), "{message}");
    fs::remove_file(&file).expect("writable");
    assert!(case.refused().contains("nor an optimizer.pt of HuggingFace's Trainer"));
    fs::write(&file, bytes).expect("writable");
    fs::remove_file(case.checkpoint().join("trainer_state.json")).expect("writable");
    assert!(case.refused().contains("trainer_state.json"));
}

#[test]
fn labels_that_are_placeholders_are_any_labels() {
    let case = Case::bert();
    let names = |names: [&str; 3]| {
        let by_id = json!({ "0": names[0], "1": names[1], "2": names[2] });
        let by_name = json!({ names[0]: 0, names[1]: 1, names[2]: 2 });
        [("id2label", by_id), ("label2id", by_name)]
    };
    let init = case.scratch.path().join("init");
    copy(&case.checkpoint(), &init);
    set_config(&case.checkpoint(), &names(["LABEL_0", "LABEL_1", "LABEL_2"]));
    let run = || {
        let job = case.reference.job(case.scratch.path(), case.arguments.clone());
        let resume = Resume::From(case.checkpoint());
        let job = TrainJob { model: init.display().to_string(), resume, ..job };
        job.prepare(&NoProgress)?.train(&mut Said::default()).map(|_| ())
    };
    run().unwrap_or_else(|error| panic!("{error}"));
    fs::remove_dir_all(case.output()).expect("it was made");
    set_config(&case.checkpoint(), &names(["good", "middling", "bad"]));
    let message = run().expect_err("labels in another order").to_string();
    assert!(message.contains("other labels") && message.contains("own folder"), "{message}");
}
