//! Who is told of downloads where nobody is named.

use std::sync::{Arc, OnceLock};

use bertlab_feedback::Progress;

static DEFAULT: OnceLock<Arc<dyn Progress>> = OnceLock::new();

/// Sets what [`HubOptions::default`](super::HubOptions::default) reports downloads to, once for the whole
/// process. Gives false, and changes nothing, where it was set before.
pub fn set_default_progress(progress: Arc<dyn Progress>) -> bool {
    DEFAULT.set(progress).is_ok()
}

pub(super) fn default_progress() -> Option<Arc<dyn Progress>> {
    DEFAULT.get().cloned()
}
