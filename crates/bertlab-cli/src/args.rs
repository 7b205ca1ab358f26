//! Arguments that several commands share, as typed words.

use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::bail;
use bertlab::explore::Layers;
use bertlab::settings::EncodingSettings;
use bertlab::{
    Columns, ComputeDtype, HeadKind, ModelOptions, OpenOptions, OpenedModel, Task, TextInput, TextsRequest,
    open_model, read_text_lines,
};
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::flags::Flags;
use crate::print::Console;

/// When the terminal's colours are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ColorWhen {
    /// In a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

/// Options that every command has.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Options of every command")]
pub struct GlobalArguments {
    /// How many threads work at once [default: one per core]
    #[arg(long, global = true, value_name = "N")]
    pub threads: Option<NonZeroUsize>,
    /// Never ask the network: a hub name must be in the cache
    #[arg(long, global = true)]
    pub offline: bool,
    /// Colours: auto (in a terminal, unless NO_COLOR is set), always, never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", hide_possible_values = true)]
    pub color: ColorWhen,
    /// No notes, warnings and progress bars
    #[arg(long, short, global = true)]
    pub quiet: bool,
}

/// Which model.
#[derive(Clone, Debug, clap::Args)]
pub struct ModelArguments {
    /// tiny, a folder, or a name on the hub (bert-base-uncased, organisation/model)
    #[arg(value_name = "MODEL")]
    pub model: String,
    /// Seed of new weights
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub seed: u64,
}

impl ModelArguments {
    /// Opens the model: with the seed given here, and all else as the command asks for it.
    pub fn open(&self, open: OpenOptions, global: &GlobalArguments) -> Result<OpenedModel, bertlab::Error> {
        let open = OpenOptions { seed: self.seed, ..open };
        open_model(&self.model, &ModelOptions { open, offline: global.offline })
    }
}

/// How the encoder computes.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct DtypeArguments {
    /// How matrix products are computed: f32, or faster and less exact: bf16, int8 (bytes; not for training)
    #[arg(long, value_name = "DTYPE", default_value = "f32", value_parser = dtype_parser())]
    pub dtype: ComputeDtype,
}

/// Which texts: words on the command line, or a file.
#[derive(Clone, Debug, clap::Args)]
pub struct TextArguments {
    /// Texts
    #[arg(value_name = "TEXT", required_unless_present = "input", conflicts_with = "input")]
    pub texts: Vec<String>,
    /// Files of texts, also patterns ('part-*.txt'): .txt (a text per line), .jsonl, .csv, .tsv, .parquet; `-` for
    /// lines of standard input
    #[arg(long, short, value_name = "FILE", num_args = 1..)]
    pub input: Vec<PathBuf>,
    #[command(flatten)]
    pub encoding: Flags<EncodingSettings>,
    /// The column that holds the texts [default: found by its name]
    #[arg(long, value_name = "NAME", requires = "input")]
    pub text_column: Option<String>,
    /// The column that holds second texts [default: found by its name]
    #[arg(long, value_name = "NAME", requires = "input")]
    pub pair_column: Option<String>,
}

impl TextArguments {
    /// The texts, from wherever they come.
    pub fn read(&self, console: &mut Console) -> anyhow::Result<Vec<TextInput>> {
        if self.input.is_empty() {
            return Ok(self.texts.iter().map(|text| TextInput::from(text.as_str())).collect());
        }
        let texts = if self.is_stream() {
            let stdin = std::io::stdin();
            if stdin.is_terminal() {
                console.note("reading standard input, a text per line; Ctrl-D ends it")?;
            }
            read_text_lines(stdin.lock(), Path::new("standard input"), self.request().encoding)?
        } else {
            self.request().read()?
        };
        if texts.is_empty() {
            let names: Vec<String> = self.input.iter().map(|file| file.display().to_string()).collect();
            bail!("{}: no text", names.join(", "));
        }
        Ok(texts)
    }

    /// The sentences of files whose rows are words; none of other texts.
    pub fn read_sentences(&self) -> Option<Vec<Vec<String>>> {
        if self.is_stream() { None } else { self.request().read_sentences() }
    }

    fn is_stream(&self) -> bool {
        self.input == [Path::new("-")]
    }

    fn request(&self) -> TextsRequest {
        TextsRequest {
            files: self.input.clone(),
            columns: Columns {
                text: self.text_column.clone(),
                pair: self.pair_column.clone(),
                ..Columns::default()
            },
            encoding: self.encoding.0.values().encoding.0,
        }
    }
}

/// A parser for words that are listed in `--help`, each turned into a `T`.
pub fn one_of<T>(words: &'static [&'static str]) -> impl TypedValueParser<Value = T>
where
    T: FromStr + Clone + Send + Sync + 'static,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.parse::<T>())
}

/// The words of `--dtype`.
fn dtype_parser() -> impl TypedValueParser<Value = ComputeDtype> {
    PossibleValuesParser::new(ComputeDtype::ALL.map(ComputeDtype::name)).map(|word| {
        let dtype = ComputeDtype::ALL.into_iter().find(|dtype| dtype.name() == word);
        dtype.expect("the parser lets only these names through")
    })
}

/// The words of `--task`.
pub fn task_parser() -> impl TypedValueParser<Value = Task> {
    PossibleValuesParser::new(Task::ALL.map(Task::name)).map(|word| {
        let task = Task::ALL.into_iter().find(|task| task.name() == word);
        task.expect("the parser lets only these names through")
    })
}

/// The words of `--head`.
pub fn head_parser() -> impl TypedValueParser<Value = HeadKind> {
    PossibleValuesParser::new(HeadKind::ALL.map(HeadKind::name)).map(|word| {
        let kind = HeadKind::ALL.into_iter().find(|kind| kind.name() == word);
        kind.expect("the parser lets only these names through")
    })
}

/// `--layers`: which hidden states. Its own type lives in the library.
#[derive(Clone, Debug, clap::Args)]
pub struct LayerArguments {
    /// Which hidden states, averaged: -1 (the last), 0 (the embeddings), -4..-1 (the last four), all
    #[arg(long, value_name = "LAYERS", default_value = "-1", allow_hyphen_values = true)]
    pub layers: Layers,
}
