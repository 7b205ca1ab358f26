//! How good a classifier is: beside the answer that needs no model, and with its uncertainty.
//!
//! `cargo run --release --example evaluate -- MODEL [TEST.csv]`

use bertlab::progress::NoProgress;
use bertlab::train::Scores;
use bertlab::{ModelOptions, RowsRequest, TextOptions, open_trained};

const REVIEWS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../assets/reviews/test.csv");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let model = words.next().ok_or("give the folder of a classifier, as examples/fine_tune.rs leaves one")?;
    let rows = RowsRequest::of_files([words.next().unwrap_or_else(|| REVIEWS.to_owned())]);

    let opened = open_trained(&model, &ModelOptions::default(), "an evaluation")?;
    let evaluated = opened.evaluate(&rows, &TextOptions::default(), &NoProgress)?;
    let Scores::Classification(scores) = &evaluated.evaluation.scores else {
        return Err("this example is about classes".into());
    };
    let interval = scores.accuracy_interval;
    println!(
        "accuracy {:.1} % (95 %: {:.1} to {:.1}) of {} rows; always the commonest label: {:.1} %",
        100.0 * scores.accuracy,
        100.0 * interval.low,
        100.0 * interval.high,
        scores.n_rows,
        100.0 * scores.majority_baseline.share
    );
    if interval.low <= scores.majority_baseline.share {
        println!("not shown to be better than that");
    }
    Ok(())
}
