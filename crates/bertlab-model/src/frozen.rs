//! Which weights stay as they are while the others are trained.

/// Where in a model a weight stands, from the bottom up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The tables at the bottom, and their norm. A masked-LM decoder that is tied to them is one of them.
    Embeddings,
    /// In this layer, from 0.
    Layer(usize),
    /// In what stands on the encoder.
    Head,
}

impl Place {
    /// Of the weight with this canonical name.
    pub fn of(canonical: &str) -> Self {
        if canonical.starts_with("embeddings.") {
            return Self::Embeddings;
        }
        let index = canonical.strip_prefix("encoder.layer.").and_then(|rest| rest.split_once('.'));
        index.and_then(|(index, _)| index.parse().ok()).map_or(Self::Head, Self::Layer)
    }
}

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
            Place::Head => false,
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
    fn a_weight_stands_where_its_name_says() {
        assert_eq!(Place::of("embeddings.LayerNorm.bias"), Place::Embeddings);
        assert_eq!(Place::of("encoder.layer.11.output.dense.weight"), Place::Layer(11));
        for head in ["pooler.dense.weight", "classifier.bias", "cls.predictions.transform.dense.weight"] {
            assert_eq!(Place::of(head), Place::Head);
        }
    }

    #[test]
    fn the_backward_pass_goes_down_to_what_is_trained() {
        let frozen = Frozen { embeddings: false, n_layers: 2 };
        assert!(frozen.holds(Place::Layer(1)) && !frozen.holds(Place::Layer(2)));
        assert!(!frozen.holds(Place::Embeddings) && !frozen.holds(Place::Head));
        assert_eq!(frozen.lowest_layer(), 0, "the embeddings below learn");
        assert_eq!(Frozen { embeddings: true, ..frozen }.lowest_layer(), 2);
    }
}
