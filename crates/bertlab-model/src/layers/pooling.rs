//! What a head reads: each row's first token, the mean of its tokens, or all tokens.

use crate::spec::Reads;
use bertlab_compute::Tensor;
use bertlab_compute::ops::{residual, rows};
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
            let (n_rows, width) = (rows.firsts().len(), hidden.width());
            Cow::Owned(Tensor::from_buffer(&[n_rows, width], rows::means(hidden, width, rows.starts)))
        }
    }
}

/// Adds the gradient of what was read to that of the hidden state.
pub(crate) fn backward(reads: Reads, d: &Tensor, rows: Rows<'_>, d_hidden: &mut Tensor) {
    let width = d.width();
    match reads {
        Reads::Tokens => residual::add(d_hidden, d, None, width),
        Reads::FirstTokens => rows::scatter_add(d, width, rows.firsts(), d_hidden),
        Reads::Means => rows::means_backward(d, width, rows.starts, d_hidden),
    }
}
