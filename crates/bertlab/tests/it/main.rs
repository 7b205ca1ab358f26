//! Whole workflows: opening, embedding, training, resuming, against the reference and bit by bit.

mod examples;
mod freezing;
mod golden;
#[path = "../../../bertlab-model/tests/it/goldens.rs"]
mod goldens;
mod law;
mod masked_lm;
mod pretraining;
mod resume;
mod resume_huggingface;
mod saved_models;
mod strategies;
mod support;
mod trainer_state;
mod training;
