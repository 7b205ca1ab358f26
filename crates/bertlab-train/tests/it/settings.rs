//! Settings out of files: kinds of values, old names, wrong names, and the JSON that transformers writes.

use std::fs;
use std::path::{Path, PathBuf};

use bertlab_settings::{Given, Settings, SettingsFile};
use bertlab_train::{
    IntervalStrategy, ReadArguments, ReportTo, SamplingStrategy, SaveStrategy, SchedulerType,
    TrainingArguments, foreign,
};

fn read(name: &str, text: &str) -> Result<ReadArguments, String> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join(name);
    fs::write(&file, text).expect("writable");
    TrainingArguments::from_file(&file).map_err(|error| error.to_string())
}

fn toml(text: &str) -> ReadArguments {
    read("run.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// The message must name the file and hold all `words`.
fn refused(text: &str, words: &[&str]) {
    let message = read("run.toml", text).expect_err(text);
    for word in words.iter().chain(&["run.toml"]) {
        assert!(message.contains(word), "`{word}` is not in: {message}");
    }
}

#[test]
fn toml_and_json_say_the_same() {
    let by_toml = toml(
        "learning_rate = 2e-5\nmax_steps = 9\nsave_strategy = \"best\"\nbf16 = true\nsave_steps = 0.25\n",
    );
    let json = r#"{"learning_rate": 2e-5, "max_steps": 9, "save_strategy": "best", "bf16": true, "save_steps": 0.25}"#;
    assert_eq!(read("run.json", json).expect("valid"), by_toml);
    let expected = TrainingArguments {
        learning_rate: 2e-5,
        max_steps: Some(9),
        save_strategy: SaveStrategy::Best,
        bf16: true,
        save_steps: 0.25,
        ..TrainingArguments::default()
    };
    assert_eq!(by_toml.arguments, expected);
    assert!(by_toml.notes.is_empty(), "{:?}", by_toml.notes);
}

#[test]
fn every_setting_written_is_read_again() {
    let arguments = TrainingArguments {
        seed: u64::MAX,
        learning_rate: 1.0 / 3.0,
        logging_steps: Some(0.1),
        eval_strategy: Some(IntervalStrategy::Steps),
        early_stopping_patience: Some(3),
        report_to: ReportTo::Tensorboard,
        ..TrainingArguments::default()
    };
    for arguments in [arguments, TrainingArguments::default()] {
        let text = serde_json::to_string_pretty(&arguments).expect("plain values");
        assert_eq!(
            TrainingArguments::from_json(&text).expect("just written"),
            ReadArguments { arguments, notes: Vec::new() }
        );
    }
}

#[test]
fn values_may_be_said_otherwise() {
    let read = toml(
        "learning_rate = \"5e-6\"\nper_device_train_batch_size = 16.0\nbf16 = \"True\"\nmax_steps = -1\n",
    );
    let expected = TrainingArguments {
        learning_rate: 5e-6,
        per_device_train_batch_size: 16,
        bf16: true,
        ..TrainingArguments::default()
    };
    assert_eq!(read.arguments, expected);
}

#[test]
fn old_names_are_accepted_with_a_note() {
    let read = toml(
        "evaluation_strategy = \"steps\"\nper_gpu_train_batch_size = 3\ngroup_by_length = true\nno_cuda = true\n\
         warmup_ratio = 0.1\nactivation_checkpointing = true\n",
    );
    let expected = TrainingArguments {
        eval_strategy: Some(IntervalStrategy::Steps),
        per_device_train_batch_size: 3,
        train_sampling_strategy: SamplingStrategy::GroupByLength,
        warmup_ratio: 0.1,
        gradient_checkpointing: true,
        ..TrainingArguments::default()
    };
    assert_eq!(read.arguments, expected);
    let notes = read.notes.join("\n");
    for words in [
        "evaluation_strategy is called eval_strategy here",
        "per_gpu_train_batch_size is called per_device_train_batch_size here",
        "group_by_length is called train_sampling_strategy here",
        "activation_checkpointing is called gradient_checkpointing here",
        "passed over, as they change nothing here: no_cuda",
    ] {
        assert!(notes.contains(words), "`{words}` is not in: {notes}");
    }
    assert_eq!(toml("group_by_length = false").arguments, TrainingArguments::default());
    let both = "evaluation_strategy = \"steps\"\neval_strategy = \"epoch\"";
    refused(both, &["evaluation_strategy", "two names of one setting", "\"steps\" and \"epoch\""]);
}

#[test]
fn a_wrong_name_is_answered_with_the_nearest() {
    refused("learning_rat = 1.0", &["`learning_rat`", "did you mean `learning_rate`?"]);
    refused("learning-rate = 1.0", &["did you mean `learning_rate`?"]);
    refused("eval_stratgy = \"no\"\nzebra = 1", &["did you mean `eval_strategy`?", "`zebra`", "lists all"]);
    assert!(!read("run.toml", "zebra = 1").expect_err("no such setting").contains("did you mean"));
}

#[test]
fn a_wrong_value_is_answered_with_what_is_wanted() {
    refused("learning_rate = \"fast\"", &["learning_rate is \"fast\"", "wanted a number"]);
    refused("learning_rate = inf", &["learning_rate is \"inf\"", "wanted a number"]);
    refused("seed = -3", &["seed is -3", "wanted a whole number from 0 on"]);
    refused("max_steps = 2.5", &["max_steps is 2.5", "wanted a whole number"]);
    refused("bf16 = 1", &["bf16 is 1", "wanted true or false"]);
    refused("bf16 = [true]", &["bf16 is [true]", "wanted true or false"]);
    refused("save_strategy = \"stesp\"", &["no, steps, epoch, best", "did you mean steps?"]);
    refused("report_to = \"tensorbord\"", &["report_to is \"tensorbord\"", "did you mean tensorboard?"]);
    refused("[training]\nseed = 1", &["`training`"]);
    let message = read("run.toml", "save_steps = 1.5").expect_err("neither steps nor a share");
    assert!(message.contains("save_steps is 1.5") && message.contains("share"), "{message}");
    let message = read("run.toml", "fp16 = true").expect_err("there is no f16");
    assert!(message.contains("fp16") && message.contains("`bf16` = true"), "{message}");
}

#[test]
fn a_file_that_is_none_of_settings_is_named() {
    refused("learning_rate 1", &["TOML", "line 1"]);
    let message = read("run.json", "[1]").expect_err("a list");
    assert!(message.contains("run.json: it is no JSON object"), "{message}");
    let message = read("run.json", "{\"seed\": }").expect_err("broken");
    assert!(message.contains("it is no JSON") && message.contains("line 1"), "{message}");
    let message = read("run.yaml", "seed: 1").expect_err("YAML");
    assert!(message.contains(".toml and .json"), "{message}");
    let message = TrainingArguments::from_file("nothing.toml".as_ref()).expect_err("not there").to_string();
    assert!(message.contains("nothing.toml: the settings cannot be read"), "{message}");
}

#[test]
fn what_huggingface_has_is_passed_over_or_refused() {
    let read =
        toml("dataloader_num_workers = 4\noptim = \"adamw_torch\"\nrun_name = \"one\"\npush_to_hub = false");
    assert_eq!(read.arguments, TrainingArguments::default());
    let note = "passed over, as they change nothing here: dataloader_num_workers, run_name; and 2 more with their defaults";
    assert!(read.notes.len() == 1 && read.notes[0].ends_with(note), "{:?}", read.notes);
    refused("optim = \"adafactor\"", &["optim is \"adafactor\"", "AdamW"]);
    refused("push_to_hub = true", &["push_to_hub is true", "uploaded"]);
    refused("neftune_noise_alpha = 5.0", &["neftune_noise_alpha is 5.0"]);
}

#[test]
fn trackers_that_are_not_here_are_passed_over() {
    let report_to = |text: &str| toml(text).arguments.report_to;
    assert_eq!(report_to("report_to = []"), ReportTo::None);
    assert_eq!(report_to("report_to = \"none\""), ReportTo::None);
    assert_eq!(report_to("report_to = [\"tensorboard\"]"), ReportTo::Tensorboard);
    assert_eq!(report_to("report_to = \"all\""), ReportTo::Tensorboard);
    let read = toml("report_to = [\"wandb\"]");
    assert_eq!(read.arguments.report_to, ReportTo::None);
    assert!(read.notes[0].contains("wandb") && read.notes[0].contains("tensorboard"), "{:?}", read.notes);
}

/// What is given by these names and words.
fn given(words: &[(&str, &str)]) -> Given<TrainingArguments> {
    let mut given = Given::none();
    for (name, word) in words {
        let setting = TrainingArguments::setting(name).expect("there is such a setting");
        given.set(setting, &serde_json::json!(word)).unwrap_or_else(|wanted| panic!("{name}: {wanted}"));
    }
    given
}

#[test]
fn flags_win_over_the_file() {
    let text = r#"{"learning_rate": 1e-3, "seed": 7, "max_steps": 50, "bf16": true}"#;
    let merged = |flags: &[(&str, &str)]| {
        let mut file = SettingsFile::from_json(text, "run.json".to_owned()).expect("valid");
        let arguments = file.take(given(flags)).expect("valid").over(TrainingArguments::default());
        (arguments, file.finish(foreign).expect("valid"))
    };
    let (arguments, _) = merged(&[]);
    assert_eq!((arguments.learning_rate, arguments.seed, arguments.max_steps), (1e-3, 7, Some(50)));
    let (arguments, notes) = merged(&[("learning_rate", "0.5"), ("bf16", "False")]);
    assert_eq!((arguments.learning_rate, arguments.seed, arguments.bf16), (0.5, 7, false));
    assert!(notes.is_empty(), "{notes:?}");
    let (arguments, notes) = merged(&[("num_train_epochs", "2")]);
    assert_eq!((arguments.num_train_epochs, arguments.max_steps), (2.0, None));
    assert!(notes[0].contains("max_steps is passed over"), "{notes:?}");
    let (arguments, _) = merged(&[("max_steps", "-1")]);
    assert_eq!(arguments.max_steps, None);
}

#[test]
fn other_defaults_hold_where_nothing_is_given() {
    let defaults =
        TrainingArguments { warmup_ratio: 0.06, weight_decay: 0.01, ..TrainingArguments::default() };
    let arguments = given(&[("warmup_steps", "10")]).over(defaults);
    // A number of steps replaces the share.
    assert_eq!((arguments.warmup_steps, arguments.warmup_ratio), (10.0, 0.0));
    assert_eq!(arguments.weight_decay, 0.01);
}

#[test]
fn every_setting_is_described_and_its_default_is_in_range() {
    let defaults = TrainingArguments::default();
    let mut names = Vec::new();
    for setting in TrainingArguments::TABLE {
        assert!(setting.help().len() > 8 && !setting.help().ends_with('.'), "{}", setting.name);
        assert_eq!(setting.out_of_range(&defaults), None, "{}", setting.name);
        names.extend(setting.old_names.iter().chain([&setting.name]).copied());
        for other in setting.replaces.iter().chain(setting.excludes).chain(&setting.requires) {
            assert!(TrainingArguments::setting(other).is_some(), "{}: there is no {other}", setting.name);
        }
    }
    let n_names = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), n_names, "a name stands for two settings");
}

