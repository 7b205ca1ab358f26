//! A progress bar on standard error, where a person sees it.

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
