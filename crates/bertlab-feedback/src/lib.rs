//! What every layer tells its caller: the progress of long work, and hints in messages.
//!
//! Libraries report to a [`Progress`], and name settings and commands as [`Hint`]s; only a door (the command
//! line, a server, Python) decides how these are shown.

mod hint;
mod progress;

pub use hint::{Command, Hint, Speller, hints_in, spelled_by};
pub use progress::{Cancelled, Meter, NoProgress, Progress, Stage, Status, Unit};
