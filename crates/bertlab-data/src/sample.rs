//! Chooses rows: a sample that keeps the share of every class, and a split into training and validation.

use std::fmt;
use std::str::FromStr;

use super::labels::Target;
use bertlab_compute::random::Generator;

/// How a sample of the rows is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sampling {
    /// Every class keeps its share; seeded, in shuffled order.
    #[default]
    Stratified,
    /// Every row is equally likely; seeded, in shuffled order.
    Random,
    /// The first rows, in file order. On a file sorted by label this gives one class only.
    First,
}

impl fmt::Display for Sampling {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Sampling::Stratified => "stratified",
            Sampling::Random => "random",
            Sampling::First => "first",
        })
    }
}

/// A word that is no [`Sampling`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no way to sample; one of stratified, random, first is wanted")]
pub struct UnknownSampling(pub String);

impl FromStr for Sampling {
    type Err = UnknownSampling;

    fn from_str(word: &str) -> Result<Sampling, UnknownSampling> {
        match word {
            "stratified" => Ok(Sampling::Stratified),
            "random" => Ok(Sampling::Random),
            "first" => Ok(Sampling::First),
            _ => Err(UnknownSampling(word.to_owned())),
        }
    }
}

/// Indices of `n` rows, of all rows when there are fewer.
///
/// `Stratified` gives each class its share of `n` rounded by largest remainder, and at least one row while `n` allows it; targets that are no
/// single class (numbers, several labels, tokens) form one stratum together. The same seed gives the same indices on every machine.
pub fn sample(targets: &[Target], n: usize, how: Sampling, seed: u64) -> Vec<usize> {
    let n = n.min(targets.len());
    let mut random = Generator::new(seed);
    match how {
        Sampling::First => (0..n).collect(),
        Sampling::Random => {
            let mut rows: Vec<usize> = (0..targets.len()).collect();
            random.shuffle(&mut rows);
            rows.truncate(n);
            rows
        }
        Sampling::Stratified => {
            let strata = strata(targets);
            let sizes: Vec<usize> = strata.iter().map(Vec::len).collect();
            draw(strata, &allocate(&sizes, &sizes, n), &mut random)
        }
    }
}

/// Training and validation rows: `n_validation` rows drawn as [`sample`] draws them stratified, the rest in file order.
///
/// A class keeps at least one training row wherever `n_validation` leaves room for that.
pub fn stratified_split(targets: &[Target], n_validation: usize, seed: u64) -> (Vec<usize>, Vec<usize>) {
    let n = n_validation.min(targets.len());
    let strata = strata(targets);
    let sizes: Vec<usize> = strata.iter().map(Vec::len).collect();
    let all_but_one: Vec<usize> = sizes.iter().map(|size| size - 1).collect();
    let limits = if n <= all_but_one.iter().sum() { &all_but_one } else { &sizes };
    let validation = draw(strata, &allocate(&sizes, limits, n), &mut Generator::new(seed));
    let mut is_training = vec![true; targets.len()];
    for &row in &validation {
        is_training[row] = false;
    }
    let training = (0..targets.len()).filter(|&row| is_training[row]).collect();
    (training, validation)
}

/// Rows by class, in file order; none is empty.
fn strata(targets: &[Target]) -> Vec<Vec<usize>> {
    let stratum = |target: &Target| match target {
        Target::Class(class) => class + 1,
        _ => 0,
    };
    let mut strata: std::collections::BTreeMap<usize, Vec<usize>> = std::collections::BTreeMap::new();
    for (row, target) in targets.iter().enumerate() {
        strata.entry(stratum(target)).or_default().push(row);
    }
    strata.into_values().collect()
}

fn draw(strata: Vec<Vec<usize>>, allocation: &[usize], random: &mut Generator) -> Vec<usize> {
    let mut drawn = Vec::new();
    for (mut rows, &n) in strata.into_iter().zip(allocation) {
        random.shuffle(&mut rows);
        drawn.extend_from_slice(&rows[..n]);
    }
    random.shuffle(&mut drawn);
    drawn
}

/// Shares of `n` in proportion to `sizes`, none above its limit. `n` is at most the sum of the limits.
fn allocate(sizes: &[usize], limits: &[usize], n: usize) -> Vec<usize> {
    let total: usize = sizes.iter().sum();
    if total == 0 {
        return Vec::new();
    }
    // Integers only: size * n / total and its remainder, exact.
    let share = |stratum: usize| sizes[stratum] as u128 * n as u128;
    let mut shares: Vec<usize> =
        (0..sizes.len()).map(|stratum| (share(stratum) / total as u128) as usize).collect();
    for (share, &limit) in shares.iter_mut().zip(limits) {
        *share = (*share).min(limit);
    }
    let mut by_remainder: Vec<usize> = (0..sizes.len()).collect();
    by_remainder.sort_by_key(|&stratum| std::cmp::Reverse(share(stratum) % total as u128));
    let mut missing = n - shares.iter().sum::<usize>();
    while missing > 0 {
        for &stratum in &by_remainder {
            if missing > 0 && shares[stratum] < limits[stratum] {
                shares[stratum] += 1;
                missing -= 1;
            }
        }
    }
    give_everyone_one(&mut shares, limits, n);
    shares
}

/// Takes a row from the largest share for every stratum without any, while `n` has one for each.
fn give_everyone_one(shares: &mut [usize], limits: &[usize], n: usize) {
    let n_possible = limits.iter().filter(|&&limit| limit > 0).count();
    if n < n_possible {
        return;
    }
    for stratum in 0..shares.len() {
        if shares[stratum] > 0 || limits[stratum] == 0 {
            continue;
        }
        // The first of the largest, so that the result is the same everywhere.
        let largest = (0..shares.len()).rev().max_by_key(|&other| shares[other]);
        let largest = largest.expect("there is at least this stratum");
        shares[largest] -= 1;
        shares[stratum] = 1;
    }
}
