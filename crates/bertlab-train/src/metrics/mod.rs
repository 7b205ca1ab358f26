//! Metrics over slices, one file per family. A value that has no meaning is `None`, never NaN.

pub mod auroc;
pub mod bootstrap;
pub mod calibration;
pub mod classification;
pub mod entities;
pub mod interval;
pub mod multilabel;
pub mod perplexity;
pub mod probability;
pub mod regression;
pub mod tagging;

pub use bertlab_data::tags;

/// A figure with its name in logs and in `metric_for_best_model`; none where it has no meaning.
pub type Figure = (&'static str, Option<f64>);

/// Whether less of a figure is better: errors and losses, by their names.
pub fn is_error(name: &str) -> bool {
    const ERRORS: [&str; 6] = ["mse", "rmse", "mae", "brier", "expected_calibration_error", "hamming_loss"];
    name.ends_with("loss") || name.ends_with("perplexity") || ERRORS.contains(&name)
}
