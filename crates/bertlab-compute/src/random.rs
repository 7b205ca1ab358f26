//! Random numbers that never change with a dependency's version.
//!
//! `Generator` is a sequence (SplitMix64: Steele, Lea, Flood 2014, "Fast splittable pseudorandom
//! number generators"); `mix` turns a key and a counter into bits without any state, which is how
//! dropout can recompute a mask instead of storing it.

/// 2^64 over the golden ratio: what SplitMix64 counts by.
const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// A well-mixed 64-bit hash of `key` and `counter`.
#[inline(always)]
pub fn mix(key: u64, counter: u64) -> u64 {
    let mut z = key.wrapping_add(counter.wrapping_add(1).wrapping_mul(STEP));
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// A sequence of random numbers from a seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generator {
    state: u64,
}

impl Generator {
    /// The sequence of `seed`.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The state, from which `from_state` goes on exactly.
    pub fn state(&self) -> u64 {
        self.state
    }

    /// Goes on where `state` was taken.
    pub fn from_state(state: u64) -> Self {
        Self { state }
    }

    /// 64 random bits.
    pub fn next_u64(&mut self) -> u64 {
        let bits = mix(self.state, 0);
        self.state = self.state.wrapping_add(STEP);
        bits
    }

    /// Uniform in [0, 1), 53 bits.
    pub fn uniform(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in 0..n, without bias (Lemire 2019). Panics when `n` is 0.
    pub fn below(&mut self, n: usize) -> usize {
        assert!(n > 0, "there is no number below 0");
        let n = n as u64;
        let threshold = n.wrapping_neg() % n;
        loop {
            let product = u128::from(self.next_u64()) * u128::from(n);
            if product as u64 >= threshold {
                return (product >> 64) as usize;
            }
        }
    }

    /// Standard normal (Box and Muller 1958).
    pub fn normal(&mut self) -> f64 {
        let radius = (-2.0 * (1.0 - self.uniform()).ln()).sqrt();
        radius * (std::f64::consts::TAU * self.uniform()).cos()
    }

    /// Puts `items` into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_spread_as_they_should_be() {
        let mut generator = Generator::new(7);
        let normals: Vec<f64> = (0..20_000).map(|_| generator.normal()).collect();
        let mean = normals.iter().sum::<f64>() / 20_000.0;
        let variance = normals.iter().map(|x| x * x).sum::<f64>() / 20_000.0 - mean * mean;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
        let mut counts = [0usize; 5];
        (0..10_000).for_each(|_| counts[generator.below(5)] += 1);
        assert!(counts.iter().all(|&c| (1800..2200).contains(&c)), "{counts:?}");
    }

    #[test]
    fn numbers_are_those_of_the_reference_code() {
        let mut generator = Generator::new(1_234_567);
        let numbers: Vec<u64> = (0..3).map(|_| generator.next_u64()).collect();
        let want = [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423];
        assert_eq!(numbers, want);
    }

    #[test]
    fn every_order_of_three_is_about_equally_frequent() {
        let mut generator = Generator::new(11);
        let mut counts = std::collections::HashMap::new();
        for _ in 0..60_000 {
            let mut items = [0, 1, 2];
            generator.shuffle(&mut items);
            *counts.entry(items).or_insert(0usize) += 1;
        }
        assert!(counts.len() == 6 && counts.values().all(|count| count.abs_diff(10_000) < 460), "{counts:?}");
    }

    #[test]
    fn a_state_goes_on_exactly() {
        let mut a = Generator::new(3);
        a.next_u64();
        let mut b = Generator::from_state(a.state());
        assert_eq!(a.next_u64(), b.next_u64());
    }
}
