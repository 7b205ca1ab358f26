//! Settings of a pretraining job, and of a new vocabulary.

use std::path::PathBuf;

use bertlab_data::TextFiles;
use bertlab_feedback::Hint;
use bertlab_settings::{Given, Settings, SettingsFile, settings};
use bertlab_text::VocabularyOptions;
use bertlab_train::{MaskingOptions, Resume, TrainError, TrainingArguments, foreign};

use super::rows::EncodingSettings;
use crate::{Error, PretrainJob, Shape, Start};

settings! {
    /// Plain texts of any size.
    #[derive(Clone, Debug, PartialEq)]
    pub struct CorpusSettings {
        [""]
        /// Files of texts, also patterns ('part-*.txt') and folders: .txt (one text per line), .jsonl, .csv,
        /// .tsv, .parquet
        texts: Vec<PathBuf> = Vec::new(), positional();
        /// Column of the texts
        text_column: Option<String> = None, default_is("detected from the header"), value_name("NAME");
    }
}

settings! {
    /// How a new vocabulary is trained.
    #[derive(Clone, Copy, Debug, PartialEq)]
    pub struct VocabularySettings {
        [""]
        /// New vocabulary: number of pieces, including special tokens
        vocab_size: usize = VocabularyOptions::default().vocab_size;
        /// New vocabulary: distinguish upper and lower case, and keep accents
        cased: bool = false;
        /// New vocabulary: how often two pieces must occur together to be merged
        min_frequency: u64 = VocabularyOptions::default().min_frequency;
        /// New vocabulary: maximum number of characters, the most frequent ones; words with others become
        /// [UNK]
        limit_alphabet: usize = VocabularyOptions::default().limit_alphabet;
    }
}

settings! {
    /// The model and the output of a pretraining job.
    #[derive(Clone, Debug, PartialEq)]
    pub struct PretrainJobSettings {
        [""]
        /// Continue training this model: tiny, a folder, or a name on the hub
        from: Option<String> = None, excludes(&["shape", "config", "tokenizer"]), value_name("MODEL");
        /// The model was trained on texts of N tokens: positions after these start as copies of the first N
        repeat_positions: Option<usize> = None, requires("from");
        /// Train a new BERT of LAYERSxWIDTH, such as 4x256: heads of width 64, an inner width of four widths
        shape: Option<Shape> = None, excludes(&["config"]), value_name("LxD");
        /// Train a new model of the sizes in a config.json
        config: Option<PathBuf> = None;
        /// Vocabulary of a new model: a folder, or a name on the hub
        tokenizer: Option<String> = None, default_is("trained on the texts"), value_name("MODEL");
        /// Number of tokens per block
        max_length: Option<usize> = None, default_is("the model's maximum, at most 512"),
            old_names(&["max_seq_length"]);
        /// Number of tokens per update, over all micro-batches
        batch_tokens: Option<usize> = None, default_is("8192, unless a batch size is given"),
            excludes(&["per_device_train_batch_size"]);
        /// Share of the texts to hold out; 0 for none
        validation_share: f64 = 0.01, share(), value_name("SHARE");
        /// Maximum number of blocks to evaluate on
        max_eval_samples: usize = 500;
        /// Output folder
        output_dir: Option<PathBuf> = None, value_name("DIR");
        /// Overwrite a run in the output folder
        overwrite_output_dir: bool = false;
        /// Resume the run in `output_dir` from its newest checkpoint, or from this one
        resume_from_checkpoint: Resume = Resume::No, excludes(&["overwrite_output_dir"]), value_or("true"),
            value_name("CHECKPOINT");
    }
}

impl CorpusSettings {
    /// The files, not read yet.
    ///
    /// # Errors
    /// No files.
    pub fn files(&self, encoding: &EncodingSettings) -> Result<TextFiles, Error> {
        if self.texts.is_empty() {
            let give = vec![Hint::Value("texts", "FILE".into())];
            return Err(Error::MissingSetting { what: "the files of texts", give });
        }
        Ok(TextFiles {
            files: self.texts.clone(),
            text_column: self.text_column.clone(),
            encoding: encoding.encoding.0,
        })
    }
}

impl VocabularySettings {
    /// For a model that takes `model_max_length` tokens.
    pub fn options(&self, model_max_length: usize) -> VocabularyOptions {
        VocabularyOptions {
            vocab_size: self.vocab_size,
            lowercase: !self.cased,
            min_frequency: self.min_frequency,
            limit_alphabet: self.limit_alphabet,
            model_max_length,
        }
    }
}

