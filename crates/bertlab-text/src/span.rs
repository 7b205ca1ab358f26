//! Words of a text → token positions: which characters a word covers, and which tokens cover those
//! characters.

use crate::Encoding;

impl Encoding {
    /// Positions of the tokens that overlap the characters `start..end` of the first text, ascending.
    ///
    /// Special tokens, padding and tokens of the second text are excluded. An empty range has no tokens.
    pub fn tokens_of_span(&self, start: usize, end: usize) -> Vec<usize> {
        let overlaps = |&(token_start, token_end): &(usize, usize)| {
            token_start < token_end && token_start < end && token_end > start
        };
        (0..self.input_ids.len())
            .filter(|&position| {
                start < end && self.sequence_ids[position] == Some(0) && overlaps(&self.offsets[position])
            })
            .collect()
    }
}

/// Finds `word` in `text`: non-overlapping character ranges `start..end` (Unicode scalar values), ascending.
///
/// A match starts and ends at word boundaries: the adjacent characters are not alphanumeric, or one side of
/// the boundary is a CJK ideograph. Case is ignored only if there is no exact match. An empty word has no
/// matches.
pub fn find_word(text: &str, word: &str) -> Vec<(usize, usize)> {
    let text: Vec<char> = text.chars().collect();
    let as_written: Vec<char> = word.chars().collect();
    let exact = find_matches(&text, |from| matches_exactly(&text[from..], &as_written));
    if !exact.is_empty() {
        return exact;
    }
    let folded: Vec<char> = as_written.iter().flat_map(|c| c.to_lowercase()).collect();
    find_matches(&text, |from| matches_folded(&text[from..], &folded))
}

/// All matches of `match_length` at word boundaries, from left to right.
fn find_matches(text: &[char], match_length: impl Fn(usize) -> Option<usize>) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < text.len() {
        match match_length(start) {
            Some(n_chars) if is_at_boundaries(text, start, start + n_chars) => {
                found.push((start, start + n_chars));
                start += n_chars;
            }
            _ => start += 1,
        }
    }
    found
}

fn matches_exactly(text: &[char], word: &[char]) -> Option<usize> {
    (!word.is_empty() && text.starts_with(word)).then_some(word.len())
}

/// The length of a match of the lower-cased word, in characters of the text. Lower case may have more
/// characters than the original ('İ' becomes two), so the match must end at the end of an original character.
fn matches_folded(text: &[char], folded_word: &[char]) -> Option<usize> {
    if folded_word.is_empty() {
        return None;
    }
    let mut rest = folded_word;
    for (n_before, character) in text.iter().enumerate() {
        if rest.is_empty() {
            return Some(n_before);
        }
        for folded in character.to_lowercase() {
            rest = rest.strip_prefix(&[folded])?;
        }
    }
    rest.is_empty().then_some(text.len())
}

fn is_at_boundaries(text: &[char], start: usize, end: usize) -> bool {
    let before = start.checked_sub(1).map(|i| text[i]);
    let runs_on = |outside: Option<char>, inside: char| {
        let is_letter = outside.is_some_and(|c| c.is_alphanumeric() && !is_ideograph(c));
        is_letter && !is_ideograph(inside)
    };
    !runs_on(before, text[start]) && !runs_on(text.get(end).copied(), text[end - 1])
}

/// Whether BERT treats the character as a word of its own (CJK Unified Ideographs and extensions).
pub(crate) fn is_ideograph(character: char) -> bool {
    matches!(u32::from(character),
        0x4E00..=0x9FFF | 0x3400..=0x4DBF | 0x20000..=0x2A6DF | 0x2A700..=0x2CEAF | 0xF900..=0xFAFF | 0x2F800..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_at_its_borders_only() {
        assert_eq!(find_word("a cat, a catalogue, bobcat (cat)", "cat"), [(2, 5), (28, 31)]);
        assert_eq!(find_word("don't", "don"), [(0, 3)]);
        assert_eq!(find_word("x2 x", "x"), [(3, 4)]);
        assert_eq!(find_word("the cat", "dog"), []);
        assert_eq!(find_word("the cat", ""), []);
        assert_eq!(find_word("", "cat"), []);
    }

    #[test]
    fn characters_are_counted_not_bytes() {
        assert_eq!(find_word("Ünï 🙂 café", "café"), [(6, 10)]);
    }

    #[test]
    fn case_counts_unless_nothing_is_found() {
        assert_eq!(find_word("Intel and intel", "intel"), [(10, 15)]);
        assert_eq!(find_word("INTEL and Intel", "intel"), [(0, 5), (10, 15)]);
        // 'İ' in lower case is 'i' and a dot above: one character of the text, two when compared.
        assert_eq!(find_word("in İzmir.", "i\u{307}zmir"), [(3, 8)]);
        assert_eq!(find_word("in İ", "i"), []);
    }

    #[test]
    fn several_words_and_ideographs_can_be_looked_for() {
        assert_eq!(find_word("in New York today", "new york"), [(3, 11)]);
        assert_eq!(find_word("我爱北京。北京", "北京"), [(2, 4), (5, 7)]);
        assert_eq!(find_word("用CPU的", "CPU"), [(1, 4)]);
    }

    #[test]
    fn matches_never_overlap() {
        assert_eq!(find_word("a-a-a", "a-a"), [(0, 3)]);
    }

    fn encoding_of(offsets: &[(usize, usize)], sequence_ids: &[Option<usize>]) -> Encoding {
        Encoding {
            input_ids: vec![0; offsets.len()],
            offsets: offsets.to_vec(),
            sequence_ids: sequence_ids.to_vec(),
            ..Encoding::default()
        }
    }

    #[test]
    fn tokens_are_found_by_characters_of_the_first_text() {
        let encoding = encoding_of(
            &[(0, 0), (0, 1), (2, 5), (5, 7), (0, 0), (2, 5), (0, 0)],
            &[None, Some(0), Some(0), Some(0), None, Some(1), None],
        );
        assert_eq!(encoding.tokens_of_span(2, 7), [2, 3]);
        assert_eq!(encoding.tokens_of_span(4, 6), [2, 3]);
        assert_eq!(encoding.tokens_of_span(0, 100), [1, 2, 3]);
        assert_eq!(encoding.tokens_of_span(1, 2), [0usize; 0]);
        assert_eq!(encoding.tokens_of_span(3, 3), [0usize; 0]);
    }
}
