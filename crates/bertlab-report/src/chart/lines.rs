//! Curves over the steps of a run: losses, figures of evaluations, learning rate, gradient norm.

use super::axis::Axis;
use super::frame::{Frame, MARGINS};
use super::scene::{Anchor, LETTER, Role, Scene};
use crate::number::number;

/// A curve.
pub(crate) struct Series {
    pub(crate) name: String,
    /// x (for example the step) and value; values that are not finite leave a gap.
    pub(crate) points: Vec<(f64, f64)>,
    pub(crate) role: Role,
    /// Whether to draw a dot at each value.
    pub(crate) has_dots: bool,
}

/// A horizontal reference line.
pub(crate) struct Level {
    pub(crate) name: String,
    pub(crate) value: f64,
}

/// A chart of curves.
pub(crate) struct Lines {
    pub(crate) title: String,
    /// Label of the x axis.
    pub(crate) x_label: &'static str,
    /// Label of the y axis.
    pub(crate) y_label: String,
    pub(crate) series: Vec<Series>,
    pub(crate) level: Option<Level>,
    /// The end of the x axis.
    pub(crate) last_step: f64,
    /// Whether the y axis starts at 0.
    pub(crate) from_zero: bool,
}

/// Size of a chart, chosen so that text of 12 units is readable on the width of a phone.
const SIZE: (f64, f64) = (400.0, 250.0);

impl Lines {
    pub(crate) fn scene(&self) -> Scene {
        let mut scene = Scene::new(&self.title, SIZE.0, SIZE.1);
        let values = self.series.iter().flat_map(|series| series.points.iter().map(|point| point.1));
        let zero = self.from_zero.then_some(0.0);
        let level = self.level.as_ref().map(|level| level.value);
        let y = Axis::around(values.chain(zero).chain(level), 4);
        let x = Axis::up_to(self.last_step, 5);
        let frame = Frame::draw(&mut scene, &MARGINS, x, y, (self.x_label, &self.y_label));
        if let Some(level) = &self.level {
            let ends = [x.low, x.high].map(|step| frame.point(step, level.value));
            scene.dashed(ends.to_vec(), Role::Muted);
        }
        self.series.iter().for_each(|series| draw(&mut scene, &frame, series, self.x_label));
        self.legend(&mut scene);
        scene
    }

    /// Draws the legend above the frame.
    fn legend(&self, scene: &mut Scene) {
        let mut left = MARGINS.left;
        let y = 11.0;
        let names = self.series.iter().map(|series| (&series.name, series.role, false));
        let level = self.level.iter().map(|level| (&level.name, Role::Muted, true));
        for (name, role, is_dashed) in names.chain(level) {
            let mark = vec![(left, y), (left + 16.0, y)];
            if is_dashed {
                scene.dashed(mark, role)
            } else {
                scene.line(mark, role, 2.5)
            }
            scene.text((left + 21.0, y + 4.0), name, Role::Ink, Anchor::Start);
            left += 21.0 + LETTER * name.chars().count() as f64 + 16.0;
        }
    }
}

fn draw(scene: &mut Scene, frame: &Frame, series: &Series, x_label: &str) {
    for run in series.points.split(|point| !point.1.is_finite()) {
        let points: Vec<(f64, f64)> = run.iter().map(|&(step, value)| frame.point(step, value)).collect();
        if points.len() > 1 {
            scene.line(points, series.role, if series.has_dots { 1.8 } else { 1.6 });
        }
    }
    for &(step, value) in series.points.iter().filter(|point| point.1.is_finite()) {
        let hint = format!("{} {} at {x_label} {step}", series.name, number(value));
        if series.has_dots || series.points.len() == 1 {
            scene.dot(frame.point(step, value), 3.5, series.role, hint);
        } else {
            scene.hint(frame.point(step, value), hint);
        }
    }
}
