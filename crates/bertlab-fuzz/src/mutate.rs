//! Inputs by number: first the seeds themselves, then mutations of them.

use crate::{Target, json};
use bertlab_compute::random::{Generator, mix};

/// Longest input in bytes.
const LENGTH_MAX: usize = 1 << 17;
/// Values at which length and size checks tend to break.
const NUMBERS: [u64; 14] = [
    0,
    1,
    2,
    0x7f,
    0xff,
    0x7fff,
    0xffff,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    1 << 40,
    i64::MAX as u64,
    1 << 63,
    u64::MAX,
];

/// Input number `index` of a target: the same bytes at every call, on every machine.
///
/// Inputs below the number of `seeds` are the seeds themselves.
pub fn input(target: &Target, seeds: &[Vec<u8>], index: u64) -> Vec<u8> {
    if let Some(seed) = usize::try_from(index).ok().and_then(|index| seeds.get(index)) {
        return seed.clone();
    }
    let random = &mut Generator::new(mix(target.seed, index));
    let mut bytes = seeds[random.below(seeds.len())].clone();
    if random.below(2) == 0
        && let Some(mutated) = json::mutate(&bytes, random)
    {
        bytes = mutated;
    } else {
        for _ in 0..=random.below(4) {
            mutate_once(&mut bytes, target.words, seeds, random);
        }
    }
    bytes.truncate(LENGTH_MAX);
    bytes
}

fn mutate_once(bytes: &mut Vec<u8>, words: &[&str], seeds: &[Vec<u8>], random: &mut Generator) {
    let at = random.below(bytes.len() + 1);
    match random.below(10) {
        0 => overwrite(bytes, at, &[1 << random.below(8)], |old, new| old ^ new),
        1 => overwrite(bytes, at, &[random.next_u64() as u8], |_, new| new),
        2 => overwrite(bytes, at, &number(random), |_, new| new),
        3 => drop(bytes.drain(range(bytes.len(), at, random))),
        4 => {
            let copied = bytes[range(bytes.len(), random.below(bytes.len() + 1), random)].to_vec();
            insert(bytes, at, &copied);
        }
        5 => bytes.truncate(at),
        6 if !words.is_empty() => insert(bytes, at, words[random.below(words.len())].as_bytes()),
        7 => digits(bytes, at, random),
        8 => splice(bytes, at, &seeds[random.below(seeds.len())], random),
        _ => insert(bytes, at, &random.next_u64().to_le_bytes()[..=random.below(8).min(7)]),
    }
}

fn overwrite(bytes: &mut [u8], at: usize, new: &[u8], combine: impl Fn(u8, u8) -> u8) {
    bytes[at..].iter_mut().zip(new).for_each(|(old, &new)| *old = combine(*old, new));
}

/// One of [`NUMBERS`] in 2, 4 or 8 bytes, in either byte order.
fn number(random: &mut Generator) -> Vec<u8> {
    let number = NUMBERS[random.below(NUMBERS.len())];
    let n_bytes = [2, 4, 8][random.below(3)];
    let mut bytes = number.to_le_bytes()[..n_bytes].to_vec();
    if random.below(2) == 0 {
        bytes.reverse();
    }
    bytes
}

/// A range that starts at `at`; mostly short.
fn range(length: usize, at: usize, random: &mut Generator) -> std::ops::Range<usize> {
    let longest = if random.below(4) == 0 { length } else { 16 };
    at..length.min(at + random.below(longest + 1))
}

fn insert(bytes: &mut Vec<u8>, at: usize, inserted: &[u8]) {
    bytes.splice(at..at, inserted.iter().copied());
}

/// Replaces the decimal number at or after `at` by another one.
fn digits(bytes: &mut Vec<u8>, at: usize, random: &mut Generator) {
    let Some(start) = bytes[at..].iter().position(u8::is_ascii_digit).map(|offset| at + offset) else {
        return;
    };
    let n_digits = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = match random.below(3) {
        0 => NUMBERS[random.below(NUMBERS.len())].to_string(),
        1 => random.below(10).to_string().repeat(n_digits), // The length stays, and so do offsets behind it.
        _ => format!("-{}", random.below(1000)),
    };
    bytes.splice(start..start + n_digits, text.bytes());
}

/// The beginning of one input followed by the end of another.
fn splice(bytes: &mut Vec<u8>, at: usize, other: &[u8], random: &mut Generator) {
    bytes.truncate(at);
    bytes.extend_from_slice(&other[random.below(other.len() + 1)..]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inputs_depend_on_their_number_alone_and_start_with_the_seeds() {
        let target = crate::find("csv").expect("a known target");
        let seeds = vec![b"text,label\nx,1\n".to_vec(), b"a\tb\n".to_vec()];
        assert_eq!([input(target, &seeds, 0), input(target, &seeds, 1)], seeds[..]);
        let first: Vec<_> = (0..200).map(|index| input(target, &seeds, index)).collect();
        let backwards: Vec<_> = (0..200).rev().map(|index| input(target, &seeds, index)).collect();
        assert!(first.iter().eq(backwards.iter().rev()));
        let mut distinct = first.clone();
        distinct.sort();
        distinct.dedup();
        assert!(distinct.len() > 150, "{} of 200 inputs differ", distinct.len());
    }

    #[test]
    fn an_empty_seed_is_mutated_too() {
        let target = crate::find("csv").expect("a known target");
        let seeds = vec![Vec::new()];
        assert!((1..500).any(|index| !input(target, &seeds, index).is_empty()));
    }
}