/// One run's settings, as three versions of transformers write them: scripts/make_settings_goldens.py.
#[test]
fn huggingfaces_own_json_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/goldens");
    let files: Vec<PathBuf> = ["4.41.2", "4.57.1", "5.24.0"]
        .map(|version| folder.join(format!("training_arguments-{version}.json")))
        .into();
    for file in files {
        let read = TrainingArguments::from_file(&file).unwrap_or_else(|error| panic!("{error}"));
        let mut expected = TrainingArguments {
            num_train_epochs: 1.0,
            learning_rate: 2e-5,
            per_device_train_batch_size: 4,
            per_device_eval_batch_size: 16,
            gradient_accumulation_steps: 8,
            weight_decay: 0.01,
            lr_scheduler_type: SchedulerType::Cosine,
            warmup_ratio: 0.1,
            logging_steps: Some(10.0),
            logging_first_step: Some(true),
            eval_strategy: Some(IntervalStrategy::Epoch),
            save_total_limit: Some(2),
            load_best_model_at_end: Some(true),
            metric_for_best_model: Some("accuracy".to_owned()),
            greater_is_better: Some(true),
            train_sampling_strategy: SamplingStrategy::GroupByLength,
            seed: 7,
            report_to: ReportTo::Tensorboard,
            ..TrainingArguments::default()
        };
        if file.to_string_lossy().contains("-5.") {
            (expected.warmup_steps, expected.warmup_ratio) = (0.1, 0.0);
        }
        assert_eq!(read.arguments, expected, "{}", file.display());
        let notes = read.notes.join("\n");
        assert!(notes.contains("dataloader_num_workers") && notes.contains("with their defaults"), "{notes}");
    }
}
