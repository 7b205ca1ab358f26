//! `bertlab pretrain`: a masked language model of one's own texts, new or going on.

use std::io::Write;

use bertlab::settings::{
    CorpusSettings, EncodingSettings, PretrainJobSettings, PretrainSettings, VocabularySettings,
};
use bertlab::train::{MaskingOptions, Resume};
use bertlab::{PreparedPretraining, PretrainJob, Start};

use super::train::SettingFlags;
use crate::args::GlobalArguments;
use crate::flags::Flags;
use crate::print::live::TerminalReporter;
use crate::print::numbers::{counted, grouped};
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
    corpus: Flags<CorpusSettings>,
    #[command(flatten)]
    encoding: Flags<EncodingSettings>,
    #[command(flatten)]
    job: Flags<PretrainJobSettings>,
    #[command(flatten)]
    vocabulary: Flags<VocabularySettings>,
    #[command(flatten)]
    masking: Flags<MaskingOptions>,
    /// Print the summary as a JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    settings: SettingFlags,
}

impl Arguments {
    fn job(self, global: &GlobalArguments) -> Result<PretrainJob, bertlab::Error> {
        let settings = PretrainSettings {
            corpus: self.corpus.0,
            encoding: self.encoding.0,
            job: self.job.0,
            vocabulary: self.vocabulary.0,
            masking: self.masking.0,
            arguments: self.settings.given().clone(),
        };
        settings.job(global.offline)
    }
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let as_json = arguments.json;
    let job = arguments.job(global)?;
    // A new model is new as a whole; of a run that goes on, all weights come from its checkpoint.
    let tells_what_is_new = matches!(job.start, Start::From { .. }) && job.resume == Resume::No;
    let mut prepared = job.prepare(&**console.bars())?;
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
