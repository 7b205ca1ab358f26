//! `bertlab tokenize`: text to tokens and ids.

use anyhow::anyhow;
use bertlab::{EncodeOptions, Encoding, OpenedTokenizer, Padding, TextInput, Truncation};
use serde::Serialize;

use crate::args::{GlobalArguments, TextArguments, one_of};
use crate::print::numbers::counted;
use crate::print::{Console, token_lines};

/// Texts that are encoded and printed at once, unless all must be known first.
const TEXTS_PER_CHUNK: usize = 1024;

/// Turn text into tokens and ids
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab tokenize bert-base-uncased \"I have a new CPU!\"
  bertlab tokenize ./my-model \"Where is it?\" --pair \"It is here.\" --json
  bertlab tokenize ./my-model --input reviews.jsonl --truncation longest_first --json")]
pub struct Arguments {
    /// tiny, a folder with a tokenizer, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    texts: TextArguments,
    /// A second text beside each TEXT
    #[arg(long, value_name = "TEXT", conflicts_with = "input")]
    pair: Option<String>,
    /// The length in tokens to cut or pad to [default: what tokenizer and config say]
    #[arg(long, value_name = "N")]
    max_length: Option<usize>,
    /// Which text is cut when an input is too long
    #[arg(long, value_name = "WHICH", default_value = "do_not_truncate")]
    #[arg(value_parser = one_of::<Truncation>(&["longest_first", "only_first", "only_second", "do_not_truncate"]))]
    truncation: Truncation,
    /// How far short inputs are filled up
    #[arg(long, value_name = "HOW", default_value = "do_not_pad")]
    #[arg(value_parser = one_of::<Padding>(&["longest", "max_length", "do_not_pad"]))]
    padding: Padding,
    /// Leave [CLS], [SEP] and their like out
    #[arg(long)]
    no_special_tokens: bool,
    /// Print a JSON line per text: tokens, input_ids, token_type_ids, attention_mask,
    /// special_tokens_mask, offsets, word_ids
    #[arg(long)]
    json: bool,
}

#[derive(Serialize)]
struct EncodingLine<'a> {
    tokens: &'a [String],
    input_ids: &'a [u32],
    token_type_ids: &'a [u32],
    attention_mask: &'a [u32],
    special_tokens_mask: &'a [u32],
    offsets: &'a [(usize, usize)],
    word_ids: &'a [Option<u32>],
}

impl<'a> From<&'a Encoding> for EncodingLine<'a> {
    fn from(encoding: &'a Encoding) -> Self {
        EncodingLine {
            tokens: &encoding.tokens,
            input_ids: &encoding.input_ids,
            token_type_ids: &encoding.token_type_ids,
            attention_mask: &encoding.attention_mask,
            special_tokens_mask: &encoding.special_tokens_mask,
            offsets: &encoding.offsets,
            word_ids: &encoding.word_ids,
        }
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let opened = bertlab::open_tokenizer(&arguments.model, global.offline)?;
    let mut texts = arguments.texts.read(console)?;
    if let Some(pair) = &arguments.pair {
        texts.iter_mut().for_each(|input| input.pair = Some(pair.clone()));
    }
    // Each text is shown as a call of HuggingFace's tokenizer with it alone encodes it: an empty second text is none.
    for input in &mut texts {
        input.pair.take_if(|pair| pair.is_empty());
    }
    let options = encode_options(&arguments, &opened);
    let mut lengths = Lengths { max_tokens: opened.max_tokens, ..Lengths::default() };
    let chunk_size =
        if options.padding == Padding::Longest { texts.len() } else { TEXTS_PER_CHUNK.min(texts.len()) };
    for (index, chunk) in texts.chunks(chunk_size).enumerate() {
        let encodings = encode(&opened, chunk, index * chunk_size, &options)?;
        for encoding in &encodings {
            lengths.add(encoding);
            if arguments.json {
                console.json_line(&EncodingLine::from(encoding))?;
            } else {
                token_lines::print(console, encoding)?;
            }
        }
    }
    lengths.tell(console, &arguments, &options)
}

fn encode_options(arguments: &Arguments, opened: &OpenedTokenizer) -> EncodeOptions {
    EncodeOptions {
        add_special_tokens: !arguments.no_special_tokens,
        truncation: arguments.truncation,
        max_length: arguments.max_length.or(opened.max_tokens),
        padding: arguments.padding,
    }
}

/// Encodes a chunk; an error counts texts from 1 over all chunks.
fn encode(
    opened: &OpenedTokenizer,
    chunk: &[TextInput],
    n_before: usize,
    options: &EncodeOptions,
) -> anyhow::Result<Vec<Encoding>> {
    opened.tokenizer.encode_batch(chunk, options).map_err(|error| match error {
        bertlab::TextError::Row { row, source } => anyhow!("text {}: {source}", n_before + row + 1),
        other => other.into(),
    })
}

/// How many texts are longer than they should be.
#[derive(Default)]
struct Lengths {
    /// What the model takes.
    max_tokens: Option<usize>,
    n_texts: usize,
    n_cut: usize,
    n_too_long: usize,
    longest: usize,
}

impl Lengths {
    fn add(&mut self, encoding: &Encoding) {
        let n_tokens = encoding.len();
        self.n_texts += 1;
        self.n_cut += usize::from(encoding.n_truncated > 0);
        self.n_too_long += usize::from(self.max_tokens.is_some_and(|max| n_tokens > max));
        self.longest = self.longest.max(n_tokens);
    }

    fn tell(
        &self,
        console: &mut Console,
        arguments: &Arguments,
        options: &EncodeOptions,
    ) -> anyhow::Result<()> {
        if self.n_cut > 0 {
            let length = options.max_length.unwrap_or_default();
            console.note(format!(
                "{} of {} cut to {length} tokens",
                self.n_cut,
                counted(self.n_texts, "text")
            ))?;
        }
        if self.n_too_long > 0 {
            let max = self.max_tokens.unwrap_or_default();
            console.warn(format!(
                "{} of {} longer than the {max} tokens that this model takes (the longest: {}); cut with --truncation longest_first",
                self.n_too_long,
                counted(self.n_texts, "text"),
                self.longest
            ))?;
        }
        let uses_length =
            options.truncation != Truncation::DoNotTruncate || options.padding == Padding::MaxLength;
        if arguments.max_length.is_some() && !uses_length {
            console.note(
                "--max-length alone changes nothing: add --truncation longest_first or --padding max_length",
            )?;
        }
        Ok(())
    }
}
