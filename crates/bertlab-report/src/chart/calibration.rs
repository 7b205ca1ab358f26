//! The reliability diagram: accuracy and number of predictions by predicted probability.

use super::axis::Axis;
use super::frame::{Frame, Margins};
use super::scene::{Item, Role, Scene};
use crate::number::{counted, percent};
use bertlab_train::metrics::calibration::Calibration;
use bertlab_train::metrics::interval::wilson_interval;

const SIZE: (f64, f64) = (400.0, 300.0);
const MARGINS: Margins = Margins { left: 58.0, top: 12.0, right: 14.0, bottom: 42.0 };

/// The reliability diagram (DeGroot and Fienberg 1983): dots below the diagonal show overconfidence. Whiskers
/// are 95 % Wilson intervals.
pub(crate) fn scene(calibration: &Calibration) -> Scene {
    let mut scene = Scene::new("Accuracy by predicted probability", SIZE.0, SIZE.1);
    let axis = Axis::exactly(0.0, 1.0, 0.2);
    let names = ("predicted probability", "accuracy");
    let frame = Frame::draw(&mut scene, &MARGINS, axis, axis, names);
    scene.dashed(vec![frame.point(0.0, 0.0), frame.point(1.0, 1.0)], Role::Muted);
    let most = calibration.bins.iter().map(|bin| bin.n_answers).max().unwrap_or(1).max(1);
    for bin in &calibration.bins {
        let (Some(mean), Some(share)) = (bin.mean_probability, bin.share_right()) else { continue };
        let hint = format!(
            "probability {} to {}: {}, {} correct",
            percent(bin.low),
            percent(bin.high),
            counted(bin.n_answers, "prediction"),
            percent(share)
        );
        // A histogram of predictions at the bottom, at most a fifth of the height.
        let (left, top) = frame.point(bin.low, 0.2 * bin.n_answers as f64 / most as f64);
        let (right, bottom) = frame.point(bin.high, 0.0);
        let (width, height) = (right - left - 1.0, bottom - top);
        scene.items.push(Item::Box {
            x: left + 0.5,
            y: top,
            width,
            height,
            role: Role::Muted,
            opacity: 0.35,
            hint: hint.clone(),
        });
        if let Some(interval) = wilson_interval(bin.n_right, bin.n_answers) {
            scene.line(
                [interval.low, interval.high].map(|end| frame.point(mean, end)).to_vec(),
                Role::First,
                1.5,
            );
        }
        scene.dot(frame.point(mean, share), 4.0, Role::First, hint);
    }
    scene
}
