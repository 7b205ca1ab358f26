//! The frame of a chart: grid lines, ticks and axis labels.

use super::axis::Axis;
use super::scene::{Anchor, LETTER, Role, Scene};

/// Maps values to positions in a scene.
pub(crate) struct Frame {
    pub(crate) x: Axis,
    pub(crate) y: Axis,
    left: f64,
    top: f64,
    width: f64,
    height: f64,
}

/// Margins between a frame and its scene.
pub(crate) struct Margins {
    pub(crate) left: f64,
    pub(crate) top: f64,
    pub(crate) right: f64,
    pub(crate) bottom: f64,
}

/// Space for tick and axis labels; wide tick labels get more.
pub(crate) const MARGINS: Margins = Margins { left: 58.0, top: 26.0, right: 12.0, bottom: 42.0 };

impl Frame {
    /// Draws grid, ticks and axis labels; `names` are the labels of x and y.
    pub(crate) fn draw(scene: &mut Scene, margins: &Margins, x: Axis, y: Axis, names: (&str, &str)) -> Self {
        let left = margins.left.max(left_margin(&y));
        let frame = Self {
            x,
            y,
            left,
            top: margins.top,
            width: scene.width - left - margins.right,
            height: scene.height - margins.top - margins.bottom,
        };
        let (right, bottom) = (frame.left + frame.width, frame.top + frame.height);
        for tick in y.ticks() {
            let (_, at) = frame.point(x.low, tick);
            scene.line(vec![(frame.left, at), (right, at)], Role::Grid, 1.0);
            scene.text((frame.left - 6.0, at + 4.0), &y.label(tick), Role::Muted, Anchor::End);
        }
        for tick in x.ticks() {
            let (at, _) = frame.point(tick, y.low);
            scene.line(vec![(at, bottom), (at, bottom + 4.0)], Role::Muted, 1.0);
            scene.text((at, bottom + 17.0), &x.label(tick), Role::Muted, Anchor::Middle);
        }
        scene.line(vec![(frame.left, bottom), (right, bottom)], Role::Muted, 1.0);
        scene.text((frame.left + frame.width / 2.0, bottom + 35.0), names.0, Role::Muted, Anchor::Middle);
        scene.vertical_text((13.0, frame.top + frame.height / 2.0), names.1, Role::Muted);
        frame
    }

    /// The position of a pair of values.
    pub(crate) fn point(&self, x: f64, y: f64) -> (f64, f64) {
        (self.left + self.width * self.x.share(x), self.top + self.height * (1.0 - self.y.share(y)))
    }
}

/// The width of the axis label and the widest tick label, with gaps.
fn left_margin(y: &Axis) -> f64 {
    const NAME: f64 = 26.0;
    let widest = y.ticks().into_iter().map(|tick| y.label(tick).chars().count()).max().unwrap_or(0);
    NAME + LETTER * widest as f64 + 6.0
}
