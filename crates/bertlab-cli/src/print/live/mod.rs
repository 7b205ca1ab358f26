//! Who watches a run for a person: a live view in a terminal, lines like the Trainer's in a pipe.

mod curve;
mod fit;
mod view;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bertlab::progress::{Cancelled, Progress, Stage, Status};
use bertlab::train::{Evaluation, Forecast, Plan, Record, Reporter, StepFigures, TimeForecast, TrainError};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressState, ProgressStyle};
use serde_json::Value;

use super::evaluation::figure_lines;
use super::numbers::duration;
use super::prose::{fill, lines as prose_lines, remark};
use super::{Console, forecast, style};
use crate::stop::Stop;
use fit::{Part, fit};
use view::{Activity, Point, Styles, View};

/// Where the words of a line start, after its heading.
const INDENT: usize = 12;
/// How often the view is drawn when nothing happens: for the clock, and windows that change their size.
const TICK: Duration = Duration::from_millis(500);
/// Seconds between two lines of a pipe that say how long the run still takes.
const SECONDS_BETWEEN: f64 = 30.0;
/// A correction is not worth a line where less than this is left.
const SECONDS_WORTH_SAYING: f64 = 10.0;
/// How much of the speed so far a new step leaves: about the last twenty steps count.
const SPEED_MEMORY: f64 = 0.95;

/// A view where a person watches; lines like the Trainer's in a pipe.
pub struct TerminalReporter {
    /// The view, where it is shown.
    shown: Option<(ProgressBar, Arc<Mutex<View>>)>,
    /// Columns that a line may fill.
    width: usize,
    /// The same for notes.
    error_width: usize,
    styles: Styles,
    heading: anstyle::Style,
    warning: anstyle::Style,
    shows_view: bool,
    prints_lines: bool,
    prints_notes: bool,
    stop: Stop,
    says_stopping: AtomicBool,
    /// Tokens and seconds of the latest steps: moving sums.
    speed: (f64, f64),
    start: Instant,
    /// When a pipe was last told how long the run still takes, and how long that is.
    told: Instant,
    ahead: Option<TimeForecast>,
}

impl TerminalReporter {
    /// For this console; nothing but the view and notes when the output is JSON. `stop` ends the run.
    pub fn new(console: &Console, as_json: bool, stop: Stop) -> Self {
        let of = |style| console.error_style(style);
        let styles = Styles {
            figure: of(style::FIGURE),
            dim: of(style::DIM),
            bar: of(style::BAR),
            good: of(style::GOOD),
        };
        Self {
            shown: None,
            width: console.width(),
            error_width: console.error_width(),
            styles,
            heading: console.style(style::HEADING),
            warning: console.error_style(style::WARNING),
            shows_view: console.shows_progress(),
            prints_lines: !as_json,
            prints_notes: !console.is_quiet(),
            stop,
            says_stopping: AtomicBool::new(false),
            speed: (0.0, 0.0),
            start: Instant::now(),
            told: Instant::now(),
            ahead: None,
        }
    }

    /// Takes the view away.
    pub fn finish(&mut self) {
        if let Some((bar, _)) = self.shown.take() {
            bar.finish_and_clear();
        }
    }

    /// Changes what is shown, and draws it.
    fn show(&self, change: impl FnOnce(&mut View)) {
        if let Some((bar, view)) = &self.shown {
            change(&mut lock(view));
            bar.tick();
        }
    }

    fn line(&self, line: &str) {
        match &self.shown {
            Some((bar, _)) => bar.suspend(|| println!("{line}")),
            None => println!("{line}"),
        }
    }

    /// A line after a heading, as those of the preparation.
    fn headed(&self, name: &str, text: &str) {
        let heading = self.heading;
        let lines = prose_lines(text, self.width.saturating_sub(INDENT));
        self.line(&format!("{heading}{name:<INDENT$}{heading:#}{}", hanging(&lines)));
    }

    /// What an evaluation on a split gave.
    fn figures(&self, split: &str, evaluation: &Evaluation) {
        if self.prints_lines {
            let lines = fill(figure_lines(evaluation), "  ", self.width.saturating_sub(INDENT));
            self.line(&format!("{split:INDENT$}{}", hanging(&lines)));
        }
    }

