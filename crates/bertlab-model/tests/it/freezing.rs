//! Law: what is frozen has no gradient, and changes none of the rest.

use bertlab_compute::Tensor;
use bertlab_model::{Batch, Frozen, Gradients, HeadGradient, Model, Params, Training};

use crate::goldens::{bits, name_of, own_goldens};
use crate::rows::{Rows, opened};

/// Nothing below the head learns; the embeddings alone are frozen; the layers above them are; one below learns.
const CASES: [Frozen; 4] = [
    Frozen { embeddings: true, n_layers: usize::MAX },
    Frozen { embeddings: true, n_layers: 0 },
    Frozen { embeddings: false, n_layers: usize::MAX },
    Frozen { embeddings: true, n_layers: 1 },
];

#[test]
fn what_is_not_frozen_has_the_same_gradients() {
    for folder in own_goldens("checkpoints") {
        let rows = Rows::of_golden(&folder);
        let model = |frozen: Frozen| {
            let mut model = opened(&folder);
            let n_layers = frozen.n_layers.min(model.spec.encoder.n_layers);
            model.freeze(Frozen { n_layers, ..frozen });
            model
        };
        let free = model(Frozen::default());
        let batch = rows.batch(&free);
        for frozen in CASES {
            for gradient_checkpointing in [false, true] {
                let training =
                    Training { dropout_key: Some(5), gradient_checkpointing, ..Training::default() };
                let all = gradients(&free, &batch, training);
                let some = gradients(&model(frozen), &batch, training);
                for (expected, found) in all.weights().into_iter().zip(some.weights()) {
                    let slot = expected.slot();
                    let what = format!("{}, {frozen:?}: {}", name_of(&folder), slot.name);
                    if frozen.holds(slot.place) {
                        assert!(found.as_slice().iter().all(|&x| x == 0.0), "{what}");
                    } else {
                        assert!(bits(expected) == bits(found), "{what}");
                    }
                }
            }
        }
    }
}

/// Of the sum of all that the model gives.
fn gradients(model: &Model, batch: &Batch, training: Training<'_>) -> Params {
    let (output, kept) = model.forward_keeping(batch, training);
    let ones = |tensor: Tensor| Tensor::from_vec(tensor.shape(), vec![1.0; tensor.len()]);
    let d = match output.logits {
        Some(logits) => HeadGradient {
            logits: Some(ones(logits)),
            relationship_logits: output.relationship_logits.map(ones),
            last_hidden_state: None,
        },
        None => {
            let shape = [batch.n_tokens(), model.spec.encoder.width];
            let ones = Tensor::from_vec(&shape, vec![1.0; shape[0] * shape[1]]);
            HeadGradient { last_hidden_state: Some(ones), ..HeadGradient::default() }
        }
    };
    let mut gradients = Gradients::new(model);
    gradients.begin(batch.input_ids().iter().copied());
    model.backward(d, batch, kept, &mut gradients);
    gradients.into_params()
}
