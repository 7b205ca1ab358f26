//! `bertlab` alone: what it can do, by task.

use std::io::Write;

use crate::print::{Console, style};

const TASKS: [(&str, &str); 10] = [
    ("Walk through the lab", "bertlab lab MODEL"),
    ("Look into a model", "bertlab inspect MODEL --tree"),
    ("See how text becomes tokens", "bertlab tokenize MODEL \"I have a new CPU!\""),
    ("Turn texts into vectors", "bertlab embed MODEL \"A new CPU!\" \"A new GPU!\""),
    ("Compare words in context", "bertlab words MODEL --sentence TEXT --word CPU GPU"),
    ("Guess a hidden word", "bertlab fill-mask MODEL \"My name is [MASK].\""),
    ("Fine-tune a classifier", "bertlab train MODEL --train-file FILE --output-dir DIR"),
    ("Score a classifier", "bertlab evaluate MODEL --test-file FILE"),
    ("Classify texts", "bertlab predict MODEL \"What a film!\""),
    ("Run arrays through a model", "bertlab forward MODEL --inputs FILE --outputs FILE"),
];

/// Prints the overview.
pub fn run(console: &mut Console) -> anyhow::Result<()> {
    let (heading, dim) = (console.style(style::HEADING), console.style(style::DIM));
    let out = &mut console.out;
    writeln!(
        out,
        "{heading}bertlab{heading:#} looks into BERT-family encoders, embeds, fine-tunes and evaluates\n"
    )?;
    for (task, example) in TASKS {
        writeln!(out, "  {task:<29}{dim}{example}{dim:#}")?;
    }
    writeln!(out, "\nMODEL is a folder, or a name on the hub such as bert-base-uncased.")?;
    writeln!(out, "Each command explains itself: bertlab COMMAND --help")?;
    Ok(())
}
