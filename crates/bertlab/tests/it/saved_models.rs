//! What a training saves is what it reported: every task, with every option that changes how the model is set up, is
//! trained, its folder reopened, and the same rows give the same figures.

use bertlab::progress::{Meter, NoProgress};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use bertlab::train::{
    Averaging, ClassWeights, Evaluation, IntervalStrategy, ReportTo, Resume, SaveStrategy, SeedRuns, Seeds,
    Silent, TrainingArguments,
};
use bertlab::{
    ComputeDtype, HeadChoice, HeadKind, Keep, ModelOptions, OpenOptions, PretrainJob, RowsRequest, Shape,
    Start, Task, TextFiles, TextOptions, TrainJob, VocabularyOptions, open_trained, save_pretrained,
};
use bertlab_train::{Objective, evaluate};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::goldens::arrays;
use crate::support::{self, train};

const VOCABULARY: [&str; 17] = [
    "[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "river", "bank", "loan", "boat", "film", "cloud", "stone",
    "bread", "glass", "horse", "paper", "light",
];

/// Every fourth text is longer.
const MAX_LENGTH: usize = 12;

/// What is learnt.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Learnt {
    Texts,
    Pairs,
    LabelSets,
    Numbers,
    Words,
    HiddenTokens,
}

impl Learnt {
    fn row(self, i: usize) -> Value {
        let word = |at: usize| VOCABULARY[5 + (i * 7 + at * (i % 5 + 1)) % 12];
        let words: Vec<&str> = (0..4 + 5 * (i % 4)).map(word).collect();
        let text = words.join(" ");
        let place = (i * 7) % 12;
        match self {
            Self::Texts => json!({"text": text, "label": (["so so", "bad", "good"][place / 4])}),
            Self::Pairs => {
                let label = ["same", "other"][usize::from(place < 5)];
                json!({"sentence1": text, "sentence2": word(1), "label": label})
            }
            Self::LabelSets => {
                let labels = [("red", 3), ("blue", 2), ("green", 5)].into_iter();
                let labels: Vec<&str> =
                    labels.filter(|(_, n)| place % n == 0).map(|(name, _)| name).collect();
                json!({"text": text, "label": labels})
            }
            Self::Numbers => json!({"text": text, "label": place as f64 / 8.0 - 0.3}),
            Self::Words => {
                let tag = |word: &&str| ["B-THING", "O", "B-PLACE", "O"][usize::from(word.as_bytes()[0] % 4)];
                let tags: Vec<&str> = words.iter().map(tag).collect();
                json!({"tokens": words, "ner_tags": tags})
            }
            Self::HiddenTokens => json!({"text": text}),
        }
    }

    /// As the data alone say them, by id.
    fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Texts => &["bad", "good", "so so"],
            Self::Pairs => &["other", "same"],
            Self::LabelSets => &["blue", "green", "red"],
            Self::Numbers => &["LABEL_0"],
            Self::Words => &["O", "B-PLACE", "B-THING"],
            Self::HiddenTokens => &[],
        }
    }

    fn has_classes(self) -> bool {
        !matches!(self, Self::Numbers | Self::HiddenTokens)
    }
}

/// A folder with a base model, training rows and validation rows.
struct Case {
    learnt: Learnt,
    /// The labels that a saved model must have, by id.
    labels: &'static [&'static str],
    scratch: TempDir,
}

impl Case {
    fn new(learnt: Learnt, model_type: &str) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let case = Self { learnt, labels: learnt.labels(), scratch };
        let rows = |range: std::ops::Range<usize>| {
            range.map(|i| learnt.row(i).to_string()).collect::<Vec<_>>().join("\n")
        };
        fs::write(case.path("train.jsonl"), rows(0..25)).expect("writable");
        fs::write(case.path("validation.jsonl"), rows(25..42)).expect("writable");
        let bare = case.path("bare");
        fs::create_dir(&bare).expect("writable");
        fs::write(bare.join("config.json"), config(model_type).to_string()).expect("writable");
        fs::write(bare.join("vocab.txt"), VOCABULARY.join("\n")).expect("writable");
        case.save_as("base", HeadKind::None, &[]);
        case
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Saves a model with random weights and this head.
    fn save_as(&self, name: &str, head: HeadKind, labels: &[&str]) {
        let names: Vec<String> = labels.iter().map(|&label| label.to_owned()).collect();
        let open = OpenOptions {
            head: HeadChoice::Kind(head),
            labels: (!labels.is_empty()).then_some((bertlab::ProblemType::SingleLabel, names)),
            allow_random: true,
            seed: 7,
            ..OpenOptions::default()
        };
        let opened = support::open(&self.path("bare"), open).expect("a valid folder");
        let tokenizer = opened.tokenizer().expect("a valid tokenizer");
        save_pretrained(&self.path(name), &opened.model, Some(tokenizer)).expect("writable");
    }

