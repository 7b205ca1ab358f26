//! Scatter plots of predictions and residuals against true values.

use super::axis::Axis;
use super::frame::{Frame, Margins};
use super::scene::{Item, Role, Scene};
use crate::number::number;

/// Maximum number of dots; of more rows, every k-th is drawn.
pub(crate) const DOTS_MAX: usize = 1500;

const MARGINS: Margins = Margins { left: 58.0, top: 12.0, right: 14.0, bottom: 42.0 };

/// Predictions against true values, with the diagonal.
pub(crate) fn scene(wanted: &[f32], found: &[f32]) -> Scene {
    let mut scene = Scene::new("Predictions against true values", 400.0, 300.0);
    let all = wanted.iter().chain(found).map(|&value| f64::from(value));
    let axis = Axis::around(all, 5);
    let frame = Frame::draw(&mut scene, &MARGINS, axis, axis, ("true value", "prediction"));
    scene.dashed(vec![frame.point(axis.low, axis.low), frame.point(axis.high, axis.high)], Role::Muted);
    dots(&mut scene, &frame, &pairs(wanted, found), |wanted, found| (wanted, found));
    scene
}

/// Prediction minus true value, against the true value; a slope shows shrinkage towards the mean.
pub(crate) fn residuals(wanted: &[f32], found: &[f32]) -> Scene {
    let mut scene = Scene::new("Errors against true values", 400.0, 300.0);
    let pairs = pairs(wanted, found);
    let x = Axis::around(pairs.iter().map(|pair| pair.0), 5);
    let y = Axis::around(pairs.iter().map(|(wanted, found)| found - wanted).chain([0.0]), 5);
    let frame = Frame::draw(&mut scene, &MARGINS, x, y, ("true value", "prediction minus true value"));
    scene.dashed(vec![frame.point(x.low, 0.0), frame.point(x.high, 0.0)], Role::Muted);
    dots(&mut scene, &frame, &pairs, |wanted, found| (wanted, found - wanted));
    scene
}

fn pairs(wanted: &[f32], found: &[f32]) -> Vec<(f64, f64)> {
    let every = wanted.len().div_ceil(DOTS_MAX).max(1);
    let pairs = wanted.iter().zip(found).step_by(every);
    let pairs = pairs.map(|(&wanted, &found)| (f64::from(wanted), f64::from(found)));
    pairs.filter(|(wanted, found)| wanted.is_finite() && found.is_finite()).collect()
}

fn dots(scene: &mut Scene, frame: &Frame, pairs: &[(f64, f64)], place: fn(f64, f64) -> (f64, f64)) {
    // Many dots are drawn with low opacity, so that overlaps are visible.
    let opacity = (60.0 / (pairs.len() as f64).sqrt().max(1.0)).clamp(0.25, 0.8);
    for &(wanted, found) in pairs {
        let (x, y) = place(wanted, found);
        let (x, y) = frame.point(x, y);
        let hint = format!("true value {}, prediction {}", number(wanted), number(found));
        scene.items.push(Item::Dot { x, y, radius: 3.0, role: Role::First, opacity, hint });
    }
}
