//! Slots say of every weight what HuggingFace's Trainer reads from its name.

use bertlab_model::{Place, Role};

use crate::goldens::{name_of, own_goldens};
use crate::rows::opened;

/// The Trainer's patterns for weights that do not decay: biases and norms.
fn is_kept(name: &str) -> bool {
    let name = name.to_lowercase();
    let is_norm = |part: &str| part == "norm" || part.ends_with("_norm") || part.contains("layernorm");
    name.contains("bias") || name.split('.').any(is_norm)
}

#[test]
fn weights_decay_as_the_trainer_decides_by_their_names() {
    for folder in own_goldens("checkpoints") {
        let model = opened(&folder);
        for weight in model.params().weights() {
            let (slot, name) = (weight.slot(), model.name_of(&weight.slot().name));
            assert_eq!(slot.decays(), !is_kept(&name), "{}: {name}", name_of(&folder));
            assert_eq!(slot.shape, weight.shape(), "{}: {name}", name_of(&folder));
        }
    }
}

#[test]
fn weights_stand_where_their_names_say() {
    for folder in own_goldens("checkpoints") {
        let model = opened(&folder);
        let mut places: Vec<Place> = Vec::new();
        for weight in model.params().weights() {
            let (slot, name) = (weight.slot(), model.name_of(&weight.slot().name));
            let number = name.split('.').find_map(|part| part.parse().ok());
            let in_layer = match slot.place {
                Place::Layer(index) => Some(index),
                _ => None,
            };
            assert_eq!(in_layer, number, "{name}");
            assert_eq!(slot.place == Place::Embeddings, name.contains("embeddings."), "{name}");
            assert_eq!(
                slot.role == Role::WordTable,
                name.contains("tok_embed") || name.contains("word_embed")
            );
            places.push(slot.place);
        }
        assert!(places.is_sorted(), "{}: from the bottom up", name_of(&folder));
    }
}
