//! How far transfers are, told to whoever shows it.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

/// Is told how far a transfer is. Calls come often, and from the thread that transfers.
pub trait Progress: Debug + Send + Sync {
    /// So many bytes of a file are there; also told at its beginning.
    fn transferred(&self, file_name: &str, n_done: u64, n_bytes: u64);

    /// The transfer of a file has ended, whether it worked or not.
    fn ended(&self, file_name: &str);
}

static DEFAULT: OnceLock<Arc<dyn Progress>> = OnceLock::new();

/// Sets what [`HubOptions::default`](super::HubOptions::default) reports progress to, once for the whole
/// process. Gives false, and changes nothing, where it was set before.
pub fn set_default_progress(progress: Arc<dyn Progress>) -> bool {
    DEFAULT.set(progress).is_ok()
}

pub(super) fn default_progress() -> Option<Arc<dyn Progress>> {
    DEFAULT.get().cloned()
}
