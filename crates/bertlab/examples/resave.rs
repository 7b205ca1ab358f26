//! Opens a checkpoint and saves it again: old names, pickles, shards and f16 become one model.safetensors.
//!
//! `cargo run --example resave -- FROM TO`

use std::path::Path;

use bertlab::{ModelOptions, open_model, save_pretrained};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let [from, to] = std::env::args().skip(1).collect::<Vec<_>>().try_into().map_err(|_| "resave FROM TO")?;
    let opened = open_model(&from, &ModelOptions::default())?;
    save_pretrained(Path::new(&to), &opened.model, opened.tokenizer().ok())?;
    Ok(())
}
