//! Whether a run's loss grew instead of falling.

use serde::{Deserialize, Serialize};
use std::fmt;

/// The loss at both ends of a run that diverged.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Divergence {
    /// Of the first update, before any weight had changed.
    pub first: f64,
    /// The mean over about the last ten updates.
    pub last: f64,
}

impl Divergence {
    /// None where the loss did not grow beyond what noise explains: to more than twice the first, and by more than 1.
    pub(crate) fn of(first: f64, last: f64) -> Option<Self> {
        (last > 2.0 * first && last > first + 1.0).then_some(Self { first, last })
    }
}

/// A sentence without its full stop.
impl fmt::Display for Divergence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the training diverged: its loss was {:.4} at the first step and {:.4} at the end",
            self.first, self.last
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_growth_that_noise_does_not_explain_is_divergence() {
        assert!(Divergence::of(0.69, 10_066.0).is_some());
        assert!(Divergence::of(0.69, 1.75).is_some());
        for (first, last) in [(0.69, 0.2), (0.69, 1.6), (0.01, 0.9), (8.0, 15.0), (5.0, 5.0)] {
            assert!(Divergence::of(first, last).is_none(), "{first} to {last}");
        }
        let words = Divergence { first: 0.69, last: 10_066.0 }.to_string();
        assert_eq!(
            words,
            "the training diverged: its loss was 0.6900 at the first step and 10066.0000 at the end"
        );
    }
}
