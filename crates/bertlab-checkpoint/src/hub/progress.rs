//! The default receiver of download progress.

use std::sync::{Arc, OnceLock};

use bertlab_feedback::Progress;

static DEFAULT: OnceLock<Arc<dyn Progress>> = OnceLock::new();

/// Sets the receiver of progress for [`HubOptions::default`](super::HubOptions::default), once per process.
/// Returns false and has no effect if it was set before.
pub fn set_default_progress(progress: Arc<dyn Progress>) -> bool {
    DEFAULT.set(progress).is_ok()
}

pub(super) fn default_progress() -> Option<Arc<dyn Progress>> {
    DEFAULT.get().cloned()
}
