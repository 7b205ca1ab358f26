//! Tokenization against the reference, and settings of a folder.

mod folder_settings;
mod keep;
mod new_vocabulary;
mod reference_cases;
mod small_vocabulary;
mod words;
