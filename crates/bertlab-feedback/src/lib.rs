//! What every layer tells its caller while it works.
//!
//! Libraries report to a [`Progress`]; only a door (the command line, a server, Python) decides how that is shown.

mod progress;

pub use progress::{Cancelled, Meter, NoProgress, Progress, Stage, Status, Unit};
