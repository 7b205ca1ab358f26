//! Vectors of texts and of a word in its context, and their cosines.
//!
//! `cargo run --release --example vectors -- [MODEL]`

use bertlab::explore::{Embedding, WordOptions, cosine, cosine_matrix, word_vectors};
use bertlab::progress::NoProgress;
use bertlab::{EmbedRequest, ModelOptions, TextInput, open_model};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "tiny".to_owned());
    let opened = open_model(&name, &ModelOptions::default())?;

    let texts = ["A moving film.", "I was in tears.", "The projector broke."];
    let recipe = opened.embed_recipe(&EmbedRequest::default())?;
    let embedded = opened.embed(&texts.map(TextInput::from), &recipe, &NoProgress)?;
    let mut vectors: Vec<&[f32]> = Vec::new();
    for embedding in &embedded.embeddings {
        if let Embedding::Vector(vector) = embedding {
            vectors.push(vector);
        }
    }
    for (text, row) in texts.iter().zip(cosine_matrix(&vectors)) {
        let cosines: Vec<String> =
            row.iter().map(|cosine| format!("{:6.3}", cosine.unwrap_or(f32::NAN))).collect();
        println!("{text:<22}{}", cosines.join(" "));
    }

    let sentences = ["A cold drink.", "A cold reply."].map(str::to_owned);
    let words = ["cold@1".parse()?, "cold@2".parse()?];
    let found =
        word_vectors(&opened.model, opened.tokenizer()?, &sentences, &words, &WordOptions::default())?;
    println!(
        "cold drink ~ cold reply: {:.3}",
        cosine(&found[0].vector, &found[1].vector).unwrap_or(f32::NAN)
    );
    Ok(())
}
