//! `bertlab pretrain`: a masked language model of one's own texts, new or going on.

use std::io::Write;
use std::path::PathBuf;

use anyhow::bail;
use bertlab::train::{MaskingOptions, Resume};
use bertlab::{PreparedPretraining, PretrainJob, Shape, Start};

use super::train::SettingFlags;
use super::vocab::VocabularyArguments;
use crate::args::{CorpusArguments, GlobalArguments};
use crate::flags::Flags;
use crate::print::live::TerminalReporter;
use crate::print::numbers::{counted, grouped};
use crate::print::progress::ReadingBar;
use crate::print::prose::command_line;
use crate::print::training::{Summarized, plan_in_words, print_line, print_summary};
use crate::print::{Console, masked_lm};

/// Train a masked language model on plain texts
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab pretrain texts.txt --from bert-base-uncased --output-dir out     go on with a model
  bertlab pretrain 'wiki-*.parquet' --shape 4x256 --vocab-size 8000 --output-dir out
  bertlab pretrain texts.jsonl --shape 6x384 --tokenizer vocabulary --max-length 128 \\
      --batch-tokens 16384 --bf16 --output-dir out
  bertlab pretrain texts.txt --config config.json --tokenizer bert-base-uncased --output-dir out
  bertlab pretrain ... --output-dir out --resume-from-checkpoint           after Ctrl-C or a crash
  bertlab fill-mask out/final_model \"This [MASK] is bad.\"
  bertlab train out/final_model --train-file labelled.csv --output-dir classifier

Texts: .txt (a text per line), .jsonl, .csv, .tsv, .parquet, patterns, or a folder of .txt files. They are read as a \
stream, tokenized once into DIR/corpus, and read from there block by block: memory does not grow with them. \
Texts stand end to end in blocks of --max-length tokens; a micro-batch holds as many blocks as --batch-tokens says. A part \
of the texts is held out, and loss and accuracy are measured on it.

Settings have HuggingFace's names. Here other defaults hold: learning_rate 5e-4 (--from: 5e-5), warmup_ratio 0.06, \
weight_decay 0.01, evaluations and checkpoints every tenth of the run, two checkpoints kept, the last state is the \
result. --dropout 0 suits small models that see their texts a few times.")]
pub struct Arguments {
    #[command(flatten)]
    corpus: CorpusArguments,
    /// Go on with this model: tiny, a folder, or a name on the hub
    #[arg(long, value_name = "MODEL", required_unless_present_any = ["shape", "config"])]
    #[arg(conflicts_with_all = ["shape", "config", "tokenizer"])]
    from: Option<String>,
    /// The model was trained on texts of N tokens: its positions after these begin as copies of the first N
    #[arg(long, value_name = "N", requires = "from")]
    repeat_positions: Option<usize>,
    /// A new BERT of LAYERSxWIDTH, such as 4x256: heads of width 64, an inner width of four widths
    #[arg(long, value_name = "LxD", conflicts_with = "config")]
    shape: Option<Shape>,
    /// A new model of the sizes that a config.json says
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The vocabulary of a new model: a folder, or a name on the hub [default: a new one of the texts]
    #[arg(long, value_name = "MODEL")]
    tokenizer: Option<String>,
    #[command(flatten)]
    vocabulary: VocabularyArguments,
    /// Tokens of a block [default: what the model takes, 512 at most]
    #[arg(long, value_name = "N", alias = "max-seq-length")]
    max_length: Option<usize>,
    /// Tokens of an update, all micro-batches together [default: 8192, unless a batch size is given]
    #[arg(long, value_name = "N", conflicts_with = "per_device_train_batch_size")]
    batch_tokens: Option<usize>,
    /// The part of the texts that is held out; 0 for none
    #[arg(long, value_name = "SHARE", default_value_t = 0.01)]
    validation_share: f64,
    /// Blocks that are evaluated on, at most
    #[arg(long, value_name = "N", default_value_t = 500)]
    max_eval_samples: usize,
    #[command(flatten)]
    masking: Flags<MaskingOptions>,
    /// Where everything is written
    #[arg(long, value_name = "DIR")]
    output_dir: PathBuf,
    /// Write over a run that lies there
    #[arg(long)]
    overwrite_output_dir: bool,
    /// Go on with the run in --output-dir, from its newest checkpoint or from this one
    #[arg(long, value_name = "CHECKPOINT", num_args = 0..=1, default_missing_value = "true")]
    #[arg(conflicts_with = "overwrite_output_dir")]
    resume_from_checkpoint: Option<String>,
    /// Print the summary as a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingFlags,
}

