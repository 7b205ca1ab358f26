//! A masked language model goes on learning from plain texts.
//!
//! `cargo run --release --example pretrain -- [TEXTS [OUTPUT]]`

use bertlab::progress::NoProgress;
use bertlab::train::{Silent, TrainingArguments};
use bertlab::{PretrainJob, Start, TextFiles};

const REVIEWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/reviews/train.csv");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let texts = words.next().unwrap_or_else(|| REVIEWS.to_owned());
    let output = words.next().unwrap_or_else(|| "further".to_owned());
    let start = Start::From { model: "tiny".to_owned(), repeat_positions: None };
    let texts = TextFiles { files: vec![texts.into()], ..TextFiles::default() };
    let job = PretrainJob {
        held_out_share: 0.1,
        block_length: Some(128),
        batch_tokens: Some(1024),
        arguments: TrainingArguments { num_train_epochs: 1.0, ..TrainingArguments::default() },
        ..PretrainJob::new(start, texts, output)
    };

    let mut prepared = job.prepare(&NoProgress)?;
    println!("{} blocks, {} updates", prepared.corpus.train.len(), prepared.plan().n_steps);
    let summary = prepared.train(&mut Silent)?;
    for (name, value) in summary.evaluation.iter().flat_map(|evaluation| evaluation.main_metrics()) {
        println!("{name}: {}", value.map_or("undefined".to_owned(), |value| format!("{value:.4}")));
    }
    println!("{}", summary.final_model.display());
    Ok(())
}