    fn note(&self, note: &str) {
        let note = remark(note, self.error_width);
        match &self.shown {
            _ if !self.prints_notes => {}
            Some((bar, _)) => bar.suspend(|| eprintln!("{note}")),
            None => eprintln!("{note}"),
        }
    }

    /// Columns of the window that lines are printed in, as it is now; none in a pipe.
    fn window_width(&self) -> Option<usize> {
        let size = (self.width != usize::MAX).then(terminal_size::terminal_size)?;
        Some(size.map_or(self.width, |(width, _)| usize::from(width.0)))
    }

    /// In a pipe now and then, how long the run still takes.
    fn left(&mut self) -> String {
        let Some(ahead) = self.ahead.filter(|_| self.shown.is_none()) else { return String::new() };
        if self.told.elapsed().as_secs_f64() < SECONDS_BETWEEN || ahead.seconds() < SECONDS_WORTH_SAYING {
            return String::new();
        }
        self.told = Instant::now();
        format!("  {} left", duration(ahead.seconds()))
    }
}

/// Whoever panicked while drawing left whole figures behind.
fn lock(view: &Mutex<View>) -> MutexGuard<'_, View> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A bar whose only part is the view, drawn anew for the window's width of that moment.
fn bar_of(view: &Arc<Mutex<View>>) -> ProgressBar {
    let view = Arc::clone(view);
    let draw = move |_: &ProgressState, out: &mut dyn std::fmt::Write| {
        let width = terminal_size::terminal_size().map_or(80, |(width, _)| usize::from(width.0));
        // A full last column would wrap in some terminals.
        let lines = lock(&view).lines(width.saturating_sub(1), Instant::now());
        // Where even a string cannot be written there is nothing to show.
        let _ = out.write_str(&lines.join("\n"));
    };
    let style = ProgressStyle::with_template("{view}").expect("the template is well formed");
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style.with_key("view", draw));
    bar.enable_steady_tick(TICK);
    bar
}

impl Progress for TerminalReporter {
    fn update(&self, now: Status<'_>) -> Result<(), Cancelled> {
        if now.stage == Stage::Evaluate {
            if self.stop.is_wanted() && !self.says_stopping.swap(true, Ordering::Relaxed) {
                self.note("note: stopping; Ctrl-C once more stops at once");
            }
            self.show(|view| view.activity = Activity::Evaluating(now.done as usize, now.total as usize));
        }
        if self.stop.is_wanted() { Err(Cancelled) } else { Ok(()) }
    }
}

impl Reporter for TerminalReporter {
    fn planned(&mut self, plan: &Plan) {
        self.start = Instant::now();
        if !self.shows_view {
            return;
        }
        let view = Arc::new(Mutex::new(View {
            styles: self.styles,
            n_steps: plan.n_steps,
            n_epochs: plan.n_epochs,
            step: 0,
            epoch: 0.0,
            curve: curve::Curve::default(),
            learning_rate: 0.0,
            gradient_norm: 0.0,
            tokens_per_second: 0.0,
            ahead: None,
            points: Vec::new(),
            activity: Activity::Training,
            start: self.start,
            time_of_day: forecast::time_of_day,
        }));
        self.shown = Some((bar_of(&view), view));
    }

    fn foreseen(&mut self, forecast: &Forecast) {
        if let Some(warning) = forecast::warning(forecast) {
            let style = self.warning;
            self.note(&format!("{style}warning:{style:#} {warning}"));
        }
        if self.prints_lines {
            self.headed("memory", &forecast::memory_in_words(&forecast.memory));
            self.headed("time", &forecast::time_in_words(&forecast.time));
        }
        self.show(|view| view.ahead = Some((forecast.time, Instant::now())));
    }

    fn corrected(&mut self, step: u64, ahead: &TimeForecast) {
        if self.prints_lines && ahead.seconds() >= SECONDS_WORTH_SAYING {
            self.told = Instant::now();
            self.headed("time", &forecast::correction_in_words(step, ahead));
        }
    }

