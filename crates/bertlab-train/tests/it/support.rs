//! What tests against other programs' figures share.

use serde_json::Value;

/// Both sides compute in f64; the sums run in another order.
pub const TOLERANCE: f64 = 1e-9;

/// A figure must be the wanted one; where that is null, there must be none.
pub fn check(what: &str, found: Option<f64>, wanted: &Value) {
    let agrees = match (found, wanted.as_f64()) {
        (Some(found), Some(wanted)) => (found - wanted).abs() < TOLERANCE,
        (None, None) => wanted.is_null(),
        _ => false,
    };
    assert!(agrees, "{what}: {found:?} is not {wanted}");
}
