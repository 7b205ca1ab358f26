//! NaN and infinities: found in weights when a model is opened or saved, and in results before they leave.

use crate::batch::Batch;
use crate::error::Error;
use crate::model::{Model, Output, Request};
use bertlab_compute::Tensor;
use bertlab_compute::ops::finite::first_non_finite;
use std::fmt;

/// The first weight that is NaN or infinite.
#[derive(Clone, Debug)]
pub struct NonFiniteWeight {
    /// HuggingFace's name of its tensor.
    pub name: String,
    /// Of its tensor.
    pub shape: Vec<usize>,
    /// Its index in each axis, from 0.
    pub index: Vec<usize>,
    /// NaN or an infinity.
    pub value: f32,
    /// How many tensors hold such values.
    pub n_tensors: usize,
    /// How many tensors there are.
    pub n_tensors_all: usize,
}

impl NonFiniteWeight {
    /// Looks through all tensors, on all threads.
    pub(crate) fn find(tensors: &[(String, &Tensor)]) -> Option<Self> {
        let mut found: Option<Self> = None;
        for (name, tensor) in tensors {
            let Some(place) = first_non_finite(*tensor) else { continue };
            let first = found.get_or_insert_with(|| Self {
                name: name.clone(),
                shape: tensor.shape().to_vec(),
                index: index_of(place, tensor.shape()),
                value: tensor.as_slice()[place],
                n_tensors: 0,
                n_tensors_all: tensors.len(),
            });
            first.n_tensors += 1;
        }
        found
    }
}

/// Where the number at a place in C order stands in each axis.
fn index_of(mut place: usize, shape: &[usize]) -> Vec<usize> {
    let mut index: Vec<usize> = shape
        .iter()
        .rev()
        .map(|size| {
            let along = place % size;
            place /= size;
            along
        })
        .collect();
    index.reverse();
    index
}

/// `encoder.layer.0.output.dense.weight holds NaN in row 3, column 5 (counted from 0; its shape is [8, 32]); 2 of 41
/// tensors hold such values`
impl fmt::Display for NonFiniteWeight {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, shape, index, value, n_tensors, n_tensors_all } = self;
        write!(f, "{name} holds {value} ")?;
        match index[..] {
            [row, column] => write!(f, "in row {row}, column {column}")?,
            _ => write!(f, "at {index:?}")?,
        }
        write!(
            f,
            " (counted from 0; its shape is {shape:?}); {n_tensors} of {n_tensors_all} tensors hold NaN or infinity"
        )
    }
}

impl Model {
    /// Refuses results of a batch that are NaN or infinite.
    ///
    /// # Errors
    /// The row, and the first layer whose output holds such a number.
    pub fn check_finite(&self, batch: &Batch, results: &[f32]) -> Result<(), Error> {
        match first_non_finite(results) {
            None => Ok(()),
            Some(place) => Err(self.where_it_began(batch, results[place])),
        }
    }

    /// Runs the batch again and looks where the first number went wrong.
    fn where_it_began(&self, batch: &Batch, value: f32) -> Error {
        let output = self.forward(batch, Request { hidden_states: true, ..Request::default() });
        let first = self.outputs_by_place(&output).into_iter().find_map(|(place, tensor)| {
            let row = first_non_finite(tensor)? / tensor.width();
            let by_token = tensor.n_rows() == batch.n_tokens();
            let row = if by_token { batch.row_of_token(row) } else { row };
            Some(Error::NonFiniteResult { row, place, value })
        });
        let place = "what is made of the last layer's output".to_owned();
        first.unwrap_or(Error::NonFiniteResult { row: 0, place, value })
    }

    /// The outputs in the order in which they are computed.
    fn outputs_by_place<'a>(&self, output: &'a Output) -> Vec<(String, &'a Tensor)> {
        let n_layers = self.spec.encoder.n_layers;
        let states = output.encoder.hidden_states.iter().flatten().enumerate().map(|(layer, state)| {
            let place = match layer {
                0 => "the embeddings' output".to_owned(),
                layer => format!("the output of layer {layer} of {n_layers}"),
            };
            (place, state)
        });
        let head = &output.head;
        let parts = [
            ("the pooler's output", &head.pooler_output),
            ("the logits", &head.logits),
            ("the logits of the next sentence", &head.relationship_logits),
        ];
        let parts = parts.into_iter().filter_map(|(name, part)| Some((name.to_owned(), part.as_ref()?)));
        states.chain(parts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_weight_is_named_with_its_row_and_how_many_tensors_are_so() {
        let (good, mut bad, mut worse) = (Tensor::zeros(&[4]), Tensor::zeros(&[3, 5]), Tensor::zeros(&[7]));
        let find = |tensors: [&Tensor; 3]| {
            NonFiniteWeight::find(&tensors.map(|tensor| (format!("w{}", tensor.len()), tensor)))
        };
        assert!(find([&good, &bad, &worse]).is_none());
        bad.row_mut(2)[4] = f32::NEG_INFINITY;
        worse.as_mut_slice()[6] = f32::NAN;
        let found = find([&good, &bad, &worse]).expect("two hold such values").to_string();
        let wanted = "w15 holds -inf in row 2, column 4 (counted from 0; its shape is [3, 5]); \
                      2 of 3 tensors hold NaN or infinity";
        assert_eq!(found, wanted);
        let found = find([&good, &worse, &good]).expect("one holds such a value").to_string();
        assert!(found.starts_with("w7 holds NaN at [6] "), "{found}");
    }
}
