//! Pretraining: plain texts in, a masked language model out; a new one, or one that goes on learning.
//!
//! In the output folder, beside what every run has: `start/`, the config and the vocabulary of a new model,
//! and `corpus/`, the texts as tokens.

mod shape;
mod vocabulary;

use bertlab_feedback::Progress;
use std::path::{Path, PathBuf};

use bertlab_checkpoint::atomic;
use bertlab_compute::random::Generator;
use bertlab_data::{Corpus, CorpusRequest, Example, TextFiles};
use bertlab_model::{ComputeDtype, HeadChoice, HeadKind, OpenOptions, Positions};
use bertlab_report::{Outcome, SplitFacts};
use bertlab_text::Tokenizer;
use bertlab_train::{
    Forecast, IntervalStrategy, Masking, MaskingOptions, Plan, Reporter, Resume, SaveStrategy, Trainer,
    TrainingArguments, TrainingRows, TrainingSummary, check_output_dir, frozen,
};

use crate::training::Witness;
use crate::{Error, ModelOptions, OpenedModel, open_model, open_tokenizer};
pub use shape::{Shape, UnknownShape};
pub use vocabulary::{VocabularyJob, write_vocabulary};

const START: &str = "start";
const CORPUS: &str = "corpus";
/// Positions of a new model, at least.
const POSITIONS_MIN: usize = 512;
/// Blocks have so many tokens at most where nothing is said: more cost more, and teach a small model little.
const BLOCK_LENGTH_MAX: usize = 512;
/// Tokens of an update where nothing is said.
const BATCH_TOKENS: usize = 8192;

/// What a pretraining begins with.
#[derive(Clone, Debug)]
pub enum Start {
    /// A new model.
    New {
        /// Its sizes.
        shape: Shape,
        /// A folder or hub name whose vocabulary it takes; a new vocabulary of the texts when none.
        tokenizer: Option<String>,
        /// How a new vocabulary is trained.
        vocabulary: crate::VocabularyOptions,
    },
    /// A model goes on learning, with its vocabulary.
    From {
        /// A folder or hub name.
        model: String,
        /// Where it was trained on texts of so many tokens only: later places begin as copies of these.
        repeat_positions: Option<usize>,
    },
}

/// A pretraining job.
#[derive(Clone, Debug)]
pub struct PretrainJob {
    /// What it begins with.
    pub start: Start,
    /// Never ask the network.
    pub offline: bool,
    /// What is read.
    pub texts: TextFiles,
    /// The part of the texts that is held out, from 0 to below 1.
    pub held_out_share: f64,
    /// Blocks that are evaluated on, at most.
    pub max_eval_blocks: usize,
    /// Tokens of a block; what the model takes when none, 512 at most.
    pub block_length: Option<usize>,
    /// Tokens of one update; decides `per_device_train_batch_size`.
    pub batch_tokens: Option<usize>,
    /// What is hidden.
    pub masking: MaskingOptions,
    /// The settings.
    pub arguments: TrainingArguments,
    /// Where everything goes.
    pub output_dir: PathBuf,
    /// Write over a run that lies there.
    pub overwrite_output_dir: bool,
    /// Go on with a run that was interrupted.
    pub resume: Resume,
}

/// A job whose model and corpus are ready.
pub struct PreparedPretraining {
    /// The model.
    pub opened: OpenedModel,
    /// The texts.
    pub corpus: Corpus,
    /// Held-out blocks that are evaluated on, with the same tokens hidden every time.
    pub evaluation: Vec<Example>,
    /// What is hidden in training, other tokens in every epoch.
    pub masking: Masking,
    /// The command line that began it, for the report.
    pub command: Option<String>,
    job: PretrainJob,
}

impl PretrainJob {
    /// The settings that a pretraining has where none are given: a peak learning rate of 5e-4 for a new model
    /// and 5e-5 for one that goes on, a short warmup, some weight decay, and an evaluation and a checkpoint
    /// every tenth of the run, of which the last two are kept.
    pub fn default_arguments(start: &Start) -> TrainingArguments {
        TrainingArguments {
            learning_rate: if matches!(start, Start::From { .. }) { 5e-5 } else { 5e-4 },
            warmup_ratio: 0.06,
            weight_decay: 0.01,
            eval_strategy: Some(IntervalStrategy::Steps),
            eval_steps: Some(0.1),
            save_strategy: SaveStrategy::Steps,
            save_steps: 0.1,
            save_total_limit: Some(2),
            load_best_model_at_end: Some(false),
            ..TrainingArguments::default()
        }
    }

