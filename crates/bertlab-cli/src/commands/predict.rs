//! `bertlab predict`: what a classifier says about texts.

use std::io::Write;

use bertlab::settings::TruncationSettings;
use bertlab::{
    HeadKind, ModelOptions, OpenOptions, OpenedModel, Prediction, TextInput, WordPredictions, open_trained,
};
use serde_json::{Map, Value, json};

use crate::args::{DtypeArguments, GlobalArguments, TextArguments};
use crate::flags::Flags;
use crate::print::prose::fill;
use crate::print::{Console, style};

/// Classify texts
#[derive(clap::Args)]
#[command(after_help = "EXAMPLES
  bertlab predict out/final_model \"The movie was unbelievably good!\" \"What a waste of time.\"
  bertlab predict out/final_model --input reviews.txt --json > answers.jsonl
  bertlab predict out/final_model --input 'part-*.txt' --encoding windows-1252
  bertlab predict ner/final_model \"Angela Merkel spoke to the U.N. in New York.\"

--json: a line per text with text, label, score and scores (one label), labels and scores (several labels),
values (regression), or words and entities (token classification: plain text is split into words, those of CoNLL files and of
lists in .jsonl and .parquet stay as they are; start and end count characters).")]
pub struct Arguments {
    /// tiny, a folder, or a name on the hub
    #[arg(value_name = "MODEL")]
    model: String,
    #[command(flatten)]
    texts: TextArguments,
    #[command(flatten)]
    truncation: Flags<TruncationSettings>,
    #[command(flatten)]
    dtype: DtypeArguments,
    /// Print a JSON object per text
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub fn run(arguments: Arguments, global: &GlobalArguments, console: &mut Console) -> anyhow::Result<()> {
    let open = OpenOptions { dtype: arguments.dtype.dtype, ..OpenOptions::default() };
    let options = ModelOptions { open, offline: global.offline };
    let mut opened = open_trained(&arguments.model, &options, "predict")?;
    console.report(&opened.report)?;
    opened.set_keep(arguments.truncation.0.values().keep()?)?;
    let (texts, predictions, n_cut) = predict(&arguments, &opened, console)?;
    if n_cut > 0 {
        console.warn(format!(
            "{n_cut} of {} texts were longer than {} tokens and were cut",
            texts.len(),
            opened.max_tokens()?
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

/// The texts, what the model says about each, and how many were cut. A token classifier takes the words of a file as they are.
fn predict(
    arguments: &Arguments,
    opened: &OpenedModel,
    console: &mut Console,
) -> anyhow::Result<(Vec<TextInput>, Vec<Prediction>, usize)> {
    let is_tagger = opened.model.spec.head.kind == HeadKind::TokenClassification;
    let sentences = if is_tagger { arguments.texts.read_sentences() } else { None };
    let Some(sentences) = sentences else {
        let texts = arguments.texts.read(console)?;
        let (predictions, n_cut) = opened.predict(&texts, &**console.bars())?;
        return Ok((texts, predictions, n_cut));
    };
    let texts = sentences.iter().map(|words| TextInput::from(words.join(" "))).collect();
    let (found, n_cut) = opened.predict_words(&sentences, &**console.bars())?;
    Ok((texts, found.into_iter().map(Prediction::Words).collect(), n_cut))
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
        Prediction::Words(found) => {
            let word = |word: &bertlab::WordLabel| {
                json!({
                    "word": word.word, "label": word.id.map(|id| &labels[id]), "score": word.probability,
                    "start": word.span.0, "end": word.span.1,
                })
            };
            let entity = |entity: &bertlab::PredictedEntity| {
                json!({
                    "type": entity.kind, "text": entity.text, "score": entity.probability,
                    "start": entity.span.0, "end": entity.span.1,
                })
            };
            object.insert("words".to_owned(), found.words.iter().map(word).collect());
            object.insert("entities".to_owned(), found.entities.iter().map(entity).collect());
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
        Prediction::Words(found) => return print_words(console, found, labels),
    }
    writeln!(console.out, "  {dim}{}{dim:#}", shortened(console, &text.text))?;
    Ok(())
}

/// The words with their labels, without "O"; below them every entity.
fn print_words(console: &mut Console, found: &WordPredictions, labels: &[String]) -> anyhow::Result<()> {
    let (figure, dim) = (console.style(style::FIGURE), console.style(style::DIM));
    let labelled = |word: &bertlab::WordLabel| {
        let label = word.id.map_or("?", |id| labels[id].as_str());
        match label {
            "O" => word.word.clone(),
            label => format!("{figure}{}{figure:#} {dim}[{label}]{dim:#}", word.word),
        }
    };
    let words: Vec<String> = found.words.iter().map(labelled).collect();
    for line in fill(words, " ", console.width()) {
        writeln!(console.out, "{line}")?;
    }
    for entity in &found.entities {
        let percent = 100.0 * entity.probability;
        writeln!(console.out, "  {figure}{:<6}{figure:#} {percent:5.1} %  {}", entity.kind, entity.text)?;
    }
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
