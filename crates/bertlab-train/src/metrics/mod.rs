//! Metrics over slices, one file per family. A value that has no meaning is `None`, never NaN.

pub mod auroc;
pub mod classification;
pub mod interval;
pub mod multilabel;
pub mod perplexity;
pub mod regression;
