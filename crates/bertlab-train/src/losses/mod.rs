//! Losses: from a head's outputs and what they should be, to a number and its gradient.
//!
//! Each loss is a *sum* over items (rows, or labelled tokens), and the caller says by how much each item
//! counts: 1 / N with N items in the whole accumulation makes every item weigh the same, however they
//! fell into micro-batches. Axes: n items, C outputs.

mod binary_cross_entropy;
mod cross_entropy;
mod mean_squared_error;
mod span;

pub use binary_cross_entropy::binary_cross_entropy;
pub use cross_entropy::{CrossEntropy, IGNORED, cross_entropy};
pub use mean_squared_error::mean_squared_error;
pub use span::span;

use bertlab_compute::Tensor;

/// A loss and where it pulls.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The sum over all items, each times its weight.
    pub value: f64,
    /// Of the logits, shaped as they are.
    pub d_logits: Tensor,
}

#[cfg(test)]
mod testing {
    use super::Loss;
    use bertlab_compute::Tensor;
    use bertlab_compute::random::Generator;

    pub(super) fn logits(n: usize, n_outputs: usize) -> Tensor {
        let mut generator = Generator::new(5);
        let data = (0..n * n_outputs).map(|_| generator.normal() as f32 * 2.0).collect();
        Tensor::from_vec(&[n, n_outputs], data)
    }

    /// The gradient must be what moving each logit does to the value.
    pub(super) fn check_gradient(logits: &Tensor, loss: impl Fn(&Tensor) -> Loss) {
        let gradient = loss(logits).d_logits;
        assert_eq!(gradient.shape(), logits.shape());
        let step = 1e-2;
        for i in 0..logits.len() {
            let moved = |by: f32| {
                let mut moved = logits.clone();
                moved.as_mut_slice()[i] += by;
                loss(&moved).value
            };
            let want = (moved(step) - moved(-step)) / (2.0 * f64::from(step));
            let got = f64::from(gradient.as_slice()[i]);
            assert!((got - want).abs() < 1e-4, "logit {i}: {got}, by differences {want}");
        }
    }
}