    /// With [`PretrainJob::default_arguments`]: a hundredth of the texts is held out, an update has 8,192
    /// tokens, and everything is left in `output_dir`.
    pub fn new(start: Start, texts: TextFiles, output_dir: impl Into<PathBuf>) -> Self {
        Self {
            arguments: Self::default_arguments(&start),
            start,
            offline: false,
            texts,
            held_out_share: 0.01,
            max_eval_blocks: 500,
            block_length: None,
            batch_tokens: Some(BATCH_TOKENS),
            masking: MaskingOptions::default(),
            output_dir: output_dir.into(),
            overwrite_output_dir: false,
            resume: Resume::No,
        }
    }

    /// Makes or opens vocabulary and model, and tokenizes the texts.
    ///
    /// # Errors
    /// Settings, files, a vocabulary or a model that cannot be; texts without a word.
    pub fn prepare(mut self, progress: &dyn Progress) -> Result<PreparedPretraining, Error> {
        self.settle_batch_size()?;
        self.arguments.check()?;
        check_output_dir(&self.output_dir, self.overwrite_output_dir, &self.resume, &self.arguments)?;
        let model = self.model(progress)?;
        let open = OpenOptions {
            head: HeadChoice::Kind(HeadKind::MaskedLm),
            seed: self.arguments.seed,
            allow_random: matches!(self.start, Start::New { .. }),
            dtype: if self.arguments.bf16 { ComputeDtype::Bf16 } else { ComputeDtype::F32 },
            ..OpenOptions::default()
        };
        let mut opened = open_model(&model, &ModelOptions { open, offline: self.offline })?;
        match &self.start {
            Start::New { .. } => opened.model.order_positions(),
            Start::From { repeat_positions: Some(n_learnt), .. } => {
                check_positions(&opened, *n_learnt)?;
                opened.model.repeat_positions(*n_learnt);
            }
            Start::From { .. } => {}
        }
        opened.model.freeze(frozen(&self.arguments, &opened.model.spec)?);
        let tokenizer = opened.tokenizer()?;
        let request = CorpusRequest {
            texts: &self.texts,
            tokenizer,
            block_length: self.block_length_for(&opened)?,
            held_out_share: self.held_out_share,
        };
        let corpus = request.prepare(&self.output_dir.join(CORPUS), progress)?;
        let masking = Masking::new(tokenizer, self.masking, self.arguments.seed)?;
        let evaluation = masking.fixed(&self.evaluation_blocks(&corpus)?);
        Ok(PreparedPretraining { opened, corpus, evaluation, masking, command: None, job: self })
    }

    /// Makes a micro-batch of as many blocks as give the wanted tokens of an update.
    fn settle_batch_size(&mut self) -> Result<(), Error> {
        let Some(batch_tokens) = self.batch_tokens else { return Ok(()) };
        let length = self.block_length.unwrap_or(BLOCK_LENGTH_MAX);
        let rows = batch_tokens / (length.max(1) * self.arguments.gradient_accumulation_steps.max(1));
        if rows == 0 {
            let wanted = format!(
                "at least the {length} tokens of a block for each of {} micro-batches",
                self.arguments.gradient_accumulation_steps
            );
            let found = batch_tokens.to_string();
            return Err(bertlab_train::TrainError::Setting { name: "batch_tokens", found, wanted }.into());
        }
        self.arguments.per_device_train_batch_size = rows;
        Ok(())
    }

    /// The folder or name of the model to open; of a new one, `start/`, which is made where it is not there
    /// yet.
    fn model(&self, progress: &dyn Progress) -> Result<String, Error> {
        let Start::New { shape, tokenizer, vocabulary } = &self.start else {
            let Start::From { model, .. } = &self.start else { unreachable!("there are two starts") };
            return Ok(model.clone());
        };
        let folder = self.output_dir.join(START);
        let is_there = self.resume != Resume::No && folder.is_dir();
        if !is_there {
            let new;
            let files = match tokenizer {
                Some(name) => open_tokenizer(name, self.offline)?.tokenizer.files(),
                None => {
                    let job = VocabularyJob { texts: self.texts.clone(), options: *vocabulary };
                    new = job.train(progress)?;
                    new
                }
            };
            self.write_start(&folder, shape, files)?;
        }
        Ok(folder.to_string_lossy().into_owned())
    }

    fn write_start(&self, folder: &Path, shape: &Shape, files: Vec<(String, Vec<u8>)>) -> Result<(), Error> {
        atomic::make_folder_of(folder)?;
        let positions = POSITIONS_MIN.max(self.block_length.unwrap_or(0));
        atomic::write_folder(folder, |staging| -> Result<(), Error> {
            vocabulary::write_files(staging, &files)?;
            let tokenizer = Tokenizer::open(staging)?;
            let config = shape.config(&tokenizer, positions)?;
            atomic::write_file(&staging.join("config.json"), &config)?;
            Ok(())
        })
    }

    fn block_length_for(&self, opened: &OpenedModel) -> Result<usize, Error> {
        let most = opened.max_tokens()?;
        match self.block_length {
            None => Ok(most.min(BLOCK_LENGTH_MAX)),
            Some(length) if (2..=most).contains(&length) => Ok(length),
            Some(length) => {
                let (found, wanted) = (length.to_string(), format!("2 to {most}, which the model takes"));
                Err(bertlab_train::TrainError::Setting { name: "max_length", found, wanted }.into())
            }
        }
    }

