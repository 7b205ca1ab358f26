//! When a run logs, evaluates, saves and ends, and which settings of these do not fit together.

use bertlab::progress::{Cancelled, NoProgress, Progress, Status};
use std::fs;

use crate::goldens::{golden, json as json_file};
use crate::support::ReferenceRun;
use bertlab::TrainJob;
use bertlab::train::{
    IntervalStrategy, Reporter, SaveStrategy, Silent, StepFigures, TrainError, TrainingArguments,
    TrainingSummary,
};
use serde_json::{Value, json};
use tempfile::TempDir;

/// The golden with rows to evaluate on: three epochs.
struct Case {
    scratch: TempDir,
    arguments: TrainingArguments,
}

/// What a run wrote.
struct Ended {
    summary: TrainingSummary,
    state: Value,
    /// Of the checkpoints that are there.
    saved: Vec<u64>,
}

impl Case {
    fn new(change: impl FnOnce(&mut TrainingArguments)) -> Self {
        let mut arguments = Self::reference().arguments();
        arguments.eval_strategy = Some(IntervalStrategy::Steps);
        arguments.eval_steps = Some(1.0);
        arguments.save_strategy = SaveStrategy::No;
        change(&mut arguments);
        Self { scratch: tempfile::tempdir().expect("a temporary folder"), arguments }
    }

    fn reference() -> ReferenceRun {
        ReferenceRun::open(&golden("training/distilbert-uneven-accumulation"))
    }

    fn job(&self) -> TrainJob {
        let job = Self::reference().job(self.scratch.path(), self.arguments.clone());
        TrainJob { arguments: self.arguments.clone(), ..job }
    }

    fn run(&self) -> Ended {
        let summary = self.train(&mut Silent).unwrap_or_else(|error| panic!("{error}"));
        let output = self.scratch.path().join("out");
        let names = fs::read_dir(&output).expect("it was written").flatten().map(|entry| entry.file_name());
        let step = |name: std::ffi::OsString| name.to_str()?.strip_prefix("checkpoint-")?.parse().ok();
        let mut saved: Vec<u64> = names.filter_map(step).collect();
        saved.sort_unstable();
        Ended { summary, state: json_file(&output.join("trainer_state.json")), saved }
    }

    fn train(&self, reporter: &mut dyn Reporter) -> Result<TrainingSummary, bertlab::Error> {
        self.job().prepare(&NoProgress)?.train(reporter)
    }

    /// The message of a run that is refused before its first step.
    fn refused(&self) -> String {
        struct NoStep;
        impl Progress for NoStep {
            fn update(&self, _: Status<'_>) -> Result<(), Cancelled> {
                Ok(())
            }
        }
        impl Reporter for NoStep {
            fn step(&mut self, figures: &StepFigures) {
                panic!("step {} was made", figures.step);
            }
        }
        match self.train(&mut NoStep) {
            Err(bertlab::Error::Train(error @ TrainError::Setting { .. })) => error.to_string(),
            other => panic!("{:?}", other.map(|summary| summary.n_steps)),
        }
    }
}

impl Ended {
    /// Steps whose log lines hold `key`.
    fn steps_with(&self, key: &str) -> Vec<u64> {
        let log = self.state["log_history"].as_array().expect("a log is a list");
        let lines = log.iter().filter(|line| line.get(key).is_some());
        lines.map(|line| line["step"].as_u64().expect("a number")).collect()
    }

    fn eval_losses(&self) -> Vec<f64> {
        let log = self.state["log_history"].as_array().expect("a log is a list");
        log.iter().filter_map(|line| line.get("eval_loss")?.as_f64()).collect()
    }

    fn n_steps(&self) -> u64 {
        self.summary.n_steps
    }
}

/// Steps (from 1) whose value is better than all before it.
fn better(values: &[f64], more_is_better: bool) -> Vec<u64> {
    let (mut best, mut steps) = (None, Vec::new());
    for (&value, step) in values.iter().zip(1..) {
        if best.is_none_or(|best| if more_is_better { value > best } else { value < best }) {
            best = Some(value);
            steps.push(step);
        }
    }
    steps
}

#[test]
fn losses_are_logged_when_it_is_asked_for() {
    let logged = |change: fn(&mut TrainingArguments)| {
        let ended = Case::new(|arguments| {
            arguments.logging_steps = Some(4.0);
            arguments.max_steps = Some(11);
            arguments.eval_strategy = Some(IntervalStrategy::No);
            change(arguments);
        })
        .run();
        (ended.steps_with("loss"), ended.n_steps())
    };
    let (steps, n_steps) = logged(|_| {});
    assert_eq!(n_steps, 11);
    let by_4: Vec<u64> = (1..=n_steps).filter(|step| step.is_multiple_of(4) || *step == n_steps).collect();
    assert_eq!(steps, [&[1], &by_4[..]].concat());
    assert_eq!(logged(|arguments| arguments.logging_first_step = Some(false)).0, by_4);
    assert!(logged(|arguments| arguments.logging_strategy = IntervalStrategy::No).0.is_empty());
    let half = n_steps.div_ceil(2);
    assert_eq!(logged(|arguments| arguments.logging_steps = Some(0.5)).0, [1, half, n_steps]);
    let per_epoch = Case::new(|_| {}).job().prepare(&NoProgress).expect("valid").plan().n_updates_per_epoch;
    let epochs: Vec<u64> =
        (1..=n_steps).filter(|step| step.is_multiple_of(per_epoch) || *step == n_steps).collect();
    assert_eq!(logged(|arguments| arguments.logging_strategy = IntervalStrategy::Epoch).0, epochs);
}

