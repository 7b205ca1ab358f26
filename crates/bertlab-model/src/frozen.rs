//! Which weights stay as they are while the others are trained.

use crate::slot::Place;

/// What is frozen: it gets no gradient and keeps its bits. Dropout falls there as everywhere, as in PyTorch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frozen {
    /// [`Place::Embeddings`]
    pub embeddings: bool,
    /// So many layers, counted from the bottom.
    pub n_layers: usize,
}

impl Frozen {
    /// Whether what stands there is frozen.
    pub fn holds(&self, place: Place) -> bool {
        match place {
            Place::Embeddings => self.embeddings,
            Place::Layer(index) => index < self.n_layers,
            Place::FinalNorm | Place::Head => false,
        }
    }

    /// The lowest layer through which the backward pass goes: below it nothing is trained.
    pub(crate) fn lowest_layer(&self) -> usize {
        if self.embeddings { self.n_layers } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_backward_pass_goes_down_to_what_is_trained() {
        let frozen = Frozen { embeddings: false, n_layers: 2 };
        assert!(frozen.holds(Place::Layer(1)) && !frozen.holds(Place::Layer(2)));
        assert!(!frozen.holds(Place::Embeddings) && !frozen.holds(Place::Head));
        assert_eq!(frozen.lowest_layer(), 0, "the embeddings below learn");
        assert_eq!(Frozen { embeddings: true, ..frozen }.lowest_layer(), 2);
    }
}