    /// Held-out blocks, drawn at random where there are more than are wanted.
    fn evaluation_blocks(&self, corpus: &Corpus) -> Result<Vec<Example>, Error> {
        let mut blocks: Vec<usize> = (0..corpus.held_out.len()).collect();
        if blocks.len() > self.max_eval_blocks {
            Generator::new(self.arguments.seed).shuffle(&mut blocks);
            blocks.truncate(self.max_eval_blocks);
            blocks.sort_unstable();
        }
        Ok(blocks.into_iter().map(|block| corpus.held_out.example(block)).collect::<Result<_, _>>()?)
    }
}

/// Refuses copies of places where there are none to copy, or none that could become copies.
fn check_positions(opened: &OpenedModel, n_learnt: usize) -> Result<(), Error> {
    let encoder = &opened.model.spec.encoder;
    let n_places = encoder.max_tokens();
    let wanted = match encoder.positions {
        Positions::Learned if (1..n_places).contains(&n_learnt) => return Ok(()),
        Positions::Learned => format!("1 to {}, of the {n_places} positions of this model", n_places - 1),
        other => format!("a model that learns its positions (this one's are {other})"),
    };
    let name = "repeat_positions";
    Err(bertlab_train::TrainError::Setting { name, found: n_learnt.to_string(), wanted }.into())
}

impl PreparedPretraining {
    /// The settings.
    pub fn arguments(&self) -> &TrainingArguments {
        &self.job.arguments
    }

    /// What the run will do.
    pub fn plan(&self) -> Plan {
        let train = TrainingRows::Blocks(&self.corpus.train);
        Plan::new(&self.job.arguments, (train.len(), train.n_tokens()), !self.evaluation.is_empty())
    }

    /// What the run will cost.
    ///
    /// # Errors
    /// Settings out of range.
    pub fn forecast(&mut self) -> Result<Forecast, Error> {
        Ok(self.trainer().forecast()?)
    }

    /// Trains, as [`PreparedTraining::train`](crate::PreparedTraining::train).
    ///
    /// # Errors
    /// As [`Trainer::train`].
    pub fn train(&mut self, reporter: &mut dyn Reporter) -> Result<TrainingSummary, Error> {
        let mut witness = Witness::new(&self.job.output_dir, self.job.arguments.report_to);
        let mut both = bertlab_train::Both(reporter, &mut witness);
        let result = self.trainer().train(&mut both).map_err(Error::from);
        let report = crate::report::RunReport {
            model: crate::report::model_facts(&self.opened, self.name()),
            training: Some(witness.facts(
                match &result {
                    Ok(_) => Outcome::Finished,
                    Err(error) => Outcome::Ended(error.to_string()),
                },
                &self.job.arguments,
                result.as_ref().ok(),
            )),
            splits: self.splits(),
            findings: Vec::new(),
            evaluation: witness.last_evaluation().map(|evaluation| crate::report::EvaluationFacts {
                evaluation: evaluation.clone(),
                rows: Vec::new(),
                split: "held-out".to_owned(),
            }),
            repeat: crate::report::repeat_facts(self.command.clone()),
        };
        witness.leave(&report, result.as_ref().ok(), reporter);
        result
    }

    fn name(&self) -> &str {
        match &self.job.start {
            Start::New { .. } => "new",
            Start::From { model, .. } => model,
        }
    }

    fn splits(&self) -> Vec<SplitFacts> {
        let train = &self.corpus.train;
        let facts = |name: &str, n_rows, n_tokens| SplitFacts {
            name: name.to_owned(),
            files: self.job.texts.files.iter().map(|file| file.display().to_string()).collect(),
            n_rows,
            n_tokens,
            block_length: Some(train.length()),
            max_length: train.length(),
            ..SplitFacts::default()
        };
        let n_evaluated = self.evaluation.iter().map(|example| example.input_ids.len()).sum();
        let mut splits = vec![facts("training", train.len(), train.n_tokens() as usize)];
        if !self.evaluation.is_empty() {
            splits.push(facts("evaluation (held out)", self.evaluation.len(), n_evaluated));
        }
        splits
    }

    fn trainer(&mut self) -> Trainer<'_> {
        let (model, tokenizer) = self.opened.model_and_tokenizer();
        Trainer {
            model,
            tokenizer,
            train: TrainingRows::Blocks(&self.corpus.train),
            eval: &self.evaluation,
            test: &[],
            masking: Some(&self.masking),
            arguments: &self.job.arguments,
            output_dir: &self.job.output_dir,
            overwrite_output_dir: self.job.overwrite_output_dir,
            resume: self.job.resume.clone(),
        }
    }
}
