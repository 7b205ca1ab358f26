//! The front desk: everything bertlab can do, as plain functions over plain data.
//!
//! ```no_run
//! use bertlab::progress::NoProgress;
//! use bertlab::{EmbedRequest, ModelOptions, TextInput, open_model};
//!
//! # fn main() -> Result<(), bertlab::Error> {
//! let opened = open_model("sentence-transformers/all-MiniLM-L6-v2", &ModelOptions::default())?;
//! let texts = [TextInput::from("I have a new CPU!"), TextInput::from("I have a new GPU!")];
//! let recipe = opened.embed_recipe(&EmbedRequest::default())?;
//! let embedded = opened.embed(&texts, &recipe, &NoProgress)?;
//! assert_eq!(embedded.embeddings.len(), 2);
//! # Ok(())
//! # }
//! ```

pub mod bench;
mod bundled;
mod convert;
mod dataset;
mod embed;
mod embeddings_file;
mod error;
mod evaluation;
mod labelled;
mod masked_texts;
mod open;
mod pretraining;
mod sentence;
mod text_options;
mod texts;
mod training;
mod words;

pub mod check;
pub mod forward;
pub mod report;
pub mod settings;

pub use bertlab_data::preflight::Split;
pub use bundled::bundled_models;
pub use convert::{Converted, convert};
pub use dataset::{DatasetFiles, DatasetRequest};
pub use embed::{EmbedRecipe, EmbedRequest, Embedded};
pub use embeddings_file::{EmbeddingRow, EmbeddingsFormat, write_embeddings};
pub use error::Error;
pub use evaluation::{Evaluated, Prediction, open_trained};
pub use labelled::{LabelCounts, LabelledRows, Question, RowsRequest, TextCounts, WordCounts};
pub use open::{ModelOptions, OpenedModel, OpenedTokenizer, open_model, open_tokenizer, resolve};
pub use pretraining::{
    PreparedPretraining, PretrainJob, Shape, Start, UnknownShape, VocabularyJob, write_vocabulary,
};
pub use sentence::SentenceSettings;
pub use text_options::TextOptions;
pub use texts::{TextsRequest, read_text_lines};
pub use training::{HeldOutRows, HoldOut, PreparedTraining, Task, TrainJob};
pub use words::{PredictedEntity, WordLabel, WordPredictions};

pub use bertlab_checkpoint::hub::set_default_progress;
pub use bertlab_checkpoint::{Dtype, NamedArray, read_safetensors, write_safetensors};
pub use bertlab_compute::Tensor;
pub use bertlab_compute::threads::{n_threads, set_n_threads};
pub use bertlab_data::{
    CacheUse, Columns, Encoding as TextEncoding, Layout, Sampling, TagScheme, TextFiles, TokenCache,
};
pub use bertlab_model::{
    Batch, ComputeDtype, Family, HeadChoice, HeadKind, LoadReport, Model, OpenOptions, Output, ProblemType,
    Request, Row, Spec, family_names, save_pretrained,
};
pub use bertlab_text::Error as TextError;
pub use bertlab_text::{
    EncodeOptions, Encoding, Keep, Padding, TextInput, Tokenizer, Truncation, VocabularyOptions, find_word,
    split_into_words,
};

/// Fine-tuning: settings, plan, what a run reports, and what its figures mean.
pub mod train {
    pub use crate::training::{SEEDS_FILE, SeedResult, SeedRuns, SeedSummary, Seeds, Spread};
    pub use bertlab_data::{Truncated, Word, counts};
    pub use bertlab_train::metrics;
    pub use bertlab_train::{
        Answer, Averaging, ClassWeights, Evaluation, Forecast, IntervalStrategy, MaskedLmScores, Masking,
        MaskingOptions, MemoryForecast, Plan, ReadArguments, Record, Remedy, ReportTo, Reporter, Resume,
        SamplingStrategy, SaveStrategy, SchedulerType, Scores, Silent, StepFigures, TimeForecast, TrainError,
        Trainer, TrainingArguments, TrainingSummary, WordAnswer,
    };
}

/// Hints in messages, which every door spells in its own way.
pub mod hint {
    pub use bertlab_feedback::{Command, Hint, Speller, hints_in, spelled_by};
}

/// Progress of long work, and a way to cancel it.
pub mod progress {
    pub use bertlab_feedback::{Cancelled, Meter, NoProgress, Progress, Stage, Status, Unit};
}

/// Looking into a model: module tree, tensors, word vectors, similarity.
pub mod explore {
    pub use bertlab_explore::*;
    pub use bertlab_model::Module;
}
