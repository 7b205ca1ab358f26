//! The rotations that tell positions: one for layers that see whole rows, one for those with a window.

use crate::spec::{EncoderSpec, Positions};
use bertlab_compute::ops::rotary::Rotation;

/// The angles of a model's layers; none where positions are told otherwise.
#[derive(Clone, Default)]
pub(crate) struct Rotations {
    whole: Option<Rotation>,
    local: Option<Rotation>,
}

impl Rotations {
    /// Of all positions that a model takes.
    pub(crate) fn new(spec: &EncoderSpec) -> Self {
        let Positions::Rotary { theta, local_theta } = spec.positions else { return Self::default() };
        let rotation = |theta: f32| Rotation::new(theta, spec.max_positions, spec.width / spec.n_heads);
        let has_windows = spec.windows.iter().any(Option::is_some);
        Self { whole: Some(rotation(theta)), local: has_windows.then(|| rotation(local_theta)) }
    }

    /// Of a layer with this window.
    pub(crate) fn of(&self, window: Option<usize>) -> Option<&Rotation> {
        if window.is_some() { self.local.as_ref() } else { self.whole.as_ref() }
    }
}
