//! `bertlab predict`: what a classifier says about texts.

use std::io::Write;

use bertlab::{ModelOptions, OpenOptions, Prediction, TextInput, open_trained};
use serde_json::{Map, Value, json};

use crate::args::{GlobalArguments, PrecisionArguments, TextArguments, TruncationArguments};
use crate::print::progress::bar;
use crate::print::{Console, style};

/// Classify texts
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab predict out/final_model \"The movie was unbelievably good!\" \"What a waste of time.\"
  bertlab predict out/final_model --input reviews.txt --json > answers.jsonl

--json: a line per text with text, label, score and scores (one label), labels and scores (several labels),
values (regression), or words (token classification).")]
pub struct Arguments {
    /// A folder, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    texts: TextArguments,
    #[command(flatten)]
    truncation: TruncationArguments,
    #[command(flatten)]
    precision: PrecisionArguments,
    /// Print a JSON object per text
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let texts = arguments.texts.read(console)?;
    let open = OpenOptions { precision: arguments.precision.dtype, ..OpenOptions::default() };
    let options = ModelOptions { open, offline: global.offline };
    let mut opened = open_trained(&arguments.model, &options, "predict")?;
    opened.set_keep(arguments.truncation.keep()?)?;
    let progress = bar(console, texts.len(), "texts");
    let (predictions, n_cut) = opened.predict(&texts, &mut |n_done| progress.set_position(n_done as u64))?;
    progress.finish_and_clear();
    if n_cut > 0 {
        console.warn(format!(
            "{n_cut} of {} texts were longer than the model takes and were cut",
            texts.len()
        ))?;
    }
    let labels = &opened.model.spec.head.labels;
    for (text, prediction) in texts.iter().zip(&predictions) {
        if arguments.json {
            console.json_line(&to_json(text, prediction, labels))?;
        } else {
            print(console, text, prediction, labels)?;
        }
    }
    Ok(())
}

fn to_json(text: &TextInput, prediction: &Prediction, labels: &[String]) -> Value {
    let mut object = Map::new();
    object.insert("text".to_owned(), json!(text.text));
    if let Some(pair) = &text.pair {
        object.insert("pair".to_owned(), json!(pair));
    }
    let scores = |probabilities: &[f32]| -> Value {
        labels
            .iter()
            .zip(probabilities)
            .map(|(label, p)| (label.clone(), json!(p)))
            .collect::<Map<_, _>>()
            .into()
    };
    match prediction {
        Prediction::Label { id, probabilities } => {
            object.insert("label".to_owned(), json!(labels[*id]));
            object.insert("score".to_owned(), json!(probabilities[*id]));
            object.insert("scores".to_owned(), scores(probabilities));
        }
        Prediction::Labels { probabilities } => {
            object.insert("labels".to_owned(), json!(above_half(probabilities, labels)));
            object.insert("scores".to_owned(), scores(probabilities));
        }
        Prediction::Values(values) => drop(object.insert("values".to_owned(), json!(values))),
        Prediction::Words(words) => {
            let word = |word: &bertlab::WordLabel| {
                json!({
                    "word": word.word, "label": labels[word.id], "score": word.probability,
                    "start": word.span.0, "end": word.span.1,
                })
            };
            object.insert("words".to_owned(), words.iter().map(word).collect());
        }
    }
    Value::Object(object)
}

fn above_half<'a>(probabilities: &[f32], labels: &'a [String]) -> Vec<&'a str> {
    labels.iter().zip(probabilities).filter(|&(_, &p)| p > 0.5).map(|(label, _)| label.as_str()).collect()
}

fn print(
    console: &mut Console,
    text: &TextInput,
    prediction: &Prediction,
    labels: &[String],
) -> anyhow::Result<()> {
    let (figure, dim) = (console.style(style::FIGURE), console.style(style::DIM));
    match prediction {
        Prediction::Label { id, probabilities } => {
            write!(console.out, "{figure}{}{figure:#} {:.1} %", labels[*id], 100.0 * probabilities[*id])?;
        }
        Prediction::Labels { probabilities } => {
            let chosen = above_half(probabilities, labels);
            let list = if chosen.is_empty() { "(no label)".to_owned() } else { chosen.join(", ") };
            write!(console.out, "{figure}{list}{figure:#}")?;
        }
        Prediction::Values(values) => {
            let values: Vec<String> = values.iter().map(|value| format!("{value:.4}")).collect();
            write!(console.out, "{figure}{}{figure:#}", values.join(", "))?;
        }
        Prediction::Words(words) => {
            for word in words {
                write!(console.out, "{} {dim}{}{dim:#}  ", word.word, labels[word.id])?;
            }
            writeln!(console.out)?;
            return Ok(());
        }
    }
    writeln!(console.out, "  {dim}{}{dim:#}", shortened(console, &text.text))?;
    Ok(())
}

/// The text's first line, as much as fits beside the answer.
fn shortened(console: &Console, text: &str) -> String {
    const ANSWER: usize = 24;
    let room = console.width().saturating_sub(ANSWER).max(20);
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= room {
        line.to_owned()
    } else {
        line.chars().take(room - 1).chain(['…']).collect()
    }
}