    fn text(&self) -> TextOptions {
        TextOptions { max_length: Some(MAX_LENGTH), keep: Some(Keep::Tail), ..TextOptions::default() }
    }

    fn validation(&self) -> RowsRequest {
        RowsRequest::of_files([self.path("validation.jsonl")])
    }

    fn job(&self, model: &str, out: &str) -> TrainJob {
        let rows = RowsRequest::of_files([self.path("train.jsonl")]);
        let job = TrainJob::new(self.path(model).to_string_lossy(), rows, self.path(out));
        TrainJob {
            offline: true,
            task: (self.learnt == Learnt::HiddenTokens).then_some(Task::MaskedLm),
            validation: Some(self.validation()),
            text: self.text(),
            ignore_findings: true,
            arguments: TrainingArguments {
                num_train_epochs: 2.0,
                learning_rate: 3e-2,
                save_strategy: SaveStrategy::No,
                report_to: ReportTo::None,
                ..TrainingArguments::default()
            },
            ..job
        }
    }

    /// Runs a job, and reopens what it saved.
    fn trains_and_reopens(&self, job: TrainJob, what: &str) {
        let mut prepared = job.prepare(&NoProgress).unwrap_or_else(|error| panic!("{what}: {error}"));
        let summary = prepared.train(&mut Silent).unwrap_or_else(|error| panic!("{what}: {error}"));
        let weights = prepared.class_weights.clone();
        let dtype = prepared.opened.model.dtype();
        let reported = summary.evaluation.expect("there are validation rows");
        self.reopens(&summary.final_model, &reported, (weights, dtype), what);
    }

    fn trains_seeds_and_reopens(&self, job: TrainJob, what: &str) {
        let out = job.output_dir.clone();
        let mut runs = SeedRuns::prepare(job, &Seeds::Count(2), &NoProgress)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        for seed in runs.seeds().to_vec() {
            let what = format!("{what}, seed {seed}");
            let summary = runs.train(seed, &mut Silent).unwrap_or_else(|error| panic!("{what}: {error}"));
            let reported = summary.evaluation.expect("there are validation rows");
            let written = &runs.result(seed).expect("it is done").metrics;
            assert_eq!(written, &figures(&reported), "{what}: seeds.json");
            self.reopens(&summary.final_model, &reported, (None, ComputeDtype::F32), &what);
        }
        let weights = |seed: u64| fs::read(out.join(format!("seed-{seed}/final_model/model.safetensors")));
        assert!(weights(42).expect("saved") != weights(43).expect("saved"), "{what}: seeds differ");
    }

    /// The folder must be a whole model, which gives the figures that were reported.
    fn reopens(
        &self,
        folder: &Path,
        reported: &Evaluation,
        (class_weights, dtype): (Option<Vec<f32>>, ComputeDtype),
        what: &str,
    ) {
        let open = OpenOptions { dtype, ..OpenOptions::default() };
        let options = ModelOptions { open, offline: true };
        let opened = open_trained(folder.to_str().expect("UTF-8"), &options, "evaluate")
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        assert_eq!(opened.model.spec.head.labels, self.labels, "{what}");
        // How long texts are and which part stays is read from the folder, but for a masked language model's blocks.
        let text = match self.learnt {
            Learnt::HiddenTokens => self.text(),
            _ => TextOptions::default(),
        };
        let evaluated = opened
            .evaluate(&self.validation(), &text, &NoProgress)
            .unwrap_or_else(|error| panic!("{what}: {error}"));
        let (mut found, mut expected) = (figures(&evaluated.evaluation), figures(reported));
        assert!(found.len() > 2, "{what}: {found:?}");
        if class_weights.is_some() {
            // The loss of a run counts them too.
            let objective = Objective { class_weights, ..Objective::default() };
            let weighted = evaluate(&opened.model, &objective, &evaluated.rows.examples, 8, &Meter::silent());
            let loss = figures(&weighted.expect("the same rows"))["loss"];
            assert_ne!(found.insert("loss".to_owned(), loss), Some(loss), "{what}: weights count");
        }
        // Perplexity is made of the loss, over all hidden tokens at once.
        for name in expected.keys() {
            assert_eq!(found.get(name), expected.get(name), "{what}: {name}");
        }
        expected.retain(|name, _| !found.contains_key(name));
        assert!(expected.is_empty(), "{what}: {expected:?}");
        for file in
            ["config.json", "model.safetensors", "vocab.txt", "tokenizer.json", "tokenizer_config.json"]
        {
            assert!(folder.join(file).is_file(), "{what}: {file}");
        }
    }
}

