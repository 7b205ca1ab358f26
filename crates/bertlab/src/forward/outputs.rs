//! What a model gave, unpacked into padded arrays with HuggingFace's names.

use super::inputs::Inputs;
use bertlab_checkpoint::NamedArray;
use bertlab_compute::Tensor;
use bertlab_model::{HeadKind, Model, Output};

/// Every output that the model has.
pub(super) fn arrays(model: &Model, inputs: &Inputs, output: &Output) -> Vec<NamedArray> {
    let padded = Padded { inputs };
    let mut arrays = vec![padded.tokens("last_hidden_state", &output.encoder.last_hidden_state)];
    for (layer, state) in output.encoder.hidden_states.iter().flatten().enumerate() {
        arrays.push(padded.tokens(format!("hidden_states.{layer}"), state));
    }
    for (layer, maps) in output.encoder.attentions.iter().flatten().enumerate() {
        arrays.push(padded.maps(format!("attentions.{layer}"), maps, model.spec.encoder.n_heads));
    }
    arrays.extend(head_arrays(model, &padded, output));
    arrays
}

fn head_arrays(model: &Model, padded: &Padded<'_>, output: &Output) -> Vec<NamedArray> {
    let head = &output.head;
    let mut arrays = Vec::new();
    let rows =
        |name: &str, tensor: &Tensor| NamedArray::from_f32(name, tensor.shape(), tensor.as_slice().to_vec());
    match (model.spec.head.kind, &head.logits) {
        (HeadKind::None, _) => {
            arrays.extend(head.pooler_output.as_ref().map(|pooled| rows("pooler_output", pooled)))
        }
        (HeadKind::SequenceClassification, Some(logits)) => arrays.push(rows("logits", logits)),
        (HeadKind::QuestionAnswering, Some(logits)) => {
            arrays.push(padded.column("start_logits", logits, 0));
            arrays.push(padded.column("end_logits", logits, 1));
        }
        (HeadKind::PreTraining, Some(logits)) => arrays.push(padded.tokens("prediction_logits", logits)),
        (_, Some(logits)) => arrays.push(padded.tokens("logits", logits)),
        (_, None) => {}
    }
    arrays.extend(head.relationship_logits.as_ref().map(|logits| rows("seq_relationship_logits", logits)));
    arrays
}

/// Where each packed token stands in the padded matrix.
struct Padded<'a> {
    inputs: &'a Inputs,
}

impl Padded<'_> {
    /// (row, column) of every packed token, in order.
    fn places(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        let rows = self.inputs.columns.iter().enumerate();
        rows.flat_map(|(row, columns)| columns.iter().map(move |&column| (row, column)))
    }

    /// `[T, D]` to `[B, S, D]`
    fn tokens(&self, name: impl Into<String>, packed: &Tensor) -> NamedArray {
        let (n_rows, n_columns, width) = (self.inputs.columns.len(), self.inputs.n_columns, packed.width());
        let mut data = vec![0.0; n_rows * n_columns * width];
        for (token, (row, column)) in self.places().enumerate() {
            let start = (row * n_columns + column) * width;
            data[start..start + width].copy_from_slice(packed.row(token));
        }
        NamedArray::from_f32(name, vec![n_rows, n_columns, width], data)
    }

    /// One column of `[T, C]` to `[B, S]`
    fn column(&self, name: &str, packed: &Tensor, index: usize) -> NamedArray {
        let (n_rows, n_columns) = (self.inputs.columns.len(), self.inputs.n_columns);
        let mut data = vec![0.0; n_rows * n_columns];
        for (token, (row, column)) in self.places().enumerate() {
            data[row * n_columns + column] = packed.row(token)[index];
        }
        NamedArray::from_f32(name, vec![n_rows, n_columns], data)
    }

    /// `[H, s, s]` of every row to `[B, H, S, S]`
    fn maps(&self, name: String, maps: &[Tensor], n_heads: usize) -> NamedArray {
        let (n_rows, n_columns) = (self.inputs.columns.len(), self.inputs.n_columns);
        let mut data = vec![0.0; n_rows * n_heads * n_columns * n_columns];
        for (row, (map, columns)) in maps.iter().zip(&self.inputs.columns).enumerate() {
            let s = columns.len();
            for head in 0..n_heads {
                for (i, &query) in columns.iter().enumerate() {
                    let to = ((row * n_heads + head) * n_columns + query) * n_columns;
                    let from = &map.as_slice()[(head * s + i) * s..][..s];
                    columns.iter().zip(from).for_each(|(&key, &p)| data[to + key] = p);
                }
            }
        }
        NamedArray::from_f32(name, vec![n_rows, n_heads, n_columns, n_columns], data)
    }
}
