//! In which order the rows of an epoch come.

use crate::arguments::SamplingStrategy;
use bertlab_compute::random::{Generator, mix};

/// The order of an epoch's rows.
#[derive(Clone, Debug)]
pub enum Order {
    /// Row by row.
    List(Vec<usize>),
    /// As the rows stand.
    Sequential(usize),
    /// Random, without a list.
    Permuted(Permutation),
}

impl Order {
    /// Of rows that are as long as each other: memory does not grow with their number.
    pub fn of_equal_rows(strategy: SamplingStrategy, n_rows: usize, seed: u64, epoch: u64) -> Self {
        match strategy {
            SamplingStrategy::Sequential => Self::Sequential(n_rows),
            SamplingStrategy::Random | SamplingStrategy::GroupByLength => {
                Self::Permuted(Permutation { n: n_rows, key: mix(seed, epoch) })
            }
        }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        match self {
            Self::List(rows) => rows.len(),
            Self::Sequential(n) => *n,
            Self::Permuted(permutation) => permutation.n,
        }
    }

    /// The rows at these places; fewer where the epoch ends among them.
    pub fn rows(&self, places: std::ops::Range<usize>) -> Vec<usize> {
        let places = places.start.min(self.len())..places.end.min(self.len());
        match self {
            Self::List(rows) => rows[places].to_vec(),
            Self::Sequential(_) => places.collect(),
            Self::Permuted(permutation) => places.map(|place| permutation.of(place)).collect(),
        }
    }
}

/// A random permutation of 0..n as a function: a Feistel network over the next power of four, walked until it gives a
/// number below n (Black and Rogaway 2002, "Ciphers with arbitrary finite domains").
#[derive(Clone, Copy, Debug)]
pub struct Permutation {
    n: usize,
    key: u64,
}

impl Permutation {
    const ROUNDS: u64 = 6;

    /// Where `place`, below n, is sent to.
    fn of(&self, place: usize) -> usize {
        let n_bits = usize::BITS - (self.n.max(2) - 1).leading_zeros();
        let half = n_bits.div_ceil(2);
        let mask = (1u64 << half) - 1;
        let mut number = place as u64;
        loop {
            let (mut left, mut right) = (number >> half, number & mask);
            for round in 0..Self::ROUNDS {
                (left, right) = (right, left ^ (mix(mix(self.key, round), right) & mask));
            }
            number = left << half | right;
            if (number as usize) < self.n {
                return number as usize;
            }
        }
    }
}

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
    fn a_permutation_without_a_list_sends_every_row_somewhere_else_in_every_epoch() {
        for n in [1, 2, 3, 17, 64, 1000] {
            let order = |epoch| Order::of_equal_rows(SamplingStrategy::Random, n, 7, epoch).rows(0..n + 5);
            let mut rows = order(0);
            assert!(n < 17 || (rows != order(1) && rows.windows(2).any(|two| two[0] > two[1])));
            rows.sort_unstable();
            assert_eq!(rows, (0..n).collect::<Vec<_>>());
        }
        let n = 4000;
        let rows = Order::of_equal_rows(SamplingStrategy::Random, n, 1, 0).rows(0..n);
        let n_ascending = rows.windows(2).filter(|two| two[0] < two[1]).count();
        assert!((1850..2150).contains(&n_ascending), "{n_ascending} of {n} steps go up");
        let mean: f64 = rows[..n / 4].iter().sum::<usize>() as f64 / (n / 4) as f64;
        assert!((mean - 2000.0).abs() < 120.0, "a quarter of the places has rows from everywhere: {mean}");
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
