//! A number that is not finite is found wherever it is, at every level.

use super::cpu::{CHUNK, first_non_finite};
use crate::ops::testing::{NON_FINITE, normals};
use crate::simd::Level;

#[test]
fn the_first_place_is_found_wherever_it_is() {
    let n = 2 * CHUNK + 77;
    let mut x = normals(n, 1);
    (x[0], x[1], x[2]) = (f32::MAX, f32::MIN, f32::MIN_POSITIVE / 2.0);
    for level in Level::available() {
        assert_eq!(first_non_finite(level, &x), None);
        assert_eq!(first_non_finite(level, &[]), None);
        for (bad, place) in [0, 63, 64, CHUNK - 1, CHUNK, n - 78, n - 1]
            .into_iter()
            .flat_map(|place| NON_FINITE.map(|bad| (bad, place)))
        {
            let mut x = x.clone();
            (x[place], x[n - 1]) = (bad, bad);
            assert_eq!(first_non_finite(level, &x), Some(place), "{bad} at {}", level.name());
        }
    }
}
