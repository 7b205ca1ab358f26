//! `bertlab words`: contextual vectors of words, and how alike they are.

use std::io::Write;

use bertlab::explore::{Occurrences, Pieces, WordOptions, WordQuery, cosine_matrix, word_vectors};
use bertlab::{HeadChoice, HeadKind, OpenOptions};
use serde::Serialize;

use crate::args::{GlobalArguments, LayerArguments, ModelArguments, one_of};
use crate::print::{Console, matrix, style};

/// Compare words by their vectors in context
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab words bert-base-uncased --sentence \"A new CPU!\" \"An Intel CPU!\" \\
      --word CPU@1,2 --word Intel
  bertlab words ./my-model --sentence \"A river bank.\" \"A bank loan.\" \\
      --word bank@1 --word bank@2
  bertlab words ./my-model --sentence \"A new GPU!\" --word GPU new --layers all

A word is found by its letters, not by token positions. WORD@1,3 means the word in sentences 1 and 3; WORD \
alone, wherever it stands; WORD@2#1 the first of several in sentence 2.")]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    /// Sentences, numbered from 1
    #[arg(long, value_name = "TEXT", required = true, num_args = 1..)]
    sentence: Vec<String>,
    /// Words, each perhaps with the sentences that are meant: CPU, CPU@2, CPU@1,2
    #[arg(long, value_name = "WORD", required = true, num_args = 1..)]
    word: Vec<String>,
    /// What a word of several tokens is: their sum, their mean, or the first
    #[arg(long, value_name = "HOW", default_value = "sum")]
    #[arg(value_parser = one_of::<Pieces>(&["sum", "mean", "first"]))]
    pieces: Pieces,
    /// What a word in several sentences is: the mean or the sum
    #[arg(long, value_name = "HOW", default_value = "mean")]
    #[arg(value_parser = one_of::<Occurrences>(&["mean", "sum"]))]
    occurrences: Occurrences,
    #[command(flatten)]
    layers: LayerArguments,
    /// Print a JSON object: words, cosine, recipes
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct Comparison {
    words: Vec<String>,
    cosine: Vec<Vec<Option<f32>>>,
    recipes: Vec<String>,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let queries = arguments.word.iter().map(|word| word.parse()).collect::<Result<Vec<WordQuery>, _>>()?;
    // Contextual vectors come from the encoder: a head, trained or not, has no part in them.
    let open = OpenOptions { head: HeadChoice::Kind(HeadKind::None), ..OpenOptions::default() };
    let opened = arguments.model.open(open, global)?;
    let options = WordOptions {
        pieces: arguments.pieces,
        occurrences: arguments.occurrences,
        layers: arguments.layers.layers,
    };
    let vectors = word_vectors(&opened.model, opened.tokenizer()?, &arguments.sentence, &queries, &options)?;
    let rows: Vec<&[f32]> = vectors.iter().map(|word| word.vector.as_slice()).collect();
    let cosine = cosine_matrix(&rows);
    let recipes = vectors.into_iter().map(|word| word.recipe).collect();
    let comparison = Comparison { words: arguments.word, cosine, recipes };
    if arguments.json {
        return console.json_line(&comparison);
    }
    print(console, &comparison)
}

fn print(console: &mut Console, comparison: &Comparison) -> anyhow::Result<()> {
    let dim = console.style(style::DIM);
    matrix::print(console, &comparison.words, &comparison.cosine)?;
    writeln!(console.out)?;
    for recipe in &comparison.recipes {
        writeln!(console.out, "{dim}{recipe}{dim:#}")?;
    }
    console.note(
        "raw cosines of contextual vectors have a high floor: even words that have nothing in common are often \
         well above 0. Compare cosines with each other, not with 0",
    )
}