/// All settings of a pretraining job, as far as they are given.
///
/// ```
/// use bertlab::settings::{PretrainSettings, SettingsFile};
///
/// # fn main() -> Result<(), bertlab::Error> {
/// let body = r#"{"texts": "texts.txt", "shape": "4x256", "output_dir": "out", "max_steps": 9}"#;
/// let file = SettingsFile::from_json(body, "request".to_owned())?;
/// let (settings, _notes) = PretrainSettings::default().over(file)?;
/// let job = settings.job(false)?;
/// // A pretraining has defaults of its own.
/// assert_eq!((job.arguments.learning_rate, job.arguments.max_steps), (5e-4, Some(9)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct PretrainSettings {
    /// The texts.
    pub corpus: Given<CorpusSettings>,
    /// How text files are read.
    pub encoding: Given<EncodingSettings>,
    /// Model and output.
    pub job: Given<PretrainJobSettings>,
    /// How a new vocabulary is trained.
    pub vocabulary: Given<VocabularySettings>,
    /// What is masked.
    pub masking: Given<MaskingOptions>,
    /// How the model is trained; what is not given is as [`PretrainJob::default_arguments`] says.
    pub arguments: Given<TrainingArguments>,
}

impl PretrainSettings {
    /// Lays these settings over those of a file. Beside them come notes for a person.
    ///
    /// # Errors
    /// Names and values that no setting has; settings of HuggingFace's that would change the result.
    pub fn over(self, mut file: SettingsFile) -> Result<(Self, Vec<String>), Error> {
        let all = Self {
            arguments: file.take(self.arguments)?,
            corpus: file.take(self.corpus)?,
            encoding: file.take(self.encoding)?,
            job: file.take(self.job)?,
            vocabulary: file.take(self.vocabulary)?,
            masking: file.take(self.masking)?,
        };
        Ok((all, file.finish(foreign)?))
    }

    /// The job with these settings.
    ///
    /// # Errors
    /// A setting that every job needs and that is not given; settings that are out of range.
    pub fn job(&self, offline: bool) -> Result<PretrainJob, Error> {
        let job = self.job.values();
        if let Some(refusal) = job.out_of_range() {
            return Err(TrainError::from(refusal).into());
        }
        let output_dir = job.output_dir.clone().ok_or_else(|| Error::MissingSetting {
            what: "the output folder",
            give: vec![Hint::Value("output_dir", "DIR".into())],
        })?;
        let texts = self.corpus.values().files(self.encoding.values())?;
        let new = PretrainJob::new(self.start()?, texts, output_dir);
        let has_batch_size = self.arguments.has("per_device_train_batch_size");
        Ok(PretrainJob {
            offline,
            held_out_share: job.validation_share,
            max_eval_blocks: job.max_eval_samples,
            block_length: job.max_length,
            batch_tokens: job.batch_tokens.or(new.batch_tokens.filter(|_| !has_batch_size)),
            masking: *self.masking.values(),
            arguments: self.arguments.over(new.arguments),
            overwrite_output_dir: job.overwrite_output_dir,
            resume: job.resume_from_checkpoint.clone(),
            ..new
        })
    }

    fn start(&self) -> Result<Start, Error> {
        /// A new vocabulary is made for texts of so many tokens at least.
        const MAX_LENGTH_MIN: usize = 512;
        let job = self.job.values();
        let max_length = job.max_length.unwrap_or(0).max(MAX_LENGTH_MIN);
        let shape = job.shape.clone().or(job.config.clone().map(Shape::Config));
        match (job.from.clone(), shape) {
            (Some(model), _) => Ok(Start::From { model, repeat_positions: job.repeat_positions }),
            (None, Some(shape)) => {
                let vocabulary = self.vocabulary.values().options(max_length);
                Ok(Start::New { shape, tokenizer: job.tokenizer.clone(), vocabulary })
            }
            (None, None) => Err(Error::MissingSetting {
                what: "the model to train",
                give: vec![
                    Hint::Value("from", "MODEL".into()),
                    Hint::Value("shape", "4x256".into()),
                    Hint::Value("config", "FILE".into()),
                ],
            }),
        }
    }
}
