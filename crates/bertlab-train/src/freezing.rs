//! What of a model stays as it is while the rest learns.

use crate::arguments::TrainingArguments;
use crate::error::TrainError;
use bertlab_model::{Frozen, Spec};

/// What the settings freeze in a model of this shape.
///
/// # Errors
/// More layers than there are.
pub fn frozen(arguments: &TrainingArguments, spec: &Spec) -> Result<Frozen, TrainError> {
    let (n_asked, n_layers) = (arguments.freeze_layers, spec.encoder.n_layers);
    if n_asked > n_layers {
        let wanted = format!("at most {n_layers}, the layers of this model");
        return Err(TrainError::Setting { name: "freeze_layers", found: n_asked.to_string(), wanted });
    }
    Ok(Frozen { embeddings: arguments.freeze_embeddings, n_layers: n_asked })
}
