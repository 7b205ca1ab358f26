//! Charts: each turns numbers into a scene, and a scene is written as SVG.

pub(crate) mod axis;
pub(crate) mod bars;
pub(crate) mod calibration;
pub(crate) mod confusion;
pub(crate) mod frame;
pub(crate) mod heat;
pub(crate) mod lengths;
pub(crate) mod lines;
pub(crate) mod scatter;
pub(crate) mod scene;
pub(crate) mod svg;
