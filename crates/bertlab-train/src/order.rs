//! In which order the rows of an epoch come.

use crate::arguments::SamplingStrategy;
use bertlab_compute::random::{Generator, mix};

/// Row indices of epoch `epoch`. `group` rows make one update.
pub fn epoch_order(
    strategy: SamplingStrategy,
    lengths: &[usize],
    group: usize,
    seed: u64,
    epoch: u64,
) -> Vec<usize> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    if strategy == SamplingStrategy::Sequential {
        return order;
    }
    Generator::new(mix(seed, epoch)).shuffle(&mut order);
    if strategy == SamplingStrategy::GroupByLength {
        group_by_length(&mut order, lengths, group);
    }
    order
}

/// As HuggingFace does it: longest first within large blocks of the random order, the longest row of all
/// at the very front, so that memory is short at the first step if ever.
fn group_by_length(order: &mut [usize], lengths: &[usize], group: usize) {
    const UPDATES_PER_BLOCK: usize = 50;
    let n_groups = (lengths.len() / (group * 4)).clamp(1, UPDATES_PER_BLOCK);
    for block in order.chunks_mut(n_groups * group) {
        block.sort_by_key(|&row| std::cmp::Reverse(lengths[row]));
    }
    let firsts = (0..order.len()).step_by(n_groups * group);
    if let Some(longest) = firsts.max_by_key(|&place| (lengths[order[place]], std::cmp::Reverse(place))) {
        order.swap(0, longest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LENGTHS: [usize; 40] = {
        let mut lengths = [0; 40];
        let mut i = 0;
        while i < 40 {
            lengths[i] = 1 + (i * 17) % 31;
            i += 1;
        }
        lengths
    };

    #[test]
    fn every_row_comes_once_in_any_order() {
        for strategy in
            [SamplingStrategy::Random, SamplingStrategy::Sequential, SamplingStrategy::GroupByLength]
        {
            let mut order = epoch_order(strategy, &LENGTHS, 4, 1, 0);
            order.sort_unstable();
            assert_eq!(order, (0..40).collect::<Vec<_>>());
        }
    }

    #[test]
    fn epochs_and_seeds_differ_and_repeat() {
        let order = |seed, epoch| epoch_order(SamplingStrategy::Random, &LENGTHS, 4, seed, epoch);
        assert_eq!(order(1, 2), order(1, 2));
        assert_ne!(order(1, 2), order(1, 3));
        assert_ne!(order(1, 2), order(2, 2));
    }

    #[test]
    fn grouping_puts_the_longest_first_and_neighbours_together() {
        let order = epoch_order(SamplingStrategy::GroupByLength, &LENGTHS, 4, 1, 0);
        assert_eq!(LENGTHS[order[0]], 31);
        assert!(order[1..8].windows(2).all(|pair| LENGTHS[pair[0]] >= LENGTHS[pair[1]]));
    }
}
