//! What a model is made of, how it cuts a text, and what it expects.
//!
//! `cargo run --release --example look_inside -- [MODEL]`

use bertlab::explore::{fill_mask, summary, tensor_stats};
use bertlab::{EncodeOptions, HeadChoice, HeadKind, ModelOptions, OpenOptions, TextInput, open_model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "tiny".to_owned());
    let open = OpenOptions { head: HeadChoice::Kind(HeadKind::MaskedLm), ..OpenOptions::default() };
    let opened = open_model(&name, &ModelOptions { open, ..ModelOptions::default() })?;

    let found = summary(&opened.model);
    println!(
        "{}: {} layers of width {}, {} parameters",
        found.class, found.n_layers, found.width, found.n_parameters
    );
    println!("{}", opened.model.module_tree().to_pytorch_text());
    let (weight, _) =
        opened.model.named_tensors().into_iter().find(|(name, _)| name.contains("q")).ok_or("no query")?;
    let stats = tensor_stats(&opened.model, &weight, 1)?;
    println!("{weight} {:?}: mean {:.4}, standard deviation {:.4}\n", stats.shape, stats.mean, stats.std);

    let tokenizer = opened.tokenizer()?;
    let encoding = tokenizer.encode(&TextInput::from("I watched it twice!"), &EncodeOptions::default())?;
    println!("{:?}\n{:?}\n", encoding.tokens, encoding.input_ids);

    for place in fill_mask(&opened.model, tokenizer, "This movie was really [MASK].", 5)? {
        for candidate in place.candidates {
            println!("{:5.1} %  {}", 100.0 * candidate.score, candidate.sequence);
        }
    }
    Ok(())
}
