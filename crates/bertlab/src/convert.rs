//! A checkpoint as another one: whatever it was read from becomes config.json, model.safetensors and a tokenizer.

use std::path::Path;

use bertlab_checkpoint::{Dtype, atomic};
use bertlab_model::{LoadReport, OpenOptions, write_pretrained_as};

use crate::{Error, ModelOptions, open_model, sentence};

/// What became of a checkpoint.
#[derive(Clone, Debug)]
pub struct Converted {
    /// HuggingFace's class: `BertForMaskedLM`
    pub class_name: String,
    /// Numbers in all weights.
    pub n_parameters: usize,
    /// Bytes of model.safetensors.
    pub n_bytes: u64,
    /// Which weights came from where.
    pub report: LoadReport,
}

/// Opens a model with the head that its config names, and saves it with weights of type `dtype`. What the folder holds
/// for sentence-transformers goes along.
///
/// # Errors
/// A model that cannot be opened; a folder that is there already, or cannot be written.
///
/// # Panics
/// When `dtype` is a type of integers or booleans.
pub fn convert(model: &str, offline: bool, dtype: Dtype, output_dir: &Path) -> Result<Converted, Error> {
    if output_dir.exists() {
        return Err(Error::FolderIsThere { folder: output_dir.to_path_buf() });
    }
    let options = ModelOptions { open: OpenOptions::default(), offline };
    let opened = open_model(model, &options)?;
    atomic::write_folder(output_dir, |staging| -> Result<(), Error> {
        // Without a tokenizer a model still has its weights.
        write_pretrained_as(staging, &opened.model, opened.tokenizer().ok(), dtype)?;
        for name in sentence::files() {
            if let Ok(contents) = std::fs::read(opened.folder.join(name)) {
                atomic::make_folder_of(&staging.join(name))?;
                atomic::write_file(&staging.join(name), &contents)?;
            }
        }
        Ok(())
    })?;
    let weights = output_dir.join("model.safetensors");
    Ok(Converted {
        class_name: opened.model.family.class_name(opened.model.spec.head.kind),
        n_parameters: opened.model.params().n_parameters(),
        n_bytes: std::fs::metadata(&weights).map_or(0, |metadata| metadata.len()),
        report: opened.report,
    })
}
