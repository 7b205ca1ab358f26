//! Text to token ids and back, on the tokenizers crate.
