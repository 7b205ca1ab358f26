//! What a head reads: each row's first token, the mean of its tokens, or all tokens.

use crate::spec::Reads;
use bertlab_compute::Tensor;
use std::borrow::Cow;

/// Rows of a hidden state `[T, D]`.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    /// Where each row starts, and the end. `[B + 1]`
    pub starts: &'a [usize],
}

impl Rows<'_> {
    fn firsts(&self) -> &[usize] {
        &self.starts[..self.starts.len() - 1]
    }
}

/// `[B, D]`, or all of `hidden`. `[T, D]`
pub(crate) fn forward<'h>(reads: Reads, hidden: &'h Tensor, rows: Rows<'_>) -> Cow<'h, Tensor> {
    match reads {
        Reads::Tokens => Cow::Borrowed(hidden),
        Reads::FirstTokens => Cow::Owned(hidden.gather_rows(rows.firsts())),
        Reads::Means => {
            let mut means = Tensor::zeros(&[rows.firsts().len(), hidden.width()]);
            for (row, tokens) in rows.starts.windows(2).enumerate() {
                let mean = means.row_mut(row);
                for token in tokens[0]..tokens[1] {
                    mean.iter_mut().zip(hidden.row(token)).for_each(|(sum, x)| *sum += x);
                }
                mean.iter_mut().for_each(|sum| *sum /= (tokens[1] - tokens[0]) as f32);
            }
            Cow::Owned(means)
        }
    }
}

/// Adds the gradient of what was read to that of the hidden state.
pub(crate) fn backward(reads: Reads, d: &Tensor, rows: Rows<'_>, d_hidden: &mut Tensor) {
    match reads {
        Reads::Tokens => d_hidden.as_mut_slice().iter_mut().zip(d.as_slice()).for_each(|(sum, d)| *sum += d),
        Reads::FirstTokens => d_hidden.scatter_add_rows(rows.firsts(), d),
        Reads::Means => {
            for (row, tokens) in rows.starts.windows(2).enumerate() {
                let n = (tokens[1] - tokens[0]) as f32;
                for token in tokens[0]..tokens[1] {
                    let sums = d_hidden.row_mut(token).iter_mut();
                    sums.zip(d.row(row)).for_each(|(sum, d)| *sum += d / n);
                }
            }
        }
    }
}
