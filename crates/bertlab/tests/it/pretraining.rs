//! Pretraining: a new model learns from plain texts; a run that is taken up again ends with the same bits; a model that
//! goes on keeps its vocabulary; other texts than those of before are seen.

use bertlab::progress::NoProgress;
use std::fs;
use std::path::{Path, PathBuf};

use crate::goldens::weight_bits;
use crate::support::opened;
use bertlab::train::{
    IntervalStrategy, MaskingOptions, Resume, SaveStrategy, Scores, Silent, TrainingArguments,
    TrainingSummary,
};
use bertlab::{Error, PretrainJob, Shape, Start, TextFiles, VocabularyOptions};
use tempfile::TempDir;

const WORDS: [&str; 12] =
    ["river", "bank", "loan", "boat", "film", "cloud", "stone", "bread", "glass", "horse", "paper", "light"];

/// Eight times a word, but for another one somewhere: most of it can be guessed from the rest. Ten tokens.
fn text(i: usize) -> String {
    let (word, other, place) = (WORDS[i % 12], WORDS[(i / 12) % 12], (i / 144) % 8);
    let words = (0..8).map(|at| if at == place { other } else { word });
    words.collect::<Vec<_>>().join(" ")
}

struct Case {
    scratch: TempDir,
}

impl Case {
    fn new(n_texts: usize) -> Self {
        let scratch = tempfile::tempdir().expect("a temporary folder");
        let texts: Vec<String> = (0..n_texts).map(text).collect();
        fs::write(scratch.path().join("texts.txt"), texts.join("\n")).expect("writable");
        Self { scratch }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn job(&self, out: &str) -> PretrainJob {
        let vocabulary = VocabularyOptions { vocab_size: 100, ..VocabularyOptions::default() };
        PretrainJob {
            start: Start::New {
                shape: Shape::Layers { n_layers: 2, width: 64 },
                tokenizer: None,
                vocabulary,
            },
            offline: true,
            texts: TextFiles { files: vec![self.file("texts.txt")], ..TextFiles::default() },
            held_out_share: 0.1,
            max_eval_blocks: 20,
            block_length: Some(20),
            batch_tokens: Some(256),
            masking: MaskingOptions::default(),
            arguments: TrainingArguments {
                num_train_epochs: 2.0,
                learning_rate: 1e-3,
                warmup_ratio: 0.1,
                eval_strategy: Some(IntervalStrategy::Epoch),
                save_strategy: SaveStrategy::No,
                ..TrainingArguments::default()
            },
            output_dir: self.file(out),
            overwrite_output_dir: false,
            resume: Resume::No,
        }
    }
}

fn run(job: PretrainJob) -> Result<TrainingSummary, Error> {
    job.prepare(&NoProgress)?.train(&mut Silent)
}

/// Every step is a checkpoint, of which all are kept.
fn saving(job: PretrainJob, n_steps: u64) -> PretrainJob {
    let arguments = TrainingArguments {
        max_steps: Some(n_steps),
        save_strategy: SaveStrategy::Steps,
        save_steps: 1.0,
        ..job.arguments
    };
    PretrainJob { arguments, ..job }
}

fn bits_of(folder: &Path) -> std::collections::BTreeMap<String, Vec<u32>> {
    weight_bits(&opened(folder).model)
}

#[test]
fn a_new_model_learns_to_guess_words_of_texts_that_it_has_not_seen() {
    let case = Case::new(1152);
    let job = case.job("out");
    let arguments = TrainingArguments { num_train_epochs: 12.0, dropout: Some(0.0), ..job.arguments };
    let mut prepared = PretrainJob { arguments, ..job }.prepare(&NoProgress).expect("texts with words");
    assert_eq!(prepared.corpus.counts.n_texts, 1152);
    let n_held_out = prepared.corpus.counts.n_held_out;
    assert!((80..150).contains(&n_held_out), "about a tenth: {n_held_out}");
    let train = &prepared.corpus.train;
    assert_eq!(train.n_tokens() + prepared.corpus.held_out.n_tokens(), prepared.corpus.counts.n_tokens);
    let summary = prepared.train(&mut Silent).expect("it trains");
    let Some(Scores::MaskedLm(scores)) = summary.evaluation.map(|evaluation| evaluation.scores) else {
        panic!("a masked language model was evaluated")
    };
    let (accuracy, baseline) = (scores.accuracy.expect("tokens"), scores.majority_baseline.expect("tokens"));
    assert!(accuracy > baseline + 0.4, "{accuracy} beside {baseline}");
    for name in [
        "start/config.json",
        "start/vocab.txt",
        "corpus/train.tokens",
        "report.html",
        "final_model/README.md",
    ] {
        assert!(case.file("out").join(name).exists(), "{name}");
    }
    let model = opened(&summary.final_model);
    assert_eq!((model.model.spec.encoder.n_layers, model.model.spec.encoder.width), (2, 64));
    assert_eq!(model.model.spec.encoder.vocab_size, model.tokenizer().expect("saved beside it").vocab_size());
}

#[test]
fn a_new_model_begins_with_positions_that_are_like_their_neighbours() {
    let case = Case::new(30);
    let prepared = case.job("out").prepare(&NoProgress).expect("texts with words");
    let model = &prepared.opened.model;
    let table =
        model.params().named().into_iter().find(|(name, _)| name.ends_with("position_embeddings.weight"));
    let table = table.expect("BERT has one").1;
    let product =
        |a: usize, b: usize| -> f32 { table.row(a).iter().zip(table.row(b)).map(|(x, y)| x * y).sum() };
    let square = product(100, 100);
    assert!(product(100, 101) > 0.9 * square && product(100, 160) < 0.7 * square);
    let deviation = (square / table.width() as f32).sqrt();
    assert!((deviation / model.spec.encoder.initializer_range - 1.0).abs() < 0.01, "{deviation}");
}

#[test]
fn a_run_that_goes_on_ends_with_the_same_bits_and_reads_the_corpus_once() {
    let case = Case::new(200);
    run(saving(case.job("whole"), 7)).expect("it trains");
    let job = || saving(case.job("whole"), 7);
    let resumed = PretrainJob { resume: Resume::From(case.file("whole/checkpoint-4")), ..job() };
    let whole = bits_of(&case.file("whole/final_model"));
    let prepared = resumed.clone().prepare(&NoProgress).expect("its own checkpoint");
    assert!(prepared.corpus.was_there, "the texts are as they were");
    run(resumed).expect("it goes on");
    assert_eq!(bits_of(&case.file("whole/final_model")), whole);
    // The same texts elsewhere, with the vocabulary made again, are the same run.
    run(saving(case.job("again"), 7)).expect("it trains");
    assert_eq!(bits_of(&case.file("again/final_model")), whole);
}

#[test]
fn other_texts_than_those_of_the_run_are_refused() {
    let case = Case::new(200);
    run(saving(case.job("out"), 3)).expect("it trains");
    let more: Vec<String> = (0..260).map(text).collect();
    fs::write(case.file("texts.txt"), more.join("\n")).expect("writable");
    let error = run(PretrainJob { resume: Resume::Newest, ..saving(case.job("out"), 3) });
    let message = error.expect_err("other rows").to_string();
    assert!(message.contains("this is not the run that was begun"), "{message}");
}

#[test]
fn a_model_goes_on_with_its_own_vocabulary_and_dropout_of_a_run_is_not_saved() {
    let case = Case::new(120);
    let first = run(saving(case.job("new"), 2)).expect("it trains");
    let arguments =
        TrainingArguments { dropout: Some(0.0), num_train_epochs: 1.0, ..case.job("new").arguments };
    let start = from(&first.final_model, None);
    let job = PretrainJob { start, arguments, ..case.job("further") };
    let further = run(job).expect("it goes on");
    assert!(!case.file("further/start").exists());
    let (before, after) = (opened(&first.final_model), opened(&further.final_model));
    assert_eq!(after.model.spec, before.model.spec, "config.json says what it said");
    assert_ne!(weight_bits(&after.model), weight_bits(&before.model));
    let vocabulary = |folder: &Path| fs::read(folder.join("vocab.txt")).expect("saved with the model");
    assert_eq!(vocabulary(&further.final_model), vocabulary(&first.final_model));
}

#[test]
fn places_beyond_those_that_were_learnt_begin_as_copies() {
    let case = Case::new(60);
    let first = run(saving(case.job("new"), 2)).expect("it trains").final_model;
    let table = |folder: &Path| {
        let model = opened(folder).model;
        let mut tensors = model.named_tensors().into_iter();
        tensors.find(|(name, _)| name.ends_with("position_embeddings.weight")).expect("BERT has it").1.clone()
    };
    // A rate of nothing: what is saved is what the run began with.
    let arguments = TrainingArguments { learning_rate: 0.0, max_steps: Some(1), ..case.job("x").arguments };
    let job = PretrainJob { start: from(&first, Some(20)), arguments, ..case.job("longer") };
    let (before, after) = (table(&first), table(&run(job).expect("it goes on").final_model));
    for place in 0..512 {
        assert_eq!(after.row(place), before.row(place % 20), "{place}");
    }
    assert_ne!(before.row(20), before.row(0));
}

fn from(model: &Path, repeat_positions: Option<usize>) -> Start {
    Start::From { model: model.to_string_lossy().into_owned(), repeat_positions }
}

#[test]
fn what_cannot_be_is_refused_before_the_texts_are_read() {
    let case = Case::new(30);
    let refused = |job: PretrainJob| run(job).map(|_| ()).expect_err("it cannot be").to_string();
    let few = refused(PretrainJob { batch_tokens: Some(10), ..case.job("out") });
    assert!(few.contains("batch_tokens is 10; wanted at least the 20 tokens of a block"), "{few}");
    let long = PretrainJob { block_length: Some(1 << 20), batch_tokens: None, ..case.job("long") };
    let small = run(saving(case.job("small"), 1)).expect("it trains").final_model;
    let long = refused(PretrainJob { start: from(&small, None), ..long });
    assert!(long.contains("max_length") && long.contains("512"), "{long}");
    for n_learnt in [0, 512] {
        let positions = refused(PretrainJob { start: from(&small, Some(n_learnt)), ..case.job("positions") });
        assert!(positions.contains("1 to 511, of the 512 positions"), "{positions}");
    }
    let nothing = TextFiles { files: vec![case.file("none.txt")], ..TextFiles::default() };
    let missing = refused(PretrainJob { texts: nothing, ..case.job("none") });
    assert!(missing.contains("none.txt") && !case.file("none/corpus").exists(), "{missing}");
}
