//! The weights in which a model differs from the one that it was trained from, in a file of their own.
//!
//! `cargo run --release --example difference -- BASE MODEL OUT.safetensors`

use std::collections::HashMap;
use std::path::Path;

use bertlab::{read_safetensors, write_safetensors};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words = std::env::args().skip(1).collect::<Vec<_>>();
    let [base, model, out] = words.try_into().map_err(|_| "difference BASE MODEL OUT.safetensors")?;
    let read = |folder: &str| read_safetensors(&Path::new(folder).join("model.safetensors"));
    let base: HashMap<_, _> = read(&base)?.into_iter().map(|array| (array.name.clone(), array)).collect();
    let mut arrays = read(&model)?;
    let n_all = arrays.len();
    arrays.retain(|array| base.get(&array.name).is_none_or(|of_base| of_base.bytes[..] != array.bytes[..]));
    println!("{} of {n_all} tensors differ", arrays.len());
    Ok(write_safetensors(Path::new(&out), &arrays, &[("format".to_owned(), "pt".to_owned())])?)
}
