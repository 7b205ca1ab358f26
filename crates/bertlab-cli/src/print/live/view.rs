//! What a training run looks like while it goes: a few lines that fit into any width. Nothing is written here.

use std::time::Instant;

use anstyle::Style;
use bertlab::train::TimeForecast;

use super::curve::{Curve, sparkline};
use super::fit::{Part, fit};
use crate::print::numbers::{clock, grouped};

/// What the run is at.
#[derive(Clone, Debug, PartialEq)]
pub enum Activity {
    /// An update.
    Training,
    /// So many rows of so many.
    Evaluating(usize, usize),
    /// A folder, by its name.
    Saving(String),
    /// Ends after this step.
    Stopping,
}

/// Figures of an evaluation.
#[derive(Clone, Debug)]
pub struct Point {
    pub step: u64,
    /// The loss, and what decides beside it; undefined is none.
    pub figures: Vec<(&'static str, Option<f64>)>,
    /// The best so far.
    pub is_best: bool,
}

/// The styles of the view; all plain where there are no colours.
#[derive(Clone, Copy, Default)]
pub struct Styles {
    pub figure: Style,
    pub dim: Style,
    pub bar: Style,
    pub good: Style,
}

/// All that is shown.
pub struct View {
    pub styles: Styles,
    pub n_steps: u64,
    pub n_epochs: u64,
    pub step: u64,
    pub epoch: f64,
    pub curve: Curve,
    pub learning_rate: f64,
    pub gradient_norm: f64,
    pub tokens_per_second: f64,
    /// What is left, and when that was said.
    pub ahead: Option<(TimeForecast, Instant)>,
    pub points: Vec<Point>,
    pub activity: Activity,
    pub start: Instant,
    /// The time of day at an instant to come, as `14:32`; none where the system does not tell.
    pub time_of_day: fn(f64) -> Option<String>,
}

/// Columns of the activity's word, so that the bar does not move.
const WORD: usize = 11;
/// Evaluations in a line at most.
const TRAIL_MAX: usize = 4;
/// Columns of the loss's curve at most.
const CURVE_MAX: usize = 40;

impl View {
    /// The lines, none longer than `width` columns.
    pub fn lines(&self, width: usize, now: Instant) -> Vec<String> {
        let mut lines = vec![self.progress_line(width, now), self.loss_line(width), self.rate_line(width)];
        lines.extend(self.evaluation_line(width));
        lines
    }

    fn progress_line(&self, width: usize, now: Instant) -> String {
        let dim = self.styles.dim;
        let word = match &self.activity {
            Activity::Training => "training".to_owned(),
            Activity::Evaluating(..) => "evaluating".to_owned(),
            Activity::Saving(_) => "saving".to_owned(),
            Activity::Stopping => "stopping".to_owned(),
        };
        let (done, all) = match self.activity {
            Activity::Evaluating(done, all) => (done as u64, all as u64),
            _ => (self.step, self.n_steps),
        };
        let counts = match &self.activity {
            Activity::Evaluating(..) => {
                format!("{} of {} rows", grouped(done as usize), grouped(all as usize))
            }
            Activity::Saving(name) => name.clone(),
            _ => format!("{} of {} steps", grouped(done as usize), grouped(all as usize)),
        };
        let gone = (now - self.start).as_secs_f64();
        let mut parts = vec![
            Part::always(format!("{word:<WORD$}")),
            Part::bar(done as f64 / all.max(1) as f64, self.styles.bar, dim),
            Part::always(format!("  {counts}")),
            Part::optional(2, format!("  {dim}{} gone{dim:#}", clock(gone))),
        ];
        if let Some(left) = self.seconds_left(now) {
            parts.push(Part::optional(4, format!(", {} left", clock(left))));
            if let Some(time) = (self.time_of_day)(left) {
                parts.push(Part::optional(1, format!("{dim}, ends {time}{dim:#}")));
            }
        }
        fit(parts, width)
    }

    /// Of the whole run, less what has gone since it was said.
    fn seconds_left(&self, now: Instant) -> Option<f64> {
        let (ahead, said) = self.ahead?;
        Some((ahead.seconds() - (now - said).as_secs_f64()).max(0.0))
    }

    fn loss_line(&self, width: usize) -> String {
        let (figure, dim, bar) = (self.styles.figure, self.styles.dim, self.styles.bar);
        let Some(loss) = self.curve.last() else {
            return format!("{:<WORD$}{dim}waiting for the first step{dim:#}", "loss");
        };
        let room = width.saturating_sub(WORD + 8 + 16).min(CURVE_MAX);
        let epoch = format!("  {dim}epoch {:.2} of {}{dim:#}", self.epoch, self.n_epochs);
        fit(
            vec![
                Part::always(format!("{:<WORD$}{figure}{loss:.4}{figure:#}", "loss")),
                Part::optional(3, format!("  {bar}{}{bar:#}", sparkline(&self.curve.values(room)))),
                Part::optional(2, epoch),
            ],
            width,
        )
    }