fn config(model_type: &str) -> Value {
    match model_type {
        "distilbert" => json!({
            "model_type": "distilbert", "dim": 16, "n_layers": 2, "n_heads": 2, "hidden_dim": 32,
            "vocab_size": VOCABULARY.len(), "max_position_embeddings": 32,
        }),
        _ => json!({
            "model_type": "bert", "hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2,
            "intermediate_size": 32, "vocab_size": VOCABULARY.len(), "max_position_embeddings": 32,
            "type_vocab_size": 2,
        }),
    }
}

fn figures(evaluation: &Evaluation) -> BTreeMap<String, Option<f64>> {
    evaluation.metrics().into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// Trains in every way, and reopens every folder.
fn every_option(learnt: Learnt, model_type: &str) {
    let case = Case::new(learnt, model_type);
    let job = |out: &str| case.job("base", out);
    case.trains_and_reopens(job("plain"), "plain");
    // From here on the checkpoint has a trained head of its own.
    let trained = "plain/final_model";
    case.trains_and_reopens(case.job(trained, "again"), "again");
    case.trains_seeds_and_reopens(job("seeds"), "--seeds 2");
    case.trains_seeds_and_reopens(case.job(trained, "seeds-again"), "--seeds 2, trained before");

    let new_head = |out: &str| TrainJob { new_head: true, ..case.job(trained, out) };
    let prepared = new_head("untrained").prepare(&NoProgress).expect("a valid job");
    let (model, before) = (&prepared.opened.model, arrays(&case.path(trained).join("model.safetensors")));
    for (name, tensor) in model.named_tensors() {
        let base = format!("{model_type}.");
        let is_kept = before[&name].as_f32().expect("saved as f32") == tensor.as_slice();
        assert_eq!(is_kept, name.starts_with(&base), "{name}");
        assert_eq!(prepared.opened.report.replaced.contains(&name), !is_kept, "{name}");
    }
    case.trains_and_reopens(new_head("new-head"), "--new-head");
    case.trains_seeds_and_reopens(new_head("seeds-new-head"), "--seeds 2 --new-head");

    let set = |out: &str, set: fn(&mut TrainingArguments)| {
        let mut job = job(out);
        set(&mut job.arguments);
        job
    };
    let frozen = |out: &str| {
        set(out, |arguments| {
            arguments.freeze_embeddings = true;
            arguments.freeze_layers = 1;
        })
    };
    case.trains_and_reopens(frozen("frozen"), "frozen");
    case.trains_seeds_and_reopens(frozen("seeds-frozen"), "--seeds 2, frozen");
    case.trains_and_reopens(set("bf16", |arguments| arguments.bf16 = true), "--bf16");
    if learnt.has_classes() {
        let balanced = set("weights", |arguments| arguments.class_weights = Some(ClassWeights::Balanced));
        case.trains_and_reopens(balanced, "--class-weights balanced");
    }

    let saving = |out: &str| {
        set(out, |arguments| {
            arguments.save_strategy = SaveStrategy::Steps;
            arguments.save_steps = 3.0;
            arguments.eval_strategy = Some(IntervalStrategy::Epoch);
        })
    };
    train(saving("stopped")).expect("it trains");
    fs::remove_dir_all(case.path("stopped/final_model")).expect("it was saved");
    let resume = Resume::From(case.path("stopped/checkpoint-3"));
    case.trains_and_reopens(TrainJob { resume, ..saving("stopped") }, "resumed");
    case.trains_seeds_and_reopens(saving("seeds-stopped"), "--seeds 2, saving");
    fs::remove_dir_all(case.path("seeds-stopped/seed-43/final_model")).expect("it was saved");
    case.trains_seeds_and_reopens(
        TrainJob { resume: Resume::Newest, ..saving("seeds-stopped") },
        "--seeds 2, resumed",
    );
}

#[test]
fn classifiers_of_texts() {
    every_option(Learnt::Texts, "bert");
}

#[test]
fn classifiers_of_pairs() {
    every_option(Learnt::Pairs, "bert");
}

#[test]
fn classifiers_with_several_labels_per_text() {
    every_option(Learnt::LabelSets, "distilbert");
}

#[test]
fn regressions() {
    every_option(Learnt::Numbers, "bert");
}

#[test]
fn token_classifiers() {
    every_option(Learnt::Words, "distilbert");
}

#[test]
fn masked_language_models() {
    every_option(Learnt::HiddenTokens, "bert");
}

/// A classifier that has the data's labels in another order keeps its own.
fn own_order(learnt: Learnt, head: HeadKind, labels: &'static [&'static str]) {
    let case = Case { labels, ..Case::new(learnt, "bert") };
    assert_ne!(labels, learnt.labels(), "another order");
    case.save_as("own", head, labels);
    let prepared = case.job("own", "untrained").prepare(&NoProgress).expect("a valid job");
    assert!(prepared.opened.report.is_clean(), "{:?}", prepared.opened.report.messages());
    assert_eq!(prepared.opened.model.spec.head.labels, labels);
    case.trains_and_reopens(case.job("own", "plain"), "plain");
    case.trains_seeds_and_reopens(case.job("own", "seeds"), "--seeds 2");
    // A new head owes the old one nothing: neither weights nor names.
    let case = Case { labels: learnt.labels(), ..case };
    case.trains_and_reopens(TrainJob { new_head: true, ..case.job("own", "new") }, "--new-head");
}

