//! The share that is dropped, and that it can be computed again.

use super::*;

#[test]
fn the_right_share_is_dropped_and_the_mean_stays() {
    for p in [0.1, 0.5] {
        let dropout = Dropout::new(p, 42).unwrap();
        let mut x = vec![1.0f32; 300 * 96];
        apply(dropout, &mut x, 96);
        let dropped = x.iter().filter(|&&x| x == 0.0).count() as f32 / x.len() as f32;
        let mean = x.iter().sum::<f32>() / x.len() as f32;
        assert!((dropped - p).abs() < 0.01 && (mean - 1.0).abs() < 0.02, "{dropped} {mean}");
        let mut again = vec![1.0f32; 300 * 96];
        apply(dropout, &mut again, 96);
        assert_eq!(x, again);
    }
}

#[test]
fn other_keys_rows_and_columns_are_independent() {
    let mask = |key, row| {
        let mut mask = vec![0.0; 4096];
        cpu::fill_mask(Dropout::new(0.5, key).unwrap(), row, &mut mask);
        mask
    };
    let same = |a: &[f32], b: &[f32]| a.iter().zip(b).filter(|(a, b)| a == b).count();
    let first = mask(1, 0);
    for other in [mask(2, 0), mask(1, 1)] {
        assert!((1900..2200).contains(&same(&first, &other)));
    }
    assert!((1900..2200).contains(&same(&first[..4095], &first[1..])));
}

#[test]
fn nothing_is_dropped_at_zero() {
    assert!(Dropout::new(0.0, 1).is_none());
}