#[test]
fn evaluations_wait_and_come_before_the_first_step_when_told_to() {
    let n_steps = Case::new(|_| {}).run().n_steps();
    let evaluated = |change: fn(&mut TrainingArguments)| Case::new(change).run().steps_with("eval_loss");
    assert_eq!(evaluated(|_| {}), (1..=n_steps).collect::<Vec<_>>());
    assert_eq!(evaluated(|arguments| arguments.eval_delay = 3.0), (3..=n_steps).collect::<Vec<_>>());
    for more_is_better in [false, true] {
        let ended = Case::new(|arguments| {
            arguments.eval_on_start = true;
            arguments.greater_is_better = Some(more_is_better);
        })
        .run();
        assert_eq!(ended.steps_with("eval_loss"), (0..=n_steps).collect::<Vec<_>>());
        // The untrained model is no candidate.
        let best =
            *better(&ended.eval_losses()[1..], more_is_better).last().expect("the first is better than none");
        assert_eq!(ended.state["best_global_step"], best);
    }
}

#[test]
fn best_saves_what_is_better_than_all_before() {
    for more_is_better in [false, true] {
        let best = |limit: Option<usize>| {
            Case::new(|arguments| {
                arguments.save_strategy = SaveStrategy::Best;
                arguments.greater_is_better = Some(more_is_better);
                arguments.load_best_model_at_end = Some(true);
                arguments.save_total_limit = limit;
            })
            .run()
        };
        let ended = best(None);
        // A better state that was loaded is evaluated once more.
        let n_steps = ended.n_steps();
        let expected = better(&ended.eval_losses()[..n_steps as usize], more_is_better);
        assert_eq!(ended.saved, expected);
        let last = *expected.last().expect("the first is better than none");
        let loaded = ended.summary.loaded.map(|best| best.global_step);
        assert_eq!(loaded, Some(last).filter(|&last| last != n_steps));
        assert_eq!(best(Some(1)).saved, [last]);
    }
}

#[test]
fn a_run_that_no_longer_gets_better_ends() {
    let case = Case::new(|arguments| {
        arguments.early_stopping_patience = Some(2);
        arguments.early_stopping_threshold = 1e3;
        arguments.save_strategy = SaveStrategy::Steps;
        arguments.save_steps = 2.0;
        arguments.logging_steps = Some(100.0);
    });
    let ended = case.run();
    // No loss falls by a thousand: the first counts as a gain, two more do not.
    assert_eq!((ended.n_steps(), ended.summary.stopped_early), (3, true));
    // The last step is saved and logged although neither was due.
    assert_eq!((ended.saved.as_slice(), ended.steps_with("loss").as_slice()), (&[2, 3][..], &[1, 3][..]));
    let callbacks = &ended.state["stateful_callbacks"];
    let expected = json!({
        "args": { "early_stopping_patience": 2, "early_stopping_threshold": 1e3 },
        "attributes": { "early_stopping_patience_counter": 2 },
    });
    assert_eq!(callbacks["EarlyStoppingCallback"], expected);
    assert_eq!(callbacks["TrainerControl"]["args"]["should_training_stop"], true);
    assert!(
        !Case::new(|arguments| arguments.early_stopping_patience = Some(100)).run().summary.stopped_early
    );
}

#[test]
fn settings_that_do_not_fit_together_are_refused_before_the_first_step() {
    let refused = |change: fn(&mut TrainingArguments)| Case::new(change).refused();
    let message = refused(|arguments| {
        arguments.load_best_model_at_end = Some(true);
        arguments.save_strategy = SaveStrategy::Epoch;
    });
    assert!(message.contains("eval_strategy is steps and save_strategy is epoch"), "{message}");
    let message = refused(|arguments| {
        arguments.load_best_model_at_end = Some(true);
        arguments.save_strategy = SaveStrategy::Steps;
        (arguments.eval_steps, arguments.save_steps) = (Some(2.0), 3.0);
    });
    assert!(message.contains("evaluated every 2 and saved every 3 steps"), "{message}");
    let without_evaluation: [fn(&mut TrainingArguments); 3] = [
        |arguments| arguments.load_best_model_at_end = Some(true),
        |arguments| arguments.save_strategy = SaveStrategy::Best,
        |arguments| arguments.early_stopping_patience = Some(1),
    ];
    for change in without_evaluation {
        let mut case = Case::new(change);
        case.arguments.eval_strategy = Some(IntervalStrategy::No);
        let message = case.refused();
        assert!(message.contains("`validation_file`"), "{message}");
    }
    let message = refused(|arguments| arguments.metric_for_best_model = Some("acuracy".to_owned()));
    assert!(message.contains("acuracy") && message.contains("one of loss, accuracy"), "{message}");
}
