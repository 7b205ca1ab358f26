//! T2 for a person.

use std::io::Write;

use bertlab_lab::{Baseline, LabWord, PAIRS, PaddedBatch, WordsTask};
use unicode_width::UnicodeWidthStr;

use super::{headline, paragraph, print_figure};
use crate::print::numbers::{counted, shape};
use crate::print::{Console, matrix, style, token_lines};

/// Columns of those.
const PAIR_WIDTH: usize = 14;

pub(super) fn print(console: &mut Console, task: &WordsTask) -> anyhow::Result<()> {
    headline(console, "T2  Words in context")?;
    print_tokens(console, task)?;
    print_padding(console, &task.padded)?;
    let [rows, places, width] = task.last_hidden_state;
    paragraph(
        console,
        &format!(
            "The model turns every token into a vector that depends on its whole sentence. All of them together, \
             last_hidden_state, are {}: {rows} sentences, {places} places (the longest sentence), {width} numbers each.",
            shape(&task.last_hidden_state)
        ),
    )?;
    print_words(console, &task.words)?;
    print_cosines(console, task)
}

fn print_tokens(console: &mut Console, task: &WordsTask) -> anyhow::Result<()> {
    paragraph(
        console,
        "The lab's four sentences. The tokenizer cuts each into pieces of its vocabulary and puts special tokens \
         around them; what is no whole word there becomes several pieces. Below each piece its id.",
    )?;
    for sentence in &task.sentences {
        token_lines::print(console, &sentence.encoding)?;
    }
    paragraph(
        console,
        &format!(
            "Decoding the first row of ids gives \"{}\", and the sentence was \"{}\": ids do not always keep case and spaces.",
            task.decoded, task.sentences[0].text
        ),
    )
}

fn print_padding(console: &mut Console, padded: &PaddedBatch) -> anyhow::Result<()> {
    let id = padded.pad_token_id.map_or_else(String::new, |id| format!(" (id {id})"));
    paragraph(
        console,
        &format!(
            "Most tools want a rectangle: shorter rows are filled up with a padding token{id}, and a mask says what is \
             real: 1 for a token, 0 for padding."
        ),
    )?;
    print_rectangles(console, padded)?;
    paragraph(
        console,
        &format!(
            "bertlab packs the rows end to end: {} instead of {} places, nothing is computed for padding, and no mask \
             can be forgotten.",
            counted(padded.n_tokens, "token"),
            padded.n_places
        ),
    )
}

/// The ids, padding dimmed, and below them the mask.
fn print_rectangles(console: &mut Console, padded: &PaddedBatch) -> anyhow::Result<()> {
    let ids: Vec<Vec<String>> =
        padded.input_ids.iter().map(|row| row.iter().map(u32::to_string).collect()).collect();
    let width = ids.iter().flatten().map(String::len).max().unwrap_or(0);
    let dim = console.style(style::DIM);
    for (row, mask) in ids.iter().zip(&padded.attention_mask) {
        for (id, &mask) in row.iter().zip(mask) {
            let style = if mask == 1 { anstyle::Style::new() } else { dim };
            write!(console.out, " {style}{id:>width$}{style:#}")?;
        }
        writeln!(console.out)?;
    }
    writeln!(console.out)?;
    for mask in &padded.attention_mask {
        let mask: Vec<String> = mask.iter().map(u32::to_string).collect();
        writeln!(console.out, "  {dim}{}{dim:#}", mask.join(" "))?;
    }
    Ok(writeln!(console.out)?)
}

fn print_words(console: &mut Console, words: &[LabWord]) -> anyhow::Result<()> {
    paragraph(
        console,
        "Four words, found by their letters and not by positions counted by eye. The lab's recipes differ: CPU is the \
         mean of its two occurrences, GPU the sum of all its pieces. A cosine does not see the length of a vector. Each \
         word with its sentences and pieces, all from the last layer:",
    )?;
    let places: Vec<String> = words.iter().map(places).collect();
    let width = places.iter().map(|places| places.width()).max().unwrap_or(0);
    let dim = console.style(style::DIM);
    for (word, places) in words.iter().zip(places) {
        let gap = " ".repeat(width - places.width());
        let recipe = word.recipe.split_once(": ").map_or(word.recipe.as_str(), |(_, recipe)| recipe);
        let recipe = recipe.strip_suffix(", layer -1").unwrap_or(recipe);
        writeln!(console.out, "  {:<8}{places}{gap}  {dim}{recipe}{dim:#}", word.word)?;
    }
    writeln!(console.out)?;
    let unknown: Vec<&str> =
        words.iter().filter(|word| !word.is_known).map(|word| word.word.as_str()).collect();
    if !unknown.is_empty() {
        console.warn(format!(
            "this tokenizer does not know {}: the cosines are of its token for unknown words",
            unknown.join(", ")
        ))?;
    }
    Ok(())
}

/// Sentences and pieces: `3 gp ##u, 4 gp ##u`
fn places(word: &LabWord) -> String {
    let place = |(sentence, pieces): &(usize, Vec<String>)| format!("{sentence} {}", pieces.join(" "));
    word.tokens.iter().map(place).collect::<Vec<_>>().join(", ")
}

fn print_cosines(console: &mut Console, task: &WordsTask) -> anyhow::Result<()> {
    writeln!(console.out, "Cosine similarity, 1 for the same direction:\n")?;
    for (pair, figure) in PAIRS.into_iter().zip(&task.cosines) {
        print_figure(console, pair, PAIR_WIDTH, figure)?;
    }
    print_baseline(console, &task.baseline)?;
    let labels: Vec<String> = task.words.iter().map(|word| word.word.clone()).collect();
    matrix::print(console, &labels, &task.matrix)?;
    Ok(writeln!(console.out)?)
}

fn print_baseline(console: &mut Console, baseline: &Baseline) -> anyhow::Result<()> {
    let Some(mean) = baseline.mean else { return Ok(writeln!(console.out)?) };
    let (figure, dim) = (console.style(style::FIGURE), console.style(style::DIM));
    writeln!(console.out, "  {dim}{:<PAIR_WIDTH$}  {dim:#}{figure}{mean:>9.6}{figure:#}\n", "baseline")?;
    paragraph(
        console,
        &format!(
            "The baseline is the mean over all {} of unlike tokens in these sentences. Raw cosines of BERT have a high \
             floor: compare them with it and with each other, not with 0.",
            counted(baseline.n_pairs, "pair")
        ),
    )
}
