//! Progress of long work: what is being done, how much of it is done, and a way to cancel it.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};

/// Receives the progress of long work, and may cancel it.
///
/// Work reports often (once per batch, chunk or file) and from any thread; a receiver that draws should limit
/// its own rate.
///
/// ```
/// use bertlab_feedback::{Cancelled, Progress, Stage, Status, Unit};
///
/// /// Cancels work after 10 rows.
/// struct Brief;
///
/// impl Progress for Brief {
///     fn update(&self, now: Status<'_>) -> Result<(), Cancelled> {
///         if now.unit == Unit::Rows && now.done > 10 { Err(Cancelled) } else { Ok(()) }
///     }
/// }
///
/// let rows = |done| Status { stage: Stage::Tokenize, item: "training", done, total: 100, unit: Unit::Rows };
/// assert_eq!(Brief.update(rows(10)), Ok(()));
/// assert_eq!(Brief.update(rows(11)), Err(Cancelled));
/// ```
pub trait Progress: Send + Sync {
    /// Receives the current status.
    ///
    /// # Errors
    /// [`Cancelled`] ends the work: it returns this error to its caller as soon as it can.
    fn update(&self, now: Status<'_>) -> Result<(), Cancelled>;
}

impl fmt::Debug for dyn Progress {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Progress")
    }
}

/// How far a piece of work is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// What is being done.
    pub stage: Stage,
    /// What it is done to: a file's name, a split; may be empty.
    pub item: &'a str,
    /// Units that are done.
    pub done: u64,
    /// Units in all.
    pub total: u64,
    /// What is counted.
    pub unit: Unit,
}

impl<'a> Status<'a> {
    /// Work that has not begun: nothing of `total` is done.
    pub fn new(stage: Stage, item: &'a str, total: u64, unit: Unit) -> Self {
        Self { stage, item, done: 0, total, unit }
    }
}

/// A kind of work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Stage {
    /// A file is downloaded.
    Download,
    /// A vocabulary is trained.
    TrainVocabulary,
    /// Texts become tokens.
    Tokenize,
    /// Texts become vectors.
    Embed,
    /// A model's answers are computed.
    Predict,
    /// A model's answers are computed and scored.
    Evaluate,
    /// A model is trained.
    Train,
}

/// What a [`Status`] counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Unit {
    /// Bytes of a file.
    Bytes,
    /// Texts.
    Texts,
    /// Rows of a data set.
    Rows,
    /// Update steps of a training run.
    Steps,
}

/// Work was cancelled by its [`Progress`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("cancelled")]
pub struct Cancelled;

/// Ignores all progress and never cancels.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn update(&self, _: Status<'_>) -> Result<(), Cancelled> {
        Ok(())
    }
}

/// Counts one piece of work towards its total, and reports every change. Threads may share it.
pub struct Meter<'a> {
    progress: &'a dyn Progress,
    start: Status<'a>,
    done: AtomicU64,
}

impl<'a> Meter<'a> {
    /// Starts at `start.done`, and reports to `progress` from the first [`Meter::add`] or [`Meter::set`] on.
    pub fn new(progress: &'a dyn Progress, start: Status<'a>) -> Self {
        Self { progress, start, done: AtomicU64::new(start.done) }
    }

    /// Adds `n` units that were done since the last call.
    ///
    /// # Errors
    /// [`Cancelled`], where the receiver cancels the work.
    pub fn add(&self, n: u64) -> Result<(), Cancelled> {
        self.report(self.done.fetch_add(n, Ordering::Relaxed) + n)
    }

    /// Sets the units that are done.
    ///
    /// # Errors
    /// [`Cancelled`], where the receiver cancels the work.
    pub fn set(&self, done: u64) -> Result<(), Cancelled> {
        self.done.store(done, Ordering::Relaxed);
        self.report(done)
    }

    /// Units that are done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Reports to nobody.
    pub fn silent() -> Meter<'static> {
        Meter::new(&NoProgress, Status::new(Stage::Tokenize, "", 0, Unit::Rows))
    }

    fn report(&self, done: u64) -> Result<(), Cancelled> {
        self.progress.update(Status { done, ..self.start })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Remembers what it was told, and cancels beyond `max`.
    struct Recorder {
        seen: Mutex<Vec<u64>>,
        max: u64,
    }

    impl Progress for Recorder {
        fn update(&self, now: Status<'_>) -> Result<(), Cancelled> {
            assert_eq!((now.stage, now.item, now.total), (Stage::Download, "weights", 9));
            self.seen.lock().expect("no panic").push(now.done);
            if now.done > self.max { Err(Cancelled) } else { Ok(()) }
        }
    }

    #[test]
    fn a_meter_reports_every_change_and_passes_cancellation_on() {
        let recorder = Recorder { seen: Mutex::default(), max: 7 };
        let start = Status { stage: Stage::Download, item: "weights", done: 1, total: 9, unit: Unit::Bytes };
        let meter = Meter::new(&recorder, start);
        assert_eq!((meter.add(2), meter.set(7), meter.add(1)), (Ok(()), Ok(()), Err(Cancelled)));
        assert_eq!(meter.done(), 8);
        assert_eq!(*recorder.seen.lock().expect("no panic"), [3, 7, 8]);
    }
}