#[test]
fn a_classifier_keeps_the_order_of_its_labels() {
    own_order(Learnt::Texts, HeadKind::SequenceClassification, &["so so", "good", "bad"]);
    own_order(Learnt::Words, HeadKind::TokenClassification, &["B-THING", "O", "B-PLACE"]);
}

#[test]
fn a_head_of_another_task_is_not_taken_for_a_classifier() {
    let case = Case::new(Learnt::Words, "bert");
    case.save_as("other", HeadKind::SequenceClassification, &["a", "b", "c"]);
    let prepared = case.job("other", "untrained").prepare(&NoProgress).expect("a valid job");
    assert_eq!(prepared.opened.report.replaced, ["classifier.weight", "classifier.bias"]);
    case.trains_and_reopens(case.job("other", "plain"), "plain");
}

#[test]
fn pretrained_models() {
    let case = Case::new(Learnt::HiddenTokens, "bert");
    let texts: Vec<String> = (0..200).map(|i| Learnt::Texts.row(i)["text"].to_string()).collect();
    fs::write(case.path("texts.txt"), texts.join("\n")).expect("writable");
    let start = Start::New {
        shape: Shape::Layers { n_layers: 2, width: 64 },
        tokenizer: Some(case.path("base").to_string_lossy().into_owned()),
        vocabulary: VocabularyOptions::default(),
    };
    let texts = TextFiles { files: vec![case.path("texts.txt")], ..TextFiles::default() };
    let job = PretrainJob::new(start, texts, case.path("out"));
    let arguments = TrainingArguments { report_to: ReportTo::None, ..job.arguments };
    let job = PretrainJob { held_out_share: 0.2, block_length: Some(20), arguments, ..job };
    let mut prepared = job.prepare(&NoProgress).expect("texts with words");
    let summary = prepared.train(&mut Silent).expect("it trains");
    let folder = summary.final_model.to_str().expect("UTF-8");
    let opened = open_trained(folder, &ModelOptions::default(), "evaluate").expect("a whole model");
    assert!(opened.tokenizer().is_ok(), "it was saved beside the model");
    let objective = Objective { averaging: Averaging::Items, ..Objective::default() };
    let found = evaluate(&opened.model, &objective, &prepared.evaluation, 8, &Meter::silent());
    let reported = summary.evaluation.expect("texts were held out");
    assert_eq!(figures(&found.expect("the same rows")), figures(&reported));
}
