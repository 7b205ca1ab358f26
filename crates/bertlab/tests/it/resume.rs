//! Law: a run that was interrupted anywhere and taken up again ends in the same bits as one that was not.

use bertlab::progress::{Cancelled, NoProgress, Progress, Stage, Status};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::goldens::{copy, json, own_goldens, set_config};
use crate::support::ReferenceRun;
use bertlab::train::{
    IntervalStrategy, Reporter, Resume, SamplingStrategy, SaveStrategy, SchedulerType, Silent, StepFigures,
    TrainError, TrainingArguments,
};
use bertlab::{Error, TrainJob};
use serde_json::{Value, json};
use tempfile::TempDir;

/// A run with dropout, shuffled rows and a checkpoint after every step.
struct Case {
    scratch: TempDir,
    reference: ReferenceRun,
    arguments: TrainingArguments,
}

impl Case {
    fn new(golden: &Path) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let mut reference = ReferenceRun::open(golden);
        let init = scratch.path().join("init");
        copy(&golden.join("init"), &init);
        let dropouts =
            ["hidden_dropout_prob", "attention_probs_dropout_prob", "dropout", "attention_dropout"];
        set_config(&init, &dropouts.map(|name| (name, json!(0.2))));
        let arguments = TrainingArguments {
            train_sampling_strategy: SamplingStrategy::Random,
            logging_steps: Some(2.0),
            eval_strategy: Some(IntervalStrategy::Steps),
            eval_steps: Some(2.0),
            save_strategy: SaveStrategy::Steps,
            save_steps: 1.0,
            ..reference.arguments()
        };
        reference.folder = scratch.path().to_path_buf();
        Self { scratch, reference, arguments }
    }

    /// The one that has rows to evaluate on.
    fn with_evaluation() -> Self {
        let goldens = own_goldens("training");
        let golden = goldens.iter().find(|folder| folder.ends_with("distilbert-uneven-accumulation"));
        Self::new(golden.expect("it belongs to the repository"))
    }

    fn output(&self) -> PathBuf {
        self.scratch.path().join("out")
    }

    fn checkpoint(&self, step: u64) -> PathBuf {
        self.output().join(format!("checkpoint-{step}"))
    }

    fn job(&self, resume: Resume) -> TrainJob {
        let job = self.reference.job(self.scratch.path(), self.arguments.clone());
        TrainJob { arguments: self.arguments.clone(), resume, ..job }
    }

    fn train(&self, resume: Resume) -> Result<(), Error> {
        run(self.job(resume), &mut Silent)
    }

    fn refused(&self, resume: Resume) -> String {
        self.train(resume).expect_err("it must be refused").to_string()
    }

    /// Trains without interruption, and gives what it ended in.
    fn whole_run(&self) -> Ended {
        self.train(Resume::No).unwrap_or_else(|error| panic!("{error}"));
        self.ended()
    }

    fn ended(&self) -> Ended {
        let weights = fs::read(self.output().join("final_model/model.safetensors")).expect("it was saved");
        let mut state = json(&self.output().join("trainer_state.json"));
        for record in state["log_history"].as_array_mut().expect("a log is a list") {
            let record = record.as_object_mut().expect("a log line is an object");
            record.retain(|name, _| !name.ends_with("runtime") && !name.ends_with("per_second"));
        }
        Ended { weights, state }
    }

    fn steps(&self) -> Vec<u64> {
        let names =
            fs::read_dir(self.output()).expect("it is there").flatten().map(|entry| entry.file_name());
        let step = |name: std::ffi::OsString| name.to_str()?.strip_prefix("checkpoint-")?.parse().ok();
        let mut steps: Vec<u64> = names.filter_map(step).collect();
        steps.sort_unstable();
        steps
    }
}

/// Weights, and the state with its log, but for the times in it.
#[derive(PartialEq)]
struct Ended {
    weights: Vec<u8>,
    state: Value,
}

fn check_same(found: &Ended, expected: &Ended, what: &str) {
    assert_eq!(found.state, expected.state, "{what}");
    assert!(found.weights == expected.weights, "{what}: the final weights differ");
}