    fn rate_line(&self, width: usize) -> String {
        let dim = self.styles.dim;
        let tokens = grouped(self.tokens_per_second as usize);
        fit(
            vec![
                Part::always(format!("{:<WORD$}{tokens} {dim}tokens/s{dim:#}", "speed")),
                Part::optional(3, format!("   {dim}learning rate{dim:#} {:.2e}", self.learning_rate)),
                Part::optional(2, format!("   {dim}gradient norm{dim:#} {:.3}", self.gradient_norm)),
            ],
            width,
        )
    }

    /// `loss 0.5123 > 0.4810   accuracy 0.7500 > 0.8125   best step 8`: the last evaluations, as many as there is room
    /// for.
    fn evaluation_line(&self, width: usize) -> Option<String> {
        let last = self.points.last()?;
        let best = self.points.iter().rev().find(|point| point.is_best);
        let of_last = best.is_some_and(|best| best.step == last.step);
        let good = self.styles.good;
        let best = best.map_or_else(String::new, |best| match of_last {
            true => format!("   {good}the best so far{good:#}"),
            false => format!("   {good}best step {}{good:#}", best.step),
        });
        let line = |n_shown: usize| {
            let trails = (0..last.figures.len()).map(|figure| self.trail(figure, n_shown));
            let trails: Vec<String> = trails.collect();
            vec![
                Part::always(format!("{:<WORD$}{}", "validation", trails.join("   "))),
                Part::optional(1, best.clone()),
            ]
        };
        let fits = |parts: &Vec<Part>| parts.iter().map(Part::columns).sum::<usize>() <= width;
        let longest = (1..=TRAIL_MAX).rev().map(line).find(fits);
        Some(fit(longest.unwrap_or_else(|| line(1)), width))
    }

    /// A figure of the last `n` evaluations, the latest marked.
    fn trail(&self, figure: usize, n: usize) -> String {
        let (dim, strong) = (self.styles.dim, self.styles.figure);
        let shown = &self.points[self.points.len().saturating_sub(n)..];
        let value =
            |point: &Point| point.figures[figure].1.map_or("undefined".to_owned(), |x| format!("{x:.4}"));
        let (last, before) = shown.split_last().expect("there is an evaluation");
        let before: String = before.iter().map(|point| format!("{} > ", value(point))).collect();
        format!("{dim}{} {before}{dim:#}{strong}{}{strong:#}", last.figures[figure].0, value(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn view() -> View {
        let start = Instant::now();
        let mut curve = Curve::default();
        (0..40).for_each(|step| curve.push(1.0 - f64::from(step) / 50.0));
        let point = |step, loss, accuracy, is_best| Point {
            step,
            figures: vec![("loss", Some(loss)), ("accuracy", accuracy)],
            is_best,
        };
        View {
            styles: Styles::default(),
            n_steps: 157,
            n_epochs: 1,
            step: 40,
            epoch: 0.2548,
            curve,
            learning_rate: 1.5e-5,
            gradient_norm: 1.25,
            tokens_per_second: 1830.0,
            ahead: Some((TimeForecast { train_seconds: 130.0, ..TimeForecast::default() }, start)),
            points: vec![point(20, 0.5, Some(0.75), true), point(40, 0.6, None, false)],
            activity: Activity::Training,
            start,
            time_of_day: |_| Some("14:32".to_owned()),
        }
    }

    #[test]
    fn a_wide_window_shows_everything() {
        let view = view();
        let lines = view.lines(100, view.start + Duration::from_secs(10));
        let expected = [
            "training   ━━━━━━━━──────────────────────  40 of 157 steps  0:10 gone, 2:00 left, ends 14:32",
            "speed      1,830 tokens/s   learning rate 1.50e-5   gradient norm 1.250",
            "validation loss 0.5000 > 0.6000   accuracy 0.7500 > undefined   best step 20",
        ];
        assert_eq!([&lines[0], &lines[2], &lines[3]], expected);
        assert!(
            lines[1].starts_with("loss       0.") && lines[1].ends_with("epoch 0.25 of 1"),
            "{}",
            lines[1]
        );
    }

    #[test]
    fn no_line_is_wider_than_the_window_whatever_happens() {
        let activities = [
            Activity::Training,
            Activity::Stopping,
            Activity::Evaluating(12_000, 25_000),
            Activity::Saving("checkpoint-157".to_owned()),
        ];
        let mut view = view();
        for activity in activities {
            view.activity = activity;
            for width in 0..120 {
                let lines = view.lines(width, view.start);
                assert_eq!(lines.len(), 4, "the view never jumps");
                assert!(lines.iter().all(|line| line.chars().count() <= width), "{width}: {lines:?}");
            }
        }
        let lines = view.lines(50, view.start);
        assert_eq!(lines[0], "saving     ━━━─────────  checkpoint-157, 2:10 left");
    }

    #[test]
    fn before_the_first_step_nothing_is_made_up() {
        let view = View { curve: Curve::default(), ahead: None, points: Vec::new(), step: 0, ..view() };
        let lines = view.lines(80, view.start);
        assert!(lines[1].contains("waiting for the first step") && !lines[0].contains("left"), "{lines:?}");
        assert_eq!(lines.len(), 3);
    }
}
