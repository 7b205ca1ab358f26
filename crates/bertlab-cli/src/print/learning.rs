//! What of a model learns in a training run, and how fast.

use bertlab::PreparedTraining;
use bertlab::train::TrainingArguments;

use super::numbers::{counted, grouped};
use super::training::print_line;
use super::{Console, style};

/// How many weights learn, where something is frozen, and at which rates, where layers differ.
pub fn print(console: &mut Console, prepared: &PreparedTraining) -> anyhow::Result<()> {
    let (model, arguments) = (&prepared.opened.model, prepared.arguments());
    let n_layers = model.spec.encoder.n_layers;
    if let Some(frozen) = frozen_words(arguments, n_layers) {
        let figure = console.style(style::FIGURE);
        let (n_trained, n_all) = (grouped(model.n_trained()), grouped(model.params().n_parameters()));
        print_line(
            console,
            "learns",
            &format!("{figure}{n_trained}{figure:#} of {n_all} weights; frozen: {frozen}"),
        )?;
        if !arguments.freeze_embeddings {
            console.note(
                "the embeddings below the frozen layers learn: the backward pass goes through those all the same. \
                 --freeze-embeddings saves that time",
            )?;
        }
    }
    if arguments.layerwise_lr_decay < 1.0 {
        print_line(console, "rates", &rates(arguments, n_layers))?;
    }
    if let Some(weights) = &prepared.class_weights {
        print_line(console, "weights", &weight_list(&model.spec.head.labels, weights))?;
    }
    Ok(())
}

/// `the embeddings and the lowest 4 of 6 layers`
fn frozen_words(arguments: &TrainingArguments, n_layers: usize) -> Option<String> {
    let layers = match arguments.freeze_layers {
        0 => None,
        n if n == n_layers => Some(format!("all {}", counted(n_layers, "layer"))),
        n => Some(format!("the lowest {n} of {}", counted(n_layers, "layer"))),
    };
    let parts: Vec<String> =
        arguments.freeze_embeddings.then(|| "the embeddings".to_owned()).into_iter().chain(layers).collect();
    (!parts.is_empty()).then(|| parts.join(" and "))
}

/// `negative 0.67, positive 2`
fn weight_list(names: &[String], weights: &[f32]) -> String {
    const SHOWN: usize = 16;
    let named = names.iter().zip(weights).take(SHOWN);
    let mut words: Vec<String> = named.map(|(name, weight)| format!("{name} {weight:.4}")).collect();
    if names.len() > SHOWN {
        words.push(format!("{} more classes", names.len() - SHOWN));
    }
    format!("in the loss: {}", words.join(", "))
}

/// Of the top, the lowest layer and the embeddings.
fn rates(arguments: &TrainingArguments, n_layers: usize) -> String {
    let rate = |n_below_top: usize| {
        format!("{:.2e}", arguments.learning_rate * arguments.layerwise_lr_decay.powi(n_below_top as i32))
    };
    format!(
        "at most {} in the head and the top layer, {} in the lowest, {} in the embeddings",
        rate(0),
        rate(n_layers.saturating_sub(1)),
        rate(n_layers)
    )
}
