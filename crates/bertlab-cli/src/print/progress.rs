//! Progress bars on standard error, where a person sees them: one at a time, for whatever work reports.

use std::sync::{Mutex, PoisonError};

use bertlab::progress::{Cancelled, Progress, Stage, Status, Unit};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Fewer things than this are done before a bar could be read.
const THINGS_MIN: u64 = 64;
const OF_THINGS: &str = "{bar:30} {human_pos}/{human_len} {msg}, {per_sec}, {eta} left";
const OF_BYTES: &str = "{bar:30} {bytes}/{total_bytes} {msg}, {bytes_per_sec}, {eta} left";

/// Shows the work that reports to it, until it is done or [`Bars::clear`] is called. Work on few things is
/// not shown.
pub struct Bars {
    shows: bool,
    shown: Mutex<Option<Shown>>,
}

/// The bar of one piece of work.
struct Shown {
    stage: Stage,
    item: String,
    bar: ProgressBar,
}

impl Bars {
    /// No bar yet, or never one.
    pub fn new(shows: bool) -> Self {
        Self { shows, shown: Mutex::new(None) }
    }

    /// Takes the bar away.
    pub fn clear(&self) {
        if let Some(shown) = self.shown.lock().unwrap_or_else(PoisonError::into_inner).take() {
            shown.bar.finish_and_clear();
        }
    }
}

impl Progress for Bars {
    fn update(&self, now: Status<'_>) -> Result<(), Cancelled> {
        let is_worth_it = now.unit == Unit::Bytes || now.total > THINGS_MIN;
        if !self.shows || !is_worth_it {
            return Ok(());
        }
        if now.done >= now.total {
            self.clear();
            return Ok(());
        }
        let mut shown = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if shown.as_ref().is_none_or(|shown| (shown.stage, shown.item.as_str()) != (now.stage, now.item)) {
            if let Some(before) = shown.take() {
                before.bar.finish_and_clear();
            }
            *shown = Some(Shown { stage: now.stage, item: now.item.to_owned(), bar: bar(&now) });
        }
        if let Some(shown) = &*shown {
            shown.bar.set_position(now.done);
        }
        Ok(())
    }
}

fn bar(now: &Status<'_>) -> ProgressBar {
    let template = if now.unit == Unit::Bytes { OF_BYTES } else { OF_THINGS };
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    let bar = ProgressBar::with_draw_target(Some(now.total), ProgressDrawTarget::stderr());
    bar.with_style(style).with_message(words(now))
}

/// What is counted.
fn words(now: &Status<'_>) -> String {
    let unit = match now.unit {
        Unit::Texts => "texts ",
        Unit::Rows => "rows ",
        _ => "",
    };
    let done = match now.stage {
        Stage::Download => return now.item.to_owned(),
        Stage::TrainVocabulary => "read for the vocabulary",
        Stage::Tokenize => "tokenized",
        _ => "",
    };
    format!("{unit}{done}").trim_end().to_owned()
}
