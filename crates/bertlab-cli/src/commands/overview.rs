//! `bertlab` alone: what it can do, by task.

use std::io::Write;

use crate::print::{Console, style};

const TASKS: [(&str, &str); 9] = [
    ("The whole tour", "bertlab lab   or on another model: bertlab lab MODEL"),
    ("Look inside", "bertlab inspect MODEL --tree"),
    ("Text to tokens", "bertlab tokenize MODEL \"I have a new CPU!\""),
    ("Vectors of texts, of words", "bertlab embed --help   bertlab words --help"),
    ("Guess hidden words", "bertlab fill-mask MODEL \"My name is [MASK].\""),
    ("Fine-tune on your texts", "bertlab train MODEL --train-file FILE --output-dir D"),
    ("Evaluate, classify", "bertlab evaluate --help   bertlab predict --help"),
    ("Pretrain, new or further", "bertlab pretrain FILE --from MODEL --output-dir DIR"),
    ("How fast is it here", "bertlab bench MODEL   all commands: bertlab --help"),
];

/// Prints the overview: ten lines.
pub fn run(console: &mut Console) -> anyhow::Result<()> {
    let (heading, dim) = (console.style(style::HEADING), console.style(style::DIM));
    let out = &mut console.out;
    writeln!(
        out,
        "{heading}bertlab{heading:#}: BERT in Rust. MODEL: tiny, a folder, or a name (bert-base-uncased)"
    )?;
    for (task, example) in TASKS {
        writeln!(out, "{task:<28}{dim}{example}{dim:#}")?;
    }
    Ok(())
}
