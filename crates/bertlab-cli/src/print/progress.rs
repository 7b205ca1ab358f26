//! A progress bar on standard error, where a person sees it.

use std::sync::Mutex;

use bertlab::{Stage, TransferProgress, Watch};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::print::Console;

/// Fewer things than this are done before a bar could be read.
const THINGS_MIN: usize = 64;

/// A bar over `n` things; invisible in a pipe, with `--quiet`, and for few things.
pub fn bar(console: &Console, n: usize, noun: &'static str) -> ProgressBar {
    let target = if console.shows_progress() && n > THINGS_MIN {
        ProgressDrawTarget::stderr()
    } else {
        ProgressDrawTarget::hidden()
    };
    let style = ProgressStyle::with_template("{bar:30} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left")
        .expect("the template is well formed");
    ProgressBar::with_draw_target(Some(n as u64), target).with_style(style).with_message(noun)
}

/// A bar over the bytes of texts that are read, stage after stage.
pub struct ReadingBar {
    shows: bool,
    shown: Option<ProgressBar>,
}

impl ReadingBar {
    /// No bar yet; never one in a pipe or with `--quiet`.
    pub fn new(console: &Console) -> Self {
        Self { shows: console.shows_progress(), shown: None }
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some(bar) = self.shown.take() {
            bar.finish_and_clear();
        }
    }
}

impl Watch for ReadingBar {
    fn begin(&mut self, stage: Stage, n_bytes: u64) {
        self.finish();
        if !self.shows {
            return;
        }
        let style =
            ProgressStyle::with_template("{bar:30} {bytes}/{total_bytes} {msg}, {bytes_per_sec}, {eta} left");
        let doing = match stage {
            Stage::Vocabulary => "read for the vocabulary",
            Stage::Tokens => "tokenized",
        };
        let bar = ProgressBar::with_draw_target(Some(n_bytes), ProgressDrawTarget::stderr());
        self.shown = Some(bar.with_style(style.expect("the template is well formed")).with_message(doing));
    }

    fn read(&self, n_bytes: u64) {
        if let Some(bar) = &self.shown {
            bar.set_position(n_bytes);
        }
    }
}

/// A bar over the bytes of each file that comes from the hub.
#[derive(Debug, Default)]
pub struct TransferBar {
    shown: Mutex<Option<(String, ProgressBar)>>,
}

impl TransferProgress for TransferBar {
    fn transferred(&self, file_name: &str, n_done: u64, n_bytes: u64) {
        let Ok(mut shown) = self.shown.lock() else { return };
        if shown.as_ref().is_none_or(|(known, _)| known != file_name) {
            let style =
                ProgressStyle::with_template("{msg} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}");
            let bar = ProgressBar::with_draw_target(Some(n_bytes), ProgressDrawTarget::stderr());
            let bar = bar.with_style(style.expect("the template is well formed"));
            *shown = Some((file_name.to_owned(), bar.with_message(file_name.to_owned())));
        }
        if let Some((_, bar)) = &*shown {
            bar.set_position(n_done);
        }
    }

    fn ended(&self, _file_name: &str) {
        if let Some((_, bar)) = self.shown.lock().ok().and_then(|mut shown| shown.take()) {
            bar.finish_and_clear();
        }
    }
}

/// Bars over the rows of splits that are tokenized one after the other; call [`RowBars::show`] as rows are done.
pub struct RowBars<'a, S> {
    console: &'a Console,
    shown: Option<(S, ProgressBar)>,
}

impl<'a, S: PartialEq> RowBars<'a, S> {
    /// No bar yet.
    pub fn new(console: &'a Console) -> Self {
        Self { console, shown: None }
    }

    /// So many rows of a split are done; a new split has a new bar.
    pub fn show(&mut self, split: S, n_done: usize, n_rows: usize) {
        if self.shown.as_ref().is_none_or(|(known, _)| *known != split) {
            self.finish();
            self.shown = Some((split, bar(self.console, n_rows, "rows tokenized")));
        }
        if let Some((_, bar)) = &self.shown {
            bar.set_position(n_done as u64);
        }
    }

    /// Takes the bar away.
    pub fn finish(&mut self) {
        if let Some((_, bar)) = self.shown.take() {
            bar.finish_and_clear();
        }
    }
}
