//! Masks, metrics and settings against the programs that they agree with.

mod masking;
mod metrics_goldens;
mod metrics_undefined;
mod settings;
mod support;
mod tagging_goldens;
