//! The public error: whatever a room below refused, and what only the front desk can see.

use std::path::PathBuf;

use bertlab_data::preflight::Finding;
use bertlab_feedback::{Cancelled, Command, Hint};
use bertlab_text::Keep;

/// Everything that bertlab refuses, in words that say what was found and what to try.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The caller cancelled the work.
    #[error(transparent)]
    Cancelled(#[from] Cancelled),
    /// A checkpoint file, the hub, or writing.
    #[error(transparent)]
    Checkpoint(#[from] bertlab_checkpoint::Error),
    /// A tokenizer, a text, or ids.
    #[error(transparent)]
    Text(#[from] bertlab_text::Error),
    /// A model, or an input that it does not take.
    #[error(transparent)]
    Model(#[from] bertlab_model::Error),
    /// A data file.
    #[error(transparent)]
    Data(#[from] bertlab_data::DataError),
    /// A question about a model that has no answer.
    #[error(transparent)]
    Explore(#[from] bertlab_explore::Error),
    /// Arrays that do not fit the model, or one another.
    #[error(transparent)]
    Forward(#[from] crate::forward::ForwardError),
    /// A training or an evaluation.
    #[error(transparent)]
    Train(#[from] bertlab_train::TrainError),
    /// Settings.
    #[error(transparent)]
    Settings(#[from] bertlab_settings::SettingsError),
    /// A setting that a job needs.
    #[error("{what} is missing: give {}", either(give))]
    MissingSetting {
        /// What it would say.
        what: &'static str,
        /// The settings of which one is needed.
        give: Vec<Hint>,
    },
    /// Two settings that say the same thing in two ways.
    #[error("{first} and {second} both say what to train on: give one of them")]
    TwoSources {
        /// One of them.
        first: Hint,
        /// The other.
        second: Hint,
    },
    /// A number of tokens to keep from the beginning, for a part that has no beginning and end.
    #[error(
        "{} belongs to {}, not to {}",
        Hint::Setting("truncation_head"),
        Hint::value("truncation", Keep::HeadAndTail { head: None }),
        Hint::value("truncation", found)
    )]
    TruncationHead {
        /// The part that was asked for.
        found: Keep,
    },
    /// Rows on which a result would mean nothing.
    #[error("{}", findings_in_words(.0))]
    Findings(Vec<Finding>),
    /// Texts that could not be read.
    #[error("{source_name}: cannot be read: {source}")]
    ReadTexts {
        /// The file, or "standard input".
        source_name: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A row of a data file that holds no text.
    #[error("{file}, row {row}: it holds no text (looked for a column \"text\" and its like)", file = file.display())]
    RowWithoutText {
        /// The file.
        file: PathBuf,
        /// As a person counts; a table's header line is row 1.
        row: usize,
    },
    /// A sentence-transformers file that asks for something that is not computed here.
    #[error(
        "{file}: asks for {found}, which is not supported (mean, cls and max are); choose a pooling yourself, \
         as in {}, and know that the vectors then differ from sentence-transformers'",
        Hint::value("pooling", "mean"), file = file.display()
    )]
    SentencePooling {
        /// modules.json or a pooling config.
        file: PathBuf,
        /// What it asks for.
        found: String,
    },
    /// A folder that something new was to be written into.
    #[error("{folder}: is there already; name a folder that is not", folder = folder.display())]
    FolderIsThere {
        /// The folder.
        folder: PathBuf,
    },
    /// A length that a model does not take.
    #[error("a max_length of {asked} is more than the {max} tokens that this model takes")]
    MaxLength {
        /// What was asked for.
        asked: usize,
        /// What the model takes.
        max: usize,
    },
    /// A file name whose ending names no format.
    #[error("{path}: unknown ending; embeddings are written as .npy, .safetensors or .jsonl", path = path.display())]
    EmbeddingsFormat {
        /// The file that was to be written.
        path: PathBuf,
    },
    /// Vectors of every token of several texts, in a file that holds one rectangle.
    #[error(
        "{path}: a .npy file holds one matrix, but pooling `tokens` gives one per text, each of its own length; \
         write .safetensors or .jsonl instead", path = path.display()
    )]
    RaggedEmbeddings {
        /// The file that was to be written.
        path: PathBuf,
    },
}

/// Alternatives: `a, b or c`.
fn either(hints: &[Hint]) -> String {
    let words: Vec<String> = hints.iter().map(Hint::to_string).collect();
    match words.split_last() {
        Some((last, first)) if !first.is_empty() => format!("{} or {last}", first.join(", ")),
        _ => words.concat(),
    }
}

/// The fatal findings, and the way on.
fn findings_in_words(findings: &[Finding]) -> String {
    let mut text = "a result on these rows would mean nothing:\n".to_owned();
    for finding in findings {
        text += &format!("  {}: {}\n", finding.split, finding.sentence);
    }
    let (check, go_on) = (Hint::Command(Command::Check), Hint::On("ignore_findings"));
    text + &format!("`{check}` shows the rows. Mend the data, or go on all the same with {go_on}")
}
