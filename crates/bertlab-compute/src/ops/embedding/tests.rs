//! Rows come back where they were looked up.

use super::*;
use crate::ops::testing::normals;

#[test]
fn rows_are_looked_up_added_and_given_back() {
    let width = 131;
    let (words, positions) = (normals(5 * width, 1), normals(3 * width, 2));
    let ids = [4, 0, 4];
    let lookups = [
        Lookup { table: (&words).into(), indices: &ids },
        Lookup { table: (&positions).into(), indices: &[0, 1, 2] },
    ];
    let out = forward(&lookups, width);
    let out = out.cpu();
    assert_eq!(out[2 * width + 7], words[4 * width + 7] + positions[2 * width + 7]);
    let mut d_table = vec![0.0; words.len()];
    backward(out, &ids, Some(0), &mut d_table, width);
    assert_eq!(d_table[4 * width + 130], out[130] + out[2 * width + 130]);
    assert!(d_table[..4 * width].iter().all(|&d| d == 0.0));
}
