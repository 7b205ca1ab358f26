//! `bertlab vocab`: a WordPiece vocabulary of one's own texts.

use std::path::PathBuf;

use anyhow::bail;
use bertlab::{VocabularyJob, VocabularyOptions, write_vocabulary};

use crate::args::{CorpusArguments, GlobalArguments};
use crate::print::Console;
use crate::print::numbers::grouped;
use crate::print::progress::Bars;
use crate::print::training::print_line;

/// Train a WordPiece vocabulary on plain texts
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab vocab texts.txt --vocab-size 8000 --output-dir vocabulary
  bertlab vocab 'train-*.parquet' more.jsonl --cased --output-dir vocabulary
  bertlab tokenize vocabulary \"My own words\"

The folder holds vocab.txt and tokenizer.json, as HuggingFace opens them. The texts are read as a stream; \
memory grows with the number of different words alone. The same texts give the same vocabulary.")]
pub struct Arguments {
    #[command(flatten)]
    corpus: CorpusArguments,
    #[command(flatten)]
    vocabulary: VocabularyArguments,
    /// The longest text of the model to come, in tokens
    #[arg(long, value_name = "N", default_value_t = 512)]
    max_length: usize,
    /// Where the vocabulary is written
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    /// Write over what lies there
    #[arg(long)]
    overwrite_output_dir: bool,
}

/// How a vocabulary is trained.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct VocabularyArguments {
    /// Pieces of a new vocabulary, special tokens among them
    #[arg(long, value_name = "N", default_value_t = VocabularyOptions::default().vocab_size)]
    vocab_size: usize,
    /// New vocabulary: upper and lower case differ, and accents stay
    #[arg(long)]
    cased: bool,
    /// New vocabulary: pieces that meet so often at least may become one
    #[arg(long, value_name = "N", default_value_t = VocabularyOptions::default().min_frequency)]
    min_frequency: u64,
    /// New vocabulary: so many characters at most, the most frequent ones; words with others are [UNK]
    #[arg(long, value_name = "N", default_value_t = VocabularyOptions::default().limit_alphabet)]
    limit_alphabet: usize,
}

impl VocabularyArguments {
    /// With the longest text of the model to come.
    pub fn options(self, model_max_length: usize) -> VocabularyOptions {
        VocabularyOptions {
            vocab_size: self.vocab_size,
            lowercase: !self.cased,
            min_frequency: self.min_frequency,
            limit_alphabet: self.limit_alphabet,
            model_max_length,
        }
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, _global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let folder = &arguments.output_dir;
    let is_used = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if is_used && !arguments.overwrite_output_dir {
        bail!(
            "{}: the folder is not empty: choose another --output-dir, or give --overwrite-output-dir",
            folder.display()
        );
    }
    let options = arguments.vocabulary.options(arguments.max_length);
    let job = VocabularyJob { texts: arguments.corpus.files(), options };
    let files = job.train(&Bars::new(console))?;
    let tokenizer = write_vocabulary(folder, &files)?;
    let n_pieces = tokenizer.vocab_size();
    print_line(console, "vocabulary", &format!("{} pieces in {}", grouped(n_pieces), folder.display()))?;
    if n_pieces < options.vocab_size {
        console.note(format!(
            "the texts gave {} pieces of {}: no more pairs meet {} times",
            grouped(n_pieces),
            grouped(options.vocab_size),
            options.min_frequency
        ))?;
    }
    Ok(())
}
