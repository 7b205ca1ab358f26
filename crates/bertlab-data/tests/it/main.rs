//! Data files as they come: read, refused in words, sampled, tokenized, cached.

mod cache;
mod data_conll;
mod data_delimited;
mod data_files;
mod data_json;
mod data_labels;
mod data_parquet;
mod data_sample;
mod data_shared;
mod data_stream;
mod data_text;
mod masked_rows;
mod preflight_shared;