fn run(job: TrainJob, reporter: &mut dyn Reporter) -> Result<(), Error> {
    job.prepare(&NoProgress)?.train(reporter).map(|_| ())
}

/// Asks the run to stop after so many updates, and remembers what was skipped.
struct StopsAfter {
    n_updates: usize,
    skipped: Vec<String>,
}

impl Progress for StopsAfter {
    fn update(&self, _: Status<'_>) -> Result<(), Cancelled> {
        if self.n_updates == 0 { Err(Cancelled) } else { Ok(()) }
    }
}

impl Reporter for StopsAfter {
    fn step(&mut self, _: &StepFigures) {
        self.n_updates = self.n_updates.saturating_sub(1);
    }
    fn skipped(&mut self, checkpoint: &Path, _: &TrainError) {
        self.skipped.push(crate::goldens::name_of(checkpoint));
    }
}

#[test]
fn every_checkpoint_leads_to_the_same_end() {
    for golden in own_goldens("training") {
        let case = Case::new(&golden);
        let expected = case.whole_run();
        let steps = case.steps();
        assert!(steps.len() > 3, "{steps:?}");
        for &step in steps.iter().rev() {
            let what = format!("{}, from step {step}", golden.display());
            for later in case.steps().into_iter().filter(|&later| later > step) {
                fs::remove_dir_all(case.checkpoint(later)).expect("writable");
            }
            for resume in [Resume::From(case.checkpoint(step)), Resume::Newest] {
                fs::remove_dir_all(case.output().join("final_model")).expect("it was written");
                case.train(resume).unwrap_or_else(|error| panic!("{what}: {error}"));
                check_same(&case.ended(), &expected, &what);
                for later in case.steps().into_iter().filter(|&later| later > step) {
                    fs::remove_dir_all(case.checkpoint(later)).expect("writable");
                }
            }
        }
    }
}

