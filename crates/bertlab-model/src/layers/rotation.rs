//! The rotations that tell positions: one for layers that see whole rows, one for those with a window.

use crate::batch::Batch;
use crate::spec::{EncoderSpec, Positions};
use bertlab_compute::ops::rotary::Rotation;

/// The angles of a model's layers; none where positions are told otherwise.
#[derive(Default)]
pub(crate) struct Rotations {
    whole: Option<Rotation>,
    local: Option<Rotation>,
}

impl Rotations {
    /// Of the positions of one batch.
    pub(crate) fn new(spec: &EncoderSpec, batch: &Batch) -> Self {
        let Positions::Rotary { theta, local_theta } = spec.positions else { return Self::default() };
        let n_positions = batch.position_ids().iter().max().map_or(0, |&highest| highest as usize + 1);
        let rotation = |theta: f32| Rotation::new(theta, n_positions, spec.width / spec.n_heads);
        let local = spec.windows.are_any().then(|| rotation(local_theta));
        Self { whole: Some(rotation(theta)), local }
    }

    /// Of a layer with this window.
    pub(crate) fn of(&self, window: Option<usize>) -> Option<&Rotation> {
        if window.is_some() { self.local.as_ref() } else { self.whole.as_ref() }
    }
}
