//! Data files to rows, labels and tokens: everything between a file on disk and what a model reads.
//!
//! [`read()`] turns CSV, TSV, JSON lines, Parquet, plain text, CoNLL and class folders into a [`Dataset`] of [`Record`]s without
//! interpreting a label; [`labels`] gives the labels their meaning ([`LabelSpace`], [`Target`]); [`mod@sample`] and
//! [`held_out`] choose rows; [`preflight`] reports what is wrong with them; [`Tokenization`] makes [`TokenRows`], kept in a
//! [`TokenCache`], and [`examples()`] makes [`Example`]s; a [`Corpus`] is tokens on disk. Every refusal is a [`DataError`]
//! that names file, row, reason and remedy.

mod blocks;
mod cache;
mod cell;
mod columns;
mod conll;
mod content;
mod corpus;
mod dataset;
mod delimited;
mod encoding;
mod error;
mod examples;
mod folder;
mod json;
mod layout;
mod parquet;
mod part;
mod paths;
mod read;
mod stream;
mod text;
mod tokenized;

pub mod counts;
pub mod held_out;
pub mod labels;
pub mod preflight;
pub mod sample;
pub mod tags;

pub use blocks::BlockCounts;
pub use cache::{CacheUse, TokenCache, user_cache};
pub use corpus::{Blocks, Corpus, CorpusCounts, CorpusRequest};
pub use dataset::{Columns, Dataset, Layout, RawLabel, Record, TagScheme};
pub use encoding::{Encoding, UnknownEncoding, decode};
pub use error::{DataError, Place};
pub use examples::{Example, Truncated, Word, batch, examples};
pub use labels::{
    LabelSpace, ProblemType, Target, WordLabels, becomes_iob2, infer_label_space, infer_word_labels,
    label_all_tokens, label_counts, targets, targets_by_row, token_targets, token_targets_by_row,
    word_targets, word_targets_by_row,
};
pub use layout::{Config, DatasetLayout, SplitFiles};
pub use paths::expand;
pub use read::{read, read_encoded};
pub use sample::{Sampling, sample, stratified_split};
pub use stream::TextFiles;
pub use tokenized::{Piece, TokenLength, TokenRow, TokenRows, Tokenization};
