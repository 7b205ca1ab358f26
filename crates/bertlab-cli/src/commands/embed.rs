//! `bertlab embed`: texts to vectors.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use bertlab::explore::{Embedding, Pooling, cosine_matrix};
use bertlab::{
    EmbedRecipe, EmbedRequest, Embedded, EmbeddingRow, EmbeddingsFormat, HeadChoice, HeadKind, OpenOptions,
    OpenedModel, TextInput, write_embeddings,
};

use crate::args::{DtypeArguments, GlobalArguments, LayerArguments, ModelArguments, TextArguments, one_of};
use crate::print::numbers::counted;
use crate::print::{Console, matrix, style};

/// Turn texts into vectors
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab embed sentence-transformers/all-MiniLM-L6-v2 \"A new CPU!\"
  bertlab embed ./my-model --input texts.txt --output vectors.npy
  bertlab embed ./my-model --input 'reviews-*.csv' --pooling cls --layers -4..-1
  cat texts.txt | bertlab embed ./my-model --input - > vectors.jsonl

Without --pooling, a folder's sentence-transformers files decide over pooling and normalisation; without \
such files it is mean pooling, not normalised. They decide over the longest text (max_seq_length) unless \
--max-length is given.")]
pub struct Arguments {
    #[command(flatten)]
    model: ModelArguments,
    #[command(flatten)]
    texts: TextArguments,
    /// How a text's tokens become one vector (tokens: they do not)
    #[arg(long, value_name = "HOW", value_parser = one_of::<Pooling>(&["mean", "cls", "max", "pooler", "tokens"]))]
    pooling: Option<Pooling>,
    #[command(flatten)]
    layers: LayerArguments,
    /// Scale every vector to length 1
    #[arg(long)]
    normalize: bool,
    /// Leave vectors as they are, whatever the folder says
    #[arg(long, conflicts_with = "normalize")]
    no_normalize: bool,
    /// Cut texts to this many tokens [default: the folder's max_seq_length, else what the model takes]
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
    /// Write the vectors to a file: .npy, .safetensors or .jsonl
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Use random weights where the folder has none: for sizes and speed alone
    #[arg(long)]
    random_weights: bool,
    #[command(flatten)]
    dtype: DtypeArguments,
    /// Print a JSON line per text: text, embedding (the default in a pipe)
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    if let Some(file) = &arguments.output {
        check_output(file)?;
    }
    let texts = arguments.texts.read(console)?;
    let head = HeadChoice::Kind(HeadKind::None);
    let open = OpenOptions {
        head,
        allow_random: arguments.random_weights,
        dtype: arguments.dtype.dtype,
        ..OpenOptions::default()
    };
    let opened = arguments.model.open(open, global)?;
    let recipe = opened.embed_recipe(&arguments.request())?;
    warn_of_random_weights(console, &opened, &recipe)?;
    let embedded = opened.embed(&texts, &recipe, &**console.bars())?;
    if embedded.n_truncated > 0 {
        tell_truncation(console, &opened, &recipe, &embedded, texts.len())?;
    }
    match &arguments.output {
        Some(file) => {
            write_embeddings(file, &texts, &embedded.embeddings)?;
            console.note(format!("wrote {} to {}", counted(texts.len(), "embedding"), file.display()))
        }
        None if arguments.json || !console.is_terminal => print_lines(console, &texts, &embedded.embeddings),
        None => print_preview(console, &recipe, &texts, &embedded.embeddings),
    }
}

impl Arguments {
    fn request(&self) -> EmbedRequest {
        let normalize = (self.normalize || self.no_normalize).then_some(self.normalize);
        EmbedRequest {
            pooling: self.pooling,
            layers: self.layers.layers,
            normalize,
            max_tokens: self.max_length,
        }
    }
}

/// What would only fail after all the work is done.
fn check_output(file: &Path) -> anyhow::Result<()> {
    EmbeddingsFormat::of(file)?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    ensure!(folder.is_dir(), "{}: there is no folder {} to write to", file.display(), folder.display());
    Ok(())
}