    fn skipped(&mut self, checkpoint: &Path, why: &TrainError) {
        self.note(&format!("warning: {} is skipped, an older one is tried: {why}", checkpoint.display()));
    }

    fn resumed(&mut self, checkpoint: &Path, step: u64) {
        self.note(&format!("note: going on after step {step}, from {}", checkpoint.display()));
        self.show(|view| view.step = step);
    }

    fn noted(&mut self, message: &str) {
        self.note(&format!("note: {message}"));
    }

    fn warned(&mut self, message: &str) {
        self.note(&format!("warning: {message}"));
    }

    fn step(&mut self, figures: &StepFigures) {
        self.ahead = Some(figures.ahead);
        self.speed = (
            SPEED_MEMORY * self.speed.0 + figures.n_tokens as f64,
            SPEED_MEMORY * self.speed.1 + figures.seconds,
        );
        let tokens_per_second = self.speed.0 / self.speed.1;
        let is_stopping = self.stop.is_wanted();
        self.show(|view| {
            (view.step, view.epoch) = (figures.step, figures.epoch);
            (view.learning_rate, view.gradient_norm) = (figures.learning_rate, figures.gradient_norm);
            view.tokens_per_second = tokens_per_second;
            view.curve.push(figures.loss);
            view.ahead = Some((figures.ahead, Instant::now()));
            view.activity = if is_stopping { Activity::Stopping } else { Activity::Training };
        });
    }

    fn logged(&mut self, record: &Record) {
        if !self.prints_lines {
            return;
        }
        let figure = |name: &str| record.get(name).and_then(Value::as_f64);
        let step = record.get("step").and_then(Value::as_u64).unwrap_or(0);
        let epoch = figure("epoch").unwrap_or(0.0);
        let figures = (figure("loss"), figure("grad_norm"), figure("learning_rate"));
        if let (Some(loss), Some(norm), Some(rate)) = figures {
            let left = self.left();
            self.line(&match self.window_width() {
                None => format!(
                    "step {step:>5}  epoch {epoch:<7.4} loss {loss:.4}  grad_norm {norm:.3}  \
                     learning_rate {rate:.3e}{left}"
                ),
                Some(width) => short_line((step, epoch), (loss, norm, rate), width),
            });
        }
    }

    fn stopped_early(&mut self, step: u64, n_steps: u64) {
        self.note(&format!(
            "note: stopped early, after step {step} of {n_steps}: evaluations no longer get better"
        ));
    }

    fn evaluated(&mut self, evaluation: &Evaluation) {
        self.figures("validation", evaluation);
        let figures = evaluation.metrics().into_iter().take(2).collect();
        self.show(|view| {
            view.points.push(Point { step: view.step, figures, is_best: false });
            view.activity = Activity::Training;
        });
    }

    fn best(&mut self, step: u64, _metric: f64) {
        self.show(|view| {
            for point in &mut view.points {
                point.is_best = point.step == step;
            }
        });
    }

    fn tested(&mut self, evaluation: &Evaluation) {
        self.figures("test", evaluation);
    }

    fn saving(&mut self, folder: &Path) {
        let name = folder.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        self.show(|view| view.activity = Activity::Saving(name));
    }

    fn saved(&mut self, _folder: &Path) {
        self.show(|view| view.activity = Activity::Training);
    }
}

/// A log line for a window: what matters most stays in a narrow one.
fn short_line((step, epoch): (u64, f64), (loss, norm, rate): (f64, f64, f64), width: usize) -> String {
    let parts = vec![
        Part::always(format!("step {step:>5}")),
        Part::optional(4, format!("  epoch {epoch:<5.2}")),
        Part::always(format!("  loss {loss:.4}")),
        Part::optional(2, format!("  gradient norm {norm:.3}")),
        Part::optional(3, format!("  learning rate {rate:.2e}")),
    ];
    fit(parts, width)
}

/// Lines that begin under the first, which stands after a heading.
fn hanging(lines: &[String]) -> String {
    lines.join(&format!("\n{:INDENT$}", ""))
}