impl Arguments {
    fn job(self, global: &GlobalArguments) -> anyhow::Result<PretrainJob> {
        if !(0.0..1.0).contains(&self.validation_share) {
            bail!("validation_share is {}; wanted a number in [0, 1)", self.validation_share);
        }
        let has_batch_size = self.settings.given().has("per_device_train_batch_size");
        let vocabulary = self.vocabulary.options(self.max_length.unwrap_or(512).max(512));
        let shape = self.shape.or(self.config.map(Shape::Config));
        let start = match (self.from, shape) {
            (Some(model), _) => Start::From { model, repeat_positions: self.repeat_positions },
            (None, Some(shape)) => Start::New { shape, tokenizer: self.tokenizer, vocabulary },
            (None, None) => bail!("nothing to train: give --from MODEL, --shape 4x256 or --config FILE"),
        };
        let job = PretrainJob::new(start, self.corpus.files(), self.output_dir);
        Ok(PretrainJob {
            offline: global.offline,
            held_out_share: self.validation_share,
            max_eval_blocks: self.max_eval_samples,
            block_length: self.max_length,
            batch_tokens: self.batch_tokens.or(job.batch_tokens.filter(|_| !has_batch_size)),
            masking: *self.masking.0.values(),
            arguments: self.settings.given().over(job.arguments),
            overwrite_output_dir: self.overwrite_output_dir,
            resume: self.resume_from_checkpoint.map(Resume::from).unwrap_or_default(),
            ..job
        })
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let as_json = arguments.json;
    let job = arguments.job(global)?;
    // A new model is new as a whole; of a run that goes on, all weights come from its checkpoint.
    let tells_what_is_new = matches!(job.start, Start::From { .. }) && job.resume == Resume::No;
    let mut bar = ReadingBar::new(console);
    let mut prepared = job.prepare(&mut bar)?;
    bar.finish();
    if tells_what_is_new {
        console.report(&prepared.opened.report)?;
    }
    prepared.command = Some(command_line());
    if !as_json {
        print_preparation(console, &prepared)?;
        console.out.flush()?;
    }
    if prepared.evaluation.is_empty() {
        console.note(
            "no text is held out, so nothing is evaluated: --validation-share 0.1 would hold out a tenth",
        )?;
    }
    let stop = crate::stop::on_signals()?;
    let mut reporter = TerminalReporter::new(console, as_json, stop);
    let summary = prepared.train(&mut reporter);
    reporter.finish();
    let summarized = Summarized {
        summary: &summary?,
        labels: &[],
        tokens_per_epoch: prepared.corpus.train.n_tokens() as usize,
    };
    print_summary(console, summarized, as_json)
}

fn print_preparation(console: &mut Console, prepared: &PreparedPretraining) -> anyhow::Result<()> {
    let (model, corpus) = (&prepared.opened.model, &prepared.corpus);
    let encoder = &model.spec.encoder;
    let sizes = format!(
        "{} of {} layers of width {}, {} tokens, {} parameters",
        model.family.class_name(model.spec.head.kind),
        encoder.n_layers,
        encoder.width,
        grouped(encoder.vocab_size),
        grouped(model.params().n_parameters())
    );
    print_line(console, "model", &sizes)?;
    let counts = corpus.counts;
    let texts = format!(
        "{}, {} tokens ({:.2} % unknown), of which {} held out{}",
        counted(counts.n_texts as usize, "text"),
        grouped(counts.n_tokens as usize),
        100.0 * counts.n_unknown as f64 / counts.n_tokens.max(1) as f64,
        counted(counts.n_held_out as usize, "text"),
        if corpus.was_there { "; tokenized before" } else { "" }
    );
    print_line(console, "texts", &texts)?;
    let blocks = |n_blocks| format!("{} of {} tokens", counted(n_blocks, "block"), corpus.train.length());
    print_line(console, "training", &blocks(corpus.train.len()))?;
    if !prepared.evaluation.is_empty() {
        print_line(console, "held out", &blocks(prepared.evaluation.len()))?;
    }
    print_line(console, "hidden", &masked_lm::masking_in_words(prepared.masking.options()))?;
    let plan = plan_in_words(console, &prepared.plan());
    print_line(console, "plan", &plan)
}