/// Embeddings need no head: of all that may be new, only the pooler can matter.
fn warn_of_random_weights(
    console: &mut Console,
    opened: &OpenedModel,
    recipe: &EmbedRecipe,
) -> anyhow::Result<()> {
    if opened.report.format.is_none() {
        return console.report(&opened.report);
    }
    if recipe.pooling == Pooling::Pooler && !opened.report.new.is_empty() {
        console.warn(format!(
            "this checkpoint has no pooler: {} are random (seed {}), and the vectors mean nothing",
            opened.report.new.join(", "),
            opened.report.seed
        ))?;
    }
    Ok(())
}

fn tell_truncation(
    console: &mut Console,
    opened: &OpenedModel,
    recipe: &EmbedRecipe,
    embedded: &Embedded,
    n_texts: usize,
) -> anyhow::Result<()> {
    let max = opened.model.spec.encoder.max_tokens();
    let origin = if recipe.is_folders_length { ", the folder's max_seq_length" } else { "" };
    let more = match recipe.max_tokens < max {
        true => format!("; --max-length {max} is the most that this model takes"),
        false => String::new(),
    };
    console.note(format!(
        "{} of {} cut to {} tokens{origin}{more}",
        embedded.n_truncated,
        counted(n_texts, "text"),
        recipe.max_tokens
    ))
}

fn print_lines(console: &mut Console, texts: &[TextInput], embeddings: &[Embedding]) -> anyhow::Result<()> {
    let rows = texts.iter().zip(embeddings);
    rows.into_iter().try_for_each(|(text, embedding)| console.json_line(&EmbeddingRow::new(text, embedding)))
}

/// More texts than this have no matrix that can be read.
const MATRIX_MAX: usize = 12;
/// Texts that a preview shows.
const SHOWN_MAX: usize = 20;

fn print_preview(
    console: &mut Console,
    recipe: &EmbedRecipe,
    texts: &[TextInput],
    embeddings: &[Embedding],
) -> anyhow::Result<()> {
    let (dim, heading) = (console.style(style::DIM), console.style(style::HEADING));
    let normalized = if recipe.normalize { ", normalised" } else { "" };
    let origin = if recipe.is_the_folders { " (the folder's sentence-transformers files)" } else { "" };
    writeln!(
        console.out,
        "{dim}pooling {}, layers {}{normalized}{origin}{dim:#}\n",
        recipe.pooling, recipe.layers
    )?;
    for (text, embedding) in texts.iter().zip(embeddings).take(SHOWN_MAX) {
        let label = matrix::shortened(&text.text, console.width().saturating_sub(2));
        writeln!(console.out, "{heading}{label}{heading:#}\n  {dim}{}{dim:#}", described(embedding))?;
    }
    if texts.len() > SHOWN_MAX {
        writeln!(console.out, "{dim}and {} more{dim:#}", texts.len() - SHOWN_MAX)?;
    }
    let vectors: Vec<&[f32]> = embeddings.iter().filter_map(as_vector).collect();
    if vectors.len() == texts.len() && (2..=MATRIX_MAX).contains(&vectors.len()) {
        writeln!(console.out, "\ncosine")?;
        let labels: Vec<String> = texts.iter().map(|input| input.text.clone()).collect();
        matrix::print(console, &labels, &cosine_matrix(&vectors))?;
    }
    writeln!(console.out, "\n{dim}--output FILE.npy or --json give the numbers{dim:#}")
        .context("standard output")
}

fn as_vector(embedding: &Embedding) -> Option<&[f32]> {
    match embedding {
        Embedding::Vector(vector) => Some(vector),
        Embedding::Tokens(_) => None,
    }
}

fn described(embedding: &Embedding) -> String {
    match embedding {
        Embedding::Vector(vector) => {
            let norm = vector.iter().map(|&x| f64::from(x).powi(2)).sum::<f64>().sqrt();
            format!("{} numbers, norm {norm:.4}: {}", vector.len(), first_numbers(vector))
        }
        Embedding::Tokens(tokens) => format!("{} tokens of {} numbers", tokens.n_rows(), tokens.width()),
    }
}

fn first_numbers(vector: &[f32]) -> String {
    const SHOWN: usize = 5;
    let numbers: Vec<String> = vector.iter().take(SHOWN).map(|x| format!("{x:.4}")).collect();
    format!("{}{}", numbers.join(" "), if vector.len() > SHOWN { " …" } else { "" })
}
