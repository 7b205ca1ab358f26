//! How sure a figure over sentences is: the bootstrap. Words of a sentence depend on each other, so that intervals for independent rows
//! would be too narrow.

use super::interval::Interval;
use bertlab_compute::random::Generator;

/// How often the sentences are drawn anew.
pub const N_RESAMPLES: usize = 1000;
/// Of the draws: the same sentences and answers have the same interval everywhere.
pub const SEED: u64 = 42;

/// The 95 % percentile interval (Efron 1979) of a figure that follows from sums of counts: as many sentences as there are, drawn with
/// replacement, [`N_RESAMPLES`] times. `counts`: of each sentence. Draws in which the figure is undefined are left out; `None` when they all
/// are.
pub fn bootstrap_interval<const K: usize>(
    counts: &[[u32; K]],
    figure: impl Fn([u64; K]) -> Option<f64>,
) -> Option<Interval> {
    if counts.is_empty() {
        return None;
    }
    let mut random = Generator::new(SEED);
    let mut draw = |_| {
        let mut sums = [0u64; K];
        for _ in 0..counts.len() {
            let sentence = &counts[random.below(counts.len())];
            sums.iter_mut().zip(sentence).for_each(|(sum, &count)| *sum += u64::from(count));
        }
        figure(sums)
    };
    let mut values: Vec<f64> = (0..N_RESAMPLES).filter_map(&mut draw).collect();
    values.sort_by(f64::total_cmp);
    let last = values.len().checked_sub(1)?;
    let rank = |share: f64| share * last as f64;
    Some(Interval { low: values[rank(0.025).floor() as usize], high: values[rank(0.975).ceil() as usize] })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share([part, whole]: [u64; 2]) -> Option<f64> {
        (whole > 0).then(|| part as f64 / whole as f64)
    }

    #[test]
    fn of_independent_words_it_is_about_the_normal_interval() {
        // 400 sentences of one word, 300 right: 0.75 ± 1.96 · √(0.75 · 0.25 / 400) = 0.75 ± 0.0424.
        let counts: Vec<[u32; 2]> = (0..400).map(|i| [u32::from(i % 4 != 0), 1]).collect();
        let interval = bootstrap_interval(&counts, share).expect("there are words");
        assert!((interval.low - 0.7076).abs() < 0.01, "{interval:?}");
        assert!((interval.high - 0.7924).abs() < 0.01, "{interval:?}");
        assert_eq!(bootstrap_interval(&counts, share), Some(interval));
    }

    #[test]
    fn words_of_a_sentence_that_stand_or_fall_together_widen_it() {
        let single: Vec<[u32; 2]> = (0..400).map(|i| [i % 2, 1]).collect();
        let together: Vec<[u32; 2]> = (0..40).map(|i| [10 * (i % 2), 10]).collect();
        let width = |counts: &[[u32; 2]]| {
            let interval = bootstrap_interval(counts, share).expect("there are words");
            interval.high - interval.low
        };
        assert!(width(&together) > 2.5 * width(&single));
    }

    #[test]
    fn what_is_undefined_in_every_draw_has_no_interval() {
        assert_eq!(bootstrap_interval(&[[0, 0], [0, 0]], share), None);
        assert_eq!(bootstrap_interval(&[], share), None);
        // Most draws hold the one sentence with a word, some do not.
        let some = bootstrap_interval(&[[1, 1], [0, 0]], share).expect("some are defined");
        assert_eq!((some.low, some.high), (1.0, 1.0));
    }
}
