//! What happened when a checkpoint was opened, in words.

use crate::finite::NonFiniteWeight;
use std::path::PathBuf;

/// Which weights came from where.
#[derive(Clone, Debug, Default)]
pub struct LoadReport {
    /// The checkpoint.
    pub folder: PathBuf,
    /// The weights' file format, in words; none when there are none.
    pub format: Option<String>,
    /// Element types of the weights in the file: `F32`.
    pub dtypes: Vec<String>,
    /// Bytes of all tensors in the file.
    pub n_bytes: usize,
    /// Newly initialised: not in the file.
    pub new: Vec<String>,
    /// Newly initialised: in the file with another shape.
    pub reshaped: Vec<String>,
    /// Newly initialised, as a new head was wanted: in the file with the same shape.
    pub replaced: Vec<String>,
    /// In the file, but this model has no place for it.
    pub unused: Vec<String>,
    /// In the file, but computed (position_ids) or another name of a weight (tied decoders).
    pub redundant: Vec<String>,
    /// Labels whose names config.json gives to more than one id, as they are told apart here.
    pub renamed_labels: Vec<String>,
    /// How many weights had names of old (LayerNorm.gamma and beta).
    pub n_old_names: usize,
    /// The seed of new weights.
    pub seed: u64,
    /// A weight that is NaN or infinite: the model can be looked at, its outputs mean nothing.
    pub non_finite: Option<NonFiniteWeight>,
}

impl LoadReport {
    /// Whether every weight came from the file and nothing was left over.
    pub fn is_clean(&self) -> bool {
        let lists = [&self.new, &self.reshaped, &self.replaced, &self.unused];
        lists.into_iter().all(Vec::is_empty) && self.non_finite.is_none()
    }

    /// What a user should know, a sentence each.
    pub fn messages(&self) -> Vec<String> {
        let mut messages = Vec::new();
        if self.format.is_none() {
            messages.push(format!(
                "{} holds no weights: all of them are random (seed {}), so every output is meaningless; only sizes and speed are real",
                self.folder.display(),
                self.seed
            ));
        } else if !self.new.is_empty() {
            messages.push(format!(
                "newly initialised, not in the checkpoint (seed {}): {}. Outputs that use them mean nothing before training",
                self.seed,
                listed(&self.new)
            ));
        }
        if !self.reshaped.is_empty() {
            messages.push(format!(
                "newly initialised, because the checkpoint's have another shape (seed {}): {}",
                self.seed,
                listed(&self.reshaped)
            ));
        }
        if !self.replaced.is_empty() {
            messages.push(format!(
                "newly initialised, in place of the checkpoint's, as the head is new (seed {}): {}",
                self.seed,
                listed(&self.replaced)
            ));
        }
        if !self.renamed_labels.is_empty() {
            messages.push(format!(
                "id2label of config.json gives several ids the same name; here they are {}",
                self.renamed_labels.join(", ")
            ));
        }
        if !self.unused.is_empty() {
            messages.push(format!(
                "in the checkpoint, but not part of this model (left out): {}",
                listed(&self.unused)
            ));
        }
        if let Some(weight) = &self.non_finite {
            messages.push(format!("the weights are damaged: {weight}. Every output would mean nothing"));
        }
        messages
    }
}

/// The first few names, and how many more.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 3;
    let mut text = names[..names.len().min(SHOWN)].join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}
