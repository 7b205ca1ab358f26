//! A classifier of one's own texts.
//!
//! `cargo run --release --example fine_tune -- [TRAIN.csv [OUTPUT]]`

use bertlab::progress::NoProgress;
use bertlab::train::{Silent, TrainingArguments};
use bertlab::{ModelOptions, Prediction, RowsRequest, TextInput, TrainJob, open_trained};

const REVIEWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/reviews/train.csv");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let train = words.next().unwrap_or_else(|| REVIEWS.to_owned());
    let output = words.next().unwrap_or_else(|| "fine-tuned".to_owned());
    let arguments =
        TrainingArguments { learning_rate: 1.5e-4, num_train_epochs: 4.0, ..TrainingArguments::default() };
    let job = TrainJob { arguments, ..TrainJob::new("tiny", RowsRequest::of_files([train]), output) };

    let mut prepared = job.prepare(&NoProgress)?;
    println!("{} rows, {} updates", prepared.train.examples.len(), prepared.plan().n_steps);
    let summary = prepared.train(&mut Silent)?;
    println!("mean training loss {:.4}", summary.train_loss);
    for (name, value) in summary.evaluation.iter().flat_map(|evaluation| evaluation.main_metrics()) {
        println!("{name}: {}", value.map_or("undefined".to_owned(), |value| format!("{value:.4}")));
    }

    let folder = summary.final_model.to_string_lossy();
    let trained = open_trained(&folder, &ModelOptions::default(), "predictions")?;
    let text = TextInput::from("A warm, funny and beautifully acted film.");
    let (predictions, _) = trained.predict(&[text], &NoProgress)?;
    if let Prediction::Label { id, probabilities } = &predictions[0] {
        println!("{} ({:.1} %)", trained.model.spec.head.labels[*id], 100.0 * probabilities[*id]);
    }
    Ok(())
}
