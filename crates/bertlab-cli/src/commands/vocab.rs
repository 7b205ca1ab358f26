//! `bertlab vocab`: a WordPiece vocabulary of one's own texts.

use std::path::PathBuf;

use anyhow::bail;
use bertlab::settings::{CorpusSettings, EncodingSettings, VocabularySettings};
use bertlab::{VocabularyJob, write_vocabulary};

use crate::args::GlobalArguments;
use crate::flags::Flags;
use crate::print::Console;
use crate::print::numbers::grouped;
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
    corpus: Flags<CorpusSettings>,
    #[command(flatten)]
    encoding: Flags<EncodingSettings>,
    #[command(flatten)]
    vocabulary: Flags<VocabularySettings>,
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
    let options = arguments.vocabulary.0.values().options(arguments.max_length);
    let texts = arguments.corpus.0.values().files(arguments.encoding.0.values())?;
    let files = VocabularyJob { texts, options }.train(&**console.bars())?;
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
