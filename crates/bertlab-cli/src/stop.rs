//! Ctrl-C during a long run: the first asks it to stop, the second ends the program at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bertlab::train::TrainError;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

/// The exit code of a program that was interrupted: 128 and the number of SIGINT.
pub const EXIT_CODE: u8 = 130;

/// Whether somebody has asked the program to stop.
#[derive(Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Whether it was asked for.
    pub fn is_wanted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// From now on Ctrl-C (SIGINT) and SIGTERM ask for a stop. A closed terminal (SIGHUP) is left to the system, so that
/// `nohup` works.
pub fn on_signals() -> std::io::Result<Stop> {
    let stop = Stop::default();
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal finds the flag down, and raises it.
        flag::register_conditional_shutdown(signal, EXIT_CODE.into(), Arc::clone(&stop.0))?;
        flag::register(signal, Arc::clone(&stop.0))?;
    }
    Ok(stop)
}

/// Whether this is no failure, but a run that was asked to stop.
pub fn is_interruption(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(bertlab::Error::Train(TrainError::Interrupted { .. })))
}