#[test]
fn a_run_with_frozen_layers_goes_on_where_it_stood() {
    let mut case = Case::with_evaluation();
    case.arguments.freeze_embeddings = true;
    case.arguments.freeze_layers = 1;
    case.arguments.layerwise_lr_decay = 0.7;
    let expected = case.whole_run();
    for step in [4, 1] {
        for later in case.steps().into_iter().filter(|&later| later > step) {
            fs::remove_dir_all(case.checkpoint(later)).expect("writable");
        }
        case.train(Resume::Newest).unwrap_or_else(|error| panic!("{error}"));
        check_same(&case.ended(), &expected, &format!("from step {step}"));
    }
    case.arguments.freeze_layers = 0;
    case.arguments.layerwise_lr_decay = 1.0;
    let message = case.refused(Resume::Newest);
    for words in ["freeze_layers is 0 and was 1", "layerwise_lr_decay is 1.0 and was 0.7"] {
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn a_run_in_bf16_goes_on_where_it_stood() {
    let mut case = Case::with_evaluation();
    case.arguments.bf16 = true;
    let expected = case.whole_run();
    let steps = case.steps();
    for &step in steps.iter().rev().skip(1) {
        fs::remove_dir_all(case.output().join("final_model")).expect("it was written");
        case.train(Resume::From(case.checkpoint(step))).unwrap_or_else(|error| panic!("{error}"));
        check_same(&case.ended(), &expected, &format!("in bf16, from step {step}"));
    }
    case.arguments.bf16 = false;
    assert!(case.refused(Resume::Newest).contains("bf16 is false and was true"));
}

#[test]
fn a_run_in_single_steps_ends_as_one_in_a_piece() {
    let mut case = Case::with_evaluation();
    case.arguments.save_steps = 3.0;
    let expected = case.whole_run();
    fs::remove_dir_all(case.output()).expect("writable");
    let mut resume = Resume::No;
    for step in 1.. {
        let mut reporter = StopsAfter { n_updates: 1, skipped: Vec::new() };
        match run(case.job(resume), &mut reporter) {
            Ok(()) => break,
            Err(Error::Train(TrainError::Interrupted { step: stopped, checkpoint, .. })) => {
                assert_eq!((stopped, checkpoint), (step, case.checkpoint(step)));
            }
            Err(error) => panic!("{error}"),
        }
        resume = Resume::Newest;
        if case.steps().last() == Some(&expected.state["global_step"].as_u64().expect("a number")) {
            case.train(Resume::Newest).unwrap_or_else(|error| panic!("{error}"));
            break;
        }
    }
    check_same(&case.ended(), &expected, "in single steps");
}

/// Asks the run to stop in an evaluation, after so many whole ones.
struct StopsInEvaluation {
    n_whole: AtomicUsize,
}

impl Progress for StopsInEvaluation {
    fn update(&self, now: Status<'_>) -> Result<(), Cancelled> {
        let n_whole = self.n_whole.load(Ordering::Relaxed);
        match now.stage {
            Stage::Evaluate if now.done < now.total && n_whole == 0 => Err(Cancelled),
            Stage::Evaluate if now.done == now.total => {
                self.n_whole.store(n_whole.saturating_sub(1), Ordering::Relaxed);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

impl Reporter for StopsInEvaluation {}

/// Stops in the first evaluation, then time and again in the one after that which was broken off. Gives how often.
fn stopped_in_every_evaluation(case: &Case) -> usize {
    let mut resume = Resume::No;
    for n_stops in 0.. {
        let mut reporter = StopsInEvaluation { n_whole: AtomicUsize::new(n_stops.min(1)) };
        match run(case.job(resume), &mut reporter) {
            Ok(()) => return n_stops,
            Err(Error::Train(TrainError::Interrupted { step, checkpoint, .. })) => {
                assert_eq!(checkpoint, case.checkpoint(step));
            }
            Err(error) => panic!("{error}"),
        }
        resume = Resume::Newest;
    }
    unreachable!("it ends or panics")
}

#[test]
fn an_evaluation_that_was_broken_off_is_made_again() {
    let settings: [fn(&mut TrainingArguments); 3] = [
        |arguments| arguments.eval_on_start = true,
        // The best is loaded at the end, and evaluated once more.
        |arguments| (arguments.greater_is_better, arguments.save_steps) = (Some(true), 2.0),
        |arguments| {
            arguments.greater_is_better = Some(true);
            arguments.early_stopping_patience = Some(1);
            arguments.logging_steps = Some(3.0);
        },
    ];
    for (index, set) in settings.into_iter().enumerate() {
        let mut case = Case::with_evaluation();
        set(&mut case.arguments);
        let expected = case.whole_run();
        let log = expected.state["log_history"].as_array().expect("a log is a list");
        let n_evaluations = log.iter().filter(|record| record.get("eval_loss").is_some()).count();
        fs::remove_dir_all(case.output()).expect("writable");
        let n_stops = stopped_in_every_evaluation(&case);
        assert!(n_stops >= n_evaluations && n_stops > 1, "{n_stops} stops, {n_evaluations} evaluations");
        check_same(&case.ended(), &expected, &format!("settings {index}"));
    }
}

#[test]
fn a_damaged_checkpoint_is_skipped_with_a_word() {
    let case = Case::with_evaluation();
    let expected = case.whole_run();
    let last = *case.steps().last().expect("steps were saved");
    let damage: [(&str, Harm); 6] = [
        ("config.json", cut),
        ("optimizer.safetensors", cut),
        ("model.safetensors", cut),
        ("progress.json", cut),
        ("trainer_state.json", cut),
        ("progress.json", |file| fs::remove_file(file).expect("writable")),
    ];
    for (name, harm) in damage {
        harm(&case.checkpoint(last).join(name));
        let mut reporter = StopsAfter { n_updates: usize::MAX, skipped: Vec::new() };
        run(case.job(Resume::Newest), &mut reporter).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(reporter.skipped, [format!("checkpoint-{last}")], "{name}");
        check_same(&case.ended(), &expected, name);
        let message = {
            harm(&case.checkpoint(last).join(name));
            case.refused(Resume::From(case.checkpoint(last)))
        };
        assert!(message.contains(name), "{name}: {message}");
    }
    for step in case.steps() {
        cut(&case.checkpoint(step).join("optimizer.safetensors"));
    }
    let message = case.refused(Resume::Newest);
    assert!(message.contains("no checkpoint is whole") && message.contains("cut off"), "{message}");
}

/// Something that goes wrong with a file.
type Harm = fn(&Path);

fn cut(file: &Path) {
    let bytes = fs::read(file).expect("it was saved");
    fs::write(file, &bytes[..bytes.len() / 2]).expect("writable");
}

#[test]
fn what_a_killed_save_left_is_put_right() {
    let case = Case::with_evaluation();
    let expected = case.whole_run();
    let last = *case.steps().last().expect("steps were saved");
    let beside = |name: String| case.output().join(name);
    // Killed between the two renames of a folder that is replaced, and while a file was written.
    fs::rename(case.checkpoint(last), beside(format!(".checkpoint-{last}.saving-1-0.new")))
        .expect("writable");
    copy(&case.checkpoint(1), &beside(format!(".checkpoint-{last}.saving-1-0.old")));
    fs::write(beside(format!(".checkpoint-{last}.saving-1-0.lock")), "").expect("writable");
    fs::write(beside(".trainer_state.json.saving-1-1.partial".to_owned()), "{").expect("writable");
    case.train(Resume::Newest).unwrap_or_else(|error| panic!("{error}"));
    check_same(&case.ended(), &expected, "after a killed save");
    let names = fs::read_dir(case.output()).expect("it is there").flatten().map(|entry| entry.file_name());
    let hidden: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with('.')).collect();
    assert!(hidden.is_empty(), "{hidden:?}");
}

#[test]
fn another_run_is_refused_by_what_changed() {
    let mut case = Case::with_evaluation();
    case.whole_run();
    let mut job = case.job(Resume::Newest);
    job.train.max_samples = Some(20);
    let message = run(job, &mut Silent).expect_err("other rows").to_string();
    assert!(message.contains("20 training rows and were 25"), "{message}");
    let mut job = case.job(Resume::Newest);
    job.validation = None;
    let message = run(job, &mut Silent).expect_err("other rows").to_string();
    assert!(message.contains("0 evaluation rows and were 7"), "{message}");
    set_config(&case.scratch.path().join("init"), &[("dropout", json!(0.5))]);
    assert!(case.refused(Resume::Newest).contains("another dropout"));
    case.arguments.learning_rate = 0.5;
    case.arguments.max_steps = Some(9);
    let message = case.refused(Resume::Newest);
    for words in ["learning_rate is 0.5 and was 0.002", "max_steps is 9 and was null"] {
        assert!(message.contains(words), "{message}");
    }
}

#[test]
fn where_there_is_nothing_to_resume_it_is_said() {
    let mut case = Case::with_evaluation();
    let message = case.refused(Resume::Newest);
    assert!(message.contains("no such folder") && message.contains("Start without"), "{message}");
    fs::create_dir(case.output()).expect("writable");
    assert!(case.refused(Resume::Newest).contains("it holds no checkpoint"));
    case.arguments.save_only_model = true;
    case.whole_run();
    assert!(!case.checkpoint(1).join("optimizer.safetensors").exists());
    assert!(case.refused(Resume::Newest).contains("`save_only_model` = true"));
    assert!(case.refused(Resume::No).contains("already holds a run"));
}

#[test]
fn the_limit_keeps_the_last_and_the_best() {
    let mut case = Case::with_evaluation();
    case.arguments.save_total_limit = Some(2);
    case.arguments.eval_steps = Some(1.0);
    // The loss falls, so the highest is an early one.
    case.arguments.greater_is_better = Some(true);
    let expected = case.whole_run();
    let best = expected.state["best_global_step"].as_u64().expect("there was an evaluation");
    let last = expected.state["global_step"].as_u64().expect("a number");
    assert!(best + 1 < last, "best {best}, last {last}: nothing would be forgotten between");
    assert_eq!(case.steps(), [best, last]);
    // Taken up from the best, the ones between come and go again.
    fs::remove_dir_all(case.checkpoint(last)).expect("writable");
    case.train(Resume::Newest).unwrap_or_else(|error| panic!("{error}"));
    check_same(&case.ended(), &expected, "with a limit");
    assert_eq!(case.steps(), [best, last]);
    case.arguments.save_total_limit = Some(1);
    case.train(Resume::Newest).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(case.steps(), [best, last], "neither the last nor the best is ever removed");
}

#[test]
fn early_stopping_counts_on_where_it_was() {
    let mut case = Case::with_evaluation();
    case.arguments.eval_steps = Some(1.0);
    case.arguments.early_stopping_patience = Some(3);
    case.arguments.max_steps = Some(11);
    // On the whole the loss falls, so that soon no evaluation is better.
    case.arguments.greater_is_better = Some(true);
    case.arguments.logging_steps = Some(3.0);
    let expected = case.whole_run();
    let number = |key: &str| expected.state[key].as_u64().expect("a number");
    let last = number("global_step");
    assert!(
        last == number("best_global_step") + 3 && last < number("max_steps"),
        "it ends after step {last}"
    );
    let counter = "/stateful_callbacks/EarlyStoppingCallback/attributes/early_stopping_patience_counter";
    assert_eq!(expected.state.pointer(counter), Some(&json!(3)));
    assert_eq!(case.steps(), (1..=last).collect::<Vec<_>>());
    for step in case.steps() {
        for later in case.steps().into_iter().filter(|&later| later > step) {
            fs::remove_dir_all(case.checkpoint(later)).expect("writable");
        }
        case.train(Resume::From(case.checkpoint(step))).unwrap_or_else(|error| panic!("{error}"));
        check_same(&case.ended(), &expected, &format!("from step {step}"));
    }
    case.arguments.early_stopping_patience = Some(4);
    let message = case.refused(Resume::Newest);
    assert!(message.contains("early_stopping_patience is 4 and was 3"), "{message}");
}

#[test]
fn a_loss_that_is_no_number_stops_the_run_and_the_last_good_checkpoint_stays() {
    let mut case = Case::with_evaluation();
    case.arguments.learning_rate = 1e30;
    case.arguments.warmup_steps = 0.0;
    case.arguments.lr_scheduler_type = SchedulerType::Constant;
    case.arguments.eval_strategy = Some(IntervalStrategy::No);
    let message = case.refused(Resume::No);
    let steps = case.steps();
    let (next, last) = (steps.len() + 1, steps.last().copied().expect("the first step is finite"));
    assert!(message.starts_with(&format!("the training diverged at step {next}: the loss is ")), "{message}");
    for words in ["gradients NaN", "Rows of the step", "smaller learning rate (now 1e30)"] {
        assert!(message.contains(words), "{words}: {message}");
    }
    crate::support::opened(&case.checkpoint(last));
    assert_eq!(case.refused(Resume::Newest), message, "taken up again it comes to the same end");
}

#[test]
fn an_output_folder_is_refused_before_anything_is_opened() {
    let case = Case::with_evaluation();
    let refused = |resume: Resume, output_dir: PathBuf| {
        let no_model = case.scratch.path().join("no-model").display().to_string();
        let job = TrainJob { model: no_model, output_dir, ..case.job(resume) };
        run(job, &mut Silent).expect_err("it must be refused").to_string()
    };
    let below_a_file = case.scratch.path().join("train.jsonl").join("out");
    let message = refused(Resume::No, below_a_file.clone());
    assert!(message.contains("train.jsonl/out: nothing can be written there"), "{message}");
    assert!(refused(Resume::Newest, below_a_file).contains("no such folder"));
    assert!(refused(Resume::No, case.output()).contains("no-model"), "this folder is good");
    assert!(!case.output().exists(), "a refused run leaves no folder behind");
    case.whole_run();
    assert!(refused(Resume::No, case.output()).contains("already holds a run (trainer_state.json)"));
    let last = *case.steps().last().expect("steps were saved");
    let elsewhere = case.scratch.path().join("elsewhere");
    for (resume, output_dir) in
        [(Resume::Newest, case.output()), (Resume::From(case.checkpoint(last)), elsewhere)]
    {
        let mut job = TrainJob { model: "no-model".to_owned(), output_dir, ..case.job(resume) };
        job.arguments.learning_rate = 0.5;
        let message = run(job, &mut Silent).expect_err("another rate").to_string();
        assert!(message.contains("learning_rate is 0.5 and was 0.002"), "{message}");
    }
}
